package schema

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSchemaDocument holds docs/SCHEMA.md against the program.
func TestSchemaDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/SCHEMA.md")
	if err != nil {
		t.Fatal(err)
	}
	document := string(text)
	t.Run("names every word of ours, and no other", func(t *testing.T) {
		word := regexp.MustCompile(`x-[a-z]+(?:-[a-z]+)*`)
		known := map[string]bool{}
		files, err := filepath.Glob("*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, quoted := range regexp.MustCompile(`"x-[a-z-]+"`).FindAllString(string(source), -1) {
				known[strings.Trim(quoted, `"`)] = true
			}
		}
		for w := range known {
			if !strings.Contains(document, "`"+w+"`") {
				t.Errorf("%s is not told", w)
			}
		}
		for _, w := range word.FindAllString(document, -1) {
			if !known[w] {
				t.Errorf("%s is told, and nothing reads it", w)
			}
		}
	})
	t.Run("its example is a schema, and makes what it says", func(t *testing.T) {
		_, example, _ := strings.Cut(document, "```json\n")
		example, _, _ = strings.Cut(example, "```")
		path := filepath.Join(t.TempDir(), "schema.json")
		if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]Control{}
		for _, section := range s.Form(map[string]any{"limits": map[string]any{"max_usd": int64(5), "open_at": "09:30"}, "broker": map[string]any{}}).Sections {
			for _, f := range section.Fields {
				got[f.Pointer] = f.Control
			}
		}
		for pointer, want := range map[string]Control{
			"/limits/max_usd": Number, "/limits/mode": Select, "/limits/open_at": Time, "/limits/strict": Checkbox,
			"/broker/url": Text, "/broker/api_key": Password,
		} {
			if got[pointer] != want {
				t.Errorf("%s is %q, want %q", pointer, got[pointer], want)
			}
		}
		if info := s.At("/limits/mode"); info.Danger == "" || info.Reload != "live" {
			t.Errorf("/limits/mode is %+v", info)
		}
	})
}

func TestATitleInASentence(t *testing.T) {
	for title, want := range map[string]string{"Early closes": "early closes", "API keys": "API keys", "Ärger": "ärger", "X": "X", "": ""} {
		if got := inSentence(title); got != want {
			t.Errorf("%q is %q in a sentence, want %q", title, got, want)
		}
	}
}
