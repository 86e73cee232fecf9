package stacktest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pitstop/stack"
)

// Harness is a backend with a small stack of its own, for TestBackend. There are at least two
// services. Each has exactly one running instance of a program that
//
//   - logs "ready" once, when it can take signals,
//   - logs "beat" about every 50 ms from then on,
//   - logs "signal USR1" whenever it gets a SIGUSR1, and lives on.
//
// In a shell:
//
//	trap 'echo signal USR1' USR1; echo ready; while :; do echo beat; sleep 0.05 & wait $!; done
type Harness struct {
	Backend  stack.Backend
	Services []stack.Service // as the backend knows them, in its order
	// Kill ends the instance's main process from outside, with SIGKILL, and returns when it is
	// dead. Whether the engine brings it back is the engine's business: both are fine.
	Kill func(t *testing.T, i stack.Instance)
	// Remove makes the instance vanish: from then on the engine knows nothing of that life. Nil if
	// that cannot be had.
	Remove func(t *testing.T, i stack.Instance)
}

// patience bounds every wait for something that must happen. A busy machine needs little of it; a
// broken backend costs this much once.
const patience = 30 * time.Second

// TestBackend is the contract of stack.Backend as a test. start makes a new Harness for each
// subtest, with every instance running, and registers its own clean-up on t.
func TestBackend(t *testing.T, start func(t *testing.T) Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h Harness, ctx context.Context)
	}{
		{"instances are listed in the order of their services", testList},
		{"a paused instance stands still until it is unpaused, and lives the same life", testPause},
		{"pausing and unpausing twice is no error", testIdempotent},
		{"all instances can be paused at once", testPauseAll},
		{"a signal reaches the main process, which lives on", testSignal},
		{"logs have what was written since, and follow", testLogs},
		{"logs leave out what was written before", testLogsSince},
		{"logs end without an error when the context ends", testLogsCancelled},
		{"logs end without an error when the instance dies", testLogsDeath},
		{"what died can be unpaused, and not paused or signalled", testDead},
		{"what dies while it is paused can be unpaused", testDeadWhilePaused},
		{"an instance that never was is gone", testUnknown},
		{"an instance of another life is gone, and the living one is left alone", testOtherLife},
		{"a call whose context has ended does nothing", testCancelled},
		{"a watcher is called at once and at every change", testWatch},
		{"there is a command to unpause by hand", testFreeByHand},
		{"an instance that was removed is gone", testRemoved},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
			defer cancel()
			test.run(t, start(t), ctx)
		})
	}
}

func testList(t *testing.T, h Harness, ctx context.Context) {
	got := list(t, h, ctx)
	if len(got) != len(h.Services) {
		t.Fatalf("got %d instances of %d services, want one of each: %+v", len(got), len(h.Services), got)
	}
	for n, i := range got {
		if i.Service != h.Services[n].Name {
			t.Errorf("instance %d is of service %q, want %q", n, i.Service, h.Services[n].Name)
		}
		if i.State != stack.Running {
			t.Errorf("%s is %s, want running", i.Name, i.State)
		}
		if i.ID == "" || i.Name == "" || i.Started.IsZero() {
			t.Errorf("an instance without ID, name or start: %+v", i)
		}
		now, err := h.Backend.Inspect(ctx, i)
		if err != nil || !same(now, i) || now.State != stack.Running || now.Service != i.Service || now.Name != i.Name {
			t.Errorf("Inspect: got %+v, %v; want as listed, %+v", now, err, i)
		}
	}
	if h.Backend.Name() == "" {
		t.Error("the backend has no name")
	}
}

func testPause(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	awaitLine(t, h, ctx, i, i.Started, "beat")
	must(t, "Pause", h.Backend.Pause(ctx, i))
	wantState(t, h, ctx, i, stack.Paused)
	paused := time.Now()
	// What it had written before may still be on its way, on a busy machine; then there is silence.
	silence := paused.Add(3 * time.Second)
	quiet(t, h, ctx, i, silence, 500*time.Millisecond)
	must(t, "Unpause", h.Backend.Unpause(ctx, i))
	wantState(t, h, ctx, i, stack.Running)
	awaitLine(t, h, ctx, i, silence, "beat")
}

