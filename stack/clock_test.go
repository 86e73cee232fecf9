package stack_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
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

// The panel is stopped after its guardian has begun to count, and comes to before it has paused anybody. What
// it did then would be paused by one and unpaused by the other.
func TestTheProcessSleepsBeforeTheFirstPause(t *testing.T) {
	for _, undoing := range []bool{false, true} {
		t.Run(fmt.Sprintf("in the roll-back: %v", undoing), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				clock := newWallClock()
				passages := 0
				c := w.start(t, func(o *stack.Options) {
					o.Clock = clock
					o.Guard = func([]stack.Instance) (func() time.Time, error) {
						if passages++; passages == 2 || !undoing {
							clock.set(time.Hour)
							time.Sleep(2 * time.Second) // what was refused is long ago
							w.backend.Forget()
						}
						return func() time.Time { return time.Time{} }, nil
					}
				})
				w.config.SetFault(func(call stacktest.Call) stacktest.Fault {
					if call.Method == "Commit" && call.Nth == 2 {
						clock.set(0) // the services' log has slept through the hour too
					}
					return stacktest.Fault{}
				})
				if undoing {
					w.backend.SetProgram(refuse(scanner.Name, newConfig))
				}
				r := save(t, c, newConfig)
				if undoing {
					wantOutcome(t, r, stack.RolledBack, "")
					wantWarning(t, r, "put back while it ran")
				} else {
					wantOutcome(t, r, stack.Failed, stack.CauseBackend)
					if !strings.Contains(r.Message, "max_pause") {
						t.Errorf("the message does not name max_pause: %s", r.Message)
					}
				}
				for _, call := range w.backend.Calls() {
					if call.Method == "Pause" || call.Method == "Unpause" {
						t.Errorf("%s(%s) was called", call.Method, call.On)
					}
				}
				w.check(t, oldConfig)
				w.checkLoaded(t, oldConfig)
			})
		})
	}
}

// The guardian says in the end when it unpaused the stack. A file that was replaced before that was replaced
// while everything stood still.
func TestTheGuardianHasUnpausedTheStack(t *testing.T) {
	for name, test := range map[string]struct {
		point   string // as of which it has
		outcome stack.Outcome
		file    []byte
	}{
		"before the file was replaced": {stack.PointPaused, stack.RolledBack, oldConfig},
		"after it":                     {stack.PointSaved, stack.Applied, newConfig},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var freed time.Time
				c := w.start(t, func(o *stack.Options) {
					o.Guard = func([]stack.Instance) (func() time.Time, error) {
						return func() time.Time { defer func() { freed = time.Time{} }(); return freed }, nil
					}
				}, atPoint(test.point, func() {
					time.Sleep(time.Second)
					freed = time.Now()
					w.backend.UnpauseByHand(w.orch)
				}))
				r := save(t, c, newConfig)
				wantOutcome(t, r, test.outcome, "")
				wantWarning(t, r, "guardian unpaused the stack meanwhile")
				w.check(t, test.file)
				w.checkLoaded(t, test.file)
			})
		})
	}
}

// stoppedClock is the clock of a process that can be stopped. Meanwhile none of its timers fires, and its
// log streams stand; time goes on, and all of it is there at once when the process comes to.
type stoppedClock struct {
	clockwork.Clock
	mu      sync.Mutex
	running chan struct{} // closed but while it is stopped
}

func newStoppedClock() *stoppedClock {
	c := &stoppedClock{Clock: clockwork.NewRealClock(), running: make(chan struct{})}
	close(c.running)
	return c
}

func (c *stoppedClock) stop(d time.Duration) {
	running := make(chan struct{})
	c.mu.Lock()
	c.running = running
	c.mu.Unlock()
	time.Sleep(d)
	close(running)
}

func (c *stoppedClock) wait() {
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	<-running
}

func (c *stoppedClock) NewTimer(d time.Duration) clockwork.Timer {
	t := &stoppedTimer{Timer: c.Clock.NewTimer(d), fired: make(chan time.Time, 1), ended: make(chan struct{})}
	go func() {
		select {
		case at := <-t.Timer.Chan():
			c.wait()
			t.fired <- at
		case <-t.ended:
		}
	}()
	return t
}

