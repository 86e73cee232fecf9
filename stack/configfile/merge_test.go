package configfile

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMergeAppliesYourKeysToTheirs(t *testing.T) {
	for _, c := range []struct{ name, base, theirs, yours, want, clashes string }{
		{"different keys", "a = 1\nb = 1\n", "a = 2 # theirs\nb = 1\n", "a = 1\nb = 3\n", "a = 2 # theirs\nb = 3\n", ""},
		{"the same change", "a = 1\nb = 1\n", "a = 2 # t\nb = 1\n", "a = 2\nb = 4\n", "a = 2 # t\nb = 4\n", ""},
		{"a clash keeps theirs", "a = 1\nb = 1\n", "a = 2\nb = 1\n", "a = 3\nb = 4\n", "a = 2\nb = 4\n", "/a 1 2 3"},
		{"you removed what they changed", "a = 1\n", "a = 2\n", "# none\n", "a = 2\n# none\n", "/a 1 2 <nil>"},
		{"they removed what you changed", "a = 1\nb = 1\n", "b = 1\n", "a = 2\nb = 1\n", "b = 1\n", "/a 1 <nil> 2"},
		{"you removed what they left", "a = 1\nb = 1\n", "a = 1\nb = 2\n", "b = 1\n", "b = 2\n", ""},
		{"both added", "", "a = 1\n[t]\nx = 1\n", "b = 2\n[t]\ny = 2\n", "a = 1\nb = 2\n[t]\nx = 1\ny = 2\n", ""},
		{"both added the same key", "", "a = 1\n", "a = 2\n", "a = 1\n", "/a <nil> 1 2"},
		{"not-a-number is no change", "a = nan\nb = 1\n", "a = nan # t\nb = 1\n", "a = nan\nb = 2\n", "a = nan # t\nb = 2\n", ""},
		{"tables without a name, one changed on each side", "[[l]]\na = 1\n[[l]]\na = 2\n", "[[l]]\na = 9\n[[l]]\na = 2\n", "[[l]]\na = 1\n[[l]]\na = 8\n", "[[l]]\na = 9\n[[l]]\na = 8\n", ""},
		{"an array is one value", "l = [1, 2]\n", "l = [1]\n", "l = [1, 2, 3]\n", "l = [1]\n", "/l [1 2] [1] [1 2 3]"},
		{"they only commented", "a = 1\n", "# t\na = 1\n", "a = 2\n", "# t\na = 2\n", ""},
		{"you only commented", "a = 1\n", "a = 1\n", "# y\na = 1\n", "# y\na = 1\n", ""},
		{"a table you removed while they changed it", "[t]\na = 1\nb = 1\n", "[t]\na = 2\nb = 1\n", "", "[t]\na = 2\nb = 1\n", "/t map[a:1 b:1] map[a:2 b:1] <nil>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := wantMerged(t, c.base, c.theirs, c.yours, c.want)
			var got []string
			for _, k := range m.Clashes {
				got = append(got, fmt.Sprint(k.Pointer, " ", k.Base, " ", k.Theirs, " ", k.Yours))
			}
			if strings.Join(got, "; ") != c.clashes {
				t.Errorf("got clashes %q, want %q", got, c.clashes)
			}
		})
	}
	if _, err := Merge([]byte("a = 1\n"), []byte("a = \n"), []byte("a = 2\n")); err == nil || !strings.Contains(err.Error(), "the saved version is not valid: line 1") {
		t.Errorf("got %v", err)
	}
}

func TestMergingOneSidesEditsGivesThatSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawDocument(t)
		yours := mustParse(t, base)
		for _, ptr := range allPointers("", yours.Value()) {
			if _, ok := yours.Get(ptr); ok && rapid.Bool().Draw(t, "edit") {
				if err := yours.Set(ptr, drawValue(t, 1)); err != nil {
					t.Fatalf("%v", err)
				}
			}
		}
		theirs := append([]byte(nil), base...)
		if len(theirs) > 0 && theirs[len(theirs)-1] != '\n' {
			theirs = append(theirs, '\n')
		}
		theirs = append(theirs, "\n# theirs\n"...)
		m, err := Merge(base, theirs, yours.Bytes())
		if err != nil || len(m.Clashes) > 0 {
			t.Fatalf("%v, clashes %v from\n%s\nto\n%s", err, m.Clashes, base, yours.Bytes())
		}
		merged := m.Content
		if d := mustParse(t, merged); !equal(d.Value(), yours.Value()) {
			t.Fatalf("got\n%s\nwant the values of\n%s", merged, yours.Bytes())
		}
		if !strings.Contains(string(merged), "# theirs") && !strings.Contains(string(base), "# theirs") && string(base) != string(yours.Bytes()) {
			t.Fatalf("their comment is gone from\n%s", merged)
		}
	})
}

const (
	hostA = "# the first\n[[hosts]]\nname = \"a\"\nport = 1 # of a\n"
	hostB = "# the second\n[[hosts]]\nname = \"b\"\nport = 1 # of b\n"
	hostC = "# the third\n[[hosts]]\nname = \"c\"\nport = 3\n"
)

