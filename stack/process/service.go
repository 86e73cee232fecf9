package process

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

// service is one service of the stack and the process that it has, if any. Its only instance is
// named like the service itself.
type service struct {
	stack.Service
	folder string // below the state folder, its own
	log    *slog.Logger

	mu         sync.Mutex
	current    *life // nil: no process now
	last       *life // the one before, whose last words may still be wanted
	restarts   int
	supervised bool
	problem    string // why it could not be started, as a sentence
}

// life is one process from its start to its end.
type life struct {
	name  string
	begun time.Time // Instance.Started
	pid   int
	start uint64 // clock ticks since the boot

	together atomic.Bool // when this backend last paused it, all its processes stood in one group

	output *output       // nil where it is not at hand
	ended  chan struct{} // closed when the process has ended; nil where nobody waits for it
	how    string        // how it ended, once it has
}

func (l *life) alive() bool { return linuxproc.Alive(l.pid, l.start) }

func outputPath(folder, life string) string { return filepath.Join(folder, life+".log") }

// recall finds the newest life that the folder knows of. alive is false if that one has ended;
// then the life tells whose leftovers may still be there, and has no PID if not even that is known.
// A record that cannot be read does not matter where the mark finds the process, so it is an error
// only beside a life.
func recall(folder, boot string) (r record, found *life, alive bool, err error) {
	r, err = readRecord(folder)
	if r.Life != "" && r.Boot != boot {
		return r, nil, false, err
	}
	pid, start := r.PID, r.Start
	if pid == 0 {
		if main, name, ok := findMain(folder, r.Life); ok {
			pid, start, r.Life = main.pid, main.start, name
		}
	}
	begun, parseErr := lifeBegun(r.Life)
	if pid == 0 || parseErr != nil {
		return r, nil, false, err
	}
	found = &life{name: r.Life, begun: begun, pid: pid, start: start}
	return r, found, found.alive(), err
}

// instance is what the service's instance is now.
func (s *service) instance() stack.Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := stack.Instance{Service: s.Name, ID: s.Name, Name: s.Name, State: stack.Stopped, Restarts: s.restarts}
	if s.problem != "" {
		i.Warnings = []string{s.problem}
	}
	if s.supervised {
		i.State = stack.Starting
	}
	if s.current == nil || !s.current.alive() {
		return i
	}
	i.Started = s.current.begun
	i.State = stack.Running
	if paused(s.current.pid) {
		i.State = stack.Paused
	}
	return i
}

// life is the life that the instance names, if it is the one that goes on now.
func (s *service) life(i stack.Instance) (*life, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.current == nil || !s.current.alive():
		return nil, fmt.Errorf("%s has no process now: %w", s.Name, stack.ErrGone)
	case !s.current.begun.Equal(i.Started):
		return nil, fmt.Errorf("%s was started again at %s, after the process that was meant: %w",
			s.Name, s.current.begun.Format(time.RFC3339), stack.ErrGone)
	}
	return s.current, nil
}

// words is the life whose output is wanted: also the one before, which may just have ended.
func (s *service) words(i stack.Instance) (*life, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range []*life{s.current, s.last} {
		if l != nil && l.begun.Equal(i.Started) {
			return l, nil
		}
	}
	return nil, fmt.Errorf("the output of that life of %s is not at hand any more: %w", s.Name, stack.ErrGone)
}

// began makes this the life that goes on.
func (s *service) began(l *life, restarts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.restarts, s.problem = l, restarts, ""
}

// ended makes the life that went on the last one.
func (s *service) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && s.last.output != nil {
		_ = s.last.output.close()
	}
	s.last, s.current = s.current, nil
}

func (s *service) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// look lets the output of the service see how far it reaches.
func (s *service) look() {
	s.mu.Lock()
	l := s.current
	s.mu.Unlock()
	if l != nil && l.output != nil {
		l.output.look()
	}
}
