package docker

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// watching starts Watch and returns how often changed was called so far.
func watching(t *testing.T, b *Backend) *atomic.Int64 {
	t.Helper()
	var calls atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { b.Watch(ctx, func() { calls.Add(1) }) })
	t.Cleanup(func() {
		stop()
		done.Wait()
	})
	return &calls
}

// moreThan waits until changed was called again.
func moreThan(t *testing.T, what string, calls *atomic.Int64, before int64) {
	t.Helper()
	eventually(t, what, func() bool { return calls.Load() > before })
}

func TestWatch(t *testing.T) {
	t.Run("pauses by somebody else are told of", func(t *testing.T) {
		e := dockertest.New(t)
		b, c := one(t, e, scripted("one", nil))
		calls := watching(t, b)
		moreThan(t, "a call once connected", calls, 0)
		quiet(t, calls)
		before := calls.Load()
		c.Pause()
		moreThan(t, "a call after a pause", calls, before)
	})
	t.Run("a connection that is cut is made again, and what happened meanwhile is told of", func(t *testing.T) {
		e := dockertest.New(t)
		d := newDoor(t, e)
		d.open()
		_, c := one(t, e, scripted("one", nil))
		b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
		b.watch.first, b.watch.overlap = time.Millisecond, 0
		calls := watching(t, b)
		moreThan(t, "a call once connected", calls, 0)
		for range 3 {
			before := calls.Load()
			d.cut()
			// One for the loss and one for the new connection, which may have become one.
			moreThan(t, "a call after the cut", calls, before)
		}
		quiet(t, calls)
		before := calls.Load()
		c.Pause()
		moreThan(t, "a call after a pause", calls, before)
	})
	t.Run("an engine that is not there yet is waited for", func(t *testing.T) {
		e := dockertest.New(t)
		d := newDoor(t, e)
		b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
		calls := watching(t, b)
		d.open()
		moreThan(t, "a call once connected", calls, 0)
	})
	t.Run("a stream that stays open though the engine is gone is given up", func(t *testing.T) {
		e := dockertest.New(t)
		d := newDoor(t, e)
		d.open()
		b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
		b.watch.ping, b.watch.answer = 20*time.Millisecond, 10*time.Second
		calls := watching(t, b)
		moreThan(t, "a call once connected", calls, 0)
		before := calls.Load()
		d.deaf.Store(true) // new requests get no answer, the old stream stays
		moreThan(t, "a call when the engine no longer answers", calls, before)
	})
	t.Run("it returns when the context ends, engine or not", func(t *testing.T) {
		b := newBackend(t, Options{Host: "unix:///nonexistent.sock"})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		b.Watch(ctx, func() { t.Error("changed was called without an engine") })
	})
}

// quiet waits until changed has not been called for a while. A call that comes later makes a test
// pass that should not, never fail one that should not.
func quiet(t *testing.T, calls *atomic.Int64) {
	t.Helper()
	last, since := calls.Load(), time.Now()
	eventually(t, "no calls for a while", func() bool {
		if now := calls.Load(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
}

func TestServicesOfOthersAreNotWatched(t *testing.T) {
	e := dockertest.New(t)
	b, c := one(t, e, scripted("one", nil))
	other := e.Run(scripted("other", labels(e, "other")))
	calls := watching(t, b)
	moreThan(t, "a call once connected", calls, 0)
	// What the engine tells late of the container's start, or a connection made again, is a call of
	// another reason: it does not come every time.
	for try := 1; ; try++ {
		quiet(t, calls)
		before := calls.Load()
		events := e.Events()
		other.Pause()
		other.Unpause()
		c.Exec("true")
		events.Wait("unpause", 1, other)
		quiet(t, calls)
		got := calls.Load() - before
		if got == 0 {
			return
		}
		if try == 10 {
			t.Fatalf("changed was called for a container of somebody else, or for an exec, %d times in the last of %d tries", got, try)
		}
	}
}
