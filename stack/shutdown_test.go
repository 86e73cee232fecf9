package stack_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// shutDownAt lets a process act, and shuts it down as it passes a named point. Whatever it did has
// ended then.
func (w *world) shutDownAt(t *testing.T, point string, act func(*stack.Controller) error) *stack.Controller {
	t.Helper()
	at, goOn := make(chan struct{}), make(chan struct{})
	passed := false
	c := w.start(t, atPoint(point, func() {
		if !passed { // a recovery may roll back, and pass a point twice
			passed = true
			close(at)
			<-goOn
		}
	}))
	c.Start(t.Context())
	acted := make(chan error, 1)
	go func() { acted <- act(c) }()
	<-at
	ended := make(chan error, 2)
	for range 2 { // the second does not make it worse
		go func() { ended <- c.Shutdown(context.Background()) }()
	}
	synctest.Wait()
	if _, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig}); !errors.Is(err, stack.ErrShutdown) {
		t.Errorf("a save during the shutdown: got %v, want ErrShutdown", err)
	}
	close(goOn)
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	}
	if err := <-acted; err != nil {
		t.Error(err)
	}
	return c
}

func TestShutdownInTheMiddleOfARun(t *testing.T) {
	t.Run("lets it end", func(t *testing.T) {
		for _, point := range stack.Points {
			undo := strings.HasPrefix(point, "undo")
			if strings.HasPrefix(point, "recover") {
				continue
			}
			t.Run("at "+point, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					outcome, file := stack.Applied, newConfig
					if undo {
						w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
						outcome, file = stack.RolledBack, oldConfig
					}
					var run *stack.Run
					w.shutDownAt(t, point, func(c *stack.Controller) (err error) {
						run, err = c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
						return err
					})
					wantOutcome(t, run.Report(), outcome, "")
					w.check(t, file)
					w.checkLoaded(t, file)
				})
			})
		}
	})
	t.Run("undoes what has not paused anything yet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.backend.SetFault(failing("Instances", 1, stacktest.Fault{Hang: true}))
			c := w.start(t)
			run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			start := time.Now()
			if err := c.Shutdown(context.Background()); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("it took %v", took)
			}
			wantOutcome(t, run.Report(), stack.Failed, "")
			w.check(t, oldConfig)
		})
	})
	t.Run("leaves the rest to the next start when it may wait no longer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.backend.SetFault(failing("Unpause", 1<<20, stacktest.Fault{Err: errInjected}))
			released := false
			c := w.start(t, func(o *stack.Options) {
				o.Guard = func([]stack.Instance) (func() time.Time, error) {
					return func() time.Time { released = true; return time.Time{} }, nil
				}
			})
			run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			start := time.Now()
			if err := c.Shutdown(context.Background()); err == nil {
				t.Error("Shutdown: got no error, want the run that had not ended")
			}
			if took := time.Since(start); took > 41*time.Second {
				t.Errorf("it took %v, want max_pause and one call", took)
			}
			if r := run.Report(); r.Outcome != stack.Failed || len(r.StillPaused) != 2 {
				t.Errorf("got %s with %d still paused, want failed with 2", r.Outcome, len(r.StillPaused))
			}
			if released {
				t.Error("the guardian was told that all is well")
			}
			w.backend.SetFault(nil)
			next := w.start(t)
			if err := next.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantOutcome(t, next.Reports()[0], stack.Applied, "")
			w.check(t, newConfig)
			w.checkLoaded(t, newConfig)
		})
	})
}

func TestShutdownInTheMiddleOfARecovery(t *testing.T) {
	for _, first := range []string{stack.PointPaused, stack.PointSaved, stack.PointReloading, stack.PointUndoPaused, stack.PointUndoReloaded} {
		for _, refuses := range []bool{false, true} {
			if !refuses && strings.HasPrefix(first, "undo") {
				continue
			}
			for _, point := range recoveryPoints(first, refuses) {
				name := "killed at " + first + ", shut down at " + point
				if refuses {
					name += ", with a service that refuses"
				}
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t)
						if refuses {
							w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
						}
						w.crash(t, 0, first, saving(t))
						time.Sleep(time.Second)
						c := w.shutDownAt(t, point, func(c *stack.Controller) error { return c.Recover(t.Context()) })
						outcome, file := stack.Applied, newConfig
						if refuses || first == stack.PointPaused {
							outcome, file = stack.RolledBack, oldConfig
						}
						wantOutcome(t, c.Reports()[0], outcome, "")
						w.check(t, file)
						w.checkLoaded(t, file)
					})
				})
			}
		}
	}
}

