package stacktest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/stack"
)

// Call is one call of a Backend's or a Config's method, as faults and histories see it.
type Call struct {
	Method string
	On     string // the instance's name, or the content's revision in short
	Nth    int    // how many calls there have been of this method, this one included
}

// Fault is what becomes of a call. The zero value lets it pass.
type Fault struct {
	Err  error // returned
	Done bool  // with Err: the call has its effect all the same
	Hang bool  // the call has its effect only if Done, and then waits until its context ends
	// Late is how long after a call that hung or failed it has its effect after all, if it has one; 0: never.
	Late time.Duration
}

// Program is what the fake's services do when they are to load a config. They run as long as this
// returns true. The default logs "Config reloaded revision=…".
type Program func(i stack.Instance, content []byte, log func(line string)) (lives bool)

// Backend is a stack in memory. It is a [stack.Backend], and the engine and the hands outside that
// move it: Add, Kill, Restart, Remove, PauseByHand, Down and Up. It tells misuse to its test.
type Backend struct {
	t        testing.TB
	services []stack.Service

	// Reads is what the services find when they look at the config file. Set before the first Add.
	Reads func() []byte
	// Latency is how long each call takes before it has its effect. Set before the first call.
	Latency time.Duration
	// Revive is how long after an instance died of a config the engine starts it again; 0: never. Set
	// before the first Add.
	Revive time.Duration

	mu       sync.Mutex // guards what follows and every instance
	program  Program
	starts   Program
	fault    func(Call) Fault
	list     []*instance
	calls    []Call
	down     bool
	lives    int
	watchers map[chan struct{}]bool
}

type instance struct {
	stack.Instance
	lines  []stack.LogLine
	more   chan struct{} // closed and replaced with every line, and at the end
	loaded stack.Revision
}

var _ stack.Backend = (*Backend)(nil)

// New is a stack of these services, without instances yet.
func New(t testing.TB, services ...stack.Service) *Backend {
	return &Backend{
		t: t, services: services, program: Obedient, starts: Begun, watchers: map[chan struct{}]bool{},
		Reads: func() []byte { return nil },
	}
}

// Obedient loads whatever it finds, and says so.
func Obedient(i stack.Instance, content []byte, log func(string)) bool {
	log("Config reloaded revision=" + stack.RevisionOf(content).Short())
	return true
}

// Begun starts with whatever config it finds, and says so.
func Begun(i stack.Instance, content []byte, log func(string)) bool {
	log("Config loaded revision=" + stack.RevisionOf(content).Short())
	return true
}

// SetStart replaces what the services do as they begin. Nil: Begun.
func (b *Backend) SetStart(p Program) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p == nil {
		p = Begun
	}
	b.starts = p
}

// SetProgram replaces what the services do to load a config. Nil: Obedient.
func (b *Backend) SetProgram(p Program) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p == nil {
		p = Obedient
	}
	b.program = p
}

// SetFault has f decide over every call from now on; nil: all pass. f must not call the Backend.
func (b *Backend) SetFault(f func(Call) Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

// Calls are the calls so far.
func (b *Backend) Calls() []Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// Forget begins to count the calls anew.
func (b *Backend) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = nil
}

// Add starts a new instance of a service. It has loaded the config that is there.
func (b *Backend) Add(service, name string) stack.Instance {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := &instance{Instance: stack.Instance{Service: service, Name: name, ID: fmt.Sprintf("id-%s-%d", name, len(b.list)+1)}}
	b.list = append(b.list, i)
	b.begin(i)
	return i.Instance
}

// begin starts a life. It needs the lock.
func (b *Backend) begin(i *instance) {
	b.lives++
	i.Started = time.Now().Round(0).Add(time.Duration(b.lives)) // distinct, even where time stands still
	i.State, i.lines, i.more = stack.Running, nil, make(chan struct{})
	b.run(b.starts, i, b.Reads())
	b.tell()
}

// run lets a program have its way with the config. It needs the lock.
func (b *Backend) run(p Program, i *instance, content []byte) {
	i.loaded = stack.RevisionOf(content)
	if p(i.Instance, content, func(line string) { b.log(i, line) }) {
		return
	}
	b.end(i)
	if b.Revive == 0 {
		return
	}
	time.AfterFunc(b.Revive, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if i.State == stack.Stopped && b.find(i.Instance) == i {
			i.Restarts++
			b.begin(i)
		}
	})
}

// end ends a life. It needs the lock.
func (b *Backend) end(i *instance) {
	if i.State != stack.Stopped {
		i.State = stack.Stopped
		close(i.more)
		b.tell()
	}
}

