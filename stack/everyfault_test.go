package stack_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// faultAt breaks the n-th call of all and some more: those that follow, or every one like it.
type faultAt struct {
	fault stacktest.Fault
	more  int // calls that follow; always: every one like the first

	mu    sync.Mutex
	n     int
	count int
	hit   string // what was broken first
}

const always = -1

// on is the fault of one of the two that are called. A disk knows no deadline: what hangs there hangs
// until it is released.
func (f *faultAt) on(disk bool) func(stacktest.Call) stacktest.Fault {
	return func(c stacktest.Call) stacktest.Fault {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.count++
		call := c.Method + "(" + c.On + ")"
		switch {
		case f.count == f.n:
			f.hit = call
		case f.count < f.n, f.more == always && call != f.hit, f.more != always && f.count > f.n+f.more:
			return stacktest.Fault{}
		}
		fault := f.fault
		if fault.Hang && disk && !fault.Done {
			fault.Err = errInjected // as the disk gives up
		}
		return fault
	}
}

func (f *faultAt) what() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hit
}

// TestEveryCallEveryFault breaks each single call of each program in each way. While that lasts, nobody
// is paused longer than the report says; afterwards the file is old or new, the report tells truly which,
// nobody is paused, and what lies about is put right by the next start.
func TestEveryCallEveryFault(t *testing.T) {
	refuses := refuse(orchestrator.Name, newConfig)
	recovering := func(point string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.crash(t, 0, point, saving(t))
			time.Sleep(time.Second)
		}
	}
	for _, program := range []struct {
		name    string
		p       stacktest.Program
		prepare func(*testing.T, *world) // nil: a save
	}{
		{"a save", nil, nil},
		{"a save that is rolled back", refuses, nil},
		{"a recovery that undoes", nil, recovering(stack.PointPaused)},
		{"a recovery that finishes", nil, recovering(stack.PointSaved)},
		{"a recovery that rolls back", refuses, recovering(stack.PointSaved)},
		{"a recovery of a roll-back", refuses, recovering(stack.PointUndoPaused)},
	} {
		for name, fault := range map[string]stacktest.Fault{
			"fails, not done":           {Err: errInjected},
			"fails, but done":           {Err: errInjected, Done: true},
			"hangs, not done":           {Hang: true},
			"hangs, but done":           {Hang: true, Done: true},
			"fails, and is done late":   {Err: errInjected, Late: 3 * time.Second},
			"hangs, and is done late":   {Hang: true, Late: 3 * time.Second},
			"hangs, and fails but done": {Hang: true, Err: errInjected, Done: true},
		} {
			for times, more := range map[string]int{"once": 0, "with the two that follow": 2, "from then on": always} {
				if again := more != 0; again && (testing.Short() || fault.Hang && (more > 0 || fault.Done || fault.Late > 0)) {
					continue // one call that hangs shows what several would
				}
				t.Run(fmt.Sprintf("%s, and a call %s, %s", program.name, name, times), func(t *testing.T) {
					for n, over := 1, false; !over && !t.Failed(); n++ {
						synctest.Test(t, func(t *testing.T) {
							w := newWorld(t)
							w.backend.SetProgram(program.p)
							act := saving(t)
							if program.prepare != nil {
								program.prepare(t, w)
								act = func(c *stack.Controller) { c.Recover(t.Context()) }
							}
							over = !everyFault(t, w, &faultAt{fault: fault, more: more, n: n}, act)
						})
					}
				})
			}
		}
	}
}

// everyFault returns false when there was no call to break.
func everyFault(t *testing.T, w *world, f *faultAt, act func(*stack.Controller)) bool {
	quiet := func(o *stack.Options) { o.Log = nil }
	c := w.start(t, quiet)
	w.backend.SetFault(f.on(false))
	w.config.SetFault(f.on(true))
	go act(c)
	time.Sleep(3 * time.Minute) // far beyond max_pause, and everything that is waited for
	synctest.Wait()
	run := c.Last()
	if run == nil {
		t.Fatalf("with %s broken there was no run", f.what())
	}
	named := map[string]bool{}
	for _, s := range run.Report().StillPaused {
		named[s.Instance.ID] = true
	}
	for _, i := range w.backend.Now() {
		if i.State == stack.Paused && !named[i.ID] {
			t.Errorf("%s broken: %s is paused, and the report does not say so\n%s", f.what(), i.Name, story(run.Report()))
		}
	}
	w.backend.SetFault(nil)
	w.config.SetFault(nil)
	w.config.Release()
	r, err := run.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // what comes late has come

	live := w.config.Live()
	if want := told(r); want != nil && string(live) != string(want) {
		t.Errorf("%s broken: the file is %q, and the report says\n%s", f.what(), live, story(r))
	}
	if string(live) != string(oldConfig) && string(live) != string(newConfig) {
		t.Errorf("%s broken: the file is %q, neither old nor new", f.what(), live)
	}
	for _, i := range w.backend.Now() {
		if i.State != stack.Running {
			t.Errorf("%s broken: %s is %s\n%s", f.what(), i.Name, i.State, story(r))
		}
		if got := w.backend.Loaded(i); r.Outcome != stack.Failed && got != stack.RevisionOf(live) {
			t.Errorf("%s broken: %s has loaded %s\n%s", f.what(), i.Name, got.Short(), story(r))
		}
	}
	c.Shutdown(t.Context())
	next := w.start(t, quiet)
	if err := next.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	live = w.config.Live()
	if string(live) != string(oldConfig) && string(live) != string(newConfig) {
		t.Errorf("%s broken: after the next start the file is %q", f.what(), live)
	}
	w.check(t, live)
	if t.Failed() {
		t.Logf("%s broken", f.what())
	}
	return f.what() != ""
}

// told is which config is in place by a report's own word; nil if it says that nobody knows.
func told(r stack.Report) []byte {
	for part, file := range map[string][]byte{
		"cannot be told": nil, "The new one is in place": newConfig, "its config is in place": newConfig,
		"is as it was": oldConfig, "old config is back in place": oldConfig, "nothing changed": oldConfig,
		"Nothing was changed": oldConfig, "nothing was changed": oldConfig, "Nothing was paused": oldConfig,
		"config file is now " + stack.RevisionOf(newConfig).Short(): newConfig,
		"config file is now " + stack.RevisionOf(oldConfig).Short(): oldConfig,
	} {
		if r.Outcome == stack.Failed && strings.Contains(r.Message, part) {
			return file
		}
	}
	switch r.Outcome {
	case stack.Applied:
		return newConfig
	case stack.RolledBack:
		return oldConfig
	}
	return []byte("nothing is said of the file")
}