func TestMergeFollowsTheTablesOfALists(t *testing.T) {
	sets := func(host, port string) string { return strings.Replace(host, "port = ", "port = "+port, 1) }
	plain := strings.NewReplacer("# the first\n", "", "# the second\n", "", " # of a", "", " # of b", "")
	for _, c := range []struct{ name, base, theirs, yours, want, clashes string }{
		{"theirs moved, yours changed one", hostA + hostB, hostB + hostA, sets(hostA, "9") + hostB, hostB + sets(hostA, "9"), ""},
		{"the same without comments", plain.Replace(hostA + hostB), plain.Replace(hostB + hostA), plain.Replace(sets(hostA, "9") + hostB), plain.Replace(hostB + sets(hostA, "9")), ""},
		{"yours moved, theirs changed one, and comments go along", hostA + hostB, hostA + sets(hostB, "9"), hostB + hostA, sets(hostB, "9") + hostA, ""},
		{"yours moved, theirs changed another key", "x = 1\n" + hostA + hostB, "x = 2\n" + hostA + hostB, "x = 1\n" + hostB + hostA, "x = 2\n" + hostB + hostA, ""},
		{"theirs removed one, yours changed another", hostA + hostB + hostC, hostB + hostC, hostA + hostB + sets(hostC, "9"), hostB + sets(hostC, "9"), ""},
		{"yours removed one, theirs changed another", hostA + hostB + hostC, sets(hostA, "9") + hostB + hostC, hostA + hostC, sets(hostA, "9") + hostC, ""},
		{"each removed another one", hostA + hostB + hostC, hostB + hostC, hostA + hostB, hostB, ""},
		{"each added one", hostA, hostA + hostB, hostA + hostC, hostA + hostB + hostC, ""},
		{"both added the same one", hostA, hostA + hostB, hostA + hostB + hostC, hostA + hostB + hostC, ""},
		{"both renamed and changed different tables", hostA + hostB, strings.Replace(hostA, `"a"`, `"z"`, 1) + hostB, hostA + sets(hostB, "9"), strings.Replace(hostA, `"a"`, `"z"`, 1) + sets(hostB, "9"), ""},
		{"both changed the order", hostA + hostB + hostC, hostB + hostA + hostC, hostA + hostC + hostB, hostB + hostA + hostC, "/hosts"},
		{"both changed the order the same way, and a port each", hostA + hostB + hostC, hostB + sets(hostA, "7") + hostC, hostB + hostA + sets(hostC, "8"), hostB + sets(hostA, "7") + sets(hostC, "8"), ""},
		{"theirs removed what yours changed", hostA + hostB, hostB, sets(hostA, "9") + hostB, hostB, "/hosts"},
		{"yours removed what theirs changed", hostA + hostB, sets(hostA, "9") + hostB, hostB, sets(hostA, "9") + hostB, "/hosts"},
		{"a name was replaced on one side, and the port changed on the other", hostA + hostB, strings.Replace(hostA, `"a"`, `"z"`, 1) + hostB, sets(hostA, "9") + hostB, strings.Replace(hostA, `"a"`, `"z"`, 1) + hostB, "/hosts/0"},
		{"yours moved, and both changed one port", hostA + hostB, sets(hostA, "7") + hostB, hostB + sets(hostA, "8"), hostB + sets(hostA, "7"), "/hosts/1/port"},
		{"theirs moved, and both changed one port", hostA + hostB, hostB + sets(hostA, "7"), sets(hostA, "8") + hostB, hostB + sets(hostA, "7"), "/hosts/1/port"},
		{"each renamed one to what the other added", hostA, hostA + hostC, strings.Replace(hostA, `"a"`, `"c"`, 1), hostA + hostC, "/hosts"},
		{"nobody can tell which is which", "[[l]]\nn = 1\n[[l]]\nn = 2\n[[l]]\nn = 3\n", "[[l]]\nn = 3\n[[l]]\nn = 2\n[[l]]\nn = 7\n[[l]]\nn = 8\n", "[[l]]\nn = 1\n[[l]]\nn = 9\n[[l]]\nn = 3\n", "[[l]]\nn = 3\n[[l]]\nn = 2\n[[l]]\nn = 7\n[[l]]\nn = 8\n", "/l"},
		{"one of two equal ones went", "[[l]]\nn = 1\n[[l]]\nn = 1\n[[l]]\nn = 3\n", "[[l]]\nn = 1\n[[l]]\nn = 3\n", "[[l]]\nn = 1\n[[l]]\nn = 9\n[[l]]\nn = 3\n", "[[l]]\nn = 1\n[[l]]\nn = 3\n", "/l"},
		{"two without a name changed", "[[l]]\nn = 1\n[[l]]\nn = 2\n[[l]]\nn = 3\n", "[[l]]\nn = 7\n[[l]]\nn = 8\n[[l]]\nn = 3\n", "[[l]]\nn = 1\n[[l]]\nn = 2\n[[l]]\nn = 9\n", "[[l]]\nn = 7\n[[l]]\nn = 8\n[[l]]\nn = 3\n", "/l"},
		{"inline tables", "l = [{ name = 'a', n = 1 }, { name = 'b', n = 1 }]\n", "l = [{ name = 'b', n = 1 }, { name = 'a', n = 1 }]\n", "l = [{ name = 'a', n = 9 }, { name = 'b', n = 1 }]\n", "l = [{ name = 'b', n = 1 }, { name = 'a', n = 9 }]\n", ""},
		{"lists in tables of lists", "[[g]]\nname = 'x'\n[[g.l]]\nid = 1\nn = 1\n[[g.l]]\nid = 2\nn = 1\n[[g]]\nname = 'y'\n", "[[g]]\nname = 'y'\n[[g]]\nname = 'x'\n[[g.l]]\nid = 2\nn = 1\n[[g.l]]\nid = 1\nn = 1\n", "[[g]]\nname = 'x'\n[[g.l]]\nid = 1\nn = 9\n[[g.l]]\nid = 2\nn = 1\n[[g]]\nname = 'y'\n", "[[g]]\nname = 'y'\n[[g]]\nname = 'x'\n[[g.l]]\nid = 2\nn = 1\n[[g.l]]\nid = 1\nn = 9\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := wantMerged(t, c.base, c.theirs, c.yours, c.want)
			var got []string
			for _, k := range m.Clashes {
				got = append(got, k.Pointer)
			}
			if strings.Join(got, " ") != c.clashes {
				t.Errorf("got clashes %q, want %q", got, c.clashes)
			}
		})
	}
}