// Log makes the instance log a line.
func (b *Backend) Log(i stack.Instance, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.find(i); o != nil {
		b.log(o, text)
	}
}

func (b *Backend) log(i *instance, text string) {
	if i.State == stack.Running {
		i.lines = append(i.lines, stack.LogLine{Time: time.Now().Round(0), Text: text})
		close(i.more)
		i.more = make(chan struct{})
	}
}

// Kill ends the instance's process, paused or not.
func (b *Backend) Kill(i stack.Instance) { b.move(i, b.end) }

// Restart ends the instance's process and starts it anew: the same ID, another life.
func (b *Backend) Restart(i stack.Instance) {
	b.move(i, func(o *instance) {
		b.end(o)
		o.Restarts++
		b.begin(o)
	})
}

// Remove makes the instance vanish.
func (b *Backend) Remove(i stack.Instance) {
	b.move(i, func(o *instance) {
		b.end(o)
		b.list = slices.DeleteFunc(b.list, func(x *instance) bool { return x == o })
	})
}

// PauseByHand is somebody else's pause of a running instance.
func (b *Backend) PauseByHand(i stack.Instance) { b.SetState(i, stack.Paused) }

// UnpauseByHand is somebody else's unpause.
func (b *Backend) UnpauseByHand(i stack.Instance) { b.move(i, b.goOn) }

// SetState makes a running instance seem so, such as Starting.
func (b *Backend) SetState(i stack.Instance, s stack.State) {
	b.move(i, func(o *instance) {
		if o.State == stack.Running {
			o.State = s
		}
	})
}

func (b *Backend) move(i stack.Instance, f func(*instance)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.find(i); o != nil {
		f(o)
		b.tell()
	}
}

// Down makes the engine unreachable until Up. The instances live on.
func (b *Backend) Down() { b.setDown(true) }

// Up makes the engine reachable again.
func (b *Backend) Up() { b.setDown(false) }

func (b *Backend) setDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
	b.tell()
}

// FileChanged lets every service that watches the file look at it. A Config does this by itself.
func (b *Backend) FileChanged() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range slices.Clone(b.list) {
		b.watchFile(i)
	}
}

func (b *Backend) watchFile(i *instance) {
	if i.State == stack.Running && b.service(i.Service).Reload.Watch {
		if content := b.Reads(); stack.RevisionOf(content) != i.loaded {
			b.load(i, content)
		}
	}
}

func (b *Backend) load(i *instance, content []byte) { b.run(b.program, i, content) }

func (b *Backend) goOn(i *instance) {
	if i.State == stack.Paused {
		i.State = stack.Running
		b.tell()
		b.watchFile(i)
	}
}

// Now are the instances as they are, without a call.
func (b *Backend) Now() []stack.Instance {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []stack.Instance
	for _, i := range b.list {
		all = append(all, i.Instance)
	}
	return all
}

// Loaded is the revision that the instance last tried to load.
func (b *Backend) Loaded(i stack.Instance) stack.Revision {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.find(i); o != nil {
		return o.loaded
	}
	return ""
}

// find needs the lock, and looks by ID only.
func (b *Backend) find(i stack.Instance) *instance {
	for _, o := range b.list {
		if o.ID == i.ID {
			return o
		}
	}
	return nil
}

func (b *Backend) service(name string) stack.Service {
	for _, s := range b.services {
		if s.Name == name {
			return s
		}
	}
	return stack.Service{}
}

