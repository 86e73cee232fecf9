package stack_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// wallClock is a clock that can be set. It shows no monotonic time, which nobody can set.
type wallClock struct {
	clockwork.Clock
	ahead atomic.Int64
}

func newWallClock() *wallClock { return &wallClock{Clock: clockwork.NewRealClock()} }

func (c *wallClock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

func (c *wallClock) Now() time.Time {
	return time.Now().Round(0).Add(time.Duration(c.ahead.Load()))
}

func (c *wallClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// The clock is an hour ahead until somebody sets it right in the middle of a run: what services log
// then bears an earlier time than the pause, and still counts.
func TestTheClockIsSetBackInTheMiddleOfARun(t *testing.T) {
	slow := func(after time.Duration, w *world) stacktest.Program {
		return func(i stack.Instance, content []byte, log func(string)) bool {
			time.AfterFunc(after, func() { w.backend.Log(i, "Config reloaded revision="+stack.RevisionOf(content).Short()) })
			return true
		}
	}
	for _, point := range []string{
		stack.PointPaused, stack.PointSaved, stack.PointFirstUnpaused, stack.PointUnpaused, stack.PointReloading, stack.PointReloaded,
	} {
		for name, after := range map[string]time.Duration{"at once": 0, "after five seconds": 5 * time.Second} {
			t.Run("at "+point+", and services confirm "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					if after > 0 {
						w.backend.SetProgram(slow(after, w))
					}
					clock := newWallClock()
					clock.set(time.Hour)
					c := w.start(t, func(o *stack.Options) { o.Clock = clock }, atPoint(point, func() { clock.set(0) }))
					wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
					w.check(t, newConfig)
				})
			})
		}
	}
}

// The process is stopped while the stack is paused and comes to when max_pause is long over: the clock
// says so, before any timer had a chance to. Whoever unpaused the stack meanwhile, as the guardian does,
// did so with the old file in place, so that file stays, or comes back.
func TestTheProcessSleepsThroughMaxPause(t *testing.T) {
	const asleep = time.Hour
	for point, outcome := range map[string]stack.Outcome{
		stack.PointFirstPaused: stack.Failed, stack.PointPaused: stack.Failed,
		stack.PointSaved: stack.Applied, stack.PointFirstUnpaused: stack.Applied,
	} {
		t.Run("at "+point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				clock := newWallClock()
				c := w.start(t, func(o *stack.Options) { o.Clock = clock }, atPoint(point, func() { clock.set(asleep) }))
				r := save(t, c, newConfig)
				if outcome == stack.Applied {
					wantOutcome(t, r, stack.Applied, "")
					w.check(t, newConfig)
					return
				}
				wantOutcome(t, r, stack.Failed, stack.CauseBackend)
				if !strings.Contains(r.Message, "max_pause") {
					t.Errorf("the message does not name max_pause: %s", r.Message)
				}
				w.check(t, oldConfig)
			})
		})
	}
	t.Run("while the file is being replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			clock := newWallClock()
			w.config.SetFault(func(call stacktest.Call) stacktest.Fault {
				if call.Method == "Commit" && call.Nth == 1 {
					clock.set(asleep)
				}
				return stacktest.Fault{}
			})
			// The services' log has slept through the hour too, so that it is taken back for them.
			c := w.start(t, func(o *stack.Options) { o.Clock = clock }, atPoint(stack.PointUndoBegun, func() { clock.set(0) }))
			wantOutcome(t, save(t, c, newConfig), stack.RolledBack, "")
			w.check(t, oldConfig)
			w.checkLoaded(t, oldConfig)
		})
	})
	t.Run("in the roll-back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.backend.SetProgram(refuse(scanner.Name, newConfig))
			clock := newWallClock()
			c := w.start(t, func(o *stack.Options) { o.Clock = clock }, atPoint(stack.PointUndoPaused, func() { clock.set(asleep) }))
			r := save(t, c, newConfig)
			wantOutcome(t, r, stack.RolledBack, "")
			wantWarning(t, r, "put back while it ran")
			w.check(t, oldConfig)
			w.checkLoaded(t, oldConfig)
		})
	})
}
