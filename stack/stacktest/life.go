package stacktest

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"time"

	"pitstop/stack"
)

// Life is a process that uses the two, and that can be killed. Its handles let calls through until
// then; afterwards every call blocks its goroutine for good, or until Bury.
type Life struct {
	// Step is called before and after every call of a handle ("before Commit", "after Pause"), and
	// may call Kill. It may be nil.
	Step func(what string)

	mu     sync.Mutex
	dead   bool
	killed chan struct{}
	buried chan struct{}
}

// NewLife is a process that has just begun.
func NewLife() *Life { return &Life{killed: make(chan struct{}), buried: make(chan struct{})} }

// Kill ends the process: nothing that it does from now on has any effect.
func (l *Life) Kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead {
		l.dead = true
		close(l.killed)
	}
}

// Killed is closed by Kill.
func (l *Life) Killed() <-chan struct{} { return l.killed }

// Bury ends the goroutines of a killed process, for the sake of the test that counts them.
func (l *Life) Bury() { close(l.buried) }

// Pass is where a process may be killed: at each call, and at a workflow's Hook. In a dead process
// it ends the goroutine, once buried.
func (l *Life) Pass(what string) {
	l.mu.Lock()
	dead := l.dead
	l.mu.Unlock()
	if !dead && l.Step != nil {
		l.Step(what)
	}
	select {
	case <-l.killed:
		<-l.buried
		runtime.Goexit()
	default:
	}
}

// Backend is the process's handle on b.
func (l *Life) Backend(b stack.Backend) stack.Backend { return lifeBackend{l, b} }

// Config is the process's handle on c.
func (l *Life) Config(c stack.ConfigStore) stack.ConfigStore { return lifeConfig{l, c} }

type lifeBackend struct {
	l *Life
	stack.Backend
}

func (h lifeBackend) Instances(ctx context.Context) ([]stack.Instance, error) {
	h.l.Pass("before Instances")
	defer h.l.Pass("after Instances")
	return h.Backend.Instances(ctx)
}

func (h lifeBackend) Inspect(ctx context.Context, i stack.Instance) (stack.Instance, error) {
	h.l.Pass("before Inspect")
	defer h.l.Pass("after Inspect")
	return h.Backend.Inspect(ctx, i)
}

func (h lifeBackend) Pause(ctx context.Context, i stack.Instance) error {
	h.l.Pass("before Pause")
	defer h.l.Pass("after Pause")
	return h.Backend.Pause(ctx, i)
}

func (h lifeBackend) Unpause(ctx context.Context, i stack.Instance) error {
	h.l.Pass("before Unpause")
	defer h.l.Pass("after Unpause")
	return h.Backend.Unpause(ctx, i)
}

func (h lifeBackend) Signal(ctx context.Context, i stack.Instance, signal string) (string, error) {
	h.l.Pass("before Signal")
	defer h.l.Pass("after Signal")
	return h.Backend.Signal(ctx, i, signal)
}

func (h lifeBackend) Logs(ctx context.Context, i stack.Instance, since time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) {
		h.l.Pass("before Logs")
		for line, err := range h.Backend.Logs(ctx, i, since) {
			h.l.Pass("line")
			if !yield(line, err) {
				return
			}
		}
	}
}

type lifeConfig struct {
	l *Life
	stack.ConfigStore
}

func (h lifeConfig) Read() ([]byte, error) {
	h.l.Pass("before Read")
	defer h.l.Pass("after Read")
	return h.ConfigStore.Read()
}

func (h lifeConfig) Stage(content []byte, at time.Time) (stack.Staged, error) {
	h.l.Pass("before Stage")
	defer h.l.Pass("after Stage")
	return h.ConfigStore.Stage(content, at)
}

func (h lifeConfig) Commit(s stack.Staged) (string, error) {
	h.l.Pass("before Commit")
	defer h.l.Pass("after Commit")
	return h.ConfigStore.Commit(s)
}

func (h lifeConfig) Discard(s stack.Staged) error {
	h.l.Pass("before Discard")
	defer h.l.Pass("after Discard")
	return h.ConfigStore.Discard(s)
}

func (h lifeConfig) Backup(name string) ([]byte, error) {
	h.l.Pass("before Backup")
	defer h.l.Pass("after Backup")
	return h.ConfigStore.Backup(name)
}

// BackupOf passes on what a store may have besides.
func (h lifeConfig) BackupOf(revision stack.Revision, since string) (string, error) {
	h.l.Pass("before BackupOf")
	defer h.l.Pass("after BackupOf")
	if s, ok := h.ConfigStore.(interface {
		BackupOf(stack.Revision, string) (string, error)
	}); ok {
		return s.BackupOf(revision, since)
	}
	return "", errors.New("this store finds no backups")
}

func (h lifeConfig) Prune(except ...string) error {
	h.l.Pass("before Prune")
	defer h.l.Pass("after Prune")
	return h.ConfigStore.Prune(except...)
}

// Sweep passes on what a store may have besides.
func (h lifeConfig) Sweep(except ...string) error {
	h.l.Pass("before Sweep")
	defer h.l.Pass("after Sweep")
	if s, ok := h.ConfigStore.(interface{ Sweep(...string) error }); ok {
		return s.Sweep(except...)
	}
	return nil
}