func (b *Backend) tell() {
	for w := range b.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// do is every call: its fault, its effect, and what the two make together.
func (b *Backend) do(ctx context.Context, method, on string, effect func() error) error {
	if b.Latency > 0 {
		select {
		case <-time.After(b.Latency):
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	nth := 1
	for _, c := range b.calls {
		if c.Method == method {
			nth++
		}
	}
	call := Call{method, on, nth}
	b.calls = append(b.calls, call)
	var f Fault
	if b.fault != nil {
		f = b.fault(call)
	}
	var err error
	switch {
	case b.down:
		err = fmt.Errorf("%s: %w", method, stack.ErrUnavailable)
	case f.Done || f.Err == nil && !f.Hang:
		err = effect()
	}
	b.mu.Unlock()
	if f.Hang {
		<-ctx.Done()
		err = ctx.Err()
	} else {
		err = errors.Join(err, f.Err)
	}
	if f.Late > 0 && method != "Instances" && method != "Inspect" && method != "Logs" {
		time.AfterFunc(f.Late, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			effect()
		})
	}
	return err
}

// on is do for a call on one life of an instance. It also watches over misuse.
func (b *Backend) on(ctx context.Context, method string, i stack.Instance, effect func(*instance) error) error {
	return b.do(ctx, method, i.Name, func() error {
		o := b.find(i)
		if o == nil || !o.Started.Equal(i.Started) {
			return fmt.Errorf("%s %s: %w", method, i.Name, stack.ErrGone)
		}
		return effect(o)
	})
}

// Name implements stack.Backend.
func (b *Backend) Name() string { return "fake" }

// Instances implements stack.Backend.
func (b *Backend) Instances(ctx context.Context) (all []stack.Instance, err error) {
	err = b.do(ctx, "Instances", "", func() error {
		for _, s := range b.services {
			first := len(all)
			for _, i := range b.list {
				if i.Service == s.Name {
					all = append(all, i.Instance)
				}
			}
			slices.SortFunc(all[first:], func(x, y stack.Instance) int { return strings.Compare(x.Name, y.Name) })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Inspect implements stack.Backend.
func (b *Backend) Inspect(ctx context.Context, i stack.Instance) (now stack.Instance, err error) {
	err = b.do(ctx, "Inspect", i.Name, func() error {
		o := b.find(i)
		if o == nil {
			return fmt.Errorf("Inspect %s: %w", i.Name, stack.ErrGone)
		}
		now = o.Instance
		return nil
	})
	return now, err
}

// Pause implements stack.Backend.
func (b *Backend) Pause(ctx context.Context, i stack.Instance) error {
	return b.on(ctx, "Pause", i, func(o *instance) error {
		switch o.State {
		case stack.Running:
			o.State = stack.Paused
			b.tell()
		case stack.Paused:
		default:
			return fmt.Errorf("Pause %s: it is %s", i.Name, o.State)
		}
		return nil
	})
}

// Unpause implements stack.Backend.
func (b *Backend) Unpause(ctx context.Context, i stack.Instance) error {
	return b.on(ctx, "Unpause", i, func(o *instance) error {
		if o.State == stack.Stopped {
			return fmt.Errorf("Unpause %s: %w", i.Name, stack.ErrGone)
		}
		b.goOn(o)
		return nil
	})
}

// Signal implements stack.Backend. SIGUSR1 makes a service load its config. A signal to an instance
// that is paused or starting is misuse: on a real engine it resumes the one and kills the other.
func (b *Backend) Signal(ctx context.Context, i stack.Instance, signal string) (string, error) {
	err := b.on(ctx, "Signal", i, func(o *instance) error {
		switch o.State {
		case stack.Running:
			b.load(o, b.Reads())
		case stack.Stopped:
			return fmt.Errorf("Signal %s: %w", i.Name, stack.ErrGone)
		default:
			b.t.Errorf("misuse: %s was sent to %s, which is %s", signal, i.Name, o.State)
		}
		return nil
	})
	return "", err
}

// Logs implements stack.Backend.
func (b *Backend) Logs(ctx context.Context, i stack.Instance, since time.Time) iter.Seq2[stack.LogLine, error] {
	return func(yield func(stack.LogLine, error) bool) {
		var o *instance
		if err := b.on(ctx, "Logs", i, func(found *instance) error { o = found; return nil }); err != nil {
			if ctx.Err() == nil {
				yield(stack.LogLine{}, err)
			}
			return
		}
		for next := 0; ; {
			b.mu.Lock()
			lines, more := o.lines, o.more
			ended, other, broken := o.State == stack.Stopped, !o.Started.Equal(i.Started), b.down
			b.mu.Unlock()
			if broken {
				yield(stack.LogLine{}, fmt.Errorf("Logs %s: %w", i.Name, stack.ErrUnavailable))
				return
			}
			if other {
				return // what its next life writes is not its own
			}
			for ; next < len(lines); next++ {
				if ctx.Err() != nil || !lines[next].Time.Before(since) && !yield(lines[next], nil) {
					return
				}
			}
			if ended {
				return
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Watch implements stack.Backend.
func (b *Backend) Watch(ctx context.Context, changed func()) {
	w := make(chan struct{}, 1)
	w <- struct{}{}
	b.mu.Lock()
	b.watchers[w] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.watchers, w)
		b.mu.Unlock()
	}()
	for {
		select {
		case <-w:
			changed()
		case <-ctx.Done():
			return
		}
	}
}

// FreeByHand implements stack.Backend.
func (b *Backend) FreeByHand(i stack.Instance) string { return "fake unpause " + i.Name }

// Close implements stack.Backend.
func (b *Backend) Close() error { return nil }
