package stack_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"pitstop/stack"
)

func TestAnnotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.start(t)
		r := save(t, c, newConfig)
		noteOf := func(c *stack.Controller) string {
			t.Helper()
			one, ok := c.Report(r.ID)
			list := c.Reports()
			if !ok || len(list) != 1 || list[0].Note != one.Note {
				t.Fatalf("one says %q, the list %+v", one.Note, list)
			}
			return one.Note
		}
		for _, note := range []string{"before the earnings call", "after the earnings call", "", "by Ann's word"} {
			if err := c.Annotate(r.ID, "ann", note); err != nil {
				t.Fatal(err)
			}
			if got := noteOf(c); got != note {
				t.Errorf("got %q, want %q", got, note)
			}
		}
		if got, want := noteOf(w.start(t)), "by Ann's word"; got != want {
			t.Errorf("after a start: got %q, want %q", got, want)
		}
		if err := c.Annotate("no-such-run", "ann", "x"); !errors.Is(err, stack.ErrNoReport) {
			t.Errorf("a run that is not there: got %v", err)
		}
		b, err := os.ReadFile(filepath.Join(w.state, "audit.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(b), "\n"); got != 5 || !strings.Contains(string(b), "before the earnings call") {
			t.Errorf("the audit log has %d lines, want 5, none lost:\n%s", got, b)
		}
	})
}

func TestHistoryProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.start(t)
		if got := c.HistoryProblem(); got != "" {
			t.Errorf("of a whole log: %q", got)
		}
		r := save(t, c, newConfig)
		f, err := os.OpenFile(filepath.Join(w.state, "audit.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString("{\"id\":\"half a li\n")
		f.Close()
		c.AppendAudit(stack.Report{Kind: stack.KindTrading, Message: "halted"})
		next := w.start(t)
		if got, want := next.HistoryProblem(), "1 line of the audit log could not be read and was skipped."; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := next.Reports(); len(got) != 2 || got[1].ID != r.ID {
			t.Errorf("the rest is not there: %+v", got)
		}
	})
}
