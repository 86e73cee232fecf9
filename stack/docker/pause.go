package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/docker/docker/client"

	"pitstop/stack"
)

// Pause freezes the container. It asks the engine at once, since every question before it would
// lengthen the pause window, and looks at the container only when the engine refuses.
func (b *Backend) Pause(ctx context.Context, i stack.Instance) error {
	err := b.inTurn(ctx, i.ID, "pause container "+label(i), (*client.Client).ContainerPause)
	return b.settle(ctx, i, stack.Paused, err)
}

// Unpause lets the container go on.
func (b *Backend) Unpause(ctx context.Context, i stack.Instance) error {
	err := b.inTurn(ctx, i.ID, "unpause container "+label(i), (*client.Client).ContainerUnpause)
	return b.settle(ctx, i, stack.Running, err)
}

// settle decides what an error of pausing or unpausing means, by the state that the container is in
// and never by the error's words: it may be in the wanted state already, or gone.
func (b *Backend) settle(ctx context.Context, i stack.Instance, want stack.State, failed error) error {
	if failed == nil {
		return nil
	}
	if ctx.Err() != nil {
		return failed
	}
	d, err := b.inspect(ctx, i)
	if err != nil {
		if errors.Is(err, stack.ErrGone) {
			return err
		}
		return failed
	}
	if !sameLife(i, d.State) {
		return goneError(i, "it was started anew since")
	}
	switch now := stateOf(d.State); now {
	case want:
		return nil
	case stack.Stopped:
		return goneError(i, fmt.Sprintf("it has ended (%s)", d.State.Status))
	case stack.Starting:
		if !i.Started.IsZero() {
			return goneError(i, "it has ended and is being started anew")
		}
	}
	return failed
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
