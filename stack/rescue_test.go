package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/durable"
	"pitstop/stack/stacktest"
)

// interrupted leaves behind what a panel does that died in this phase, with everything paused.
func (w *world) interrupted(t *testing.T, change func(journal map[string]any)) (journal string) {
	t.Helper()
	instances := w.backend.Now()
	for _, i := range instances {
		w.backend.PauseByHand(i)
	}
	j := map[string]any{"version": 1, "run": "a run", "phase": "pausing", "instances": instances}
	if change != nil {
		change(j)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	journal = filepath.Join(w.state, "journal.json")
	for _, err := range []error{
		os.MkdirAll(w.state, 0o700),
		os.WriteFile(journal, text, 0o600),
		os.WriteFile(filepath.Join(w.state, "lock"), nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return journal
}

// rescued runs a rescue, and counts the instances that are paused after it.
func (w *world) rescued(t *testing.T, ctx context.Context) (paused int) {
	t.Helper()
	stack.Rescue(ctx, w.state, func() (stack.Backend, error) { return w.backend, nil }, w.options(t).Log)
	for _, i := range w.backend.Now() {
		if i.State == stack.Paused {
			paused++
		}
	}
	return paused
}

func TestRescue(t *testing.T) {
	with := func(name string, test func(t *testing.T, w *world)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) }) })
	}
	with("unpauses what an interrupted run paused, and leaves the journal", func(t *testing.T, w *world) {
		journal := w.interrupted(t, nil)
		before, _ := os.ReadFile(journal)
		if n := w.rescued(t, t.Context()); n != 0 {
			t.Errorf("%d instances are still paused", n)
		}
		if after, err := os.ReadFile(journal); err != nil || string(after) != string(before) {
			t.Errorf("the journal: got %q, %v, want it as it was", after, err)
		}
	})
	with("also one that was being rolled back", func(t *testing.T, w *world) {
		w.interrupted(t, func(j map[string]any) { j["phase"] = "undo-pausing" })
		if n := w.rescued(t, t.Context()); n != 0 {
			t.Errorf("%d instances are still paused", n)
		}
	})
	with("also by a journal of another version", func(t *testing.T, w *world) {
		w.interrupted(t, func(j map[string]any) { j["version"] = 99 })
		if n := w.rescued(t, t.Context()); n != 0 {
			t.Errorf("%d instances are still paused", n)
		}
	})
	with("waits for an engine that is away", func(t *testing.T, w *world) {
		w.interrupted(t, nil)
		w.backend.Down()
		time.AfterFunc(5*time.Second, w.backend.Up)
		if n := w.rescued(t, t.Context()); n != 0 {
			t.Errorf("%d instances are still paused", n)
		}
	})
	with("ends with its context", func(t *testing.T, w *world) {
		w.interrupted(t, nil)
		w.backend.SetFault(func(c stacktest.Call) stacktest.Fault {
			return stacktest.Fault{Hang: c.Method == "Unpause"}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		began := time.Now()
		if n := w.rescued(t, ctx); n != 2 || time.Since(began) != 15*time.Second {
			t.Errorf("%d instances are paused after %s, want both after 15s", n, time.Since(began))
		}
	})
	for what, change := range map[string]func(j map[string]any){
		"of a run that had unpaused everything":                func(j map[string]any) { j["phase"] = "reloading" },
		"of a run that had only its config file still to read": func(j map[string]any) { j["unpaused"] = true },
		"of a run that is in the history":                      func(j map[string]any) { j["run"] = "a run that ended" },
		"of which nothing can be understood":                   func(j map[string]any) { clear(j) },
	} {
		with("touches nothing by a journal "+what, func(t *testing.T, w *world) {
			w.interrupted(t, change)
			ended := `{"id":"a run that ended","outcome":"failed"}` + "\n"
			if err := os.WriteFile(filepath.Join(w.state, "audit.jsonl"), []byte(ended), 0o600); err != nil {
				t.Fatal(err)
			}
			if n := w.rescued(t, t.Context()); n != 2 {
				t.Errorf("%d instances are paused, want both as they were", n)
			}
		})
	}
	with("leaves the stack to a panel that lives", func(t *testing.T, w *world) {
		w.interrupted(t, nil)
		unlock, err := durable.Lock(w.state)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if n := w.rescued(t, t.Context()); n != 2 {
			t.Errorf("%d instances are paused, want both as they were", n)
		}
	})
	with("opens no backend without need", func(t *testing.T, w *world) {
		attach := func() (stack.Backend, error) { return nil, errors.New("opened") }
		var log strings.Builder
		stack.Rescue(t.Context(), w.state, attach, textLog(&log))
		if log.Len() > 0 {
			t.Errorf("got %q, want nothing done", &log)
		}
		w.interrupted(t, nil)
		stack.Rescue(t.Context(), w.state, attach, textLog(&log))
		if !strings.Contains(log.String(), "opened") {
			t.Errorf("got %q, want the reason why it could not unpause", &log)
		}
	})
}

func textLog(w *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
