package stack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// crash lets a process save newConfig and kills it at the n-th place that it passes, counted from 1
// over calls and hooks, or at a named place if n is 0. It returns that place, or "" if the process
// lived to the end of its run. What the dead process still holds ends with the test.
func (w *world) crash(t *testing.T, n int, named string, act func(*stack.Controller)) (place string) {
	t.Helper()
	passed := 0
	return w.crashAt(t, func(what string) bool {
		passed++
		return passed == n || n == 0 && what == named
	}, act)
}

// crashAt is crash at the first place that is named so.
func (w *world) crashAt(t *testing.T, here func(what string) bool, act func(*stack.Controller)) (place string) {
	t.Helper()
	life := stacktest.NewLife()
	var mu sync.Mutex // guards place and over
	over := false
	life.Step = func(what string) {
		mu.Lock()
		defer mu.Unlock()
		if place == "" && !over && here(what) {
			place = what
			life.Kill()
		}
	}
	o := w.options(t)
	o.Backend, o.Config, o.Hook = life.Backend(w.backend), life.Config(w.config), life.Pass
	o.Log = nil // hundreds of lives have nothing to say
	c, err := stack.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		act(c)
	}()
	select {
	case <-ended:
		mu.Lock()
		over = true // it lives on no longer, and what it does beside its runs is no place
		mu.Unlock()
		life.Kill()
	case <-life.Killed():
		synctest.Wait() // its requests that are on their way arrive
	}
	t.Cleanup(func() {
		life.Kill()
		life.Bury()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		c.Shutdown(ctx)
	})
	mu.Lock()
	defer mu.Unlock()
	return place
}

func saving(t *testing.T) func(*stack.Controller) {
	return func(c *stack.Controller) {
		if run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig}); err == nil {
			run.Wait(t.Context())
		}
	}
}

// recovered starts the next process, and checks everything that issue 5 promises.
func (w *world) recovered(t *testing.T, place string) {
	t.Helper()
	quiet := func(o *stack.Options) { o.Log = nil }
	c := w.start(t, quiet)
	if err := c.Recover(t.Context()); err != nil {
		t.Fatalf("Recover: %v", err)
	}
	if c.Current() != nil {
		t.Fatal("Recover returned before the run had ended")
	}
	live := w.config.Live()
	if string(live) != string(oldConfig) && string(live) != string(newConfig) {
		t.Fatalf("killed at %s: the file is %q, neither old nor new", place, live)
	}
	w.check(t, live)
	w.checkLoaded(t, live)
	reports := c.Reports()
	touched := slices.ContainsFunc(w.backend.Calls(), func(c stacktest.Call) bool { return c.Method == "Pause" })
	if touched && len(reports) == 0 {
		t.Errorf("killed at %s: the history does not tell of the run", place)
	}
	for _, r := range reports {
		if r.Outcome == stack.Failed {
			t.Errorf("killed at %s: %s", place, story(r))
		}
		if r.Outcome == stack.Applied || len(r.RollBack) > 0 {
			if got, err := w.config.Backup(r.Backup); err != nil || string(got) != string(oldConfig) {
				t.Errorf("killed at %s: the backup holds %q, %v; want the old bytes", place, got, err)
			}
		}
	}
	// And it is all over: another start finds nothing to do, and the next save works.
	c.Shutdown(t.Context())
	next := w.start(t, quiet)
	if err := next.Recover(t.Context()); err != nil || len(next.Reports()) != len(reports) {
		t.Errorf("killed at %s: the next start found something to recover again", place)
	}
	again := []byte("again = true\n")
	wantOutcome(t, save(t, next, again), stack.Applied, "")
	w.check(t, again)
}

// TestCrashes kills the process at every call and every named point of a run, in a stack that obeys
// and in one that refuses, and starts it anew.
func TestCrashes(t *testing.T) {
	for _, program := range []struct {
		name string
		p    stacktest.Program
	}{
		{"and all services obey", nil},
		{"and the orchestrator refuses", refuse(orchestrator.Name, newConfig)},
		{"and the scanner refuses", refuse(scanner.Name, newConfig)},
	} {
		t.Run(program.name, func(t *testing.T) {
			for n, over := 1, false; !over && !t.Failed(); n++ {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.backend.SetProgram(program.p)
					place := w.crash(t, n, "", saving(t))
					if over = place == ""; !over {
						time.Sleep(time.Second)
						w.recovered(t, fmt.Sprintf("%s (place %d)", place, n))
					}
				})
			}
			for _, point := range stack.Points {
				undo := strings.HasPrefix(point, "undo") && program.p == nil
				confirmed := point == stack.PointConfirmed && program.p != nil
				if undo || confirmed || strings.HasPrefix(point, "recover") {
					continue // not on this run's way
				}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.backend.SetProgram(program.p)
					if w.crash(t, 0, point, saving(t)) == "" {
						t.Fatalf("the run never passed the point %q", point)
					}
					time.Sleep(time.Second)
					w.recovered(t, point)
				})
			}
		})
	}
}