// recoveryPoints are those that the recovery of a run passes that was killed at first.
func recoveryPoints(first string, refuses bool) []string {
	points := []string{stack.PointRecovering}
	if !slices.Contains([]string{stack.PointReloading, stack.PointUndoReloaded}, first) {
		points = append(points, stack.PointRecoveredUnpaused)
	}
	forward := first == stack.PointSaved || first == stack.PointReloading
	switch {
	case forward && !refuses:
		points = append(points, stack.PointReloading, stack.PointReloaded, stack.PointConfirmed)
	case forward, first == stack.PointUndoPaused:
		points = append(points, stack.PointUndoBegun, stack.PointUndoJournalWritten, stack.PointUndoPaused,
			stack.PointUndoSaved, stack.PointUndoUnpaused, stack.PointUndoReloaded, stack.PointUndoConfirmed)
	case first == stack.PointUndoReloaded:
		points = append(points, stack.PointUndoConfirmed)
	}
	return append(points, stack.PointAudited, stack.PointJournalRemoved)
}

// Whatever a recovery hangs on, somebody must see the page meanwhile, and a shutdown must end: within
// max_pause and one call, which systemd grants.
func TestARecoveryThatHangs(t *testing.T) {
	const bound = 40 * time.Second
	silent := func(stack.Instance, []byte, func(string)) bool { return true }
	hang := func(method string) func(*world) {
		return func(w *world) { w.config.SetFault(failing(method, 1<<20, stacktest.Fault{Hang: true})) }
	}
	for _, test := range []struct {
		name    string
		refuses bool
		hangs   func(w *world)
		served  time.Duration // by when Recover has returned
	}{
		{"an engine that does not unpause", false, func(w *world) {
			w.backend.SetFault(failing("Unpause", 1<<20, stacktest.Fault{Err: errInjected}))
		}, time.Second},
		{"an engine that does not unpause in the roll-back", true, func(w *world) {
			w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
				if c.Method == "Unpause" && c.Nth > 2 {
					return stacktest.Fault{Err: errInjected}
				}
				return stacktest.Fault{}
			})
		}, 5 * time.Second},
		{"an engine that hangs", false, func(w *world) {
			w.backend.SetFault(func(stacktest.Call) stacktest.Fault { return stacktest.Fault{Hang: true} })
		}, 30 * time.Second},
		{"services that say nothing", false, func(w *world) { w.backend.SetProgram(silent) }, 30 * time.Second},
		{"a slow engine and services that say nothing", false, func(w *world) {
			w.backend.SetProgram(silent)
			w.backend.Latency = 5 * time.Second
		}, 30 * time.Second},
		{"a disk that hangs as the file is read", false, hang("Read"), 30 * time.Second},
		{"a disk that hangs as the backup is read", false, hang("Backup"), 30 * time.Second},
		{"a disk that hangs as the old config is staged", true, hang("Stage"), 30 * time.Second},
		{"a disk that hangs as the old config is put back", true, hang("Commit"), 31 * time.Second},
	} {
		crashed := func(t *testing.T) (*world, *stack.Controller, chan error) {
			w := newWorld(t)
			if test.refuses {
				w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
			}
			w.crash(t, 0, stack.PointSaved, saving(t))
			time.Sleep(time.Second)
			w.backend.Forget()
			test.hangs(w)
			c := w.start(t, func(o *stack.Options) { o.Log = nil })
			recovered := make(chan error, 1)
			go func() { recovered <- c.Recover(t.Context()) }()
			return w, c, recovered
		}
		heal := func(w *world) {
			w.backend.SetFault(nil)
			w.config.SetFault(nil)
			w.backend.SetProgram(nil)
			w.config.Release()
		}
		t.Run("on "+test.name+": the panel serves meanwhile", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c, recovered := crashed(t)
				time.Sleep(test.served)
				synctest.Wait()
				select {
				case err := <-recovered:
					if err != nil {
						t.Error(err)
					}
				default:
					t.Errorf("after %v Recover has not returned", test.served)
				}
				time.Sleep(10 * time.Minute)
				heal(w)
				if run := c.Current(); run != nil {
					run.Wait(t.Context())
				}
				time.Sleep(time.Minute)
				w.check(t, w.config.Live())
			})
		})
		for _, after := range []time.Duration{0, 9 * time.Second, 25 * time.Second} {
			t.Run("on "+test.name+": a shutdown after "+after.String()+" ends, and the next start does the rest", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, c, recovered := crashed(t)
					time.Sleep(after + time.Millisecond)
					begun := time.Now()
					err := c.Shutdown(context.Background())
					<-recovered
					if took := time.Since(begun); took > bound {
						t.Errorf("it took %v, want %v at most", took, bound)
					}
					_, missing := os.Stat(filepath.Join(w.state, "journal.json"))
					if err != nil && missing != nil {
						t.Errorf("the run had not ended, and its journal: %v", missing)
					}
					heal(w)
					time.Sleep(time.Minute)
					next := w.start(t)
					if err := next.Recover(t.Context()); err != nil {
						t.Fatal(err)
					}
					if run := next.Current(); run != nil { // the engine may still be slow
						run.Wait(t.Context())
					}
					w.check(t, w.config.Live())
				})
			})
		}
	}
}
