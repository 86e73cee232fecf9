package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

var (
	orchestrator = stack.Service{Name: "python-orchestrator", Reload: stack.Reload{Signal: "SIGUSR1", Confirm: "Config reloaded", Reject: "Config reload failed"}}
	scanner      = stack.Service{Name: "go-scanner", Reload: stack.Reload{Watch: true, Confirm: "Config reloaded revision={revision}", Reject: "Config reload failed"}}

	oldConfig = []byte("[risk]\nmax = 1\n")
	newConfig = []byte("[risk]\nmax = 2\n")
)

var errInjected = errors.New("injected")

// world is everything outside a Controller: a stack, a config file, and a state folder.
type world struct {
	backend *stacktest.Backend
	config  *stacktest.Config
	state   string
	orch    stack.Instance
	scan    stack.Instance

	mu    sync.Mutex
	loose map[string]string // by run: who ran as it replaced the file
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		loose:   map[string]string{},
		backend: stacktest.New(t, orchestrator, scanner),
		config:  stacktest.NewConfig(oldConfig, 50),
		state:   filepath.Join(memoryFolder(t), "state"),
	}
	w.backend.Reads = w.config.Live
	w.backend.Latency = time.Millisecond
	w.config.Changed = w.backend.FileChanged
	w.config.Replacing = w.noteLoose
	w.orch = w.backend.Add(orchestrator.Name, "orchestrator-1")
	w.scan = w.backend.Add(scanner.Name, "scanner-1")
	time.Sleep(time.Minute) // synctest: nobody is young any more
	return w
}

// noteLoose notes who runs, of those that the run under way has paused by its journal, as it replaces the
// file. Nobody must in a run that says applied, see start. One that says something else may have been late.
func (w *world) noteLoose() {
	var j struct {
		Run, Phase string
		Instances  []stack.Instance
	}
	if text, err := os.ReadFile(filepath.Join(w.state, "journal.json")); err != nil || json.Unmarshal(text, &j) != nil || j.Phase != "pausing" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.backend.Now() {
		for _, paused := range j.Instances {
			if i.ID == paused.ID && i.Started.Equal(paused.Started) && i.State == stack.Running {
				w.loose[j.Run] = i.Name
			}
		}
	}
}

func (w *world) checkNobodyRanAsTheFileWasReplaced(t *testing.T, c *stack.Controller) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range c.Reports() {
		if who := w.loose[r.ID]; who != "" && r.Outcome == stack.Applied {
			t.Errorf("%s ran as the file was replaced\n%s", who, story(r))
		}
	}
}

// memoryFolder is a folder in which an fsync costs nothing, where the machine has one: these tests
// make thousands, and no power is cut.
func memoryFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "pitstop-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (w *world) options(t *testing.T) stack.Options {
	return stack.Options{
		Services: []stack.Service{orchestrator, scanner}, Backend: w.backend, Config: w.config, State: w.state,
		Validate: func(content []byte) []stack.Problem {
			if strings.Contains(string(content), "bad") {
				return []stack.Problem{{Pointer: "/risk/max", Line: 2, Column: 7, Message: "must be a number"}}
			}
			return nil
		},
		Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// start is a Controller that ends with the test.
func (w *world) start(t *testing.T, change ...func(*stack.Options)) *stack.Controller {
	t.Helper()
	o := w.options(t)
	for _, f := range change {
		f(&o)
	}
	c, err := stack.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c.Shutdown(ctx)
		w.checkNobodyRanAsTheFileWasReplaced(t, c)
	})
	return c
}

// save runs SaveAndRestart to its end.
func save(t *testing.T, c *stack.Controller, content []byte) stack.Report {
	t.Helper()
	run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: content, By: "test"})
	if err != nil {
		t.Fatalf("SaveAndRestart: %v", err)
	}
	r, err := run.Wait(t.Context())
	if err != nil {
		t.Fatalf("Wait: %v", err)
	}
	return r
}

// check is the promise: the file is this one whole, everybody runs, and nothing lies about.
func (w *world) check(t *testing.T, want []byte) {
	t.Helper()
	w.checkFile(t, want)
	for _, i := range w.backend.Now() {
		if i.State == stack.Paused {
			t.Errorf("%s is still paused", i.Name)
		}
	}
	w.checkTidy(t)
}

func (w *world) checkFile(t *testing.T, want []byte) {
	t.Helper()
	if got := w.config.Live(); string(got) != string(want) {
		t.Errorf("the config file: got %q, want %q", got, want)
	}
}

func (w *world) checkTidy(t *testing.T) {
	t.Helper()
	if left := w.config.StagedFiles(); len(left) > 0 {
		t.Errorf("staged files are left: %q", left)
	}
	entries, err := os.ReadDir(w.state)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); name != "audit.jsonl" && name != "revision" && name != "versions" {
			t.Errorf("%s is left in the state folder", name)
		}
	}
}

func (w *world) checkLoaded(t *testing.T, want []byte) {
	t.Helper()
	for _, i := range w.backend.Now() {
		if got := w.backend.Loaded(i); got != stack.RevisionOf(want) {
			t.Errorf("%s has loaded %s, want %s", i.Name, got.Short(), stack.RevisionOf(want).Short())
		}
	}
}

func wantOutcome(t *testing.T, r stack.Report, o stack.Outcome, cause stack.Cause) {
	t.Helper()
	if r.Outcome != o || r.Cause != cause {
		t.Errorf("outcome: got %s %q, want %s %q\n%s", r.Outcome, r.Cause, o, cause, story(r))
	}
}

// story is a report for a failing test.
func story(r stack.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s\n", r.Kind, r.Outcome, r.Message)
	for _, steps := range [][]stack.StepReport{r.Steps, r.RollBack} {
		for _, s := range steps {
			fmt.Fprintf(&b, "  %-15s %-8s %s\n", s.Name, s.State, s.Detail)
		}
	}
	for _, text := range r.Warnings {
		fmt.Fprintf(&b, "  warning: %s\n", text)
	}
	return b.String()
}

// failing is a fault at the first calls of one method.
func failing(method string, times int, f stacktest.Fault) func(stacktest.Call) stacktest.Fault {
	return func(c stacktest.Call) stacktest.Fault {
		if c.Method == method && c.Nth <= times {
			return f
		}
		return stacktest.Fault{}
	}
}

// block makes a file of the state folder impossible to write, also for root, until the returned
// function is called.
func block(t *testing.T, w *world, name string) (free func()) {
	t.Helper()
	path := filepath.Join(w.state, name)
	if err := os.MkdirAll(filepath.Join(path, "in-the-way"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() { os.RemoveAll(path) }
}

// atPoint does something as a run passes a named point.
func atPoint(point string, do func()) func(*stack.Options) {
	return func(o *stack.Options) {
		o.Hook = func(p string) {
			if p == point {
				do()
			}
		}
	}
}

func wantWarning(t *testing.T, r stack.Report, part string) {
	t.Helper()
	for _, text := range r.Warnings {
		if strings.Contains(text, part) {
			return
		}
	}
	t.Errorf("no warning says %q\n%s", part, story(r))
}