// TestCrashesWhileRecovering kills a process at every named point, and its successor at every place
// of the recovery.
func TestCrashesWhileRecovering(t *testing.T) {
	for _, program := range []struct {
		name string
		p    stacktest.Program
	}{
		{"obeying", nil},
		{"refusing", refuse(orchestrator.Name, newConfig)},
	} {
		for _, point := range stack.Points {
			if strings.HasPrefix(point, "recover") {
				continue
			}
			t.Run(program.name+", first at "+point, func(t *testing.T) {
				for n, over := 1, false; !over && !t.Failed(); n++ {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t)
						w.backend.SetProgram(program.p)
						if w.crash(t, 0, point, saving(t)) == "" {
							over = true // this run does not pass there
							return
						}
						time.Sleep(time.Second)
						second := w.crash(t, n, "", func(c *stack.Controller) { c.Recover(t.Context()) })
						over = second == ""
						time.Sleep(time.Second)
						w.recovered(t, fmt.Sprintf("%s, then %s (place %d)", point, second, n))
					})
				}
			})
		}
	}
}

// Somebody takes the name of the backup between staging and committing, and the panel dies before its
// journal could say which other one was taken.
func TestABackupThatHasAnotherNameThanTheJournalSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
		place := w.crashAt(t, func(what string) bool {
			if what == stack.PointPaused {
				w.config.TakeName()
			}
			return what == "after Commit"
		}, saving(t))
		if place == "" {
			t.Fatal("the run never committed")
		}
		time.Sleep(time.Second)
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := c.Reports()[0]
		if r.Outcome != stack.RolledBack || !strings.HasSuffix(r.Backup, "_2") {
			t.Errorf("got %s with backup %q (%s), want it rolled back from the later name", r.Outcome, r.Backup, r.Message)
		}
		w.check(t, oldConfig)
	})
}

func TestRecoveryLeavesAloneWhatOthersPaused(t *testing.T) {
	for _, point := range []string{stack.PointJournalWritten, stack.PointPaused, stack.PointSaved, stack.PointReloading} {
		t.Run("killed at "+point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				before := w.backend.Add(scanner.Name, "scanner-2")
				w.backend.PauseByHand(before)
				time.Sleep(time.Minute)
				w.crash(t, 0, point, saving(t))
				// While the panel is down, an engine restarts one, and somebody pauses its new life.
				w.backend.Restart(w.scan)
				w.backend.PauseByHand(w.scan)
				time.Sleep(time.Minute)
				c := w.start(t)
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, i := range w.backend.Now() {
					want := stack.Paused
					if i.ID == w.orch.ID {
						want = stack.Running
					}
					if i.State != want {
						t.Errorf("%s is %s, want %s", i.Name, i.State, want)
					}
				}
				w.checkTidy(t)
			})
		})
	}
}

func TestRecoveryLeavesAloneWhatSomebodyPausedAfterTheRunHadUnpausedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointReloading, saving(t))
		w.backend.PauseByHand(w.orch)
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.backend.Now()[0].State; got != stack.Paused {
			t.Errorf("it is %s, want paused", got)
		}
		w.checkTidy(t)
	})
}

func TestRecoveryWaitsForWhatWasStartedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointSaved, saving(t))
		w.backend.Restart(w.orch)
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := c.Reports()[0]
		wantOutcome(t, r, stack.Applied, "")
		if !strings.Contains(r.Message, "go-scanner, python-orchestrator confirmed") {
			t.Errorf("message: %s", r.Message)
		}
		w.check(t, newConfig)
		w.checkLoaded(t, newConfig)
	})
}

