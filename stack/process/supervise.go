package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack/linuxproc"
)

// Backoff says how long a service that ended stays away before it is started again: Min at first,
// twice as long each time up to Max, and Min again once it has run for Calm.
type Backoff struct {
	Min, Max, Calm time.Duration // 0: 500 ms, 30 s, 30 s
}

func (b Backoff) withDefaults() Backoff {
	if b.Min <= 0 {
		b.Min = 500 * time.Millisecond
	}
	if b.Max <= 0 {
		b.Max = 30 * time.Second
	}
	if b.Calm <= 0 {
		b.Calm = 30 * time.Second
	}
	return b
}

// next is the delay after one of last, before which the service ran for ran.
func (b Backoff) next(last, ran time.Duration) time.Duration {
	if last == 0 || ran >= b.Calm {
		return b.Min
	}
	return min(2*last, b.Max)
}

// supervise keeps one service running until the context ends.
func (b *Backend) supervise(ctx context.Context, s *service) {
	defer s.set(func() { s.supervised = false })
	var delay time.Duration
	for ctx.Err() == nil {
		s.mu.Lock()
		l := s.current
		s.mu.Unlock()
		begun := b.options.Clock.Now()
		if l == nil {
			var err error
			if l, err = b.begin(s); err != nil {
				delay = b.options.Backoff.next(delay, 0)
				s.set(func() { s.problem = fmt.Sprintf("%s could not be started: %v", s.Name, err) })
				s.log.Error("could not start the service", "error", err, "retry_in", delay)
				b.tell()
				b.wait(ctx, delay)
				continue
			}
			b.tell()
		}
		select {
		case <-ctx.Done():
			return
		case <-l.ended:
		}
		delay = b.options.Backoff.next(delay, b.options.Clock.Since(begun))
		last := lastLine(outputPath(s.folder, l.name), b.options.Hide)
		s.log.Warn("the service ended", "pid", l.pid, "how", l.how, "wrote_last", last, "starts_again_in", delay)
		s.ended()
		s.set(func() { s.problem = endedWith(l.how, last) })
		b.tell()
		b.endLeftovers(s, l)
		b.wait(ctx, delay)
	}
}

func (b *Backend) wait(ctx context.Context, delay time.Duration) {
	select {
	case <-ctx.Done():
	case <-b.options.Clock.After(delay):
	}
}

// begin starts the service. The record tells of the life before there is a process, so that a panel
// killed between the two leaves one that the next panel finds by its mark.
func (b *Backend) begin(s *service) (*life, error) {
	restarts := s.restarts
	if s.last != nil {
		restarts++
	}
	l, file, err := newLife(s.folder, b.options.Clock.Now())
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	r := record{Service: s.Name, Life: l.name, Boot: b.boot, Restarts: restarts}
	if err := r.write(s.folder); err != nil {
		_ = os.Remove(file.Name())
		return nil, fmt.Errorf("could not record that it is being started: %w", err)
	}
	command := exec.Command(s.Command[0], s.Command[1:]...)
	command.Dir = b.options.Dir
	command.Env = marked(b.options.Env, s.Name, l.name, s.folder)
	command.Stdout, command.Stderr = file, file
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		_ = os.Remove(file.Name())
		return nil, err
	}
	l.pid = command.Process.Pid
	// Nobody else waits for the child, so it has an entry in /proc even if it has ended already.
	l.start, err = linuxproc.StartTime(l.pid)
	if err != nil {
		_ = unix.Kill(-l.pid, unix.SIGKILL)
		_ = command.Wait()
		return nil, err
	}
	r.PID, r.Start = l.pid, l.start
	if err := r.write(s.folder); err != nil {
		s.log.Warn("could not record the process that was started; the next panel finds it by its mark", "pid", l.pid, "error", err)
	}
	if l.output, err = openOutput(file.Name(), b.options.MaxOutput, s.log); err != nil {
		s.log.Warn("the output of the service cannot be read", "error", err)
	}
	l.ended = make(chan struct{})
	go func() {
		err := command.Wait()
		l.how = "exit status 0"
		if err != nil {
			l.how = err.Error()
		}
		close(l.ended)
	}()
	s.began(l, restarts)
	pruneOutputs(s.folder)
	s.log.Info("started the service", "pid", l.pid, "restarts", restarts)
	return l, nil
}

// newLife names a life by this moment, or by the first free nanosecond after it, and makes the file
// that it will write to.
func newLife(folder string, now time.Time) (*life, *os.File, error) {
	for begun := now.UTC(); ; begun = begun.Add(1) {
		name := lifeName(begun)
		file, err := os.OpenFile(outputPath(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("could not make the file for its output: %w", err)
		}
		begun, err = lifeBegun(name)
		return &life{name: name, begun: begun}, file, err
	}
}

// adopt takes over a process that an earlier panel started. It is not a child of this one, so its end
// is seen by looking.
func (b *Backend) adopt(s *service, l *life, r record) {
	output, err := openOutput(outputPath(s.folder, l.name), b.options.MaxOutput, s.log)
	if err != nil {
		s.log.Warn("the output of the service cannot be read", "error", err)
	}
	l.output, l.ended = output, make(chan struct{})
	s.began(l, r.Restarts)
	if r.PID == 0 {
		r = record{Service: s.Name, Life: l.name, Boot: b.boot, PID: l.pid, Start: l.start, Restarts: r.Restarts}
		if err := r.write(s.folder); err != nil {
			s.log.Warn("could not record the process that was found", "pid", l.pid, "error", err)
		}
	}
	s.log.Info("found the service running", "pid", l.pid, "since", l.begun)
	go func() {
		tick := time.NewTicker(glance)
		defer tick.Stop()
		for l.alive() {
			select {
			case <-b.closed:
				return
			case <-tick.C:
			}
		}
		l.how = "not known: an earlier panel had started it"
		close(l.ended)
	}()
}
