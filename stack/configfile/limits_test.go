package configfile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// generous bounds what must not be quadratic: linear work takes a hundredth of it, also on a busy
// machine.
const generous = 100 * time.Second

func quickly(t *testing.T, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	took := time.Since(start)
	t.Logf("%s: %v", what, took)
	if took > generous {
		t.Errorf("%s took %v", what, took)
	}
}

func manyKeys(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		if i%100 == 0 {
			fmt.Fprintf(&b, "\n# section %d\n[s%d]\n", i/100, i/100)
		}
		fmt.Fprintf(&b, "key_%d = %d # comment\n", i, i)
	}
	return b.Bytes()
}

func TestTenThousandKeysAreEditedQuickly(t *testing.T) {
	d := mustParse(t, manyKeys(10_000))
	quickly(t, "a patch of 10 000 keys", func() {
		patch := table{}
		for i := range 10_000 {
			s := fmt.Sprintf("s%d", i/100)
			if patch[s] == nil {
				patch[s] = table{}
			}
			switch i % 3 {
			case 0:
				patch[s].(table)[fmt.Sprintf("key_%d", i)] = float64(i + 1)
			case 1:
				patch[s].(table)[fmt.Sprintf("key_%d", i)] = nil
			case 2:
				patch[s].(table)[fmt.Sprintf("new_%d", i)] = "x"
			}
		}
		patch["more"] = table{"a": 1.0}
		if err := d.MergePatch(patch); err != nil {
			t.Fatal(err)
		}
	})
	if v, _ := d.Get("/s99/new_9998"); v != "x" {
		t.Errorf("got %v for a new key", v)
	}
	quickly(t, "5 edits, one by one", func() {
		for i := range 5 {
			if err := d.Set(fmt.Sprintf("/s%d/key_%d", i, i*100+2), 7); err != nil {
				t.Fatal(err)
			}
		}
	})
	quickly(t, "10 000 elements appended at once", func() {
		var edits []Edit
		for i := range 10_000 {
			edits = append(edits, set("/list/-", i))
		}
		if err := d.Apply(set("/list", []any{0}), set("/list/-", 0)); err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(edits...); err != nil {
			t.Fatal(err)
		}
	})
	quickly(t, "1 000 new tables at once", func() {
		var edits []Edit
		for i := range 1_000 {
			edits = append(edits, set(fmt.Sprintf("/fresh%d/a", i), i))
		}
		if err := d.Apply(edits...); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMegabytesAreParsedQuickly(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"keys in sections", string(manyKeys(50_000)), ""},
		{"keys in one table", numbered(1_000_000, "k%d = 1\n"), "one table has more keys"},
		{"tables", numbered(1_000_000, "[t%d]\n"), "one table has more keys"},
		{"keys in one inline table", "a = {" + numbered(1_000_000, "k%d = 1, ") + "}\n", "one table has more keys"},
		{"one string", "a = \"" + strings.Repeat("\\u00e9", 1_700_000) + "\"\n", ""},
		{"comments", strings.Repeat("# x\n", 2_500_000), ""},
		{"noise", strings.Repeat("\x00", 10_000_000), "invalid character"},
		{"elements of tables", strings.Repeat("[[a]]\nb = 1\n", 20_000), ""},
		{"one array", "a = [" + strings.Repeat("1, ", 90_000) + "]\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			quickly(t, c.name, func() {
				_, err := Parse([]byte(c.text))
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %v, want %q", err, c.want)
				}
			})
		})
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestAMegabyteIsEditedAndComparedQuickly(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"keys", string(manyKeys(20_000))},
		{"elements of tables", strings.Repeat("[[a]]\nb = 1\n", 20_000)},
		{"one array", "a = [" + strings.Repeat("1, ", 90_000) + "]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			quickly(t, c.name, func() {
				d := mustParse(t, []byte(c.text))
				if err := d.Set("/z", 1); err != nil {
					t.Fatal(err)
				}
				if len(Pointers([]byte(c.text), d.Bytes())) != 1 {
					t.Error("want one difference")
				}
				Hunks([]byte(c.text), d.Bytes(), 3)
			})
		})
	}
	quickly(t, "two files with nothing in common", func() {
		a, b := strings.Repeat("x\ny\n", 50_000), strings.Repeat("z\ny\nw\n", 40_000)
		Hunks([]byte(a), []byte(b), 3)
	})
}

func TestDeepNestingIsRefusedWithASentence(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"arrays", "a = " + strings.Repeat("[", 5_000_000)},
		{"inline tables", "a = " + strings.Repeat("{b=", 3_000_000)},
		{"a dotted key", strings.Repeat("a.", 5_000_000) + "a = 1"},
		{"a header", "[" + strings.Repeat("a.", 5_000_000) + "a]"},
		{"dotted keys in inline tables", "a = " + strings.Repeat("{b.c.d.e.f.g=", 100) + "1" + strings.Repeat("}", 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			quickly(t, c.name, func() {
				if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), "nested more than 256 levels deep") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
	d := mustParse(t, []byte("a = 1\n"))
	var deep any = 1
	for range 1_000_000 {
		deep = []any{deep}
	}
	if err := d.Set("/b", deep); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("got %v for a deep value", err)
	}
}

func TestMoreKeysThanAConfigHasAreRefusedBeforeTheyAreDecoded(t *testing.T) {
	for name, text := range map[string]string{
		"tables":              strings.Repeat("[[a]]\n", maxThings+1),
		"elements":            "a = [" + strings.Repeat("1,", maxThings+1) + "]\n",
		"elements of texts":   "a = [\n" + strings.Repeat("\"x\", # y\n", maxThings) + "]\n",
		"keys in many tables": strings.Repeat("[[a]]\nb = 1\n", maxThings/2+1),
	} {
		_, err := Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), "more than 100 000 keys, tables and elements") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Parse([]byte("a = [" + strings.Repeat("1,", maxThings-1) + "]\n")); err != nil {
		t.Error(err)
	}
}