func TestRecoveryRollsBackWhatAServiceStartedSinceCannotRunWith(t *testing.T) {
	for _, point := range []string{stack.PointSaved, stack.PointReloading, stack.PointReloaded, stack.PointUndoPaused} {
		t.Run("killed at "+point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if point == stack.PointUndoPaused {
					w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
				}
				w.backend.Revive = time.Second
				w.backend.SetStart(dieOf(orchestrator.Name, newConfig))
				w.crash(t, 0, point, saving(t))
				w.backend.Restart(w.orch)
				time.Sleep(time.Minute)
				c := w.start(t)
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, c.Reports()[0], stack.RolledBack, "")
				w.check(t, oldConfig)
				w.checkLoaded(t, oldConfig)
				wantAllRunning(t, w)
			})
		})
	}
}

func TestARunThatTheHistoryTellsIsNotRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointAudited, saving(t))
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.Reports(); len(got) != 1 || got[0].Kind != stack.KindSave || got[0].Outcome != stack.Applied {
			t.Errorf("the history: got %d reports, %+v; want the run alone", len(got), got)
		}
		w.check(t, newConfig)
	})
}

// A recovery that outlasts the call for it may be writing when that returns.
func TestRecoverySweepsOnlyWhatWasLeftBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointPaused, saving(t))
		w.backend.Down()
		left, written := filepath.Join(w.state, ".revision.tmp-1"), filepath.Join(w.state, ".revision.tmp-2")
		touch := func(path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Error(err)
			}
		}
		touch(left)
		c := w.start(t, atPoint(stack.PointRecovering, func() { touch(written) }))
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.Current() == nil {
			t.Fatal("the recovery has ended, which shows nothing")
		}
		if _, err := os.Stat(left); err == nil {
			t.Error("what a crash had left is still there")
		}
		if _, err := os.Stat(written); err != nil {
			t.Errorf("what was being written: %v", err)
		}
		w.backend.Up()
		c.Current().Wait(t.Context())
	})
}

func TestRecoveryDiscardsWhatTheJournalNamesInAStoreThatCannotSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointPaused, saving(t))
		c := w.start(t, func(o *stack.Options) { o.Config = struct{ stack.ConfigStore }{w.config} })
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.check(t, oldConfig)
	})
}

func TestRecoveryWaitsVisiblyForAnEngineThatIsNotThereYet(t *testing.T) {
	for _, point := range []string{stack.PointPaused, stack.PointSaved, stack.PointReloading} {
		t.Run("killed at "+point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.crash(t, 0, point, saving(t))
				w.backend.Down()
				c := w.start(t)
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				run := c.Current()
				if run == nil || run.Report().Kind != stack.KindRecover {
					t.Fatal("no recovery is under way")
				}
				if got := c.Reports(); len(got) != 1 || got[0].Interrupted == "" || got[0].Outcome != "" {
					t.Errorf("the history: got %+v, want the recovery under way", got)
				}
				if point != stack.PointReloading && len(run.Report().StillPaused) != 2 {
					t.Errorf("still paused: got %+v, want both", run.Report().StillPaused)
				}
				busy, err := c.SaveAndRestart(t.Context(), stack.Change{Content: []byte("x")})
				if err != nil || busy.Report().Cause != stack.CauseBusy {
					t.Errorf("a save meanwhile: got %v, %v; want busy", busy.Report(), err)
				}
				time.Sleep(time.Hour)
				if n := events(t, run); n > 10 {
					t.Errorf("an hour without an engine is told in %d events, want a few: they are all kept", n)
				}
				w.backend.Up()
				r, _ := run.Wait(t.Context())
				want := newConfig
				if point == stack.PointPaused {
					want = oldConfig
					wantOutcome(t, r, stack.RolledBack, "")
				} else {
					wantOutcome(t, r, stack.Applied, "")
				}
				w.check(t, want)
				w.checkLoaded(t, want)
			})
		})
	}
}

func TestRecoveryMendsAFileThatWasBeingWrittenInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointSaved, saving(t))
		w.config.Edit([]byte("[bad"))
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, c.Reports()[0], stack.RolledBack, "")
		w.check(t, oldConfig)
		if !slices.ContainsFunc(c.Reports()[0].Warnings, func(s string) bool { return strings.Contains(s, "kept as a backup") }) {
			t.Errorf("warnings: %q", c.Reports()[0].Warnings)
		}
	})
}

func TestRecoveryLeavesWhatSomebodyChangedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointReloading, saving(t))
		theirs := []byte("theirs = 1\n")
		w.config.Edit(theirs)
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.check(t, theirs)
	})
}