func TestOfAClashAboutATakenTableYoursHasTheirOtherChanges(t *testing.T) {
	change := func(host, port string) string { return strings.Replace(host, "port = ", "port = "+port, 1) }
	for _, c := range []struct{ name, theirs, yours, want string }{
		{"they took it", hostB + change(hostC, "7"), change(hostA, "9") + hostB + hostC, change(hostA, "9") + hostB + change(hostC, "7")},
		{"you took it", change(hostA, "9") + hostB + change(hostC, "7"), hostB + hostC, hostB + change(hostC, "7")},
		{"and both changed another key", hostB + change(hostC, "7"), change(hostA, "9") + hostB + change(hostC, "8"), change(hostA, "9") + hostB + change(hostC, "8")},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Merge([]byte(hostA+hostB+hostC), []byte(c.theirs), []byte(c.yours))
			if err != nil || len(m.Clashes) != 1 || m.Clashes[0].Pointer != "/hosts" {
				t.Fatalf("got %v, %+v", err, m.Clashes)
			}
			want := mustParse(t, []byte(c.want)).Value()["hosts"]
			if !equal(m.Clashes[0].Yours, want) {
				t.Errorf("yours is %v, want %v", m.Clashes[0].Yours, want)
			}
		})
	}
}

func TestMergeKeepsWhatIsNotAValue(t *testing.T) {
	const base = "# head\n\n[limits]\nmax = 5000   # the most\nport = 9000\n\n[a]\nx = 1\ny = 2\n"
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(base) }
	for _, c := range []struct {
		name, theirs, yours, want string
		unmerged                  bool
	}{
		{"comments, beside a value", edit("9000", "9009"), edit("# head", "# your head", "max = 5000", "# think\nmax = 8000"), edit("9000", "9009", "# head", "# your head", "max = 5000", "# think\nmax = 8000"), false},
		{"a comment alone", edit("9000", "9009"), edit("port = 9000", "# think\nport = 9000 # of mine"), edit("port = 9000", "# think\nport = 9009 # of mine"), false},
		{"notation", edit("9000", "9009"), edit("5000  ", "5_000  "), edit("9000", "9009", "5000  ", "5_000  "), false},
		{"the order of keys", edit("9000", "9009"), edit("x = 1\ny = 2", "y = 2\nx = 1"), edit("9000", "9009", "x = 1\ny = 2", "y = 2\nx = 1"), false},
		{"a comment that went", edit("9000", "9009"), edit("   # the most", ""), edit("9000", "9009", "   # the most", ""), false},
		{"comments of both at one place", edit("port = 9000", "# theirs\nport = 9009"), edit("port = 9000", "# yours\nport = 9000"), edit("port = 9000", "# theirs\n# yours\nport = 9009"), false},
		{"comments beside a clash", edit("5000", "7000"), edit("5000", "8000", "# head", "# your head", "port = 9000", "port = 9001 # yours"), edit("5000", "7000", "# head", "# your head", "port = 9000", "port = 9001 # yours"), false},
		{"two comments behind one value", edit("# the most", "# theirs"), edit("# the most", "# yours"), edit("# the most", "# theirs"), true},
		{"a comment on what they removed", edit("port = 9000\n", ""), edit("port = 9000", "# yours\nport = 9000"), edit("port = 9000\n", ""), true},
		{"another notation of what they changed", edit("5000", "7000"), edit("5000", "5_000"), edit("5000", "7000"), false},
		{"CRLF", strings.ReplaceAll(edit("9000", "9009"), "\n", "\r\n"), strings.ReplaceAll(edit("x = 1", "x = 1 # yours"), "\n", "\r\n"), strings.ReplaceAll(edit("9000", "9009", "x = 1", "x = 1 # yours"), "\n", "\r\n"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := base
			if strings.Contains(c.theirs, "\r") {
				from = strings.ReplaceAll(base, "\n", "\r\n")
			}
			m, err := Merge([]byte(from), []byte(c.theirs), []byte(c.yours))
			if err != nil {
				t.Fatal(err)
			}
			if string(m.Content) != c.want || m.Unmerged != c.unmerged {
				t.Errorf("got, with something left out: %v\n%s\nwant, with something left out: %v\n%s", m.Unmerged, m.Content, c.unmerged, c.want)
			}
		})
	}
}

// wantMerged merges three sides and compares what comes of it.
func wantMerged(t *testing.T, base, theirs, yours, want string) Merged {
	t.Helper()
	m, err := Merge([]byte(base), []byte(theirs), []byte(yours))
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Content) != want {
		t.Errorf("got\n%s\nwant\n%s", m.Content, want)
	}
	return m
}
