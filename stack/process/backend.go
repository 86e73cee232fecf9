package process

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

var _ stack.Backend = (*Backend)(nil)

// Name is the word in the settings.
func (b *Backend) Name() string { return "process" }

// Instances lists the one instance of each service.
func (b *Backend) Instances(ctx context.Context) ([]stack.Instance, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	instances := make([]stack.Instance, len(b.services))
	for n, s := range b.services {
		b.refresh(s)
		instances[n] = s.instance()
	}
	return instances, nil
}

// Inspect looks at the instance now.
func (b *Backend) Inspect(ctx context.Context, i stack.Instance) (stack.Instance, error) {
	if err := context.Cause(ctx); err != nil {
		return stack.Instance{}, err
	}
	s, err := b.service(i)
	if err != nil {
		return stack.Instance{}, err
	}
	return s.instance(), nil
}

// Pause stops the process, its group, and its descendants in other groups.
func (b *Backend) Pause(ctx context.Context, i stack.Instance) error {
	s, l, err := b.life(ctx, i)
	if err == nil {
		l.together.Store(false)
		again := paused(l.pid) // then some may stand still that no tree leads to any more
		var together bool
		together, err = stopTree(ctx, l.pid, l.start)
		l.together.Store(together && !again)
	}
	if err != nil {
		return fmt.Errorf("could not pause %s: %w", i.Name, gone(err))
	}
	s.look() // so that what it wrote before is not taken for what it writes after
	b.tell()
	return nil
}

// Unpause lets them go on. If the main process has died meanwhile, that is ErrGone, and the others go
// on all the same.
func (b *Backend) Unpause(ctx context.Context, i stack.Instance) error {
	s, l, err := b.life(ctx, i)
	if err == nil {
		err = continueTree(l.pid, l.start)
		if !l.together.Load() { // or it is not known: another panel may have paused it
			err = errors.Join(err, continueMarked(s.folder, l.name))
		}
	}
	if err == nil {
		err = until(ctx, func() bool { return !paused(l.pid) })
	}
	if err == nil && !l.alive() {
		err = os.ErrProcessDone
	}
	if err = gone(err); errors.Is(err, stack.ErrGone) && s != nil && !i.Started.IsZero() {
		if left := continueMarked(s.folder, lifeName(i.Started)); left != nil {
			err = left // to be tried again
		}
	}
	if err != nil {
		return fmt.Errorf("could not unpause %s: %w", i.Name, err)
	}
	b.tell()
	return nil
}

// Signal signals the main process alone.
func (b *Backend) Signal(ctx context.Context, i stack.Instance, name string) (warning string, err error) {
	signal := unix.SignalNum(name)
	if signal == 0 {
		return "", fmt.Errorf("could not signal %s: there is no signal %q", i.Name, name)
	}
	s, l, err := b.life(ctx, i)
	if err == nil {
		s.look()
		warning, err = awaitHandler(ctx, l, signal, b.options.SignalTimeout)
	}
	if err == nil {
		err = linuxproc.Signal(l.pid, l.start, signal)
	}
	if err != nil {
		return "", fmt.Errorf("could not send %s to %s: %w", name, i.Name, gone(err))
	}
	return warning, nil
}

// Logs follows the file into which the instance writes.
func (b *Backend) Logs(ctx context.Context, i stack.Instance, since time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) {
		s, err := b.service(i)
		var l *life
		if err == nil {
			l, err = s.words(i)
		}
		var output *output
		if err == nil {
			if output = l.output; output == nil {
				output, err = openOutput(outputPath(s.folder, l.name), 0, s.log)
				if err == nil {
					defer func() { _ = output.close() }()
				}
			}
		}
		if err != nil {
			yield(stack.LogLine{}, fmt.Errorf("could not follow the output of %s: %w", i.Name, err))
			return
		}
		output.follow(ctx, since.Round(0), func() bool { return !l.alive() }, yield)
	}
}

// watchInterval is how often Watch looks for what nobody tells it: a process that somebody else
// stopped, or that another panel supervises.
const watchInterval = 500 * time.Millisecond

// Watch calls changed when an instance changed.
func (b *Backend) Watch(ctx context.Context, changed func()) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	var seen []stack.Instance
	for first := true; ctx.Err() == nil; first = false {
		told := b.untilTold()
		now, err := b.Instances(ctx)
		if err == nil && (first || !slices.EqualFunc(seen, now, same)) {
			seen = now
			changed()
		}
		select {
		case <-ctx.Done():
		case <-told:
		case <-tick.C:
		}
	}
}

func same(a, b stack.Instance) bool {
	return a.ID == b.ID && a.State == b.State && a.Started.Equal(b.Started) && a.Restarts == b.Restarts &&
		slices.Equal(a.Warnings, b.Warnings)
}

// FreeByHand is the command for the whole group.
func (b *Backend) FreeByHand(i stack.Instance) string {
	s, err := b.service(i)
	if err != nil {
		return ""
	}
	l, err := s.life(i)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("kill -CONT -%d", l.pid)
}

func (b *Backend) service(i stack.Instance) (*service, error) {
	for _, s := range b.services {
		if s.Name == i.ID {
			b.refresh(s)
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no service %q: %w", i.ID, stack.ErrGone)
}

func (b *Backend) life(ctx context.Context, i stack.Instance) (*service, *life, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	s, err := b.service(i)
	if err != nil {
		return nil, nil, err
	}
	l, err := s.life(i)
	return s, l, err
}

// refresh looks up what the supervising panel has recorded since.
func (b *Backend) refresh(s *service) {
	if !b.attached {
		return
	}
	r, found, alive, err := recall(s.folder, b.boot)
	if err != nil {
		s.log.Warn("cannot tell for certain which process the service has", "error", err)
	}
	s.set(func() {
		s.restarts = r.Restarts
		switch {
		case !alive:
			s.last, s.current = found, nil
		case s.current == nil || s.current.name != found.name:
			s.last, s.current = s.current, found
		}
	})
}

// tell wakes those who watch.
func (b *Backend) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *Backend) untilTold() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// gone adds the backend's word for a process that is not there any more.
func gone(err error) error {
	if errors.Is(err, os.ErrProcessDone) && !errors.Is(err, stack.ErrGone) {
		return fmt.Errorf("%w: %w", stack.ErrGone, err)
	}
	return err
}
