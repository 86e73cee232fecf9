package configfile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiffNamesTheKeysThatDiffer(t *testing.T) {
	old := mustParse(t, []byte("z = 1\nsame = nan\ngone = 'x'\ndays = [1, 2]\n[t]\na = 1\n[[l]]\nn = 1\n[[l]]\nn = 2\n[e]\n"))
	new := mustParse(t, []byte("z = 2\nsame = nan\ndays = [1, 3]\n[t]\na = '1'\nb.c = true\n[[l]]\nn = 1\n[[l]]\nn = 3\n[[l]]\nn = 4\n"))
	var got []string
	for _, c := range Diff(old.Value(), new.Value()) {
		got = append(got, fmt.Sprint(c.Pointer, " ", c.Kind, " ", c.Old, " ", c.New))
	}
	want := []string{
		"/days changed [1 2] [1 3]", "/e removed map[] <nil>", "/gone removed x <nil>", "/l/1/n changed 2 3", "/l/2/n added <nil> 4",
		"/t/a changed 1 1", "/t/b/c added <nil> true", "/z changed 1 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := Pointers(old.Bytes(), new.Bytes()), []string{"/z", "/days", "/gone", "/t/a", "/t/b/c", "/l/1/n", "/e", "/l/2/n"}; !slices.Equal(got, want) {
		t.Errorf("in the order of the file: got %q, want %q", got, want)
	}
}

func TestPointersOfWhatDoesNotParseIsTheWholeDocument(t *testing.T) {
	for _, pair := range [][2]string{{"a", "a = 1"}, {"a = 1", "a"}} {
		if got := Pointers([]byte(pair[0]), []byte(pair[1])); !slices.Equal(got, []string{""}) {
			t.Errorf("got %q", got)
		}
	}
	if got := Pointers([]byte("a=1 # x"), []byte("a = 1")); len(got) != 0 {
		t.Errorf("got %q for equal values", got)
	}
}

func hunkText(hunks []Hunk) string {
	var b strings.Builder
	for i, h := range hunks {
		if i > 0 {
			b.WriteString("@@\n")
		}
		for _, l := range h.Lines {
			fmt.Fprintf(&b, "%c%d,%d %s\n", l.Kind, l.OldNo, l.NewNo, l.Text)
		}
	}
	return b.String()
}

func TestHunksShowChangedLinesWithTheirContext(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no change", "a\n", "a\n", ""},
		{"one line", "a\nb\nc\nd\n", "a\nb\nX\nd\n", " 2,2 b\n-3,0 c\n+0,3 X\n 4,4 d\n"},
		{"from nothing", "", "a\n", "+0,1 a\n"},
		{"to nothing", "a\n", "", "-1,0 a\n"},
		{"two places", "a\nb\nc\nd\ne\nf\n", "A\nb\nc\nd\ne\nF\n", "-1,0 a\n+0,1 A\n 2,2 b\n@@\n 5,5 e\n-6,0 f\n+0,6 F\n"},
		{"two places that share their context", "a\nb\nc\nd\n", "A\nb\nc\nD\n", "-1,0 a\n+0,1 A\n 2,2 b\n 3,3 c\n-4,0 d\n+0,4 D\n"},
		{"a final newline", "a\nb", "a\nb\n", " 1,1 a\n-2,0 b\n+0,2 b\n"},
		{"line ends", "a\r\nb\n", "a\nb\n", "-1,0 a\n+0,1 a\n 2,2 b\n"},
		{"a moved line", "a\nb\nc\n", "b\nc\na\n", "-1,0 a\n 2,1 b\n 3,2 c\n+0,3 a\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hunkText(Hunks([]byte(c.old), []byte(c.new), 1)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// checkHunks holds that hunks with all context turn the old text into the new one.
func checkHunks(t interface{ Fatalf(string, ...any) }, old, new []byte) {
	var a, b []string
	for _, h := range Hunks(old, new, 1<<30) {
		for _, l := range h.Lines {
			if l.Kind != '+' {
				a = append(a, l.Text)
			}
			if l.Kind != '-' {
				b = append(b, l.Text)
			}
		}
	}
	if string(old) == string(new) {
		return
	}
	for _, side := range []struct {
		got  []string
		text []byte
	}{{a, old}, {b, new}} {
		var want []string
		for _, l := range splitLines(side.text) {
			want = append(want, shown(l))
		}
		if !slices.Equal(side.got, want) {
			t.Fatalf("got lines %q, want %q", side.got, want)
		}
	}
}

func TestHunksHoldBothTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "d\r\n", "\n", "e"})
		old := strings.Join(rapid.SliceOf(line).Draw(t, "old"), "")
		new := strings.Join(rapid.SliceOf(line).Draw(t, "new"), "")
		checkHunks(t, []byte(old), []byte(new))
	})
}