func testIdempotent(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	must(t, "Unpause of a running instance", h.Backend.Unpause(ctx, i))
	wantState(t, h, ctx, i, stack.Running)
	must(t, "Pause", h.Backend.Pause(ctx, i))
	must(t, "Pause again", h.Backend.Pause(ctx, i))
	wantState(t, h, ctx, i, stack.Paused)
	must(t, "Unpause", h.Backend.Unpause(ctx, i))
	must(t, "Unpause again", h.Backend.Unpause(ctx, i))
	wantState(t, h, ctx, i, stack.Running)
}

func testPauseAll(t *testing.T, h Harness, ctx context.Context) {
	all := list(t, h, ctx)
	for _, state := range []stack.State{stack.Paused, stack.Running} {
		call := h.Backend.Pause
		if state == stack.Running {
			call = h.Backend.Unpause
		}
		errs := make(chan error, len(all))
		for _, i := range all {
			go func() { errs <- call(ctx, i) }()
		}
		for range all {
			must(t, "at once, to "+string(state), <-errs)
		}
		for _, i := range list(t, h, ctx) {
			if i.State != state {
				t.Errorf("%s is %s, want %s", i.Name, i.State, state)
			}
		}
	}
}

func testSignal(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	awaitLine(t, h, ctx, i, i.Started, "ready")
	for range 2 {
		since := time.Now()
		if _, err := h.Backend.Signal(ctx, i, "SIGUSR1"); err != nil {
			t.Fatalf("Signal: %v", err)
		}
		awaitLine(t, h, ctx, i, since, "signal USR1")
	}
	now, err := h.Backend.Inspect(ctx, i)
	if err != nil || !same(now, i) || now.State != stack.Running || now.Restarts != i.Restarts {
		t.Errorf("after the signals: got %+v, %v; want the same life, running: %+v", now, err, i)
	}
	other := list(t, h, ctx)[1]
	if hasLine(t, h, ctx, other, "signal USR1") {
		t.Errorf("%s was signalled too", other.Name)
	}
}

func testLogs(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	awaitLine(t, h, ctx, i, i.Started, "ready")
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var ready, beats int
	var last time.Time
	for line, err := range h.Backend.Logs(ctx, i, i.Started.Add(-time.Second)) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if line.Time.Before(last) {
			t.Errorf("a line of %v after one of %v", line.Time, last)
		}
		if strings.ContainsAny(line.Text, "\r\n") {
			t.Errorf("a line with its line end: %q", line.Text)
		}
		last = line.Time
		switch line.Text {
		case "ready":
			ready++
		case "beat":
			beats++
		}
		if beats == 10 {
			break
		}
	}
	if ready != 1 || beats != 10 {
		t.Errorf("got %d ready and %d beats, want 1 and 10", ready, beats)
	}
	if age := time.Since(last); age > patience || age < -patience {
		t.Errorf("the last line's time is %v away from now", age)
	}
}

func testLogsSince(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	awaitLine(t, h, ctx, i, i.Started, "ready")
	since := time.Now()
	beats := 0
	for line, err := range h.Backend.Logs(ctx, i, since) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if line.Time.Before(since) {
			t.Fatalf("got a line of %v, want none before %v", line.Time, since)
		}
		if line.Text == "ready" {
			t.Fatal("got a line that was written before")
		}
		if beats++; beats == 3 {
			break
		}
	}
	if beats != 3 {
		t.Errorf("got %d beats, want 3", beats)
	}
}

func testLogsCancelled(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	ctx, cancel := context.WithCancel(ctx)
	lines := 0
	for _, err := range h.Backend.Logs(ctx, i, i.Started) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if lines++; lines == 2 {
			cancel()
		}
	}
	cancel()
}

