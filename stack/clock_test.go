package stack_test

import (
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
