package stack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// TestFaults breaks every kind of call a run makes, in each way. Whatever breaks, the file is whole,
// nobody stays paused, and nothing lies about; the table has what the run says of it.
func TestFaults(t *testing.T) {
	notDone := stacktest.Fault{Err: errInjected}
	butDone := stacktest.Fault{Err: errInjected, Done: true}
	hangs := stacktest.Fault{Hang: true}
	late := stacktest.Fault{Hang: true, Done: true}
	tooLate := stacktest.Fault{Hang: true, Late: 3 * time.Second}
	refusedButLate := stacktest.Fault{Err: errInjected, Late: 3 * time.Second}
	brokenButLate := stacktest.Fault{Err: fmt.Errorf("the connection broke: %w", stack.ErrUnavailable), Late: 3 * time.Second}
	const forever = 1 << 20
	none := func(*world) {}
	refused := func(w *world) { w.backend.SetProgram(refuse(orchestrator.Name, newConfig)) }

	for _, test := range []struct {
		name    string
		prepare func(*world)
		method  string
		times   int
		fault   stacktest.Fault
		outcome stack.Outcome
		cause   stack.Cause
		file    []byte
	}{
		{"the list fails", none, "Instances", forever, notDone, stack.Failed, stack.CauseBackend, oldConfig},
		{"the list hangs", none, "Instances", forever, hangs, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause fails, not done", none, "Pause", 1, notDone, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause fails, but done", none, "Pause", 1, butDone, stack.Failed, stack.CauseBackend, oldConfig},
		{"every pause fails, but done", none, "Pause", forever, butDone, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause hangs", none, "Pause", 1, hangs, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause hangs, and is done when nobody expects it", none, "Pause", 1, tooLate, stack.Failed, stack.CauseBackend, oldConfig},
		{"every pause hangs, and is done when nobody expects it", none, "Pause", 2, tooLate, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause fails, and is done when nobody expects it", none, "Pause", 1, refusedButLate, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause's connection breaks, and it is done when nobody expects it", none, "Pause", 1, brokenButLate, stack.Failed, stack.CauseBackend, oldConfig},
		{"one pause hangs, but done", none, "Pause", 1, late, stack.Failed, stack.CauseBackend, oldConfig},
		{"the first unpauses fail, not done", none, "Unpause", 5, notDone, stack.Applied, "", newConfig},
		{"the first unpauses fail, but done", none, "Unpause", 5, butDone, stack.Applied, "", newConfig},
		{"every unpause fails, but done", none, "Unpause", forever, butDone, stack.Applied, "", newConfig},
		{"the first unpauses hang", none, "Unpause", 3, hangs, stack.Applied, "", newConfig},
		{"the first unpauses hang, but done", none, "Unpause", 3, late, stack.Applied, "", newConfig},
		{"the first signals fail, not done", none, "Signal", 3, notDone, stack.Applied, "", newConfig},
		{"the first signals fail, but done", none, "Signal", 3, butDone, stack.Applied, "", newConfig},
		{"the first looks fail", none, "Inspect", 4, notDone, stack.Applied, "", newConfig},
		{"the log fails to open at first", none, "Logs", 4, notDone, stack.Applied, "", newConfig},
		{"the log hangs", none, "Logs", 2, hangs, stack.RolledBack, "", oldConfig},

		{"the file cannot be read", none, "Read", 1, notDone, stack.Failed, stack.CauseConfig, oldConfig},
		{"staging fails, not done", none, "Stage", 1, notDone, stack.Failed, stack.CauseConfig, oldConfig},
		{"committing fails, not done", none, "Commit", 1, notDone, stack.Failed, stack.CauseConfig, oldConfig},
		{"committing fails, but done", none, "Commit", 1, butDone, stack.Applied, "", newConfig},
		{"pruning fails", none, "Prune", forever, notDone, stack.Applied, "", newConfig},

		{"the roll-back's staging fails at first", refused, "Stage:" + stack.RevisionOf(oldConfig).Short(), 2, notDone, stack.RolledBack, "", oldConfig},
		{"the roll-back's staging fails for good", refused, "Stage:" + stack.RevisionOf(oldConfig).Short(), forever, notDone, stack.Failed, stack.CauseConfig, newConfig},
		{"the roll-back's commit fails once, not done", refused, "Commit:" + stack.RevisionOf(oldConfig).Short(), 1, notDone, stack.Failed, stack.CauseConfig, newConfig},
		{"the roll-back's commit fails, not done", refused, "Commit:" + stack.RevisionOf(oldConfig).Short(), forever, notDone, stack.Failed, stack.CauseConfig, newConfig},
		{"the roll-back's commit fails, but done", refused, "Commit:" + stack.RevisionOf(oldConfig).Short(), forever, butDone, stack.RolledBack, "", oldConfig},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				test.prepare(w)
				method, on, particular := strings.Cut(test.method, ":")
				n := 0
				fault := func(c stacktest.Call) stacktest.Fault {
					if c.Method != method || particular && c.On != on {
						return stacktest.Fault{}
					}
					if n++; n > test.times {
						return stacktest.Fault{}
					}
					return test.fault
				}
				w.backend.SetFault(fault)
				w.config.SetFault(fault)
				c := w.start(t)
				r := save(t, c, newConfig)
				w.backend.SetFault(nil)
				w.config.SetFault(nil)
				wantOutcome(t, r, test.outcome, test.cause)
				time.Sleep(time.Minute) // what comes late has come
				w.check(t, test.file)
				if len(r.StillPaused) > 0 {
					t.Errorf("the report says that somebody is still paused: %+v", r.StillPaused)
				}
				if r.PauseMs > 30_500 {
					t.Errorf("the pause window was %v ms, want max_pause at most", r.PauseMs)
				}
				if got := len(c.Reports()); got != 1 {
					t.Errorf("the history has %d runs, want this one", got)
				}
				// Whatever happened, the next save works.
				again := append([]byte("# again\n"), newConfig...)
				wantOutcome(t, save(t, c, again), stack.Applied, "")
				w.check(t, again)
			})
		})
	}
}

func TestPauseStackFailsInTheRollBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetProgram(refuse(scanner.Name, newConfig))
		w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
			if c.Method == "Pause" && c.Nth > 2 {
				return stacktest.Fault{Err: errInjected}
			}
			return stacktest.Fault{}
		})
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		w.check(t, oldConfig)
		w.checkLoaded(t, oldConfig)
	})
}

// One instance cannot be paused, and the request for the other is still under way: it may end by itself, so
// that it is known what came of it, and if it does not, the report does not tell of what only followed.
func TestOneRefusesToPauseAndTheOtherTakesItsTime(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		ends  bool // by itself
	}{
		"and ends":         {500 * time.Millisecond, true},
		"and does not end": {time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
					if c.Method == "Pause" && c.On == w.orch.Name {
						return stacktest.Fault{Err: errInjected}
					}
					return stacktest.Fault{}
				})
				slow := &slowPause{Backend: w.backend, who: w.scan.Name, takes: test.takes}
				r := save(t, w.start(t, func(o *stack.Options) { o.Backend = slow }), newConfig)
				wantOutcome(t, r, stack.Failed, stack.CauseBackend)
				if ended := slow.err == nil; ended != test.ends {
					t.Errorf("the other's request ended with %v", slow.err)
				}
				if !strings.Contains(r.Message, w.orch.Name) || strings.Contains(r.Message, w.scan.Name) {
					t.Errorf("want only the reason: %s", r.Message)
				}
				if r.PauseMs > 1100 {
					t.Errorf("the pause window was %v ms, want little more than the time that the other was given", r.PauseMs)
				}
				w.check(t, oldConfig)
			})
		})
	}
}

// slowPause takes its time to pause one instance.
type slowPause struct {
	*stacktest.Backend
	who   string
	takes time.Duration
	err   error
}

func (b *slowPause) Pause(ctx context.Context, i stack.Instance) error {
	if i.Name != b.who {
		return b.Backend.Pause(ctx, i)
	}
	select {
	case <-time.After(b.takes):
	case <-ctx.Done():
	}
	b.err = b.Backend.Pause(ctx, i)
	return b.err
}

func TestTheDiskHangsWhileTheStackIsPaused(t *testing.T) {
	for _, test := range []struct {
		name    string
		fault   stacktest.Fault
		outcome stack.Outcome
		cause   stack.Cause
	}{
		{"and then writes the file", stacktest.Fault{Hang: true}, stack.RolledBack, ""},
		{"and then fails", stacktest.Fault{Hang: true, Err: errInjected}, stack.Failed, stack.CauseConfig},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.config.SetFault(failing("Commit", 1, test.fault))
				c := w.start(t)
				run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(31 * time.Second)
				for _, i := range w.backend.Now() {
					if i.State != stack.Running {
						t.Errorf("%s is %s after max_pause, want running", i.Name, i.State)
					}
				}
				w.config.Release()
				r, _ := run.Wait(t.Context())
				wantOutcome(t, r, test.outcome, test.cause)
				w.check(t, oldConfig)
				w.checkLoaded(t, oldConfig)
			})
		})
	}
}