type stoppedTimer struct {
	clockwork.Timer
	fired chan time.Time
	ended chan struct{}
	once  sync.Once
}

func (t *stoppedTimer) Chan() <-chan time.Time { return t.fired }

func (t *stoppedTimer) Stop() bool {
	t.once.Do(func() { close(t.ended) })
	return t.Timer.Stop()
}

// stopping is a backend of a process that is stopped for an hour in the first call of a method after it is
// armed, whose connection does not outlive that.
type stopping struct {
	*stacktest.Backend
	clock *stoppedClock
	in    atomic.Value // the method
}

func (b *stopping) here(method string) error {
	if !b.in.CompareAndSwap(method, "") {
		return nil
	}
	b.clock.stop(time.Hour)
	return errInjected
}

func (b *stopping) Instances(ctx context.Context) ([]stack.Instance, error) {
	if err := b.here("Instances"); err != nil {
		return nil, err
	}
	return b.Backend.Instances(ctx)
}

func (b *stopping) Signal(ctx context.Context, i stack.Instance, signal string) (string, error) {
	if err := b.here("Signal"); err != nil {
		return "", err
	}
	return b.Backend.Signal(ctx, i, signal)
}

func (b *stopping) Logs(ctx context.Context, i stack.Instance, since time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) {
		for line, err := range b.Backend.Logs(ctx, i, since) {
			b.clock.wait()
			time.Sleep(200 * time.Millisecond) // there is much to be read again
			if !yield(line, err) {
				return
			}
		}
	}
}

// The process is stopped after the pause, and comes to when reload_timeout is long over. The services have
// done their part meanwhile, or do it as soon as they are asked.
func TestTheProcessSleepsAfterThePause(t *testing.T) {
	const never = 1000 * time.Hour
	soon := func(after time.Duration) func(w *world, b *stopping, at string) {
		return func(_ *world, b *stopping, at string) {
			if at == stack.PointReloaded {
				time.AfterFunc(after, func() { b.clock.stop(time.Hour) })
			}
		}
	}
	for _, test := range []struct {
		name    string
		takes   time.Duration // to load the new config
		outcome stack.Outcome
		file    []byte
		at      func(w *world, b *stopping, point string)
	}{
		{"as the services are about to confirm", 2 * time.Second, stack.Applied, newConfig, soon(time.Second)},
		{"as the time is almost over", 9950 * time.Millisecond, stack.Applied, newConfig, soon(9900 * time.Millisecond)},
		{"and one of them refuses meanwhile", never, stack.RolledBack, oldConfig, func(w *world, b *stopping, point string) {
			soon(time.Second)(w, b, point)
			if point == stack.PointReloaded {
				time.AfterFunc(2*time.Second, func() { w.backend.Log(w.scan, "Config reload failed: no") })
			}
		}},
		{"and they say nothing", never, stack.RolledBack, oldConfig, soon(time.Second)},
		{"as it sends a signal", time.Second, stack.Applied, newConfig, func(w *world, b *stopping, point string) {
			if point == stack.PointReloading {
				b.in.Store("Signal")
			}
		}},
		{"as it looks who has come up anew", time.Second, stack.Applied, newConfig, func(w *world, b *stopping, point string) {
			switch point {
			case stack.PointPaused:
				w.backend.Restart(w.orch)
			case stack.PointReloading:
				b.in.Store("Instances")
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				b := &stopping{Backend: w.backend, clock: newStoppedClock()}
				b.in.Store("")
				w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
					if string(content) == string(oldConfig) {
						return stacktest.Obedient(i, content, log)
					}
					time.AfterFunc(test.takes, func() { w.backend.Log(i, "Config reloaded revision="+stack.RevisionOf(content).Short()) })
					return true
				})
				c := w.start(t, func(o *stack.Options) {
					o.Backend, o.Clock = b, b.clock
					o.Hook = func(point string) { test.at(w, b, point) }
				})
				wantOutcome(t, save(t, c, newConfig), test.outcome, "")
				w.check(t, test.file)
			})
		})
	}
}
