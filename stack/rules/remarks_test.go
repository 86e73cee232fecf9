package rules_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pitstop/stack/rules"
)

func TestRemarks(t *testing.T) {
	r := rules.New("", slog.New(slog.DiscardHandler))
	const old = "[risk]\nmax_order_usd = 1\ncolour = \"green\"\n"
	for _, test := range []struct {
		name, old, content string
		want               []string
	}{
		{"nothing is new", old, old + "# a remark\n", nil},
		{"a key is misspelt", old, old + "max_postion_usd = 5\n", []string{"The schema does not know risk.max_postion_usd; did you mean max_position_usd? It is kept as it is."}},
		{"a key is like none", old, old + "[desk]\nsize = 1\n", []string{"The schema does not know desk. It is kept as it is."}},
		{"a key was misspelt before, and its value changes", old, strings.Replace(old, "green", "red", 1), nil},
		{"there was no file", "", old, []string{"The schema does not know risk.colour. It is kept as it is."}},
		{"the old file did not parse", "[risk", old, []string{"The schema does not know risk.colour. It is kept as it is."}},
		{"the new one does not parse", old, "[risk", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := r.Remarks([]byte(test.old), []byte(test.content)); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestRemarksFollowAGroupThatMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(path, []byte(`{"properties": {"feeds": {"type": "array", "items": {"properties": {"name": {"type": "string"}}}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := rules.New(path, slog.New(slog.DiscardHandler))
	one, two := "[[feeds]]\nname = \"one\"\nold = 1\n", "[[feeds]]\nname = \"two\"\n"
	if got := r.Remarks([]byte(one+two), []byte(two+one)); len(got) > 0 {
		t.Errorf("got %q of a key that was there before", got)
	}
	if got := r.Remarks([]byte(one+two), []byte(two+one+one)); len(got) != 1 || !strings.Contains(got[0], "feeds.2.old") {
		t.Errorf("got %q, want one remark on the one group more", got)
	}
}

func TestRemarksAreFew(t *testing.T) {
	var text strings.Builder
	text.WriteString("[risk]\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "zz%d = 1\n", i)
	}
	got := rules.New("", slog.New(slog.DiscardHandler)).Remarks(nil, []byte(text.String()))
	if len(got) != 21 || got[20] != "The schema does not know 980 more keys." {
		t.Errorf("got %d, the last: %q", len(got), got[len(got)-1])
	}
}
