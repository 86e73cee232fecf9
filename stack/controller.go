package stack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Options are what a Controller needs. Backend, Config, Validate and State are required.
type Options struct {
	Services []Service
	Backend  Backend
	Config   ConfigStore
	// Validate parses and checks a document: no problems, no objection.
	Validate func(content []byte) []Problem
	// Changed names the keys in which two documents differ, as JSON pointers. It may be nil.
	Changed func(old, new []byte) []string
	// Remarks are what somebody who makes this change should know, though nothing is wrong with it. It
	// may be nil.
	Remarks func(old, new []byte) []string
	// Hide masks what is secret in a text that a service logged. It may be nil.
	Hide func(text string) string
	// State is the folder of journal.json, audit.jsonl, the last known revision and the versions seen.
	State         string
	ReloadTimeout time.Duration // 10 s if zero
	MaxPause      time.Duration // 30 s if zero
	// Guard starts a dead man that unpauses these instances should this process vanish before
	// release is called, or not call it long after MaxPause. Release returns a time before which it has
	// freed nobody; zero: it has freed nobody at all. Nil: none.
	Guard func(pausing []Instance) (release func() (freed time.Time), err error)
	// OnSaved is called after every replacement of the config file, never within the pause window.
	OnSaved func()
	Clock   clockwork.Clock // nil: the real one
	Log     *slog.Logger    // nil: none
	// Hook is called at each of Points as the workflow passes it. Nil costs nothing.
	Hook func(point string)
}

// ErrShutdown is returned to who asks for a run of a Controller that is shutting down.
var ErrShutdown = errors.New("pitstop is shutting down and starts no more runs")

// maxCall bounds one call to the backend, unless a third of MaxPause is less: three calls in a row,
// such as pause, unpause and a look, fit into the longest pause allowed.
const maxCall = 10 * time.Second

// keepRuns is how many runs are remembered with their events; the audit log has the others.
const keepRuns = 50

// Controller pauses, changes and restarts the stack, one run at a time. All methods are safe for
// concurrent use.
type Controller struct {
	o     Options
	call  time.Duration // deadline of one call to the backend
	audit *audit
	journ journalFile
	known *knownConfig
	obey  *obeyer

	going context.Context // ends when Shutdown begins: what may be given up without harm hangs on it
	stop  context.CancelFunc
	life  context.Context // ends when Shutdown waits no longer: what is under way is abandoned
	kill  context.CancelFunc
	work  sync.WaitGroup // every goroutine that the Controller started
	touch sync.Mutex     // one look at the config file at a time

	// standing is held while the stack stands still for a passage, and while somebody looks for
	// instances that were paused too late. A lock whose waiting a context can end.
	standing chan struct{}

	unfinished bool // the journal is that of a run that has ended; the current run's

	mu      sync.Mutex // guards what follows; never held while calling out
	closed  bool
	begun   int  // runs begun so far
	current *Run // who sets it owns the journal and the config file until it is nil again
	last    *Run
	runs    []*Run // oldest first, at most keepRuns
	changed []func()
	status  Status
}

// New checks the options and reads the audit log. It touches neither the stack nor the config file.
func New(o Options) (*Controller, error) {
	if o.Backend == nil || o.Config == nil || o.Validate == nil || o.State == "" {
		return nil, errors.New("stack.New: Backend, Config, Validate and State are required")
	}
	if o.ReloadTimeout <= 0 {
		o.ReloadTimeout = 10 * time.Second
	}
	if o.MaxPause <= 0 {
		o.MaxPause = 30 * time.Second
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hide == nil {
		o.Hide = func(text string) string { return text }
	}
	if o.OnSaved == nil {
		o.OnSaved = func() {}
	}
	if err := os.MkdirAll(o.State, 0o700); err != nil {
		return nil, fmt.Errorf("the state folder: %w", err)
	}
	c := &Controller{
		o:     o,
		call:  min(maxCall, o.MaxPause/3),
		audit: openAudit(filepath.Join(o.State, "audit.jsonl"), o.Log),
		journ: journalFile(filepath.Join(o.State, "journal.json")),
		known: openKnown(o.State, o.Clock, o.Log),
	}
	c.standing = make(chan struct{}, 1)
	c.obey = newObeyer(c)
	c.going, c.stop = context.WithCancel(context.Background())
	c.life, c.kill = context.WithCancel(context.Background())
	for _, s := range o.Services {
		c.status.Services = append(c.status.Services, ServiceStatus{Name: s.Name, State: Missing})
	}
	c.status.Problem = "The stack has not been looked at yet."
	c.status.At = o.Clock.Now()
	return c, nil
}

// SaveAndRestart begins a run: validate, pause, save, unpause, reload, confirm. It returns at once;
// the run goes on whatever becomes of ctx. While another run is under way it returns a run that has
// ended as rejected (CauseBusy), which is neither Current nor Last.
func (c *Controller) SaveAndRestart(ctx context.Context, ch Change) (*Run, error) {
	if ch.Kind == "" {
		ch.Kind = KindSave
	}
	ch.Content = bytes.Clone(ch.Content) // it is kept beyond the call
	report := Report{Kind: ch.Kind, By: ch.By, Note: ch.Note, Source: ch.Source, Pressed: ch.Pressed, Revision: Revisions{To: RevisionOf(ch.Content)}}
	return c.launch(ctx, report, func(w *workflow) { w.save(ch) })
}

// launch begins a run of which the report tells what is known before.
func (c *Controller) launch(ctx context.Context, report Report, do func(*workflow)) (*Run, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := c.o.Clock.Now()
	report.ID, report.Started, report.Steps = newID(now), now, pendingSteps()
	run := newRun(report)
	w := &workflow{c: c, run: run}
	err := c.begin(run)
	switch {
	case errors.Is(err, errBusy):
		w.end(Rejected, CauseBusy, "Another run is under way; nothing was changed. Try again when it has ended.")
		return run, nil
	case err != nil:
		return nil, err
	}
	go func() {
		defer c.work.Done()
		if w.finishEarlier() {
			do(w)
		}
	}()
	return run, nil
}

var errBusy = errors.New("another run is under way")

// begin makes run the current one and counts its goroutine, or says why not. Busy runs are
// remembered, so that who asked can look them up.
func (c *Controller) begin(run *Run) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrShutdown
	}
	c.remember(run)
	if c.current != nil {
		return errBusy
	}
	c.current, c.last = run, run
	c.begun++
	c.work.Add(1)
	return nil
}

