package later

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack"
	"pitstop/stack/configfile"
)

// noon is when every test begins.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// newYork is where times are told: the zone of the schedule.
var newYork = must(time.LoadLocation("America/New_York"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const (
	file   = "a = 1 # one\nb = 2\n"
	queued = "a = 5 # one\nb = 2\n"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// world is a queue with everything around it in memory, but its file.
type world struct {
	*testing.T
	*Queue
	clock  *clockwork.FakeClock
	folder string

	mu       sync.Mutex
	file     string
	busy     bool
	closes   Close
	applied  []stack.Change
	told     []stack.Report
	answer   func(stack.Change) (stack.Report, error) // nil: as a Controller would, of a stack that obeys
	reading  func()                                   // what happens while the file is read; nil: nothing
	happened chan struct{}
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, clock: clockwork.NewFakeClockAt(noon), folder: t.TempDir(), file: file,
		closes: Close{Known: true, Next: noon.Add(4 * time.Hour), Open: true}, happened: make(chan struct{}, 1),
	}
	w.start()
	return w
}

// start opens the queue as the panel does.
func (w *world) start() {
	w.Helper()
	q, err := Open(Options{
		State: w.folder, Clock: w.clock,
		Read: func() ([]byte, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.reading != nil {
				w.reading()
			}
			return []byte(w.file), nil
		},
		Merge: func(base, live, queued []byte) (Merged, error) {
			m, err := configfile.Merge(base, live, queued)
			out := Merged{Content: m.Content, Unmerged: m.Unmerged}
			for _, c := range m.Clashes {
				out.Clashes = append(out.Clashes, c.Pointer)
			}
			return out, err
		},
		Apply: w.apply,
		Busy:  func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.busy },
		NextClose: func(now time.Time) Close {
			w.mu.Lock()
			defer w.mu.Unlock()
			c := w.closes
			c.Open = c.Open && now.Before(c.Next)
			return c
		},
		Zone: func() *time.Location { return newYork },
		Record: func(r stack.Report) {
			w.with(func() { w.told = append(w.told, r) })
			w.wake()
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	q.OnChange(w.wake)
	w.Queue = q
	q.Start(context.Background())
	w.Cleanup(q.Shutdown)
	w.sleeps()
}

func (w *world) wake() {
	select {
	case w.happened <- struct{}{}:
	default:
	}
}

// restart ends the queue, lets time pass and starts it again, as the next process would.
func (w *world) restart(after time.Duration) {
	w.Helper()
	w.Shutdown()
	w.stop = nil // the cleanup has nothing left to do
	w.clock.Advance(after)
	w.start()
}

func (w *world) apply(_ context.Context, ch stack.Change) (stack.Report, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.applied = append(w.applied, ch)
	if w.answer != nil {
		return w.answer(ch)
	}
	r := stack.Report{ID: fmt.Sprintf("run-%d", len(w.applied)), Outcome: stack.Applied}
	switch {
	case ch.Base != stack.RevisionOf([]byte(w.file)):
		r.Outcome, r.Cause, r.Message = stack.Rejected, stack.CauseConflict, "Changed meanwhile."
	case string(ch.Content) == w.file:
		r.Outcome = stack.Unchanged
	default:
		w.file = string(ch.Content)
	}
	return r, nil
}

// with changes what the world is like.
func (w *world) with(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }

// sleeps waits until the queue has nothing to do but to wait for the time.
func (w *world) sleeps() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.clock.BlockUntilContext(ctx, 1); err != nil {
		w.Fatal("the queue does not come to rest")
	}
}

// pass lets time pass at once. The queue is told to look: a timer that it was about to set when the
// clock moved would not fire any more, as it would with a clock that goes on.
func (w *world) pass(d time.Duration) {
	w.Helper()
	w.sleeps()
	w.clock.Advance(d)
	w.Replan()
}

// ticks lets time pass second by second, as it does, until the change is in this state.
func (w *world) ticks(want State) Entry {
	w.Helper()
	for limit := time.Now().Add(patience); ; {
		e, _ := w.Entry()
		if e.State == want {
			return e
		}
		if time.Now().After(limit) {
			w.Fatalf("the change does not become %s by the clock alone: %+v", want, e)
		}
		if !w.clock.Now().Before(e.At) { // slowly from here: patience ends before the grace does
			select {
			case <-w.happened:
			case <-time.After(100 * time.Millisecond):
			}
		}
		w.clock.Advance(time.Second)
	}
}

// becomes waits until the queued change is in this state.
func (w *world) becomes(want State) Entry {
	w.Helper()
	return w.until(string(want), func(e Entry) bool { return e.State == want })
}

func (w *world) until(what string, ok func(Entry) bool) Entry {
	w.Helper()
	limit := time.After(patience)
	for {
		e, _ := w.Entry()
		if ok(e) {
			return e
		}
		select {
		case <-w.happened:
		case <-limit:
			w.Fatalf("waited for the change to be %s; it is %+v", what, e)
		}
	}
}

func (w *world) put(r Request) Entry {
	w.Helper()
	if r.Content == nil {
		r.Content, r.Base = []byte(queued), []byte(file)
	}
	if r.By == "" {
		r.By = "ada"
	}
	e, err := w.Put(r)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

func (w *world) wantFile(want string) {
	w.Helper()
	w.with(func() {
		if w.file != want {
			w.Errorf("the config file is %q, want %q", w.file, want)
		}
	})
}

func (w *world) wantTried(n int) {
	w.Helper()
	w.with(func() {
		if len(w.applied) != n {
			w.Errorf("it was tried %d times, want %d", len(w.applied), n)
		}
	})
}

func TestAQueuedChange(t *testing.T) {
	t.Run("is applied at its time, in the name of whoever queued it", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Hour), Note: "a calmer day"})
		w.pass(time.Hour - time.Second)
		w.sleeps()
		w.wantTried(0)
		w.pass(time.Second)
		e := w.becomes(Done)
		w.wantFile(queued)
		w.with(func() {
			ch := w.applied[0]
			if ch.By != "ada" || ch.Kind != stack.KindSave || !strings.HasPrefix(ch.Note, "a calmer day · Queued 2026-03-02 07:00 EST for 2026-03-02 08:00 EST") {
				t.Errorf("the run was asked for with %q, %q, %q", ch.By, ch.Kind, ch.Note)
			}
		})
		if e.Run != "run-1" || e.Outcome != stack.Applied || strings.Contains(e.Message, "late") {
			t.Errorf("it is told as %+v", e)
		}
		if e.Content != "" || e.Base != "" {
			t.Error("it keeps a document, secrets and all, that is of no use any more")
		}
		if err := w.Remove(e.ID, "ada"); err != nil {
			t.Error(err)
		}
		if _, there := w.Entry(); there {
			t.Error("it is still told after it was dismissed")
		}
	})

	t.Run("at the next close follows the schedule", func(t *testing.T) {
		w := newWorld(t)
		e := w.put(Request{When: NextClose})
		if !e.At.Equal(noon.Add(4 * time.Hour)) {
			t.Errorf("it is due at %s", e.At)
		}
		w.with(func() { w.closes.Next = noon.Add(2 * time.Hour) })
		w.Replan()
		w.until("due at two", func(e Entry) bool { return e.At.Equal(noon.Add(2 * time.Hour)) })
		w.with(func() { w.closes = Close{} })
		w.Replan()
		w.pass(time.Second)
		w.sleeps()
		if e, _ := w.Entry(); !e.At.Equal(noon.Add(2 * time.Hour)) {
			t.Errorf("while the schedule cannot be read it is due at %s", e.At)
		}
		w.with(func() { w.closes = Close{Known: true} })
		w.Replan()
		w.until("without a close", func(e Entry) bool { return e.At.IsZero() && e.State == Waiting })
		w.with(func() { w.closes = Close{Known: true, Next: noon.Add(3 * time.Hour)} })
		w.Replan()
		w.until("due at three", func(e Entry) bool { return e.At.Equal(noon.Add(3 * time.Hour)) })
		// At the close, the schedule's next one is tomorrow's already.
		w.Shutdown()
		w.with(func() { w.closes = Close{Known: true, Next: noon.Add(27 * time.Hour)} })
		w.restart(3*time.Hour - w.clock.Since(noon))
		w.becomes(Done)
		w.wantFile(queued)
	})

	t.Run("waits while another run is under way, and says that it was late", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.busy = true })
		w.pass(time.Minute)
		w.pass(10 * time.Second)
		w.sleeps()
		w.wantTried(0)
		w.with(func() { w.busy = false })
		w.pass(time.Second)
		if e := w.becomes(Done); !strings.Contains(e.Message, "s late") {
			t.Errorf("it says %q", e.Message)
		}
	})

	t.Run("is tried again when another run was quicker by a moment", func(t *testing.T) {
		w := newWorld(t)
		w.with(func() {
			w.answer = func(stack.Change) (stack.Report, error) {
				w.answer = nil
				return stack.Report{ID: "busy", Outcome: stack.Rejected, Cause: stack.CauseBusy}, nil
			}
		})
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.pass(time.Minute)
		w.until("tried", func(e Entry) bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.applied) >= 1 })
		w.pass(time.Second)
		w.becomes(Done)
		w.wantFile(queued)
	})

	t.Run("is laid over what the file became meanwhile", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = "# new\na = 1 # one\nb = 3\n" })
		w.pass(time.Minute)
		if e := w.becomes(Done); !strings.Contains(e.Message, "meanwhile") {
			t.Errorf("it says %q", e.Message)
		}
		w.wantFile("# new\na = 5 # one\nb = 3\n")
	})

	t.Run("is applied by the clock alone", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(90*time.Second + time.Millisecond)})
		w.ticks(Done)
		w.wantFile(queued)
	})

	t.Run("that is in the file already is done", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = queued })
		w.pass(time.Minute)
		if e := w.becomes(Done); e.Outcome != stack.Unchanged || !strings.Contains(e.Message, "nothing to do") {
			t.Errorf("it is told as %+v", e)
		}
	})
}

