package stack_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// crashWithAPauseOnItsWay kills a process whose request to pause the scanner takes effect so much later
// than it would have been cut short, which is after ten seconds.
func crashWithAPauseOnItsWay(t *testing.T, w *world, late time.Duration) {
	t.Helper()
	w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
		if c.Method == "Pause" && c.On == w.scan.Name {
			return stacktest.Fault{Err: errInjected, Hang: true, Late: late}
		}
		return stacktest.Fault{}
	})
	w.crash(t, 0, stack.PointFirstPaused, saving(t))
	w.backend.SetFault(nil)
	time.Sleep(200 * time.Millisecond) // the restart
}

// The engine was stuck as the panel died, and pauses an instance when the recovery is long over.
func TestAPauseThatTakesEffectAfterTheRecoveryIsUndone(t *testing.T) {
	for _, late := range []time.Duration{0, 2 * time.Second, 9 * time.Second} {
		t.Run(fmt.Sprintf("%v after the crash", 10*time.Second+late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				crashWithAPauseOnItsWay(t, w, late)
				c := w.start(t)
				begun := time.Now()
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > time.Second {
					t.Errorf("the start was held up by %v", took)
				}
				wantOutcome(t, c.Reports()[0], stack.RolledBack, "")
				time.Sleep(time.Minute)
				w.check(t, oldConfig)
			})
		})
	}
}

// A new run begins while the recovery's instances are still looked after. Nobody unpauses what that
// run has paused, and a pause that comes late is undone, before the run, in its middle or after it.
func TestARunSoonAfterARecoveryKeepsItsPause(t *testing.T) {
	for _, late := range []time.Duration{time.Second, 3 * time.Second, 8 * time.Second} {
		t.Run(fmt.Sprintf("with a pause that comes after %v", 10*time.Second+late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				crashWithAPauseOnItsWay(t, w, late)
				c := w.start(t, func(o *stack.Options) {
					o.Hook = func(p string) {
						switch p {
						case stack.PointPaused:
							time.Sleep(3 * time.Second) // a slow disk
						case stack.PointSaved:
							for _, i := range w.backend.Now() {
								if i.State != stack.Paused {
									t.Errorf("%s is %s in the pause window", i.Name, i.State)
								}
							}
						}
					}
				})
				if err := c.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(12 * time.Second)
				wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
				time.Sleep(time.Minute)
				w.check(t, newConfig)
				w.checkLoaded(t, newConfig)
			})
		})
	}
}

// A run that has to wait for a look at a recovery's instances, since the engine is slow, starts its guardian
// only then: one that counted meanwhile would unpause the stack in the middle of a pause that is not too long.
func TestTheGuardianDoesNotCountWhileTheRunWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointPaused, saving(t))
		var guarded, paused time.Time
		c := w.start(t, atPoint(stack.PointFirstPaused, func() { paused = time.Now() }), func(o *stack.Options) {
			o.Guard = func([]stack.Instance) (func() time.Time, error) {
				guarded = time.Now()
				return func() time.Time { return time.Time{} }, nil
			}
		})
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
			return stacktest.Fault{Hang: c.Method == "Inspect" && c.On == w.scan.Name}
		})
		time.Sleep(2 * time.Second) // somebody looks, and waits for the answer
		w.backend.SetFault(nil)
		began := time.Now()
		wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
		if waited := guarded.Sub(began); waited < time.Second {
			t.Errorf("the run waited only %v for its turn, which shows nothing", waited)
		}
		if counted := paused.Sub(guarded); counted > time.Second {
			t.Errorf("the guardian counted for %v before the first pause", counted)
		}
	})
}

// Whoever saved learns at once that the engine has refused a pause, though somebody looks for a while whether
// it takes effect all the same.
func TestARefusedPauseIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetFault(failing("Pause", 1, stacktest.Fault{Err: errInjected, Late: 9 * time.Second}))
		begun := time.Now()
		wantOutcome(t, save(t, w.start(t), newConfig), stack.Failed, stack.CauseBackend)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
		time.Sleep(10 * time.Second)
		w.check(t, oldConfig)
	})
}

func TestAShutdownSoonAfterARecoveryDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.crash(t, 0, stack.PointPaused, saving(t))
		c := w.start(t)
		if err := c.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := c.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
