// Package process is the backend that needs no engine: it starts the services of the stack as local
// processes, keeps them running, and pauses whole process groups with SIGSTOP and SIGCONT.
//
// The processes do not need the panel to live. Each leads a session of its own, so that neither
// Ctrl-C in the panel's terminal nor the panel's death reaches it (a stopped group that loses its
// parent inside one session would be hung up by the kernel), and writes into a file instead of a
// pipe. A record per service, written before and after the start, and a mark in the environment
// let the next panel find what an earlier one started, also when that one was killed in between.
package process

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack"
)

// OnExit says what becomes of the processes when the backend is closed.
type OnExit string

const (
	Stop OnExit = "stop" // they are asked to end, then made to
	Keep OnExit = "keep" // they go on; the next panel finds them
)

// Options describe the backend. Services and State are required.
type Options struct {
	Services []stack.Service
	State    string   // folder of the panel's state; the backend keeps to State/process
	Dir      string   // where the services run; empty: where the panel does
	Env      []string // what the services see; nil: what the panel does
	OnExit   OnExit   // empty: Stop

	StopTimeout time.Duration // from asking a process to end to making it; 0: 10 s
	Backoff     Backoff
	MaxOutput   int64 // bytes of output kept of each life of a service; 0: 16 MiB
	Clock       clockwork.Clock
	Log         *slog.Logger
}

// Backoff says how long a service that ended stays away before it is started again: Min at first,
// twice as long each time up to Max, and Min again once it has run for Calm.
type Backoff struct {
	Min, Max, Calm time.Duration // 0: 500 ms, 30 s, 30 s
}

// Backend is the process backend. It implements stack.Backend.
type Backend struct{ options Options }

// New takes the state folder for this panel alone and finds the processes that an earlier panel
// left, paused ones as they are. It starts nothing.
func New(options Options) (*Backend, error) { return &Backend{options}, nil }

// Attach reaches the processes that another panel supervises, or supervised until it died, by what
// it recorded in the state folder. An attached backend starts nothing and restarts nothing.
func Attach(options Options) (*Backend, error) { return &Backend{options}, nil }

// Start starts the services that do not run, and starts those again that end, until the context
// ends. What runs then goes on until Close.
func (b *Backend) Start(context.Context) {}

// Name is the word in the settings.
func (b *Backend) Name() string { return "process" }

var errUnfinished = errors.New("unfinished")

func (b *Backend) Instances(context.Context) ([]stack.Instance, error) { return nil, errUnfinished }
func (b *Backend) Inspect(context.Context, stack.Instance) (stack.Instance, error) {
	return stack.Instance{}, errUnfinished
}
func (b *Backend) Pause(context.Context, stack.Instance) error   { return errUnfinished }
func (b *Backend) Unpause(context.Context, stack.Instance) error { return errUnfinished }
func (b *Backend) Signal(context.Context, stack.Instance, string) (string, error) {
	return "", errUnfinished
}
func (b *Backend) Logs(context.Context, stack.Instance, time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) { yield(stack.LogLine{}, errUnfinished) }
}
func (b *Backend) Watch(ctx context.Context, changed func()) { <-ctx.Done() }
func (b *Backend) FreeByHand(stack.Instance) string          { return "" }
func (b *Backend) Close() error                              { return nil }

var _ stack.Backend = (*Backend)(nil)