func TestWhatCannotBeAppliedIsHeld(t *testing.T) {
	t.Run("where somebody else changed the same key", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = "a = 9 # one\nb = 2\n" })
		w.pass(time.Minute)
		e := w.becomes(Held)
		if len(e.Clashes) != 1 || e.Clashes[0] != "/a" || e.Content != queued || e.Run == "" {
			t.Errorf("it is held as %+v", e)
		}
		w.wantFile("a = 9 # one\nb = 2\n")
		w.pass(time.Hour)
		w.sleeps()
		w.wantTried(1) // the one that the history tells as a conflict
	})

	t.Run("where it is not valid any more", func(t *testing.T) {
		w := newWorld(t)
		problems := []stack.Problem{{Pointer: "/a", Message: "is too much"}}
		w.with(func() {
			w.answer = func(stack.Change) (stack.Report, error) {
				return stack.Report{ID: "r", Outcome: stack.Rejected, Cause: stack.CauseInvalid, Message: "It is not valid.", Errors: problems}, nil
			}
		})
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.pass(time.Minute)
		e := w.becomes(Held)
		if len(e.Problems) != 1 || e.Outcome != stack.Rejected || !strings.Contains(e.Message, "It is not valid.") {
			t.Errorf("it is held as %+v", e)
		}
		// A person may try once more.
		w.with(func() { w.answer = nil })
		if _, err := w.ApplyNow(e.ID, "bob"); err != nil {
			t.Fatal(err)
		}
		if e := w.becomes(Done); e.By != "ada" || e.Problems != nil {
			t.Errorf("it is told as %+v", e)
		}
	})

	t.Run("where it was rolled back", func(t *testing.T) {
		w := newWorld(t)
		w.with(func() {
			w.answer = func(stack.Change) (stack.Report, error) {
				return stack.Report{ID: "r", Outcome: stack.RolledBack, Message: "The scanner refused it."}, nil
			}
		})
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.pass(time.Minute)
		if e := w.becomes(Held); e.Outcome != stack.RolledBack || !strings.HasSuffix(e.Message, "The scanner refused it.") || e.Run != "r" {
			t.Errorf("it is held as %+v", e)
		}
	})

	t.Run("where another run took too long", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.busy = true })
		w.pass(time.Minute)
		w.pass(15*time.Minute + time.Second)
		if e := w.becomes(Held); !e.Missed {
			t.Errorf("it is held as %+v", e)
		}
		w.with(func() { w.busy = false })
		w.pass(time.Hour)
		w.sleeps()
		w.wantTried(0)
	})
}

