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
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/jonboulle/clockwork"

	"pitstop/stack"
	"pitstop/stack/durable"
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

	StopTimeout   time.Duration // from asking a process to end to making it; 0: 10 s
	SignalTimeout time.Duration // for a process that has just started to handle a signal that would end it; 0: 3 s
	Backoff       Backoff
	MaxOutput     int64 // bytes of output kept of each life of a service; 0: 16 MiB

	// Hide masks what is secret in what a service wrote, where that is told; nil: nothing is.
	Hide func(text string) string

	Clock clockwork.Clock // of the pauses before a service starts again; nil: the real one
	Log   *slog.Logger    // nil: none
}

func (o Options) withDefaults() (Options, error) {
	if o.State == "" {
		return o, errors.New("the process backend needs a state folder to find its processes again")
	}
	switch o.OnExit {
	case "":
		o.OnExit = Stop
	case Stop, Keep:
	default:
		return o, fmt.Errorf("what becomes of the processes when the panel ends is %q or %q, not %q", Stop, Keep, o.OnExit)
	}
	if o.Hide == nil {
		o.Hide = func(text string) string { return text }
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.StopTimeout <= 0 {
		o.StopTimeout = 10 * time.Second
	}
	if o.SignalTimeout <= 0 {
		o.SignalTimeout = handlerTimeout
	}
	o.Backoff = o.Backoff.withDefaults()
	if o.MaxOutput <= 0 {
		o.MaxOutput = 16 << 20
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Backend is the process backend. It implements stack.Backend.
type Backend struct {
	options  Options
	boot     string
	services []*service

	attached bool   // to the processes of another panel
	unlock   func() // nil if attached
	watcher  *fsnotify.Watcher

	mu      sync.Mutex
	changed chan struct{}      // closed, and replaced, when an instance changed
	stop    context.CancelFunc // of the supervision; nil before Start
	running sync.WaitGroup     // the supervision and the watch over outputs

	close    sync.Once
	closed   chan struct{}
	closeErr error
}

// New takes the state folder for this panel alone and finds the processes that an earlier panel
// left, paused ones as they are. It starts nothing.
func New(options Options) (*Backend, error) {
	b, err := prepare(options)
	if err != nil {
		return nil, err
	}
	for _, s := range b.services {
		if len(s.Command) == 0 {
			return nil, fmt.Errorf("the service %s has no command; the process backend needs one to start it", s.Name)
		}
		if err := os.MkdirAll(s.folder, 0o700); err != nil {
			return nil, fmt.Errorf("could not make the folder of the service %s: %w", s.Name, err)
		}
	}
	if b.unlock, err = takeLock(b.options.State); err != nil {
		return nil, err
	}
	for _, s := range b.services {
		r, found, alive, err := recall(s.folder, b.boot)
		switch {
		case found == nil && err != nil:
			s.log.Warn("cannot tell whether an earlier panel left the service running, and take it that none did", "error", err)
		case alive:
			b.adopt(s, found, r)
		case found != nil:
			s.last, s.restarts = found, r.Restarts
		}
	}
	b.watchOutputs()
	return b, nil
}

// Attach reaches the processes that another panel supervises, or supervised until it died, by what
// it recorded in the state folder. An attached backend starts nothing and restarts nothing, and
// closing it leaves everything as it is.
func Attach(options Options) (*Backend, error) {
	b, err := prepare(options)
	if err != nil {
		return nil, err
	}
	b.attached = true
	return b, nil
}

func prepare(options Options) (*Backend, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	if options.State, err = stateFolder(options.State); err != nil {
		return nil, err
	}
	b := &Backend{options: options, boot: boot, changed: make(chan struct{}), closed: make(chan struct{})}
	named := map[string]bool{}
	for _, s := range options.Services {
		if s.Name == "" || named[s.Name] {
			return nil, fmt.Errorf("the services need names that differ; %q does not", s.Name)
		}
		named[s.Name] = true
		b.services = append(b.services, &service{
			Service: s,
			folder:  filepath.Join(options.State, url.PathEscape("service-"+s.Name)),
			log:     options.Log.With("service", s.Name),
		})
	}
	return b, nil
}

// stateFolder makes the backend's part of the state folder. Its path is part of the mark on the
// processes, so it has to be the same by whichever way one comes to it.
func stateFolder(state string) (string, error) {
	folder := filepath.Join(state, "process")
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return "", fmt.Errorf("could not make the state folder of the process backend: %w", err)
	}
	return folder, nil
}

// Start starts the services that do not run, and starts those again that end, until the context
// ends or the backend is closed. What runs then goes on until Close. Starting twice, or an attached
// backend, does nothing.
func (b *Backend) Start(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.attached || b.stop != nil {
		return
	}
	ctx, b.stop = context.WithCancel(ctx)
	for _, s := range b.services {
		s.set(func() { s.supervised = true })
		b.running.Go(func() {
			if s.current == nil && s.last != nil {
				b.endLeftovers(s, s.last)
			}
			b.supervise(ctx, s)
		})
	}
}

// Close ends the supervision, and with OnExit Stop the processes. A paused one is set going first,
// or it could not end.
func (b *Backend) Close() error {
	b.close.Do(func() {
		b.mu.Lock()
		if b.stop == nil {
			b.stop = func() {} // a later Start is too late
		}
		b.stop()
		b.mu.Unlock()
		close(b.closed)
		if b.watcher != nil {
			_ = b.watcher.Close()
		}
		b.running.Wait()
		if !b.attached && b.options.OnExit == Stop {
			b.closeErr = b.endAll()
		}
		if b.unlock != nil {
			b.unlock()
		}
	})
	return b.closeErr
}

func (b *Backend) endAll() error {
	failed := make([]error, len(b.services))
	var all sync.WaitGroup
	for n, s := range b.services {
		if s.current == nil {
			continue
		}
		all.Go(func() {
			if failed[n] = b.end(s, s.current); failed[n] == nil {
				failed[n] = durable.RemoveFile(filepath.Join(s.folder, recordName))
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// watchOutputs lets each output see soon how far it reaches. Without it, where the machine has no
// more watches to give, the times of lines are coarser and everything else works.
func (b *Backend) watchOutputs() {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		b.options.Log.Warn("cannot watch the outputs of the services, so the times of their lines are coarse", "error", err)
		return
	}
	b.watcher = watcher
	byFolder := map[string]*service{}
	for _, s := range b.services {
		byFolder[s.folder] = s
		if err := watcher.Add(s.folder); err != nil {
			s.log.Warn("cannot watch the output of the service, so the times of its lines are coarse", "error", err)
		}
	}
	b.running.Go(func() {
		for {
			select {
			case event, open := <-watcher.Events:
				if !open {
					return
				}
				if s := byFolder[filepath.Dir(event.Name)]; s != nil && event.Has(fsnotify.Write) {
					s.look()
				}
			case err, open := <-watcher.Errors:
				if !open {
					return
				}
				b.options.Log.Warn("the watch over the outputs of the services stumbled", "error", err)
			}
		}
	})
}
