package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/client"

	"pitstop/stack"
)

// Pause freezes the container. It asks the engine at once, since every question before it would
// lengthen the pause window, and looks at the container only when the engine refuses.
func (b *Backend) Pause(ctx context.Context, i stack.Instance) error {
	err := do(ctx, b.engine, "pause container "+label(i), func(c *client.Client) error {
		return c.ContainerPause(ctx, i.ID)
	})
	return b.settle(ctx, i, stack.Paused, err)
}

// Unpause lets the container go on.
func (b *Backend) Unpause(ctx context.Context, i stack.Instance) error {
	err := do(ctx, b.engine, "unpause container "+label(i), func(c *client.Client) error {
		return c.ContainerUnpause(ctx, i.ID)
	})
	return b.settle(ctx, i, stack.Running, err)
}

// settle decides what an error of pausing or unpausing means, by the state that the container is in
// and never by the error's words: it may be in the wanted state already, or gone.
func (b *Backend) settle(ctx context.Context, i stack.Instance, want stack.State, failed error) error {
	if failed == nil {
		return nil
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
