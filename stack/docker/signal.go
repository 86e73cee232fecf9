package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

// Signal sends a signal to the container's first process. The engine's own way of doing that counts
// as an attempt to stop the container: it is not restarted when it crashes later. So the process is
// signalled directly where this machine runs it, else from within the container, and through the
// engine only where nothing else is left, with a warning.
func (b *Backend) Signal(ctx context.Context, i stack.Instance, signal string) (warning string, err error) {
	name, number, err := parseSignal(signal)
	if err != nil {
		return "", fmt.Errorf("could not signal container %s: %w", label(i), err)
	}
	d, err := b.inspect(ctx, i)
	if err != nil {
		return "", err
	}
	if err := signalable(i, d.ID, d.State); err != nil {
		return "", err
	}
	direct := b.signalProcess(d.ID, d.State.Pid, number)
	if direct == nil {
		return "", nil
	}
	inside := b.signalInside(ctx, d.ID, label(i), name)
	if inside == nil {
		b.log.Debug("signalled from within the container", "container", label(i), "signal", name, "because", direct)
		return "", nil
	}
	if ctx.Err() != nil || errors.Is(inside, stack.ErrUnavailable) {
		return "", inside // and it may have got the signal: not a second time, then
	}
	// Without a check, a container that ended of the signal meanwhile would get it twice in two lives.
	d, err = b.inspect(ctx, i)
	if err != nil {
		return "", err
	}
	if err := signalable(i, d.ID, d.State); err != nil {
		return "", err
	}
	err = do(ctx, b.engine, fmt.Sprintf("send %s to container %s", name, label(i)), func(c *client.Client) error {
		return c.ContainerKill(ctx, d.ID, name)
	})
	if err != nil {
		return "", err
	}
	b.log.Info("signalled through the engine", "container", label(i), "signal", name, "direct", direct, "inside", inside)
	return fmt.Sprintf("%s was signalled through the Docker engine, which then may not restart it after a crash or a reboot: run Pitstop on the engine's machine with its processes in sight (pid: host), or give the container's image a shell.", label(i)), nil
}

// parseSignal understands SIGUSR1 and USR1.
func parseSignal(text string) (name string, number syscall.Signal, err error) {
	name = strings.ToUpper(strings.TrimSpace(text))
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	number = unix.SignalNum(name)
	if number == 0 {
		return "", 0, fmt.Errorf("%q is no signal; write it like SIGUSR1", text)
	}
	return name, number, nil
}

// signalable refuses what a signal would harm: a paused container, which the engine would resume,
// and one that is still starting, which has no handler yet and may die of it.
func signalable(i stack.Instance, id string, s *container.State) error {
	state := stateNow(id, s)
	switch {
	case state == stack.Starting && i.Started.IsZero():
		return fmt.Errorf("could not signal container %s: it is still starting and may not be ready for signals; wait until it runs", label(i))
	case state == stack.Starting:
		return goneError(i, "it has ended and is being started anew")
	case !sameLife(i, s):
		return goneError(i, "it was started anew since")
	case state == stack.Paused:
		return fmt.Errorf("could not signal container %s: it is paused, and a signal could set it going; unpause it first", label(i))
	case state != stack.Running:
		return goneError(i, fmt.Sprintf("it has ended (%s)", s.Status))
	}
	return nil
}

// signalProcess signals a process of this machine, if it is one of this container.
func signalProcess(id string, pid int, signal syscall.Signal) error {
	if pid <= 0 {
		return errors.New("the engine names no process")
	}
	start, err := linuxproc.StartTime(pid)
	if err != nil {
		return err
	}
	// The engine may run on another machine, or Pitstop in a container: then this PID is somebody
	// else's. The start time was read before the proof, so that both are of one process.
	cgroup, err := linuxproc.Cgroup(pid)
	if err != nil {
		return err
	}
	if !strings.Contains(cgroup, id) {
		return fmt.Errorf("process %d of this machine is not one of the container", pid)
	}
	return linuxproc.Signal(pid, start, signal)
}

// signalInside has a shell in the container signal its first process.
func (b *Backend) signalInside(ctx context.Context, id, name, signal string) error {
	what := "run kill in container " + name
	exec, err := call(ctx, b.engine, what, func(c *client.Client) (container.ExecCreateResponse, error) {
		return c.ContainerExecCreate(ctx, id, container.ExecOptions{
			Cmd:          []string{"sh", "-c", "kill -s " + strings.TrimPrefix(signal, "SIG") + " 1"},
			AttachStdout: true,
			AttachStderr: true,
		})
	})
	if err != nil {
		return err
	}
	// Attached, so that the end of the stream is the end of the command.
	err = do(ctx, b.engine, what, func(c *client.Client) error {
		stream, err := c.ContainerExecAttach(ctx, exec.ID, container.ExecAttachOptions{})
		if err != nil {
			return err
		}
		defer stream.Close()
		defer context.AfterFunc(ctx, stream.Close)()
		_, err = io.Copy(io.Discard, stream.Reader)
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return err
	}
	return b.execEnded(ctx, exec.ID, what)
}

// execEnded waits until a command in a container has ended, which may be a moment later than its
// output, and says whether it ended well.
func (b *Backend) execEnded(ctx context.Context, id, what string) error {
	for {
		result, err := call(ctx, b.engine, what, func(c *client.Client) (container.ExecInspect, error) {
			return c.ContainerExecInspect(ctx, id)
		})
		switch {
		case err != nil:
			return err
		case !result.Running && result.ExitCode == 0:
			return nil
		case !result.Running:
			return fmt.Errorf("could not %s: it ended with status %d", what, result.ExitCode)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return b.engine.explain(what, ctx.Err())
		}
	}
}