// A file that is itself a mount point is written in place, and a crash of the disk can leave half.
func TestCommitLeavesHalfAFile(t *testing.T) {
	t.Run("of the new config: the old one is put back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			r := save(t, w.start(t, halfAt(w, 1, 1)), newConfig)
			wantOutcome(t, r, stack.Failed, stack.CauseConfig)
			w.check(t, oldConfig)
			if !strings.Contains(r.Message, "as it was") {
				t.Errorf("message: %s", r.Message)
			}
		})
	})
	t.Run("of the old one, in a roll-back: it is written again, and the run is rolled back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
			r := save(t, w.start(t, halfAt(w, 2, 2)), newConfig)
			wantOutcome(t, r, stack.RolledBack, "")
			w.check(t, oldConfig)
			w.checkLoaded(t, oldConfig)
		})
	})
	for name, first := range map[string]int{"forward": 1, "in a roll-back": 2} {
		t.Run("each time, "+name+": the report says what is to be done", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
				r := save(t, w.start(t, halfAt(w, first, 1<<20)), newConfig)
				wantOutcome(t, r, stack.Failed, stack.CauseConfig)
				wantAllRunning(t, w)
				_, name, _ := strings.Cut(r.Message, "they are in the backup ")
				name, _, _ = strings.Cut(name, ")")
				if old, err := w.config.Backup(name); first == 2 && (err != nil || string(old) != string(oldConfig)) {
					t.Errorf("the backup that it names, %q: got %q, %v; want the old config", name, old, err)
				}
				if !strings.Contains(r.Message, "must be put right by hand") || strings.Contains(r.Message, "is in place") {
					t.Errorf("message: %s", r.Message)
				}
			})
		})
	}
}

// halfAt makes these Commits write half of the file.
func halfAt(w *world, first, last int) func(*stack.Options) {
	return func(o *stack.Options) { o.Config = &halfWriter{Config: w.config, first: first, last: last} }
}

type halfWriter struct {
	*stacktest.Config
	commits, first, last int
}

func (h *halfWriter) Commit(s stack.Staged) (string, error) {
	if h.commits++; h.first <= h.commits && h.commits <= h.last {
		h.Edit([]byte("[ri"))
		return "", errInjected
	}
	return h.Config.Commit(s)
}

func TestAnInstanceThatRefusesToUnpauseIsShownWithTheWayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
			if c.Method == "Unpause" && c.On == w.scan.Name {
				return stacktest.Fault{Err: errInjected}
			}
			return stacktest.Fault{}
		})
		c := w.start(t)
		run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		still := run.Report().StillPaused
		if len(still) != 1 || still[0].Instance.Name != w.scan.Name || still[0].ByHand != "fake unpause scanner-1" || !strings.Contains(still[0].Error, "injected") {
			t.Fatalf("still paused: got %+v, want the scanner, why, and how to free it", still)
		}
		if w.backend.Now()[0].State != stack.Running {
			t.Error("the other instance is not running")
		}
		w.backend.UnpauseByHand(w.scan)
		r, _ := run.Wait(t.Context())
		wantOutcome(t, r, stack.Applied, "")
		w.check(t, newConfig)
		if len(r.StillPaused) > 0 {
			t.Errorf("still paused at the end: %+v", r.StillPaused)
		}
	})
}

func TestAnInstanceThatDiedKeepsNobodyPausedWhateverItsEngineSays(t *testing.T) {
	for name, test := range map[string]struct {
		end     func(*world)
		outcome stack.Outcome
		file    []byte
	}{
		"killed":    {func(w *world) { w.backend.Kill(w.scan) }, stack.RolledBack, oldConfig},
		"restarted": {func(w *world) { w.backend.Restart(w.scan) }, stack.Applied, newConfig},
		"removed":   {func(w *world) { w.backend.Remove(w.scan) }, stack.RolledBack, oldConfig},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
					if c.Method == "Unpause" && c.On == w.scan.Name {
						return stacktest.Fault{Err: errInjected}
					}
					return stacktest.Fault{}
				})
				c := w.start(t, atPoint(stack.PointPaused, func() { test.end(w) }))
				run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				wantOutcome(t, run.Report(), test.outcome, "")
				w.check(t, test.file)
				w.backend.SetFault(nil) // let it end, should it not have
			})
		})
	}
}

