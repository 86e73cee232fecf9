package dockertest

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// PauseAll pauses all of them at once through the bare SDK, and returns when the last is paused.
// With UnpauseAll it is the floor that Pitstop's pause window is measured against.
func (e *Engine) PauseAll(containers []*Container) error {
	return e.atOnce(containers, e.client.ContainerPause)
}

// UnpauseAll lets all of them go on at once.
func (e *Engine) UnpauseAll(containers []*Container) error {
	return e.atOnce(containers, e.client.ContainerUnpause)
}

func (e *Engine) atOnce(containers []*Container, do func(context.Context, string) error) error {
	ctx, cancel := e.context()
	defer cancel()
	var group errgroup.Group
	for _, c := range containers {
		group.Go(func() error { return do(ctx, c.ID) })
	}
	return group.Wait()
}
