package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// unreadable makes the first Commit fail, done or not, and the file unreadable from then on for so long.
func unreadable(w *world, done bool, long time.Duration) {
	var until atomic.Pointer[time.Time]
	w.config.SetFault(func(c stacktest.Call) stacktest.Fault {
		switch {
		case c.Method == "Commit" && c.Nth == 1:
			end := time.Now().Add(long)
			until.Store(&end)
			return stacktest.Fault{Err: errInjected, Done: done}
		case c.Method == "Read" && until.Load() != nil && time.Now().Before(*until.Load()):
			return stacktest.Fault{Err: errInjected}
		}
		return stacktest.Fault{}
	})
}

func TestTheFileCannotBeReadAfterACommitThatFailed(t *testing.T) {
	for _, test := range []struct {
		name    string
		done    bool
		outcome stack.Outcome
		cause   stack.Cause
		file    []byte
	}{
		{"the file is the new one", true, stack.Applied, "", newConfig},
		{"the file is the old one", false, stack.Failed, stack.CauseConfig, oldConfig},
	} {
		t.Run("for ten seconds, and "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				unreadable(w, test.done, 10*time.Second)
				r := save(t, w.start(t), newConfig)
				wantOutcome(t, r, test.outcome, test.cause)
				if r.PauseMs > 1000 {
					t.Errorf("the stack stood still for %v ms, want that it does not wait for the disk", r.PauseMs)
				}
				w.check(t, test.file)
				w.checkLoaded(t, test.file)
			})
		})
		left := func(t *testing.T) (*world, *stack.Controller, stack.Report) {
			w := newWorld(t)
			unreadable(w, test.done, time.Hour)
			c := w.start(t)
			r := save(t, c, newConfig)
			wantOutcome(t, r, stack.Failed, stack.CauseConfig)
			if !strings.Contains(r.Message, "cannot be told") || !r.Unfinished {
				t.Errorf("it does not say that nobody knows: %s", story(r))
			}
			wantAllRunning(t, w)
			if _, err := os.Stat(filepath.Join(w.state, "journal.json")); err != nil {
				t.Errorf("the journal: %v", err)
			}
			return w, c, r
		}
		wantRecovered := func(t *testing.T, w *world, r stack.Report, of stack.Report) {
			t.Helper()
			outcome := map[bool]stack.Outcome{true: stack.Applied, false: stack.RolledBack}[test.done]
			if r.Kind != stack.KindRecover || r.Interrupted != of.ID || r.Outcome != outcome {
				t.Errorf("got %s, want that the run before is finished", story(r))
			}
		}
		t.Run("for an hour, and the next start finds that "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c, left := left(t)
				c.Shutdown(t.Context())
				w.backend.PauseByHand(w.orch) // since: it is not for the recovery to undo
				time.Sleep(time.Hour)
				next := w.start(t)
				if err := next.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantRecovered(t, w, next.Reports()[0], left)
				if got := w.backend.Now()[0].State; got != stack.Paused {
					t.Errorf("what somebody paused since is %s", got)
				}
				w.checkFile(t, test.file)
				w.checkTidy(t)
			})
		})
		t.Run("for an hour, and the next save finds that "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c, left := left(t)
				r := save(t, c, []byte("early = 1\n"))
				wantOutcome(t, r, stack.Failed, stack.CauseConfig)
				time.Sleep(time.Hour)
				third := []byte("third = 3\n")
				r = save(t, c, third)
				wantOutcome(t, r, stack.Applied, "")
				wantRecovered(t, w, c.Reports()[1], left)
				if r.Revision.From != stack.RevisionOf(test.file) {
					t.Errorf("it replaced %s, want %s", r.Revision.From.Short(), stack.RevisionOf(test.file).Short())
				}
				w.check(t, third)
				w.checkLoaded(t, third)
			})
		})
	}
}

func TestARecoveryThatCannotReadTheFileKeepsTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointSaved, saving(t))
		w.config.SetFault(failing("Read", 1<<20, stacktest.Fault{Err: errInjected}))
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		run := c.Current()
		if run == nil {
			t.Fatal("it did not return while the file could not be read: nobody sees the page")
		}
		r, _ := run.Wait(t.Context())
		wantOutcome(t, r, stack.Failed, stack.CauseConfig)
		wantAllRunning(t, w)
		w.config.SetFault(nil)
		again := []byte("again = true\n")
		wantOutcome(t, save(t, c, again), stack.Applied, "")
		wantOutcome(t, c.Reports()[1], stack.Applied, "")
		w.check(t, again)
	})
}

func TestAShutdownDoesNotWaitForAFileThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		unreadable(w, true, time.Hour)
		c := w.start(t)
		if _, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		begun := time.Now()
		c.Shutdown(t.Context())
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
		w.config.SetFault(nil)
		next := w.start(t)
		if err := next.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, next.Reports()[0], stack.Applied, "")
		w.check(t, newConfig)
	})
}