func TestAJournalThatCannotBeReadBlocksNothing(t *testing.T) {
	for name, content := range map[string]string{
		"torn":               `{"version": 1, "run": "2026`,
		"empty":              "",
		"of another version": `{"version": 99, "run": "x"}`,
		"of no run":          `{"version": 1, "run": "", "phase": "pausing"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c := w.start(t)
				save(t, c, []byte("before = 1\n")) // the history has a run that was not interrupted
				w.backend.PauseByHand(w.scan)
				path := filepath.Join(w.state, "journal.json")
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				r := c.Reports()[0]
				wantOutcome(t, r, stack.Failed, stack.CauseConfig)
				if r.Kind != stack.KindRecover || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "fake unpause scanner-1") {
					t.Errorf("got %s, want a recovery that says what is paused and how to free it", story(r))
				}
				aside, _ := filepath.Glob(path + ".unreadable-*")
				if len(aside) != 1 {
					t.Fatalf("set aside: got %q, want one file", aside)
				}
				if kept, _ := os.ReadFile(aside[0]); string(kept) != content {
					t.Errorf("set aside: got %q, want %q", kept, content)
				}
				wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
			})
		})
	}
}

func TestAJournalOfAnotherVersionStillTellsWhomToUnpause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointPaused, saving(t))
		path := filepath.Join(w.state, "journal.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		other := strings.Replace(string(text), `"version": 1`, `"version": 2`, 1)
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil || other == string(text) {
			t.Fatalf("the journal is as it was: %v", err)
		}
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, c.Reports()[0], stack.Failed, stack.CauseConfig)
		w.checkFile(t, oldConfig)
		for _, i := range w.backend.Now() {
			if i.State != stack.Running {
				t.Errorf("%s is %s, want it running", i.Name, i.State)
			}
		}
	})
}

// While the panel was down, somebody put another config in place: a lower limit, say. That is what
// they meant, and the interrupted run does not take it back.
func TestWhatSomebodySavedAfterTheCrashIsLeftAlone(t *testing.T) {
	for _, point := range []string{stack.PointPaused, stack.PointSaved, stack.PointUndoPaused} {
		t.Run("killed at "+point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if point == stack.PointUndoPaused {
					w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
				}
				w.crash(t, 0, point, saving(t))
				theirs := []byte("[risk]\nmax = 0\n")
				w.config.Edit(theirs)
				c := w.start(t)
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				reports := c.Reports()
				n := slices.IndexFunc(reports, func(r stack.Report) bool { return r.Kind == stack.KindRecover })
				if n < 0 {
					t.Fatalf("the history has no recovery: %+v", reports)
				}
				wantOutcome(t, reports[n], stack.Failed, stack.CauseConflict)
				w.check(t, theirs)
			})
		})
	}
}

// The machine comes back with a clock that is behind the one by which the journal was written: what
// services log now still counts.
func TestRecoveryAfterTheClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointUnpaused, saving(t))
		path := filepath.Join(w.state, "journal.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var journal map[string]any
		if err := json.Unmarshal(text, &journal); err != nil {
			t.Fatal(err)
		}
		journal["since"] = time.Now().Add(2 * time.Hour)
		if text, err = json.Marshal(journal); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		w.backend.Restart(w.scan) // it has the new config, and will say no more about it
		time.Sleep(time.Minute)
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, c.Reports()[0], stack.Applied, "")
		w.check(t, newConfig)
	})
}

// events counts what a run has told so far.
func events(t *testing.T, run *stack.Run) (n int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for range run.Events(ctx, 0) {
		n++
	}
	return n
}

// A crash between the two would else lose the run: neither the history nor a journal would tell of it.
func TestTheHistoryIsWrittenBeforeTheJournalGoes(t *testing.T) {
	for name, p := range map[string]stacktest.Program{"applied": nil, "rolled back": refuse(orchestrator.Name, newConfig)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.backend.SetProgram(p)
				begun := false
				c := w.start(t, func(o *stack.Options) {
					o.Hook = func(point string) {
						begun = begun || point == stack.PointJournalWritten
						history, _ := os.ReadFile(filepath.Join(w.state, "audit.jsonl"))
						_, err := os.Stat(filepath.Join(w.state, "journal.json"))
						if begun && len(history) == 0 && err != nil {
							t.Errorf("at %s there is neither: %v", point, err)
						}
						if point == stack.PointAudited && (len(history) == 0 || err != nil) {
							t.Errorf("at %s: a history of %d bytes; the journal: %v", point, len(history), err)
						}
					}
				})
				save(t, c, newConfig)
			})
		})
	}
}
