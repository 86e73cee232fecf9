package stack_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
)

// A change from outside is told once, wherever the program dies while it takes note of it: it is put on
// record first, and its revision is noted after that.
func TestAChangeFromOutsideIsToldOnceAcrossACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(t).ConfigTouched()
		noted := filepath.Join(w.state, "revision")
		before, err := os.ReadFile(noted)
		if err != nil {
			t.Fatal(err)
		}
		w.config.Edit(newConfig)
		w.start(t).ConfigTouched()
		if now, err := os.ReadFile(noted); err != nil || string(now) == string(before) {
			t.Fatalf("the revision is not noted (%v)", err)
		}
		// As after a crash right after the record.
		if err := os.WriteFile(noted, before, 0o600); err != nil {
			t.Fatal(err)
		}
		tell := func(what string, want int) *stack.Controller {
			c := w.start(t)
			c.ConfigTouched()
			told := 0
			for _, r := range c.Reports() {
				if r.Kind == stack.KindExtern {
					told++
				}
			}
			if told != want {
				t.Errorf("%s: it is told %d times, want %d", what, told, want)
			}
			return c
		}
		tell("after the crash", 1)
		tell("and once more", 1)
		w.config.Edit(oldConfig)
		tell("changed back", 2)
		c := tell("and once more", 2)
		time.Sleep(time.Second)
		if r := save(t, c, newConfig); r.Outcome != stack.Applied {
			t.Fatalf("got %s", story(r))
		}
		w.config.Edit(oldConfig)
		c.ConfigTouched()
		w.config.Edit(newConfig) // the very change of the beginning, and another one
		tell("the same again", 4)
	})
}
