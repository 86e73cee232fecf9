package guardian

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
)

// engine is a backend in memory. Unpause takes the errors from a list, then succeeds.
type engine struct {
	stack.Backend
	mu     sync.Mutex
	fails  map[string][]error // by instance
	calls  map[string]int     // of Unpause
	paused map[string]bool
	looks  int
	blind  func() error // asked at every look
	before func()       // called in every Unpause
}

func (e *engine) Unpause(_ context.Context, i stack.Instance) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls[i.ID]++
	if e.before != nil {
		e.before()
	}
	if left := e.fails[i.ID]; len(left) > 0 {
		e.fails[i.ID] = left[1:]
		return left[0]
	}
	e.paused[i.ID] = false
	return nil
}

func (e *engine) Inspect(_ context.Context, i stack.Instance) (stack.Instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks++
	if e.blind != nil {
		if err := e.blind(); err != nil {
			return stack.Instance{}, err
		}
	}
	i.State = stack.Running
	if e.paused[i.ID] {
		i.State = stack.Paused
	}
	return i, nil
}

func (e *engine) set(id string, paused bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paused[id] = paused
}

func (e *engine) isPaused(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.paused[id]
}

func (e *engine) Close() error                     { return nil }
func (e *engine) FreeByHand(stack.Instance) string { return "unpause it" }