func testLogsDeath(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	killed := false
	for line, err := range h.Backend.Logs(ctx, i, i.Started.Add(-time.Second)) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if line.Text == "beat" && !killed {
			killed = true
			h.Kill(t, i)
		}
	}
	if !killed {
		t.Error("the log ended before the instance did")
	}
	if ctx.Err() != nil {
		t.Error("the log did not end with the instance")
	}
}

func testDead(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	h.Kill(t, i)
	awaitDeath(t, h, ctx, i)
	wantGoneOrDead(t, h, ctx, i)
	if err := h.Backend.Pause(ctx, i); err == nil {
		t.Error("Pause of a dead life: got no error")
	}
	if _, err := h.Backend.Signal(ctx, i, "SIGUSR1"); err == nil {
		t.Error("Signal to a dead life: got no error")
	}
}

func testDeadWhilePaused(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	must(t, "Pause", h.Backend.Pause(ctx, i))
	h.Kill(t, i)
	awaitDeath(t, h, ctx, i)
	wantGoneOrDead(t, h, ctx, i)
}

func testUnknown(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	i.ID, i.Name = strings.Repeat("0123456789abcdef", 4), "never-was"
	i.Started = i.Started.Add(-time.Hour)
	wantGone(t, h, ctx, i)
}

func testOtherLife(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	former := i
	former.Started = i.Started.Add(-time.Hour)
	for what, err := range map[string]error{
		"Pause":   h.Backend.Pause(ctx, former),
		"Unpause": h.Backend.Unpause(ctx, former),
	} {
		if !errors.Is(err, stack.ErrGone) {
			t.Errorf("%s: got %v, want ErrGone", what, err)
		}
	}
	if _, err := h.Backend.Signal(ctx, former, "SIGUSR1"); !errors.Is(err, stack.ErrGone) {
		t.Errorf("Signal: got %v, want ErrGone", err)
	}
	wantState(t, h, ctx, i, stack.Running)
}

func testCancelled(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := h.Backend.Pause(ended, i); err == nil {
		t.Error("Pause: got no error")
	}
	if _, err := h.Backend.Signal(ended, i, "SIGUSR1"); err == nil {
		t.Error("Signal: got no error")
	}
	wantState(t, h, ctx, i, stack.Running)
}

func testWatch(t *testing.T, h Harness, ctx context.Context) {
	i := list(t, h, ctx)[0]
	watching, cancel := context.WithCancel(ctx)
	calls := make(chan struct{}, 1)
	var inside atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.Backend.Watch(watching, func() {
			if inside.Add(1) != 1 {
				t.Error("the watcher is called concurrently")
			}
			defer inside.Add(-1)
			select {
			case calls <- struct{}{}:
			default:
			}
		})
	}()
	await(t, ctx, "the first call", calls)
	// Each change is told once it can be seen, however many calls that takes.
	for _, state := range []stack.State{stack.Paused, stack.Running} {
		drain(calls)
		if state == stack.Paused {
			must(t, "Pause", h.Backend.Pause(ctx, i))
		} else {
			must(t, "Unpause", h.Backend.Unpause(ctx, i))
		}
		await(t, ctx, "the call after a change to "+string(state), calls)
	}
	drain(calls)
	h.Kill(t, i)
	await(t, ctx, "the call after a death", calls)
	cancel()
	await(t, ctx, "the end of Watch", ended)
}

func testFreeByHand(t *testing.T, h Harness, ctx context.Context) {
	if got := h.Backend.FreeByHand(list(t, h, ctx)[0]); strings.TrimSpace(got) == "" || strings.Contains(got, "\n") {
		t.Errorf("got %q, want a command on one line", got)
	}
}

func testRemoved(t *testing.T, h Harness, ctx context.Context) {
	if h.Remove == nil {
		t.Log("this engine cannot remove an instance: nothing to test")
		return
	}
	i := list(t, h, ctx)[0]
	must(t, "Pause", h.Backend.Pause(ctx, i))
	h.Remove(t, i)
	wantGone(t, h, ctx, i)
	if slices.ContainsFunc(list(t, h, ctx), func(o stack.Instance) bool { return same(o, i) }) {
		t.Error("a removed instance is still listed")
	}
}