func TestTheQueueOutlivesThePanel(t *testing.T) {
	t.Run("with all that it holds, for nobody else to read", func(t *testing.T) {
		w := newWorld(t)
		put := w.put(Request{When: NextClose, Note: "n"})
		w.restart(time.Hour)
		if e, _ := w.Entry(); e.ID != put.ID || e.Content != queued || e.Base != file || e.When != NextClose || !e.At.Equal(put.At) || e.Note != "n" {
			t.Errorf("it is %+v, and was %+v", e, put)
		}
		info, err := os.Stat(filepath.Join(w.folder, "later.json"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("its file has the mode %v (%v)", info.Mode(), err)
		}
		w.pass(3 * time.Hour)
		w.becomes(Done)
	})

	t.Run("and is applied a little late", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.restart(10 * time.Minute)
		if e := w.becomes(Done); !strings.Contains(e.Message, "9m0s late") {
			t.Errorf("it says %q", e.Message)
		}
	})

	t.Run("but never much later without asking", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.restart(17 * time.Minute)
		e := w.becomes(Held)
		if !e.Missed {
			t.Errorf("it is held as %+v", e)
		}
		w.wantTried(0)
		if _, err := w.Move(e.ID, AtTime, w.clock.Now().Add(time.Hour), "bob"); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		w.becomes(Done)
	})

	for name, c := range map[string]struct {
		when  When
		slept time.Duration
		want  State
		says  string
	}{
		"nor when it slept in the middle of it":                 {AtTime, 3 * time.Hour, Held, "asleep"},
		"nor when it slept in the middle of it, to another day": {NextClose, 10 * time.Minute, Held, "open again"},
		"and says how long it slept in the middle of it":        {AtTime, 10 * time.Minute, Done, "10m0s late"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.with(func() { w.closes.Next = noon.Add(time.Minute) })
			w.put(Request{When: c.when, At: noon.Add(time.Minute)})
			w.with(func() {
				w.reading = func() {
					w.reading = nil
					w.clock.Advance(c.slept)
					w.closes.Next = w.clock.Now().Add(time.Hour) // it opened at five past
				}
			})
			w.pass(time.Minute)
			e := w.becomes(c.want)
			if !strings.Contains(e.Message, c.says) || e.Missed != (c.want == Held) {
				t.Errorf("it is %+v, want it to say %q", e, c.says)
			}
			if c.want == Held {
				w.wantTried(0)
			}
		})
	}

	t.Run("nor after a close when trading is open again", func(t *testing.T) {
		w := newWorld(t)
		w.with(func() { w.closes.Next = noon.Add(time.Minute) })
		w.put(Request{When: NextClose})
		w.Shutdown()
		w.with(func() { w.closes.Next = noon.Add(time.Hour) })
		w.restart(5 * time.Minute)
		w.becomes(Held)
		w.wantTried(0)
	})

	t.Run("and finds out how the run ended that a crash cut off", func(t *testing.T) {
		for want, now := range map[State]string{Done: queued, Held: file} {
			w := newWorld(t)
			w.with(func() {
				w.answer = func(stack.Change) (stack.Report, error) { return stack.Report{ID: "cut"}, nil }
			})
			w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
			w.pass(time.Minute)
			w.becomes(Applying)
			w.with(func() { w.file = now })
			w.restart(time.Minute)
			if e, _ := w.Entry(); e.State != want {
				t.Errorf("with %q in the file it is %+v", now, e)
			}
		}
	})

	t.Run("and waits with that while the recovery may yet put the old file back", func(t *testing.T) {
		w := newWorld(t)
		w.with(func() {
			w.answer = func(stack.Change) (stack.Report, error) { return stack.Report{ID: "cut"}, nil }
		})
		put := w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.pass(time.Minute)
		w.becomes(Applying)
		w.with(func() { w.file, w.busy = queued, true })
		w.restart(time.Minute)
		for range 3 {
			w.pass(time.Second)
			w.sleeps()
			if e, _ := w.Entry(); e.State != Applying || e.Content != queued {
				t.Fatalf("while the recovery is under way it is %+v", e)
			}
		}
		if err := w.Remove(put.ID, "ada"); !errors.Is(err, ErrApplying) {
			t.Errorf("withdrawn meanwhile: %v", err)
		}
		w.with(func() { w.file, w.busy = file, false })
		w.pass(time.Second)
		if e := w.becomes(Held); e.Content != queued || e.Base != file {
			t.Errorf("rolled back, it is %+v, want it with its content", e)
		}
	})

	t.Run("and says so where its file makes no sense", func(t *testing.T) {
		for _, content := range []string{"", "{", "[]", `{"id":"x","state":"waiting","when":"time"}`, `{"id":"x","state":"?","when":"time","content":"a=1"}`} {
			w := newWorld(t)
			w.Shutdown()
			w.stop = nil
			if err := os.WriteFile(filepath.Join(w.folder, "later.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			w.start()
			e := w.becomes(Held)
			if _, err := w.ApplyNow(e.ID, "ada"); !errors.Is(err, ErrRefused) {
				t.Errorf("applying it: %v", err)
			}
			if aside, err := os.ReadFile(filepath.Join(w.folder, "later.json.unreadable")); err != nil || string(aside) != content {
				t.Errorf("put aside is %q (%v)", aside, err)
			}
			if err := w.Remove(e.ID, "ada"); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTheQueueIsChangedByWhoMeansIt(t *testing.T) {
	w := newWorld(t)
	first := w.put(Request{When: AtTime, At: noon.Add(time.Hour)})

	var occupied *OccupiedError
	_, err := w.Put(Request{Content: []byte("b"), When: AtTime, At: noon.Add(time.Hour)})
	if !errors.As(err, &occupied) || occupied.Entry.ID != first.ID {
		t.Errorf("a second change: %v", err)
	}
	if _, err := w.Put(Request{Content: []byte("b"), When: AtTime, At: noon.Add(time.Hour), Replaces: "older"}); !errors.Is(err, ErrAnother) {
		t.Errorf("in place of one that was replaced: %v", err)
	}
	second := w.put(Request{When: AtTime, At: noon.Add(2 * time.Hour), Replaces: first.ID})
	if err := w.Remove(first.ID, "ada"); !errors.Is(err, ErrAnother) {
		t.Errorf("withdrawing the one that was replaced: %v", err)
	}
	if _, err := w.Move(second.ID, NextClose, time.Time{}, "ada"); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]Request{
		"a time that has passed":     {When: AtTime, At: noon},
		"no time":                    {When: AtTime},
		"years ahead":                {When: AtTime, At: noon.AddDate(2, 0, 0)},
		"neither":                    {When: "soon"},
		"a document that is no text": {When: AtTime, At: noon.Add(time.Hour), Content: []byte{0xff}},
	} {
		bad.Replaces = second.ID
		if _, err := w.Put(bad); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.with(func() { w.closes = Close{Known: true} })
	if _, err := w.Move(second.ID, NextClose, time.Time{}, "ada"); !errors.Is(err, ErrRefused) {
		t.Errorf("a close that does not come: %v", err)
	}
	if err := w.Remove(second.ID, "ada"); err != nil {
		t.Error(err)
	}
	if err := w.Remove(second.ID, "ada"); !errors.Is(err, ErrNone) {
		t.Errorf("withdrawing twice: %v", err)
	}
	w.pass(3 * time.Hour)
	w.sleeps()
	w.wantTried(0)
}

func TestAFullDiskQueuesNothing(t *testing.T) {
	w := newWorld(t)
	if err := os.Mkdir(filepath.Join(w.folder, "later.json"), 0o700); err != nil { // as good as full
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.folder, "later.json", "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(Request{Content: []byte(queued), Base: []byte(file), When: NextClose}); err == nil {
		t.Error("it says that the change is queued")
	}
	if _, there := w.Entry(); there {
		t.Error("it is queued in memory alone")
	}
}
