package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docker/docker/client"

	"pitstop/stack"
)

// Pause freezes the container. It asks the engine at once, since every question before it would
// lengthen the pause window, and looks at the container only when the engine refuses, or when the
// life that is asked for is not the one last seen. A container that was started anew since it was
// last looked at is paused in its new life, and Unpause frees it all the same.
func (b *Backend) Pause(ctx context.Context, i stack.Instance) error {
	if !b.lives.seen(i) {
		d, err := b.inspect(ctx, i)
		if err != nil {
			return err
		}
		if !sameLife(i, d.State) {
			return goneError(i, "it was started anew since")
		}
	}
	return b.change(ctx, i, stack.Paused, func() error {
		return b.inTurn(ctx, i.ID, "pause container "+label(i), (*client.Client).ContainerPause)
	})
}

// Unpause lets the container go on. A paused container is freed whatever its life: see Pause.
func (b *Backend) Unpause(ctx context.Context, i stack.Instance) error {
	return b.change(ctx, i, stack.Running, func() error {
		return b.inTurn(ctx, i.ID, "unpause container "+label(i), (*client.Client).ContainerUnpause)
	})
}

// settling is how long a state must hold before it is believed against the engine's refusal.
const (
	settling  = 300 * time.Millisecond
	lookAgain = 30 * time.Millisecond
	mostAsked = 4
)

// change asks the engine for a change. When the engine refuses, what that means is decided by the
// state that the container is in and never by the error's words: it may be in the wanted state
// already, or gone.
//
// The engine's word on the state can be wrong for a moment: it works off containerd's events of a
// pause and an unpause late, and then believes them over what it did itself meanwhile. It says that
// a frozen container runs, and refuses to unpause it. So after a refusal the state has to hold, and
// if it doesn't, the change is asked for again.
func (b *Backend) change(ctx context.Context, i stack.Instance, want stack.State, ask func() error) error {
	for attempt := 1; ; attempt++ {
		failed := ask()
		if failed == nil {
			return nil
		}
		now, err := b.stateAfter(ctx, i, failed)
		if err != nil {
			return err
		}
		if now == want {
			held, err := b.holds(ctx, i, want, failed)
			if held && want == stack.Running {
				return b.reallyRuns(ctx, i, failed)
			}
			if held || err != nil {
				return err
			}
		}
		if attempt == mostAsked {
			if want == stack.Running {
				return b.reallyRuns(ctx, i, failed)
			}
			return failed
		}
		b.log.Debug("the engine refused to change a container; asking again", "container", label(i), "want", want, "error", failed)
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return failed
		}
	}
}

// holds tells whether the container stays in a state for the time of settling.
func (b *Backend) holds(ctx context.Context, i stack.Instance, want stack.State, failed error) (bool, error) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for end := time.Now().Add(settling); time.Now().Before(end); {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false, failed
		}
		now, err := b.stateAfter(ctx, i, failed)
		if err != nil || now != want {
			return false, err
		}
	}
	return true, nil
}

// stateAfter is the state of a container that the engine refused to change. A container that ended
// or lives another life is stack.ErrGone; if it cannot be looked at, the refusal is the error.
func (b *Backend) stateAfter(ctx context.Context, i stack.Instance, failed error) (stack.State, error) {
	if ctx.Err() != nil {
		return "", failed
	}
	d, err := b.inspect(ctx, i)
	if errors.Is(err, stack.ErrGone) {
		return "", err
	}
	if err != nil {
		return "", failed
	}
	if !sameLife(i, d.State) {
		return "", goneError(i, "it was started anew since")
	}
	now := stateOf(d.State)
	switch {
	case now == stack.Stopped:
		return "", goneError(i, fmt.Sprintf("it has ended (%s)", d.State.Status))
	case now == stack.Starting && !i.Started.IsZero():
		return "", goneError(i, "it has ended and is being started anew")
	}
	return now, nil
}

// lives are the lives in which containers were last seen.
type lives struct {
	mu   sync.Mutex
	last map[string]time.Time // by container: when it was started
}

// seen tells whether the container was last seen living this life.
func (l *lives) seen(i stack.Instance) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.last[i.ID]
	return i.Started.IsZero() || known && last.Equal(i.Started)
}

func (l *lives) see(i stack.Instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[i.ID] = i.Started
}

// seeAll forgets the containers that are not among these.
func (l *lives) seeAll(all []stack.Instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.last)
	for _, i := range all {
		l.last[i.ID] = i.Started
	}
}

// turns keeps the calls that change a container in their order.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{} // by container: closed when the call under way has been answered
}

// take waits until no call on the container is under way, and returns what ends the turn.
func (t *turns) take(ctx context.Context, id string) (end func(), err error) {
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.mu.Lock()
		before, held := t.held[id]
		if !held {
			mine := make(chan struct{})
			t.held[id] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.held, id)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// inTurn changes a container, after any earlier change that is under way. When the context ends it
// returns, but the request stays with the engine until that answers: an engine that hung carries out
// what lies in its socket when it wakes, in any order, and a pause that came after the unpause
// meant to undo it would last. So the unpause isn't sent before the pause is answered.
func (b *Backend) inTurn(ctx context.Context, id, what string, change func(*client.Client, context.Context, string) error) error {
	end, err := b.turns.take(ctx, id)
	if err != nil {
		return b.engine.explain(what, err)
	}
	answer := make(chan error, 1)
	go func() { // ends when the engine answers, its connection breaks, or the backend is closed
		defer end()
		answer <- do(b.life, b.engine, what, func(c *client.Client) error { return change(c, b.life, id) })
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return b.engine.explain(what, ctx.Err())
	}
}
