package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"pitstop/stack"
)

// Logs follows what the container writes.
func (b *Backend) Logs(ctx context.Context, i stack.Instance, since time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) {
		more := true
		err := b.follow(ctx, i, since, func(l stack.LogLine) bool {
			more = more && yield(l, nil)
			return more
		})
		if err != nil && more && ctx.Err() == nil {
			yield(stack.LogLine{}, err)
		}
	}
}

// errEnough ends a stream whose reader wants no more.
var errEnough = errors.New("enough")

func (b *Backend) follow(ctx context.Context, i stack.Instance, since time.Time, emit func(stack.LogLine) bool) error {
	d, err := b.inspect(ctx, i)
	if err != nil {
		return err
	}
	if !sameLife(i, d.State) {
		return goneError(i, "it was started anew since")
	}
	ahead := b.ahead(ctx)
	if !since.IsZero() && !since.Equal(startedAt(d.State)) {
		since = since.Add(-ahead)
	}
	since = sinceStart(since, d.State)
	var told recent
	tell := func(l stack.LogLine) bool {
		if l.Time.Before(since) {
			return true
		}
		told.add(l)
		if !l.Time.IsZero() {
			l.Time = l.Time.Add(ahead)
		}
		return emit(l)
	}
	err = b.readLog(ctx, i, d.Config.Tty, container.LogsOptions{Follow: true, Since: sinceParameter(since)}, tell)
	if errors.Is(err, errEnough) || errors.Is(err, stack.ErrGone) || ctx.Err() != nil {
		return err
	}
	// The end of the instance ends its log well; a stream that broke looks the same when the engine
	// restarts.
	now, inspectErr := b.inspect(ctx, i)
	switch {
	case errors.Is(inspectErr, stack.ErrGone):
		return nil
	case inspectErr != nil:
		return inspectErr
	case now.State.StartedAt == d.State.StartedAt && (stateOf(now.State) == stack.Running || stateOf(now.State) == stack.Paused):
		if err != nil {
			return err
		}
		return fmt.Errorf("could not follow the log of container %s any further: the engine ended the stream, and the container runs on", label(i))
	}
	// An engine stops following when the container ends, and may not have told its last lines, which
	// are the ones that say why.
	return b.readLog(ctx, i, d.Config.Tty, container.LogsOptions{Since: sinceParameter(told.latest(since))}, func(l stack.LogLine) bool {
		ofNextLife := now.State.StartedAt != d.State.StartedAt && !l.Time.Before(startedAt(now.State))
		return ofNextLife || told.has(l) || tell(l)
	})
}

// readLog reads the log until the engine ends the stream or emit returns false, which is errEnough.
func (b *Backend) readLog(ctx context.Context, i stack.Instance, tty bool, o container.LogsOptions, emit func(stack.LogLine) bool) error {
	what := "read the log of container " + label(i)
	o.ShowStdout, o.ShowStderr, o.Timestamps = true, true, true
	stream, err := call(ctx, b.engine, what, func(c *client.Client) (io.ReadCloser, error) {
		return c.ContainerLogs(ctx, i.ID, o)
	})
	if cerrdefs.IsNotFound(err) {
		return goneError(i, "it was removed")
	}
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	if tty {
		lines := &lineWriter{emit: emit}
		_, err = io.Copy(lines, stream)
		err = errors.Join(err, lines.flush())
	} else {
		out, errs := &frameWriter{emit: emit}, &frameWriter{emit: emit}
		_, err = stdcopy.StdCopy(out, errs, stream)
		err = errors.Join(err, out.flush(), errs.flush())
	}
	if err == nil || errors.Is(err, errEnough) {
		return err
	}
	return b.engine.explain(what, err)
}

// startLag is how much later than its process the engine may note a container's start.
const startLag = time.Second

// sinceStart keeps the lines of former lives out. The engine notes the start of a life a moment after
// the process began to write, so that "since its start" means since the end of the life before.
func sinceStart(since time.Time, s *container.State) time.Time {
	started := startedAt(s)
	if started.IsZero() {
		return since
	}
	before := started.Add(-startLag)
	if now := stateOf(s); now == stack.Running || now == stack.Paused { // else the last end is this life's own
		if end, err := time.Parse(time.RFC3339Nano, s.FinishedAt); err == nil && end.Before(started) {
			before = end
		}
	}
	if since.Equal(started) || since.Before(before) {
		return before
	}
	return since
}

// sinceParameter writes an instant as the engine reads it, to the nanosecond.
func sinceParameter(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}
