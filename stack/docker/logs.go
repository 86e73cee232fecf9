package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"pitstop/stack"
)

// maxLine is how much of a line is kept; what a service writes beyond it is dropped.
const maxLine = 64 << 10

// Logs follows what the container writes. Times are the engine's.
func (b *Backend) Logs(ctx context.Context, i stack.Instance, since time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) {
		err := b.follow(ctx, i, since, func(l stack.LogLine) bool { return yield(l, nil) })
		if err != nil && !errors.Is(err, errEnough) && ctx.Err() == nil {
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
	what := "follow the log of container " + label(i)
	stream, err := call(ctx, b.engine, what, func(c *client.Client) (io.ReadCloser, error) {
		return c.ContainerLogs(ctx, d.ID, container.LogsOptions{
			ShowStdout: true,
			ShowStderr: true,
			Follow:     true,
			Timestamps: true,
			Since:      sinceParameter(since),
		})
	})
	if cerrdefs.IsNotFound(err) {
		return goneError(i, "it was removed")
	}
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	keep := func(l stack.LogLine) bool { return l.Time.Before(since) || emit(l) }
	if d.Config.Tty {
		lines := &lineWriter{emit: keep}
		_, err = io.Copy(lines, stream)
		lines.flush()
	} else {
		out, errs := &frameWriter{emit: keep}, &frameWriter{emit: keep}
		_, err = stdcopy.StdCopy(out, errs, stream)
		out.flush()
		errs.flush()
	}
	if errors.Is(err, errEnough) || ctx.Err() != nil {
		return nil
	}
	return b.explainEnd(ctx, i, d.State, what, err)
}

// explainEnd tells the end of an instance, which ends its log well, from a stream that broke, which
// looks the same when the engine restarts.
func (b *Backend) explainEnd(ctx context.Context, i stack.Instance, was *container.State, what string, err error) error {
	now, inspectErr := b.inspect(ctx, i)
	switch {
	case errors.Is(inspectErr, stack.ErrGone):
		return nil
	case inspectErr != nil:
		return inspectErr
	case stateOf(now.State) == stack.Stopped, stateOf(now.State) == stack.Starting, now.State.StartedAt != was.StartedAt:
		return nil
	case err != nil:
		return b.engine.explain(what, err)
	}
	return fmt.Errorf("could not %s any further: the engine ended the stream, and the container runs on", what)
}

// sinceParameter writes an instant as the engine reads it, to the nanosecond.
func sinceParameter(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// frameWriter makes lines of the frames of one of the two output streams, of which StdCopy writes
// one at a time. Each begins with its time. The engine cuts long lines into several frames: only the
// last of them ends with a line end.
type frameWriter struct {
	emit    func(stack.LogLine) bool
	pending []byte
	time    time.Time
}

func (w *frameWriter) Write(frame []byte) (int, error) {
	at, text := cutTime(frame)
	if len(w.pending) == 0 {
		w.time = at
	}
	text, ended := bytes.CutSuffix(text, []byte("\n"))
	w.pending = append(w.pending, text[:min(len(text), maxLine-len(w.pending))]...)
	if ended && !w.flushLine() {
		return 0, errEnough
	}
	return len(frame), nil
}

func (w *frameWriter) flush() {
	if len(w.pending) > 0 {
		w.flushLine()
	}
}

func (w *frameWriter) flushLine() bool {
	text := strings.TrimSuffix(string(w.pending), "\r")
	w.pending = w.pending[:0]
	return w.emit(stack.LogLine{Time: w.time, Text: text})
}

// lineWriter makes lines of the output of a terminal, which comes without frames.
type lineWriter struct {
	emit    func(stack.LogLine) bool
	pending []byte
}

func (w *lineWriter) Write(chunk []byte) (int, error) {
	for rest := chunk; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		w.pending = append(w.pending, line[:min(len(line), maxLine-len(w.pending))]...)
		if ended && !w.flushLine() {
			return 0, errEnough
		}
		rest = after
	}
	return len(chunk), nil
}

func (w *lineWriter) flush() {
	if len(w.pending) > 0 {
		w.flushLine()
	}
}

func (w *lineWriter) flushLine() bool {
	at, text := cutTime(w.pending)
	line := stack.LogLine{Time: at, Text: strings.TrimSuffix(string(text), "\r")}
	w.pending = w.pending[:0]
	return w.emit(line)
}

// cutTime takes the engine's timestamp off the front.
func cutTime(text []byte) (time.Time, []byte) {
	stamp, rest, found := bytes.Cut(text, []byte(" "))
	if found {
		if at, err := time.Parse(time.RFC3339Nano, string(stamp)); err == nil {
			return at, rest
		}
	}
	return time.Time{}, text
}
