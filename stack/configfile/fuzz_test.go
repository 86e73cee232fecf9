package configfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// seed adds the documents of testdata to a fuzz target.
func seed(f *testing.F, add func(src []byte)) {
	f.Helper()
	for _, kind := range []string{"valid", "invalid"} {
		paths, err := filepath.Glob(filepath.Join("testdata", kind, "*.toml"))
		if err != nil || len(paths) == 0 {
			f.Fatalf("no documents in testdata/%s (%v)", kind, err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			add(src)
		}
	}
}

func FuzzParse(f *testing.F) {
	seed(f, func(src []byte) { f.Add(src) })
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := Parse(src)
		if err != nil {
			if bad, ok := err.(*SyntaxError); !ok || bad.Line < 1 || bad.Column < 1 || bad.Message == "" {
				t.Fatalf("got the error %#v", err)
			}
			return
		}
		if !bytes.Equal(d.Bytes(), src) {
			t.Fatal("the bytes changed")
		}
		checkIndex(t, d)
		if err := d.Set("", clone(d.Value())); err != nil || !bytes.Equal(d.Bytes(), src) {
			t.Fatalf("setting what is there gave %v and\n%s", err, d.Bytes())
		}
	})
}

func FuzzEdit(f *testing.F) {
	seed(f, func(src []byte) {
		f.Add(src, uint(1), []byte(`"x"`), false)
		f.Add(src, uint(2), []byte(`{"a": [1.5, null], "b c": {}}`), false)
		f.Add(src, uint(3), []byte(``), true)
	})
	f.Fuzz(func(t *testing.T, src []byte, which uint, text []byte, remove bool) {
		d, err := Parse(src)
		if err != nil || len(src) > 4<<10 {
			return
		}
		ptrs := append(allPointers("", d.Value()), "/new", "/new/er", "/~1 ~0")
		for _, p := range allPointers("", d.Value()) {
			ptrs = append(ptrs, p+"/new", p+"/-")
		}
		ptr := ptrs[which%uint(len(ptrs))]
		if remove {
			if _, ok := d.Get(ptr); !ok {
				return
			}
			if err := d.Remove(ptr); err != nil {
				t.Fatalf("Remove(%q): %v in\n%s", ptr, err, src)
			}
			if _, still := d.Get(ptr); still && !isElement(ptr) {
				t.Fatalf("%q is still there", ptr)
			}
			return
		}
		var value any
		if json.Unmarshal(text, &value) != nil {
			value = string(text)
		}
		value, err = normalise(value, 0)
		if err != nil {
			return
		}
		want, refused := with(clone(d.Value()), mustSplit(ptr), value)
		if err := d.Set(ptr, value); err != nil {
			if !bytes.Equal(d.Bytes(), src) {
				t.Fatalf("a refused edit changed the document to\n%s", d.Bytes())
			}
			if refused == nil && !bytes.Contains([]byte(err.Error()), []byte("further table")) {
				t.Fatalf("Set(%q, %#v): %v in\n%s", ptr, value, err, src)
			}
			return
		}
		if refused != nil || !equal(d.Value(), want) {
			t.Fatalf("Set(%q, %#v) gave %v (want refused: %v) in\n%s", ptr, value, d.Value(), refused, src)
		}
		checkIndex(t, d)
	})
}

func isElement(ptr string) bool {
	keys := mustSplit(ptr)
	_, ok := arrayIndex(keys[len(keys)-1])
	return ok
}

func FuzzMerge(f *testing.F) {
	seed(f, func(src []byte) {
		f.Add(src, append([]byte("new1 = 1\n"), src...), append(bytes.Clone(src), "\n[new2]\na = nan\n"...))
		f.Add([]byte("a = 1\n"), src, []byte("b = 2\n"))
		f.Add(src, append([]byte("# theirs\n"), src...), bytes.ReplaceAll(src, []byte("1"), []byte("2")))
	})
	hosts := func(order string) (out []byte) {
		for _, name := range order {
			out = append(out, "[[hosts]]\nname = '"+string(name)+"' # host\nport = 1\n"...)
		}
		return out
	}
	f.Add(hosts("abc"), hosts("cab"), bytes.Replace(hosts("abc"), []byte("1"), []byte("9"), 1))
	f.Add(hosts("abc"), bytes.Replace(hosts("abcd"), []byte("1"), []byte("9"), 2), hosts("bac"))
	f.Fuzz(func(t *testing.T, base, theirs, yours []byte) {
		m, err := Merge(base, theirs, yours)
		for _, side := range [][]byte{base, theirs, yours} {
			if _, bad := Parse(side); bad != nil {
				if err == nil {
					t.Fatal("invalid documents were merged")
				}
				return
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		d := mustParse(t, m.Content)
		value := func(src []byte) side { return side{mustParse(t, src).Value(), true} }
		clashes := map[string]bool{}
		for _, c := range m.Clashes {
			if got, ok := d.Get(c.Pointer); ok != (c.Theirs != nil) || ok && !equal(got, c.Theirs) {
				t.Fatalf("%q has %v, want theirs, %v", c.Pointer, got, c.Theirs)
			}
			clashes[c.Pointer] = true
		}
		checkMerged(t, clashes, "", value(base), value(theirs), value(yours), side{d.Value(), true})
		for _, side := range [][]byte{theirs, yours} {
			for _, c := range [][2][]byte{{side, base}, {base, side}, {side, side}} {
				if m, err := Merge(base, c[0], c[1]); err != nil || !bytes.Equal(m.Content, side) || m.Unmerged {
					t.Fatalf("a merge with nothing of the other side gave %v and\n%s\nwant\n%s", err, m.Content, side)
				}
			}
		}
	})
}

func FuzzDiff(f *testing.F) {
	seed(f, func(src []byte) { f.Add(src, append([]byte("# new\nx = 1\n"), src...)) })
	f.Fuzz(func(t *testing.T, old, new []byte) {
		checkHunks(t, old, new)
		o, err := Parse(old)
		n, err2 := Parse(new)
		if err != nil || err2 != nil {
			return
		}
		changes := Diff(o.Value(), n.Value())
		if same := equal(o.Value(), n.Value()); same != (len(changes) == 0) {
			t.Fatalf("equal is %v, and there are %d changes", same, len(changes))
		}
		for _, c := range changes {
			was, inOld := o.Get(c.Pointer)
			is, inNew := n.Get(c.Pointer)
			if inOld != (c.Kind != Added) || inNew != (c.Kind != Removed) || inOld && !equal(was, c.Old) || inNew && !equal(is, c.New) {
				t.Fatalf("the change %+v is not between\n%s\nand\n%s", c, old, new)
			}
		}
		if len(Pointers(old, new)) != len(changes) {
			t.Fatal("Pointers and Diff disagree")
		}
	})
}
