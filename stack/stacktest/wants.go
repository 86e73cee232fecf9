package stacktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"pitstop/stack"
)

func same(a, b stack.Instance) bool { return a.ID == b.ID && a.Started.Equal(b.Started) }

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func list(t *testing.T, h Harness, ctx context.Context) []stack.Instance {
	t.Helper()
	all, err := h.Backend.Instances(ctx)
	must(t, "Instances", err)
	return all
}

// poll asks until the answer is yes. The interval only spares the engine; nothing depends on it.
func poll(t *testing.T, ctx context.Context, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func await(t *testing.T, ctx context.Context, what string, c <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-c:
	case <-ctx.Done():
		t.Fatalf("waited in vain for %s", what)
	}
}

func drain(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}

func wantState(t *testing.T, h Harness, ctx context.Context, i stack.Instance, want stack.State) {
	t.Helper()
	now, err := h.Backend.Inspect(ctx, i)
	if err != nil || now.State != want || !same(now, i) {
		t.Fatalf("Inspect: got %s (started %v), %v; want %s in the same life (%v)", now.State, now.Started, err, want, i.Started)
	}
}

// awaitLine waits for a line of this text.
func awaitLine(t *testing.T, h Harness, ctx context.Context, i stack.Instance, since time.Time, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for line, err := range h.Backend.Logs(ctx, i, since) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if line.Text == text {
			return
		}
	}
	t.Fatalf("the log of %s ended, or %v passed, without the line %q", i.Name, patience, text)
}

// hasLine looks through what the log has now: up to the next beat.
func hasLine(t *testing.T, h Harness, ctx context.Context, i stack.Instance, text string) bool {
	t.Helper()
	asked := time.Now()
	for line, err := range h.Backend.Logs(ctx, i, i.Started) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if line.Text == text {
			return true
		}
		if line.Time.After(asked) {
			return false
		}
	}
	return false
}

// quiet wants a log to have no line from then on, for as long as this.
func quiet(t *testing.T, h Harness, ctx context.Context, i stack.Instance, from time.Time, long time.Duration) {
	t.Helper()
	ctx, cancel := context.WithDeadline(ctx, from.Add(long))
	defer cancel()
	for line, err := range h.Backend.Logs(ctx, i, from) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		if line.Time.After(from) {
			t.Fatalf("%s is paused, and logged %q", i.Name, line.Text)
		}
	}
}

// awaitDeath waits until the backend, too, knows that this life has ended.
func awaitDeath(t *testing.T, h Harness, ctx context.Context, i stack.Instance) {
	t.Helper()
	poll(t, ctx, "the death of "+i.Name, func() bool { return dead(h, ctx, i) })
}

func dead(h Harness, ctx context.Context, i stack.Instance) bool {
	now, err := h.Backend.Inspect(ctx, i)
	return errors.Is(err, stack.ErrGone) || err == nil && (!same(now, i) || now.State == stack.Stopped || now.State == stack.Starting)
}

// wantGoneOrDead wants an Unpause of a life that has ended to be done with: nil, or ErrGone.
func wantGoneOrDead(t *testing.T, h Harness, ctx context.Context, i stack.Instance) {
	t.Helper()
	if err := h.Backend.Unpause(ctx, i); err != nil && !errors.Is(err, stack.ErrGone) {
		t.Errorf("Unpause of a dead life: got %v, want nil or ErrGone", err)
	}
}

// wantGone wants every call on an instance to say that it is gone.
func wantGone(t *testing.T, h Harness, ctx context.Context, i stack.Instance) {
	t.Helper()
	_, inspect := h.Backend.Inspect(ctx, i)
	_, signal := h.Backend.Signal(ctx, i, "SIGUSR1")
	for what, err := range map[string]error{
		"Inspect": inspect, "Signal": signal,
		"Pause": h.Backend.Pause(ctx, i), "Unpause": h.Backend.Unpause(ctx, i),
	} {
		if !errors.Is(err, stack.ErrGone) {
			t.Errorf("%s: got %v, want ErrGone", what, err)
		}
	}
	for _, err := range h.Backend.Logs(ctx, i, i.Started) {
		if err != nil && !errors.Is(err, stack.ErrGone) {
			t.Errorf("Logs: got %v, want ErrGone or an empty log", err)
		}
	}
}
