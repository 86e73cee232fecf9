package configfile

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"

	tomltest "github.com/toml-lang/toml-test/v2"
)

// The documents of toml-test, which every TOML library is held against: those of TOML 1.0, which is
// what the services read.
func tomlTest(t *testing.T, kind string) map[string][]byte {
	t.Helper()
	names, err := fs.ReadFile(tomltest.TestCases(), "files-toml-1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string][]byte{}
	for name := range strings.FieldsSeq(string(names)) {
		if strings.HasPrefix(name, kind+"/") && strings.HasSuffix(name, ".toml") {
			if docs[name], err = fs.ReadFile(tomltest.TestCases(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(docs) < 150 {
		t.Fatalf("toml-test has %d documents that are %s", len(docs), kind)
	}
	return docs
}

func TestTOMLTestInvalidDocumentsAreRefused(t *testing.T) {
	for name, src := range tomlTest(t, "invalid") {
		_, err := Parse(src)
		bad, ok := err.(*SyntaxError)
		if !ok || bad.Line < 1 || bad.Column < 1 || bad.Message == "" {
			t.Errorf("%s: got %#v for %q", name, err, src)
		}
	}
}

// For every key of every valid document: setting it changes the bytes of its value and no other,
// adding a neighbour is one insertion, removing it is one deletion, and the rest stays as it was, as
// text with its comments and as values.
func TestTOMLTestEveryKeyCanBeEdited(t *testing.T) {
	for name, src := range tomlTest(t, "valid") {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(name, "valid/"), ".toml"), func(t *testing.T) {
			d := mustParse(t, src)
			checkIndex(t, d)
			for _, ptr := range append([]string{""}, allPointers("", d.Value())...) {
				v, _ := d.Get(ptr)
				if isTable(v) {
					wantAdded(t, src, JoinPointer(ptr, "brand new"))
				}
				if ptr != "" {
					wantSet(t, src, ptr)
					wantRemoved(t, src, ptr)
				}
			}
		})
	}
}

func wantSet(t *testing.T, src []byte, ptr string) {
	t.Helper()
	for _, v := range []any{int64(7), "it's \"x\" \\ # \n", []any{int64(1), "x"}} {
		d := mustParse(t, src)
		n, _ := d.find(mustSplit(ptr))
		want, _ := with(clone(d.Value()), mustSplit(ptr), v)
		was := mustParse(t, src)
		if err := d.Set(ptr, v); err != nil || !equal(d.Value(), want) {
			t.Errorf("Set(%q, %v): %v, got\n%s", ptr, v, err, d.Bytes())
			return
		}
		if n.kind == valueNode && (!bytes.HasPrefix(d.Bytes(), src[:n.raw.start]) || !bytes.HasSuffix(d.Bytes(), src[n.raw.end:])) {
			t.Errorf("Set(%q, %v) changed other bytes:\n%s", ptr, v, d.Bytes())
		}
		wantRest(t, was, d, ptr)
	}
}

func wantAdded(t *testing.T, src []byte, ptr string) {
	t.Helper()
	d := mustParse(t, src)
	was := mustParse(t, src)
	if err := d.Set(ptr, int64(1)); err != nil {
		t.Errorf("adding %q: %v", ptr, err)
		return
	}
	if !isInsertion(src, d.Bytes()) {
		t.Errorf("adding %q is no insertion:\n%q\nfrom\n%q", ptr, d.Bytes(), src)
	}
	wantRest(t, was, d, ptr)
	if err := d.Remove(ptr); err != nil || !equal(withoutEmpty(d.Value()), withoutEmpty(was.Value())) {
		t.Errorf("removing what was added as %q: %v, got\n%s", ptr, err, d.Bytes())
	}
}

func wantRemoved(t *testing.T, src []byte, ptr string) {
	t.Helper()
	d := mustParse(t, src)
	was := mustParse(t, src)
	n, _ := d.find(mustSplit(ptr))
	want, _ := without(clone(d.Value()), mustSplit(ptr))
	if err := d.Remove(ptr); err != nil || !equal(withoutEmpty(d.Value()), withoutEmpty(want)) {
		t.Errorf("Remove(%q): %v, got\n%s", ptr, err, d.Bytes())
		return
	}
	// A table may be written in several places, and an item's comma stands by the one before.
	if n.kind != tableNode && n.kind != tablesNode && n.list == nil && !isInsertion(d.Bytes(), src) {
		t.Errorf("Remove(%q) is no deletion:\n%q\nfrom\n%q", ptr, d.Bytes(), src)
	}
	wantRest(t, was, d, ptr)
}

// isInsertion tells whether long is short with one stretch put in.
func isInsertion(short, long []byte) bool {
	if len(long) < len(short) {
		return false
	}
	i := 0
	for i < len(short) && short[i] == long[i] {
		i++
	}
	return bytes.HasSuffix(long, short[i:])
}

// withoutEmpty is a value without its empty tables and lists of tables, which go with their last key
// or element where nothing else says that they are there.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			e = withoutEmpty(e)
			if l, ok := e.([]any); ok && len(l) == 0 || isTable(e) && len(e.(map[string]any)) == 0 {
				continue
			}
			out[k] = e
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = withoutEmpty(e)
		}
		return out
	}
	return v
}

// wantRest holds that every other key is written as it was, and that what is remarked beside it is.
func wantRest(t interface {
	Helper()
	Errorf(string, ...any)
}, was, now *Document, ptr string) {
	t.Helper()
	edited := mustSplit(ptr)
	was.find(nil)
	now.find(nil)
	var walk func(n *node, keys []string)
	walk = func(n *node, keys []string) {
		if n.kind == tablesNode || n.kind == arrayNode {
			if len(edited) > len(keys) && hasPrefix(edited, keys) {
				return // places in a list move
			}
		}
		if len(keys) > 0 && n.raw != nil && !hasPrefix(keys, edited) && !hasPrefix(edited, keys) {
			m, rest := now.find(keys)
			if len(rest) > 0 || m.raw == nil || was.text(n.raw.span) != now.text(m.raw.span) {
				t.Errorf("%q is not written as it was, after an edit of %q:\n%s\nfrom\n%s", keys, ptr, now.Bytes(), was.Bytes())
			} else if n.list == nil && was.text(span{n.raw.end, was.lineEnd(n.raw.end)}) != now.text(span{m.raw.end, now.lineEnd(m.raw.end)}) {
				if a, b := was.text(span{n.raw.end, was.lineEnd(n.raw.end)}), now.text(span{m.raw.end, now.lineEnd(m.raw.end)}); strings.TrimRight(a, "\r\n") != strings.TrimRight(b, "\r\n") {
					t.Errorf("beside %q stands %q, and stood %q, after an edit of %q", keys, b, a, ptr)
				}
			}
			return
		}
		for _, k := range n.kids {
			walk(k, append(keys[:len(keys):len(keys)], k.name))
		}
	}
	walk(was.root, nil)
}

func hasPrefix(keys, prefix []string) bool {
	if len(keys) < len(prefix) {
		return false
	}
	for i := range prefix {
		if keys[i] != prefix[i] {
			return false
		}
	}
	return true
}
