package configfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func documents(t *testing.T, kind string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", kind, "*.toml"))
	if err != nil || len(paths) < 25 {
		t.Fatalf("testdata/%s has %d documents (%v)", kind, len(paths), err)
	}
	docs := map[string][]byte{}
	for _, path := range paths {
		if docs[strings.TrimSuffix(filepath.Base(path), ".toml")], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return docs
}

// Every key of every valid document is set, given a neighbour and removed; the decoded rest is
// compared, and so is every byte before and behind a scalar.
func TestEveryKeyOfEveryValidDocumentCanBeEdited(t *testing.T) {
	for name, src := range documents(t, "valid") {
		t.Run(name, func(t *testing.T) {
			d := mustParse(t, src)
			checkIndex(t, d)
			if _, err := json.Marshal(allPointers("", d.Value())); err != nil {
				t.Fatal(err)
			}
			for _, ptr := range allPointers("", d.Value()) {
				for _, v := range []any{int64(7), 0.5, "it's \"x\" \\ # \n", true, []any{int64(1), "x"}, map[string]any{"a": int64(1), "b c": map[string]any{}}, map[string]any{}} {
					e := mustParse(t, src)
					n, _ := e.find(mustSplit(ptr))
					want, _ := with(clone(d.Value()), mustSplit(ptr), v)
					if err := e.Set(ptr, v); err != nil || !equal(e.Value(), want) {
						t.Fatalf("Set(%q, %v): %v, got\n%s", ptr, v, err, e.Bytes())
					}
					if n.kind == valueNode && (!bytes.HasPrefix(e.Bytes(), src[:n.raw.start]) || !bytes.HasSuffix(e.Bytes(), src[n.raw.end:])) {
						t.Fatalf("Set(%q, %v) changed other bytes:\n%s", ptr, v, e.Bytes())
					}
				}
				e := mustParse(t, src)
				if v, _ := e.Get(ptr); isTable(v) {
					if err := e.Set(JoinPointer(ptr, "brand new"), int64(1)); err != nil {
						t.Fatalf("a new key in %q: %v", ptr, err)
					}
					if err := e.Remove(JoinPointer(ptr, "brand new")); err != nil || !bytes.Equal(e.Bytes(), src) && len(v.(map[string]any)) > 0 && !equal(e.Value(), d.Value()) {
						t.Fatalf("removing what was added to %q: %v, got\n%s", ptr, err, e.Bytes())
					}
				}
				e = mustParse(t, src)
				if err := e.Remove(ptr); err != nil {
					t.Fatalf("Remove(%q): %v", ptr, err)
				}
			}
		})
	}
}

func isTable(v any) bool { _, ok := v.(map[string]any); return ok }

func TestInvalidDocumentsAreRefusedAtAPlace(t *testing.T) {
	for name, src := range documents(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(src)
			bad, ok := err.(*SyntaxError)
			if !ok || bad.Line < 1 || bad.Column < 1 || bad.Message == "" || bad.Line > bytes.Count(src, []byte("\n"))+1 {
				t.Fatalf("got %#v for %q", err, src)
			}
			if strings.HasPrefix(bad.Message, "toml: ") {
				t.Errorf("the message is %q", bad.Message)
			}
		})
	}
}
