package schema

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is a schema in the style of a well-known program, and a document for it.
type golden struct {
	name   string
	schema *Schema
	value  map[string]any
}

func goldens(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.schema.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("the golden schemas: got %d files, error %v, want at least 7", len(files), err)
	}
	var list []golden
	for _, file := range files {
		s, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(file, ".schema.json")
		b, err := os.ReadFile(base + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, golden{filepath.Base(base), s, parse(t, string(b))})
	}
	return list
}

func TestGoldenForms(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			for _, p := range g.schema.Validate(g.value, nil) {
				t.Errorf("the document is not valid: %s %s", p.Pointer, p.Message)
			}
			file := "testdata/golden/" + g.name + ".form.txt"
			got := dump(g.schema.Form(g.value))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the form differs from %s (go test -update writes it anew):\n%s", file, firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			missing := "(end)"
			if i < len(w) {
				missing = w[i]
			}
			return "got  " + g[i] + "\nwant " + missing
		}
	}
	return "want more lines"
}

func TestAnUntouchedFormChangesNothing(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			untouched(t, g.schema, g.value)
		})
		t.Run(g.name+", an empty document", func(t *testing.T) {
			untouched(t, g.schema, map[string]any{})
		})
	}
	t.Run("a document of another schema", func(t *testing.T) {
		all := goldens(t)
		for _, a := range all {
			for _, b := range all {
				untouched(t, a.schema, b.value)
			}
		}
	})
}

func untouched(t *testing.T, s *Schema, value map[string]any) {
	t.Helper()
	form := submit(s.Form(value))
	edits, problems := s.Decode(form, value)
	for _, e := range edits {
		t.Errorf("an edit at %s: %#v, remove %v", e.Pointer, e.Value, e.Remove)
	}
	for _, p := range problems {
		t.Errorf("a problem at %q: %s", p.Pointer, p.Message)
	}
	again := submit(s.Form(value).WithInput(form))
	if again.Encode() != form.Encode() {
		t.Errorf("the form with its own input is another:\n%s", firstDifference(lines(again), lines(form)))
	}
}

func lines(form url.Values) string {
	return strings.ReplaceAll(form.Encode(), "&", "\n")
}

func TestNoFormEverShowsASecret(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			form := g.schema.Form(g.value)
			b, err := json.Marshal(form)
			if err != nil {
				t.Fatal(err)
			}
			for _, ptr := range g.schema.Secrets(g.value) {
				v, ok := lookup(g.value, ptr)
				text, _ := v.(string)
				if !ok || text == "" {
					t.Errorf("the secret at %s is not in the document", ptr)
				} else if strings.Contains(string(b), jsonQuote(text)) {
					t.Errorf("the form shows the secret at %s", ptr)
				}
			}
		})
	}
}

func BenchmarkFormOfHundredsOfKeys(b *testing.B) {
	for _, g := range goldens(b) {
		if g.name != "values" {
			continue
		}
		b.Run("draw", func(b *testing.B) {
			for b.Loop() {
				g.schema.Form(g.value)
			}
		})
		form := submit(g.schema.Form(g.value))
		b.Logf("%d inputs", len(form))
		b.Run("decode", func(b *testing.B) {
			for b.Loop() {
				g.schema.Decode(form, g.value)
			}
		})
		b.Run("validate", func(b *testing.B) {
			for b.Loop() {
				g.schema.Validate(g.value, nil)
			}
		})
	}
}