func TestTheEngineRestartsInTheMiddle(t *testing.T) {
	for _, point := range []string{
		stack.PointJournalWritten, stack.PointPaused, stack.PointSaved, stack.PointUnpaused, stack.PointReloading, stack.PointReloaded,
	} {
		for _, instancesToo := range []bool{false, true} {
			t.Run(fmt.Sprintf("at %s, instances too: %v", point, instancesToo), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					c := w.start(t, func(o *stack.Options) {
						o.Hook = func(p string) {
							if p != point {
								return
							}
							w.backend.Down()
							go func() {
								time.Sleep(3 * time.Second)
								if instancesToo {
									w.backend.Restart(w.orch)
									w.backend.Restart(w.scan)
								}
								w.backend.Up()
							}()
						}
					})
					r := save(t, c, newConfig)
					time.Sleep(time.Minute) // the engine is up again, whatever the run did meanwhile
					want := newConfig
					if r.Outcome != stack.Applied {
						want = oldConfig
					}
					w.check(t, want)
					w.checkLoaded(t, want)
					if t.Failed() {
						t.Log(story(r))
					}
				})
			})
		}
	}
}

// The disk of the state folder is full: first for the journal, then for the history alone.
func TestTheStateFolderCannotBeWritten(t *testing.T) {
	t.Run("no journal, no run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			block(t, w, "journal.json")
			r := save(t, c, newConfig)
			wantOutcome(t, r, stack.Failed, stack.CauseConfig)
			w.checkFile(t, oldConfig)
			wantNoPause(t, w)
			if left := w.config.StagedFiles(); len(left) > 0 {
				t.Errorf("staged files are left: %q", left)
			}
		})
	})
	t.Run("no history: a warning, and the run ends rightly", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			free := block(t, w, "audit.jsonl")
			r := save(t, c, newConfig)
			wantOutcome(t, r, stack.Applied, "")
			w.checkFile(t, newConfig)
			if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "history could not be written") {
				t.Errorf("warnings: got %q", r.Warnings)
			}
			free()
			wantOutcome(t, save(t, c, oldConfig), stack.Applied, "")
			if got := len(w.start(t).Reports()); got != 2 {
				t.Errorf("the next start finds %d runs in the history, want both", got)
			}
		})
	})
}

func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetProgram(func(stack.Instance, []byte, func(string)) bool { return true }) // says nothing
		c := w.start(t)
		first, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		second, err := c.SaveAndRestart(t.Context(), stack.Change{Content: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := second.Wait(t.Context())
		wantOutcome(t, r, stack.Rejected, stack.CauseBusy)
		if c.Current() != first || c.Last() != first {
			t.Error("the busy answer took the place of the run under way")
		}
		if found, ok := c.Run(second.ID()); !ok || found != second {
			t.Error("the busy answer cannot be looked up")
		}
		first.Wait(t.Context())
		if got := len(c.Reports()); got != 1 {
			t.Errorf("the history has %d runs, want only the one that was taken", got)
		}
	})
}

func TestManySavesAtOnce(t *testing.T) {
	for _, n := range []int{2, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c := w.start(t)
				base := stack.RevisionOf(oldConfig)
				reports := make(chan stack.Report, n)
				for k := range n {
					go func() {
						for { // like clients that try again while the panel is busy
							run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: fmt.Appendf(nil, "client = %d\n", k), Base: base})
							if err != nil {
								t.Error(err)
							}
							r, _ := run.Wait(t.Context())
							if r.Cause != stack.CauseBusy {
								reports <- r
								return
							}
							time.Sleep(time.Millisecond)
						}
					}()
				}
				var winner stack.Report
				for range n {
					switch r := <-reports; {
					case r.Outcome == stack.Applied && winner.ID == "":
						winner = r
					case r.Outcome != stack.Rejected || r.Cause != stack.CauseConflict:
						t.Errorf("got %s %s, want one winner and conflicts", r.Outcome, r.Cause)
					}
				}
				if winner.ID == "" {
					t.Fatal("nobody won")
				}
				if got := stack.RevisionOf(w.config.Live()); got != winner.Revision.To {
					t.Errorf("the file is %s, want the winner's %s", got.Short(), winner.Revision.To.Short())
				}
			})
		})
	}
}

func TestARunOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.start(t)
		ctx, cancel := context.WithCancel(t.Context())
		run, err := c.SaveAndRestart(ctx, stack.Change{Content: newConfig})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		r, _ := run.Wait(t.Context())
		wantOutcome(t, r, stack.Applied, "")
		if _, err := c.SaveAndRestart(ctx, stack.Change{Content: oldConfig}); !errors.Is(err, ctx.Err()) {
			t.Errorf("a request that has ended: got %v, want its context's error", err)
		}
	})
}
