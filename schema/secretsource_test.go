package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretThatComesFromElsewhereIsNotMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.json")
	text := `{"type": "object", "required": ["a"], "properties": {"a": {"type": "object",
		"required": ["env", "file", "none", "open"], "properties": {
			"env":  {"type": "string", "minLength": 8, "writeOnly": true, "x-secret-env": "DESK_KEY"},
			"file": {"type": "string", "minLength": 8, "format": "password", "x-secret-file": "/run/secrets/desk"},
			"none": {"type": "string", "minLength": 8, "writeOnly": true},
			"open": {"type": "string", "x-secret-env": "IS_NO_SECRET"}}}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]map[string]any{
		"absent": {}, "empty": {"env": "", "file": "", "none": "", "open": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			for _, p := range s.Validate(map[string]any{"a": a}, nil) {
				said += p.Pointer + " " + p.Message + "\n"
			}
			if strings.Contains(said, "/a/env") || strings.Contains(said, "/a/file") || !strings.Contains(said, "/a/none") || name == "absent" && !strings.Contains(said, "/a/open is required") {
				t.Errorf("got\n%s", said)
			}
		})
	}
	t.Run("one that is there is checked", func(t *testing.T) {
		if got := s.Validate(map[string]any{"a": map[string]any{"env": "short", "file": "long enough", "none": "long enough", "open": "x"}}, nil); len(got) != 1 || got[0].Pointer != "/a/env" || strings.Contains(got[0].Message, "short;") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("the form says where it may come from", func(t *testing.T) {
		said := map[string]string{}
		for _, section := range s.Form(map[string]any{"a": map[string]any{}}).Sections {
			for _, f := range section.Fields {
				said[f.Pointer] = f.SecretSource
				if required := f.Pointer == "/a/none" || f.Pointer == "/a/open"; f.Required != required {
					t.Errorf("%s: required is %v", f.Pointer, f.Required)
				}
			}
		}
		if !strings.Contains(said["/a/env"], "DESK_KEY") || !strings.Contains(said["/a/file"], "/run/secrets/desk") || said["/a/none"] != "" {
			t.Errorf("got %v", said)
		}
	})
}

func TestWhatIsSaidOfASecretDoesNotTellIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.json")
	text := `{"type": "object", "properties": {
		"const": {"const": "t0ld", "writeOnly": true}, "enum": {"enum": ["t0ld", "t0ld-2"], "writeOnly": true},
		"not": {"not": {"const": "t0ld"}, "writeOnly": true}, "pattern": {"type": "string", "pattern": "^t0ld", "format": "password"},
		"one": {"oneOf": [{"const": "t0ld"}, {"const": "t0ld-2"}], "writeOnly": true}, "high": {"maximum": 5, "writeOnly": true},
		"list": {"type": "array", "contains": {"const": "t0ld"}, "items": {"writeOnly": true}}, "whole": {"enum": [["t0ld"]], "items": {"writeOnly": true}}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	problems := s.Validate(map[string]any{"const": "typed-1", "enum": "typed-2", "not": "t0ld", "pattern": "typed-3", "one": "typed-4", "high": int64(918273645),
		"list": []any{"typed-5"}, "whole": []any{"typed-6"}}, nil)
	if len(problems) != 8 {
		t.Errorf("%d problems, want 8: %v", len(problems), problems)
	}
	for _, p := range problems {
		if strings.Contains(p.Message, "t0ld") || strings.Contains(p.Message, "typed-") || strings.Contains(p.Message, "918") {
			t.Errorf("%s: %s", p.Pointer, p.Message)
		}
	}
}
