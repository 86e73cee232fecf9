package stack_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// away takes the state folder away until the returned function is called: nothing can be written there.
func away(t *testing.T, w *world) (back func()) {
	t.Helper()
	gone := w.state + "-gone"
	if err := os.Rename(w.state, gone); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(gone, w.state); err != nil {
			t.Error(err)
		}
	}
}

// A roll-back whose journal cannot be written does not pause: after a crash nobody would unpause.
func TestARollBackThatCannotBeJournalledDoesNotPause(t *testing.T) {
	t.Run("and puts the old config back while the stack runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
			var back func()
			c := w.start(t, func(o *stack.Options) {
				o.Hook = func(p string) {
					switch p {
					case stack.PointUndoBegun:
						back = away(t, w)
					case stack.PointUndoConfirmed:
						back()
					}
				}
			})
			r := save(t, c, newConfig)
			wantOutcome(t, r, stack.RolledBack, "")
			wantWarning(t, r, "was not paused for the roll-back")
			w.check(t, oldConfig)
			w.checkLoaded(t, oldConfig)
			wantPauses(t, w, 2)
		})
	})
	for _, point := range []string{
		stack.PointUndoJournalWritten, stack.PointUndoSaved, stack.PointReloading, stack.PointUndoReloaded, stack.PointUndoConfirmed,
	} {
		t.Run("and a crash at "+point+" is recovered", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
				back, undoing := func() {}, false
				w.crashAt(t, func(p string) bool {
					if p == stack.PointUndoBegun {
						back, undoing = away(t, w), true
					}
					return undoing && p == point
				}, saving(t))
				back()
				wantAllRunning(t, w)
				time.Sleep(time.Second)
				c := w.start(t)
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				r := c.Reports()[0]
				if r.Outcome != stack.RolledBack && r.Outcome != stack.Failed {
					t.Errorf("got %s", story(r))
				}
				w.check(t, oldConfig)
				w.checkLoaded(t, oldConfig)
			})
		})
	}
}

// What a shutdown cuts short is for the next start, also when it was the old config that could not be
// staged, or the stack that could not be paused.
func TestARollBackThatAShutdownCutsShortIsDoneByTheNextStart(t *testing.T) {
	for _, method := range []string{"Stage", "Pause"} {
		t.Run("while "+method+" fails", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				var c *stack.Controller
				shut := make(chan error, 1)
				c = w.start(t, atPoint(stack.PointUndoBegun, func() {
					fault := failing(method, 1<<20, stacktest.Fault{Err: errInjected})
					if method == "Pause" {
						fault = failing(method, 1<<20, stacktest.Fault{Hang: true})
					}
					w.backend.SetFault(fault)
					w.config.SetFault(fault)
					time.AfterFunc(50*time.Millisecond, func() { shut <- c.Shutdown(ended) })
				}))
				r := save(t, c, newConfig)
				wantOutcome(t, r, stack.Failed, "")
				if err := <-shut; err == nil {
					t.Error("Shutdown: got no error, want the run that had not ended")
				}
				w.backend.SetFault(nil)
				w.config.SetFault(nil)
				next := w.start(t)
				if err := next.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, next.Reports()[0], stack.RolledBack, "")
				w.check(t, oldConfig)
				w.checkLoaded(t, oldConfig)
			})
		})
	}
}

func wantPauses(t *testing.T, w *world, want int) {
	t.Helper()
	got := 0
	for _, c := range w.backend.Calls() {
		if c.Method == "Pause" {
			got++
		}
	}
	if got != want {
		t.Errorf("there were %d requests to pause, want %d", got, want)
	}
}

// A journal can be older than the last pause, if somebody or something else paused since. Nobody can
// confirm then, and the recovery must not claim that anybody did.
func TestARecoveryThatFindsEverybodyPausedDoesNotEndApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointReloading, saving(t))
		w.backend.PauseByHand(w.orch)
		w.backend.PauseByHand(w.scan)
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := c.Reports()[0]
		wantOutcome(t, r, stack.Failed, "")
		wantWarning(t, r, "fake unpause orchestrator-1")
		wantWarning(t, r, "fake unpause scanner-1")
		if !strings.Contains(r.Message, "no service has confirmed it") {
			t.Errorf("message: %s", r.Message)
		}
		w.checkFile(t, newConfig)
		w.checkTidy(t)
	})
}