// ordered is an engine on which the instances are paused, and a guardian's order to free them.
func (e *engine) ordered(t *testing.T, state string, after time.Duration, instances ...string) (line string) {
	t.Helper()
	name, err := takeWatch(t.Context(), watchPath(state))
	if err != nil {
		t.Fatal(err)
	}
	e.calls, e.paused = map[string]int{}, map[string]bool{}
	o := order{Watch: watchPath(state), Name: name, FreeAfter: after}
	for _, id := range instances {
		o.Instances = append(o.Instances, stack.Instance{ID: id, Name: id})
		e.paused[id] = true
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func (e *engine) attach(json.RawMessage, *slog.Logger) (stack.Backend, error) { return e, nil }

// mourn is a guardian whose panel dies at once.
func mourn(t *testing.T, ctx context.Context, e *engine, state string, instances ...string) error {
	t.Helper()
	return obey(ctx, strings.NewReader(e.ordered(t, state, 0, instances...)), io.Discard, io.Discard, e.attach)
}

// inNoTime is a subtest in which waiting takes none.
func inNoTime(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

var errAway = fmt.Errorf("no engine: %w", stack.ErrUnavailable)

func TestMourning(t *testing.T) {
	inNoTime(t, "tries again until the instance goes on", func(t *testing.T) {
		e := &engine{fails: map[string][]error{"a": {errAway, errAway}}}
		if err := mourn(t, t.Context(), e, t.TempDir(), "a", "b"); err != nil {
			t.Fatal(err)
		}
		if e.calls["a"] != 3 || e.calls["b"] != 1 {
			t.Errorf("attempts: got %v, want 3 at a and 1 at b", e.calls)
		}
	})
	inNoTime(t, "leaves an instance that is gone", func(t *testing.T) {
		gone := fmt.Errorf("removed: %w", stack.ErrGone)
		e := &engine{fails: map[string][]error{"a": {gone, errAway}}, blind: func() error { return gone }}
		if err := mourn(t, t.Context(), e, t.TempDir(), "a"); err != nil || e.calls["a"] != 1 || e.looks != 1 {
			t.Errorf("got %v after %d attempts and %d looks, want success after 1 and 1", err, e.calls["a"], e.looks)
		}
	})
	inNoTime(t, "stands down when a new panel has its own guardian", func(t *testing.T) {
		state := t.TempDir()
		relieved := make(chan error, 1)
		e := &engine{fails: map[string][]error{"a": slowly(errAway, 1000)}}
		e.before = sync.OnceFunc(func() {
			// Takes hold only after this attempt has ended.
			go func() {
				_, err := takeWatch(context.Background(), watchPath(state))
				relieved <- err
			}()
		})
		if err := mourn(t, t.Context(), e, state, "a"); err != nil {
			t.Fatal(err)
		}
		if err := <-relieved; err != nil {
			t.Fatal(err)
		}
		if e.calls["a"] == 1000 {
			t.Error("it went on until the instance was unpaused, want it to stand down")
		}
	})
	inNoTime(t, "says at last how a person frees the instance", func(t *testing.T) {
		e := &engine{fails: map[string][]error{"a": slowly(errAway, 10_000)}}
		err := mourn(t, t.Context(), e, t.TempDir(), "a")
		if err == nil || !strings.Contains(err.Error(), "unpause it") || !errors.Is(err, stack.ErrUnavailable) {
			t.Errorf("got error %v, want the command and the reason", err)
		}
	})
	for what, spoil := range map[string]func(state string) error{
		"was cleared": func(state string) error { return os.Remove(watchPath(state)) },
		"cannot be looked into": func(state string) error { // ENOTDIR stands for EIO, ESTALE, EACCES
			return errors.Join(os.RemoveAll(state), os.WriteFile(state, nil, 0o600))
		},
		"cannot be read": func(state string) error { // EISDIR stands for EIO
			return errors.Join(os.Remove(watchPath(state)), os.Mkdir(watchPath(state), 0o700))
		},
	} {
		inNoTime(t, "acts also where the state folder "+what, func(t *testing.T) {
			state := t.TempDir() + "/state"
			if err := os.Mkdir(state, 0o700); err != nil {
				t.Fatal(err)
			}
			e := &engine{fails: map[string][]error{"a": {errAway}}}
			e.before = sync.OnceFunc(func() {
				if err := spoil(state); err != nil {
					t.Error(err)
				}
			})
			if err := mourn(t, t.Context(), e, state, "a"); err != nil || e.calls["a"] != 2 {
				t.Errorf("got %v after %d attempts, want success after 2", err, e.calls["a"])
			}
		})
	}
}

func slowly(err error, times int) []error {
	errs := make([]error, times)
	for n := range errs {
		errs[n] = err
	}
	return errs
}

// A request to pause may have been on its way when the panel died.
func TestALatePause(t *testing.T) {
	// mourning is a guardian whose panel has just died, and that has unpaused the instance.
	mourning := func(t *testing.T, e *engine, state string) (ended chan error) {
		ended = make(chan error, 1)
		go func() { ended <- mourn(t, t.Context(), e, state, "a") }()
		synctest.Wait()
		return ended
	}
	inNoTime(t, "is undone", func(t *testing.T) {
		e := &engine{}
		ended := mourning(t, e, t.TempDir())
		time.Sleep(lateness - time.Second)
		e.set("a", true)
		time.Sleep(2 * lookAgain)
		if e.isPaused("a") {
			t.Error("it stays paused")
		}
		began := time.Now()
		if err := <-ended; err != nil || time.Since(began) > lateness {
			t.Errorf("got %v, %s later, want the end within %s", err, time.Since(began), lateness)
		}
	})
	inNoTime(t, "is undone although an engine that hangs carries it out long after", func(t *testing.T) {
		hangs := true
		e := &engine{}
		e.blind = func() error {
			if hangs {
				return errAway
			}
			return nil
		}
		ended := mourning(t, e, t.TempDir())
		time.Sleep(10 * lateness)
		e.mu.Lock()
		hangs, e.paused["a"] = false, true
		e.mu.Unlock()
		if err := <-ended; err != nil || e.isPaused("a") {
			t.Errorf("got %v, paused %v, want it unpaused", err, e.isPaused("a"))
		}
	})
	inNoTime(t, "is not seen in the pause of a new panel's run", func(t *testing.T) {
		state := t.TempDir()
		e := &engine{}
		ended := mourning(t, e, state)
		if _, err := takeWatch(t.Context(), watchPath(state)); err != nil {
			t.Fatal(err)
		}
		e.set("a", true)
		if err := <-ended; err != nil || !e.isPaused("a") {
			t.Errorf("got %v, paused %v, want it left paused", err, e.isPaused("a"))
		}
	})
	inNoTime(t, "is not waited for for ever", func(t *testing.T) {
		e := &engine{}
		began := time.Now()
		ended := mourning(t, e, t.TempDir())
		if err := <-ended; err != nil || time.Since(began) > lateness+2*lookAgain {
			t.Errorf("got %v after %s, want the end after %s", err, time.Since(began), lateness)
		}
		e.set("a", true) // by a person
		time.Sleep(time.Minute)
		if !e.isPaused("a") {
			t.Error("it was unpaused after the guardian's end")
		}
	})
}

// A panel may hang in the pause instead of dying.
func TestAPanelThatHangs(t *testing.T) {
	// guarding is a guardian of a panel that says nothing until the test says it for it.
	guarding := func(t *testing.T, e *engine, stderr io.Writer) (panel io.WriteCloser, ended chan error) {
		line := e.ordered(t, t.TempDir(), time.Minute, "a")
		in, panel := io.Pipe()
		ended = make(chan error, 1)
		go func() { ended <- obey(t.Context(), in, io.Discard, stderr, e.attach) }()
		if _, err := io.WriteString(panel, line); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		return panel, ended
	}
	after := func(t *testing.T, d time.Duration) {
		t.Helper()
		time.Sleep(d)
		synctest.Wait()
	}
	inNoTime(t, "has its instances freed when the time is over, and not before", func(t *testing.T) {
		e := &engine{}
		panel, ended := guarding(t, e, io.Discard)
		after(t, time.Minute-1)
		if !e.isPaused("a") {
			t.Error("it was unpaused before the time was over")
		}
		after(t, 1)
		if e.isPaused("a") {
			t.Error("it is still paused")
		}
		after(t, time.Hour)
		if e.calls["a"] != 1 {
			t.Errorf("it was unpaused %d times, want once", e.calls["a"])
		}
		_, _ = io.WriteString(panel, doneWord+"\n") // it came to
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	inNoTime(t, "is not taken for that while nobody stands still", func(t *testing.T) {
		e := &engine{}
		log, told := io.Pipe()
		panel, ended := guarding(t, e, told)
		text := make(chan string, 1)
		go func() { b, _ := io.ReadAll(log); text <- string(b) }()
		e.set("a", false)
		after(t, 2*time.Minute)
		_, _ = io.WriteString(panel, doneWord+"\n")
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = told.Close()
		if got := <-text; got != "" || e.calls["a"] > 0 {
			t.Errorf("after %d attempts to unpause it says %s", e.calls["a"], got)
		}
	})
	inNoTime(t, "is not taken for that until it pauses, late", func(t *testing.T) {
		e := &engine{}
		panel, ended := guarding(t, e, io.Discard)
		e.set("a", false)
		after(t, time.Minute+lateness/2)
		e.set("a", true)
		after(t, time.Second)
		if e.isPaused("a") {
			t.Error("it is still paused")
		}
		_ = panel.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	inNoTime(t, "has its instances freed also where nobody can look at them", func(t *testing.T) {
		e := &engine{blind: func() error { return errAway }}
		panel, ended := guarding(t, e, io.Discard)
		after(t, time.Minute)
		if e.isPaused("a") {
			t.Error("it is still paused")
		}
		_, _ = io.WriteString(panel, doneWord+"\n")
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	inNoTime(t, "and dies after all is mourned", func(t *testing.T) {
		e := &engine{}
		panel, ended := guarding(t, e, io.Discard)
		after(t, time.Hour)
		e.set("a", true)
		_ = panel.Close()
		if err := <-ended; err != nil || e.isPaused("a") {
			t.Errorf("got %v, paused %v, want it unpaused", err, e.isPaused("a"))
		}
	})
	inNoTime(t, "and says at last that all is well ends the attempts", func(t *testing.T) {
		e := &engine{fails: map[string][]error{"a": slowly(errAway, 10_000)}}
		panel, ended := guarding(t, e, io.Discard)
		after(t, 2*time.Minute)
		_, _ = io.WriteString(panel, doneWord+"\n")
		if err := <-ended; err != nil {
			t.Error(err)
		}
		calls := e.calls["a"]
		after(t, time.Hour)
		if e.calls["a"] != calls {
			t.Error("it went on")
		}
	})
	inNoTime(t, "and says at last that all is well in the middle of an attempt waits for that", func(t *testing.T) {
		e := &engine{}
		attempted := false
		e.before = func() {
			time.Sleep(2 * time.Second)
			attempted = true
		}
		panel, ended := guarding(t, e, io.Discard)
		after(t, time.Minute+time.Second)
		_, _ = io.WriteString(panel, doneWord+"\n")
		if err := <-ended; err != nil || !attempted {
			t.Errorf("got %v, and the attempt had ended: %v; want that nothing is touched after the end", err, attempted)
		}
	})
	inNoTime(t, "and says at last that all is well does not wait for the lookout", func(t *testing.T) {
		e := &engine{}
		panel, ended := guarding(t, e, io.Discard)
		after(t, time.Minute+time.Second)
		begun := time.Now()
		_, _ = io.WriteString(panel, doneWord+"\n")
		if err := <-ended; err != nil || time.Since(begun) > lookAgain {
			t.Errorf("got %v after %v, want the end at once", err, time.Since(begun))
		}
	})
	inNoTime(t, "because nobody reads its log does not make the guardian hang", func(t *testing.T) {
		full, unread := io.Pipe() // a pipe that is never read
		e := &engine{}
		panel, ended := guarding(t, e, unread)
		after(t, time.Minute)
		if e.isPaused("a") {
			t.Error("it is still paused")
		}
		_ = panel.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = full.Close()
	})
}

func TestMainWithoutAnOrder(t *testing.T) {
	attach := func(json.RawMessage, *slog.Logger) (stack.Backend, error) { return nil, errors.New("no engine") }
	for name, input := range map[string]string{"nothing": "", "no JSON": "hello\n", "no backend": "{}\n"} {
		t.Run(name, func(t *testing.T) {
			if err := Main(t.Context(), strings.NewReader(input), io.Discard, io.Discard, attach); err == nil {
				t.Error("got no error")
			}
		})
	}
}

// Whoever holds the watch may be a new panel's run that is about to pause: until the lock can be had, nobody acts.
func TestNobodyActsWhileAnotherHoldsTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		state := t.TempDir()
		line := e.ordered(t, state, 0, "a")
		held, err := lockWatch(t.Context(), watchPath(state), os.O_RDWR, unix.LOCK_EX)
		if err != nil {
			t.Fatal(err)
		}
		var o order
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		mine, err := onWatch(ctx, o, func() { t.Error("it acted") })
		if mine || !errors.Is(err, errHeld) {
			t.Errorf("got %v, %v; want that another holds it", mine, err)
		}
		g := &guardian{order: o, backend: e, log: slog.New(slog.DiscardHandler)}
		ended := make(chan error, 1)
		go func() { ended <- g.each(t.Context(), g.freeOne) }()
		time.Sleep(time.Minute)
		if !e.isPaused("a") {
			t.Error("it unpaused an instance")
		}
		_ = held.Close()
		if err := <-ended; err != nil || e.isPaused("a") {
			t.Errorf("once it could be had: %v, paused %v", err, e.isPaused("a"))
		}
	})
}