// remember needs the lock.
func (c *Controller) remember(run *Run) {
	c.runs = append(c.runs, run)
	if len(c.runs) > keepRuns {
		// Under many busy answers, the current run must not be what is forgotten.
		drop := 0
		if c.runs[0] == c.current {
			drop = 1
		}
		c.runs = append(c.runs[:drop:drop], c.runs[drop+1:]...)
	}
}

// release lets the next run begin.
func (c *Controller) release(run *Run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == run {
		c.current = nil
	}
}

// Current is the run under way; nil if there is none.
func (c *Controller) Current() *Run {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// Last is the run under way, or the last that ended since the start of this process.
func (c *Controller) Last() *Run {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Run finds a run of this process, with its events. Older ones have only a Report.
func (c *Controller) Run(id string) (*Run, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.runs {
		if r.id == id {
			return r, true
		}
	}
	return nil, false
}

// OnChange has f called whenever Status, Current or a run may have changed. f must return quickly,
// and may be called concurrently.
func (c *Controller) OnChange(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = append(c.changed, f)
}

func (c *Controller) tellChange() {
	c.mu.Lock()
	listeners := c.changed[:len(c.changed):len(c.changed)]
	c.mu.Unlock()
	for _, f := range listeners {
		f()
	}
}

// Start watches the stack and follows the services' logs until ctx or the Controller ends. It
// returns at once.
func (c *Controller) Start(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(c.going, cancel)
	c.work.Go(func() {
		defer cancel()
		c.monitor(ctx)
	})
}

// Shutdown accepts no more runs and lets the one under way end: finished, or undone. It waits no
// longer than MaxPause or ctx; after that the run is abandoned, with one last attempt to unpause,
// and its journal tells the next start. Every goroutine has ended when it returns, unless an engine or
// a disk hangs for longer than one call may take. A second call, also a concurrent one, does no harm
// and waits no longer than the first.
func (c *Controller) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	run := c.current
	c.mu.Unlock()
	c.stop()
	if run != nil {
		select {
		case <-run.Done():
		case <-ctx.Done():
		case <-c.life.Done():
		case <-c.o.Clock.After(c.o.MaxPause):
		}
	}
	c.kill()
	if !c.joined(max(c.call, leastJoin)) {
		c.o.Log.Error("The engine or the disk hangs; Pitstop does not wait for it any longer.")
	}
	if run != nil && (run.abandoned() || !run.ended()) {
		return fmt.Errorf("run %s had not ended: the next start finishes or undoes it", run.id)
	}
	return nil
}

// leastJoin is how long a busy machine may need to end what hangs on nothing, whatever MaxPause is.
const leastJoin = 5 * time.Second

// joined waits for every goroutine, writes what of the history is not written yet, and says whether
// that was done in time.
func (c *Controller) joined(within time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.work.Wait()
		if _, err := c.audit.flush(); err != nil {
			c.o.Log.Error("The audit log cannot be written; the newest entries are lost.", "error", err)
		}
	}()
	timer := c.o.Clock.NewTimer(within)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.Chan():
		return false
	}
}

// within is a context for one call to the backend.
func (c *Controller) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return clockwork.WithTimeout(ctx, c.o.Clock, c.call)
}

// sleep waits, or returns false because ctx ended.
func (c *Controller) sleep(ctx context.Context, d time.Duration) bool {
	t := c.o.Clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.Chan():
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *Controller) service(name string) Service {
	for _, s := range c.o.Services {
		if s.Name == name {
			return s
		}
	}
	return Service{Name: name}
}

// newID is unique, and sorts by time.
func newID(at time.Time) string {
	b := make([]byte, 3)
	rand.Read(b) // never fails
	return at.UTC().Format("20060102T150405.000Z") + "-" + hex.EncodeToString(b)
}

func pendingSteps() []StepReport {
	steps := make([]StepReport, len(Steps))
	for i, s := range Steps {
		steps[i] = StepReport{Name: s, State: StepPending}
	}
	return steps
}

// each calls f for every element at once and returns the errors by index.
func each[T any](in []T, f func(int, T) error) []error {
	errs := make([]error, len(in))
	var wg sync.WaitGroup
	for n, v := range in {
		wg.Go(func() { errs[n] = f(n, v) })
	}
	wg.Wait()
	return errs
}