func TestAPatchFromJSONIsWrittenAsTheFileWritesIt(t *testing.T) {
	d := mustParse(t, []byte("i = 1\nf = 1.5\nd = 2026-01-02\ns = 'x'\nl = [1.5]\n[t]\na = 1\n"))
	err := d.MergePatch(table{"i": 2.0, "f": 3.0, "d": "2026-12-24", "s": "2026-12-24", "l": []any{2.0, 3.0}, "n": 7.0, "t": table{"a": nil, "b": table{"c": nil, "d": 0.5}}, "none": nil})
	if err != nil {
		t.Fatal(err)
	}
	want := "i = 2\nf = 3.0\nd = 2026-12-24\ns = '2026-12-24'\nl = [2.0, 3.0]\nn = 7\n[t]\n[t.b]\nd = 0.5\n"
	if got := string(d.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for name, v := range map[string]any{"a large number": 1e19, "null in a list": []any{nil}} {
		if err := d.MergePatch(table{"x": v}); err == nil || string(d.Bytes()) != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := d.MergePatch(table{"x": math.Inf(1)}); err != nil {
		t.Error(err)
	}
}

func TestReorderMovesElementsWithTheirComments(t *testing.T) {
	for _, c := range []struct{ name, in, ptr, want string }{
		{"on a line", "a = [1,  2, 3] # c\n", "/a", "a = [3,  1, 2] # c\n"},
		{"on lines", "a = [\n  # about one\n  1, # one\n  2,\n  3 # three\n]\n", "/a", "a = [\n  3, # three\n  # about one\n  1, # one\n  2\n]\n"},
		{"tables", "x = 1\n\n# one\n[[a]]\nb = 1 # c\n[a.s]\nd = 1\n\n# two\n[[a]]\nb = 2\n\n[[a]]\nb = 3", "/a", "x = 1\n\n[[a]]\nb = 3\n\n# one\n[[a]]\nb = 1 # c\n[a.s]\nd = 1\n\n# two\n[[a]]\nb = 2"},
		{"tables with others between", "[[a]]\nb = 1\n[o]\nz = 1\n[[a]]\nb = 2\n[[a]]\nb = 3\n", "/a", "[[a]]\nb = 3\n[o]\nz = 1\n[[a]]\nb = 1\n[[a]]\nb = 2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := mustParse(t, []byte(c.in))
			if err := d.Reorder(c.ptr, []int{2, 0, 1}); err != nil {
				t.Fatal(err)
			}
			if got := string(d.Bytes()); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	d := mustParse(t, []byte("a = [1, 2]\nb = 1\n"))
	for _, order := range [][]int{nil, {0}, {0, 0}, {0, 2}, {1, 0, 0}, {-1, 0}} {
		if err := d.Reorder("/a", order); err == nil {
			t.Errorf("the order %v was accepted", order)
		}
	}
	if err := d.Reorder("/b", nil); err == nil {
		t.Error("a number was reordered")
	}
}

func TestPositionsCountLinesAndCharacters(t *testing.T) {
	d := mustParse(t, []byte("\ufeff'é' = 1\r\n[ a . 'ü' . b ]\n  x = { 'é é' = [1,\n 2] }\n[[l]]\n[[l]]\nq.r = 1\n"))
	for ptr, want := range map[string][2]int{
		"": {1, 1}, "/é": {1, 1}, "/none": {1, 1}, "/a": {2, 3}, "/a/ü": {2, 7}, "/a/ü/b": {2, 13}, "/a/ü/b/x": {3, 3}, "/a/ü/b/none/deeper": {2, 13},
		"/a/ü/b/x/é é": {3, 9}, "/a/ü/b/x/é é/0": {3, 18}, "/a/ü/b/x/é é/1": {4, 2}, "/l": {5, 3}, "/l/1": {6, 3}, "/l/1/q": {7, 1}, "/l/1/q/r": {7, 3}, "/l/7": {5, 3}, "nonsense": {0, 0},
	} {
		if line, col := d.Position(ptr); line != want[0] || col != want[1] {
			t.Errorf("Position(%q) = %d:%d, want %d:%d", ptr, line, col, want[0], want[1])
		}
	}
}
