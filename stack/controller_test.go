package stack_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
)

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.start(t)
		run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
		if err != nil {
			t.Fatal(err)
		}
		// One reader takes a minute for each event. It holds up nobody, and misses nothing.
		slow := make(chan []stack.Event)
		go func() {
			var got []stack.Event
			for e := range run.Events(t.Context(), 0) {
				got = append(got, e)
				time.Sleep(time.Minute)
			}
			slow <- got
		}()
		var live []stack.Event
		start := time.Now()
		for e := range run.Events(t.Context(), 0) {
			live = append(live, e)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("the run took %v beside a slow reader", took)
		}
		for n, e := range live {
			if e.ID != n+1 {
				t.Errorf("event %d has the ID %d", n+1, e.ID)
			}
		}
		last := live[len(live)-1].Report
		wantOutcome(t, last, stack.Applied, "")
		if got := <-slow; len(got) != len(live) {
			t.Errorf("the slow reader got %d events, want %d", len(got), len(live))
		}
		var late []int
		for e := range run.Events(t.Context(), 3) {
			late = append(late, e.ID)
		}
		if len(late) != len(live)-3 || late[0] != 4 {
			t.Errorf("after event 3: got %v, want 4 to %d", late, len(live))
		}
		for range run.Events(t.Context(), len(live)+100) {
			t.Error("there is an event after the last")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range run.Events(ended, 0) {
			t.Error("an event for a context that has ended")
		}
	})
}

func TestEventsFollowUntilTheReaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetProgram(func(stack.Instance, []byte, func(string)) bool { return true })
		c := w.start(t)
		run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		last := stack.Event{}
		for e := range run.Events(ctx, 0) {
			last = e
		}
		if last.Report.Outcome != "" || last.Report.Steps[5].State != stack.StepRunning {
			t.Errorf("the last event seen: got %+v, want ConfirmReload running", last.Report.Steps)
		}
		if _, err := run.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: got %v, want the context's error", err)
		}
	})
}

func TestReportsAreCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.start(t)
		r := save(t, c, newConfig)
		r.Steps[0].Detail = "changed"
		if again, _ := c.Report(r.ID); again.Steps[0].Detail == "changed" {
			t.Error("a caller changed the history")
		}
	})
}

func TestTheHistory(t *testing.T) {
	t.Run("outlives the program, and a line that is broken", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			first := save(t, c, newConfig)
			path := filepath.Join(w.state, "audit.jsonl")
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString("\x00\x00 not JSON\n{}\n[1]\n{\"id\": \"torn")
			f.Close()
			c = w.start(t)
			second := save(t, c, oldConfig)
			var got []string
			for _, r := range w.start(t).Reports() {
				got = append(got, r.ID)
			}
			if want := []string{second.ID, first.ID}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	})
	t.Run("tells of changes from outside, also while the program was away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			replanned := 0
			c := w.start(t, func(o *stack.Options) {
				o.OnSaved = func() { replanned++ }
				o.Changed = func(old, new []byte) []string { return []string{"/risk/max"} }
			})
			c.Recover(t.Context())
			c.ConfigTouched()
			if got := c.Reports(); len(got) != 0 {
				t.Fatalf("a first start tells of %+v, want nothing", got)
			}
			w.config.Edit([]byte("outside = 1\n"))
			c.ConfigTouched()
			c.ConfigTouched()
			got := c.Reports()
			if len(got) != 1 || got[0].Kind != stack.KindExtern || got[0].Revision.From != stack.RevisionOf(oldConfig) ||
				got[0].Revision.To != stack.RevisionOf([]byte("outside = 1\n")) || !slices.Equal(got[0].Changed, []string{"/risk/max"}) {
				t.Errorf("got %+v, want one change from outside", got)
			}
			if replanned != 1 {
				t.Errorf("OnSaved was called %d times, want once", replanned)
			}
			wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
			c.ConfigTouched()
			if got := c.Reports(); len(got) != 2 {
				t.Errorf("its own save is told as %+v", got[0])
			}
			c.Shutdown(t.Context())
			w.config.Edit([]byte("outside = 2\n"))
			next := w.start(t)
			next.Recover(t.Context())
			if got := next.Reports(); len(got) != 3 || got[0].Kind != stack.KindExtern {
				t.Errorf("after a start: got %+v, want the change that was made meanwhile", got)
			}
		})
	})
	t.Run("does not take a run's own writing for somebody else's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var c *stack.Controller
			c = w.start(t, func(o *stack.Options) { o.Hook = func(string) { c.ConfigTouched() } })
			c.ConfigTouched()
			wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
			if got := c.Reports(); len(got) != 1 {
				t.Errorf("the history: got %d reports, want the run alone", len(got))
			}
		})
	})
	for name, live := range map[string]func(*testing.T, *stack.Controller){
		"while the program runs": func(t *testing.T, c *stack.Controller) {
			c.Start(t.Context())
			time.Sleep(time.Minute)
			if problem := c.HistoryProblem(); problem != "" {
				t.Errorf("a minute later it still says: %s", problem)
			}
		},
		"when the program ends": func(t *testing.T, c *stack.Controller) {
			if err := c.Shutdown(context.Background()); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		},
	} {
		t.Run("is written "+name+", when at first it could not be", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c := w.start(t)
				free := block(t, w, "audit.jsonl")
				r := save(t, c, newConfig)
				free()
				live(t, c)
				if got := w.start(t).Reports(); len(got) != 1 || got[0].ID != r.ID {
					t.Errorf("the next start finds %d reports, want the run", len(got))
				}
			})
		})
	}
	t.Run("keeps notes of the gate", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.AppendAudit(stack.Report{Kind: stack.KindTrading, Message: "halted", By: "ann"})
			got := w.start(t).Reports()
			if len(got) != 1 || got[0].Kind != stack.KindTrading || got[0].By != "ann" || got[0].ID == "" || got[0].Started.IsZero() {
				t.Errorf("got %+v", got)
			}
		})
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		second := w.backend.Add(scanner.Name, "scanner-2")
		c := w.start(t)
		if c.Status().Problem == "" {
			t.Error("before the first look, nothing says so")
		}
		var changes atomic.Int64
		c.OnChange(func() { changes.Add(1) })
		c.Start(t.Context())
		settle := func() stack.Status {
			time.Sleep(time.Second)
			synctest.Wait()
			return c.Status()
		}
		s := settle()
		if len(s.Services) != 2 || s.Services[0].State != stack.Running || len(s.Services[1].Instances) != 2 || s.Problem != "" {
			t.Errorf("got %+v", s)
		}
		seen := changes.Load()
		time.Sleep(time.Minute)
		if now := changes.Load(); now != seen {
			t.Errorf("%d changes were told in a minute in which nothing changed", now-seen)
		}
		w.backend.PauseByHand(second)
		if got := settle().Services[1].State; got != stack.Mixed {
			t.Errorf("one of two paused: got %s, want mixed", got)
		}
		w.backend.PauseByHand(w.scan)
		if got := settle().Services[1].State; got != stack.Paused {
			t.Errorf("both paused: got %s", got)
		}
		w.backend.Remove(w.orch)
		if got := settle().Services[0].State; got != stack.Missing {
			t.Errorf("removed: got %s, want missing", got)
		}
		seen = changes.Load()
		w.backend.Down()
		if s := settle(); s.Problem == "" || len(s.Services[1].Instances) != 2 || changes.Load() == seen {
			t.Errorf("with the engine away: got %+v, want the last picture, and a sentence", s)
		}
		w.backend.Up()
		if s := settle(); s.Problem != "" {
			t.Errorf("with the engine back: got %q", s.Problem)
		}
	})
}

func TestWhatTheServicesSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.Log(w.orch, `level=INFO msg="gate" trading_enabled=true reason="within the window" n=1`)
		time.Sleep(2 * time.Minute)
		c := w.start(t, func(o *stack.Options) {
			o.Hide = func(text string) string { return strings.ReplaceAll(text, "s3cret", "********") }
		})
		c.Start(t.Context())
		orch := func() stack.ServiceStatus {
			time.Sleep(20 * time.Second) // followers open again with backoff
			synctest.Wait()
			return c.Status().Services[0]
		}
		first := orch().Obeys
		if first == nil || !first.TradingEnabled || first.Reason != "within the window" {
			t.Fatalf("what it said before the start: got %+v", first)
		}
		w.backend.Log(w.orch, `trading_enabled=true reason="within the window"`)
		if got := orch().Obeys; !got.Since.Equal(first.Since) || !got.Said.After(first.Said) {
			t.Errorf("said again: got %+v, want it since %s, and said later than %s", got, first.Since, first.Said)
		}
		w.backend.Log(w.orch, "trading_enabled=false reason=halted by ann")
		w.backend.Log(w.orch, "trading_enabled=maybe reason=nonsense")
		w.backend.Log(w.orch, "Config reloaded revision=0123456789abcdef")
		s := orch()
		if s.Obeys == nil || s.Obeys.TradingEnabled || s.Obeys.Reason != "halted by ann" || s.Loaded != "0123456789ab" {
			t.Errorf("got %+v, %q", s.Obeys, s.Loaded)
		}
		w.backend.Log(w.orch, "Config reload failed: no")
		if s := orch(); s.Refused != "Config reload failed: no" || s.Loaded != "0123456789ab" {
			t.Errorf("a refusal: got %q, and loaded %q as before", s.Refused, s.Loaded)
		}
		w.backend.Log(w.orch, "Config reload failed: no such key: s3cret")
		w.backend.Log(w.orch, `trading_enabled=false reason="the broker refused s3cret"`)
		if s := orch(); s.Refused != "Config reload failed: no such key: ********" || s.Obeys.Reason != "the broker refused ********" {
			t.Errorf("a secret in what it says: got %q, %+v", s.Refused, s.Obeys)
		}
		w.backend.Down()
		time.Sleep(time.Minute)
		w.backend.Log(w.orch, "trading_enabled=true reason=lifted")
		w.backend.Up()
		if s := orch(); s.Obeys == nil || !s.Obeys.TradingEnabled {
			t.Errorf("what it said while the engine was away: got %+v", s.Obeys)
		}
		w.backend.Restart(w.orch)
		if s := orch(); s.Obeys != nil || !s.Trades || c.Status().Services[1].Trades || s.Refused != "" || s.Loaded != stack.Revision(stack.RevisionOf(oldConfig).Short()) {
			t.Errorf("a new life has said only what it began with: got %+v", s)
		}
		w.backend.Log(w.orch, "trading_enabled=false reason=starting")
		if s := orch(); s.Obeys == nil || s.Obeys.TradingEnabled {
			t.Errorf("the new life's word: got %+v", s.Obeys)
		}
	})
}
