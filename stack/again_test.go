package stack_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

func TestReload(t *testing.T) {
	in := func(name string, f func(t *testing.T, w *world, c *stack.Controller)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c := w.start(t)
				c.Start(t.Context())
				synctest.Wait()
				f(t, w, c)
			})
		})
	}
	again := func(t *testing.T, w *world, c *stack.Controller) stack.Report {
		t.Helper()
		time.Sleep(20 * time.Second) // what the services logged has been read
		w.backend.Forget()
		run, err := c.Reload(t.Context(), "test", "a note")
		if err != nil {
			t.Fatal(err)
		}
		r, err := run.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantNoPause(t, w)
		if r.Kind != stack.KindReload || r.By != "test" || r.Note != "a note" {
			t.Errorf("got %+v", r)
		}
		return r
	}
	signalled := func(w *world) (names []string) {
		for _, call := range w.backend.Calls() {
			if call.Method == "Signal" {
				names = append(names, call.On)
			}
		}
		return names
	}

	in("has an instance that was left paused load the config, and nobody else", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.PauseByHand(w.orch)
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		if want := []string{orchestrator.Name}; !slices.Equal(r.Unconfirmed, want) {
			t.Errorf("unconfirmed by %q, want %q", r.Unconfirmed, want)
		}
		w.backend.UnpauseByHand(w.orch)
		r = again(t, w, c)
		wantOutcome(t, r, stack.Applied, "")
		if got := signalled(w); !slices.Equal(got, []string{w.orch.Name}) {
			t.Errorf("signalled %q", got)
		}
		w.check(t, newConfig)
		w.checkLoaded(t, newConfig)
		if len(r.Unconfirmed) > 0 {
			t.Errorf("unconfirmed by %q", r.Unconfirmed)
		}
	})
	in("has the services load what somebody wrote without Pitstop", func(t *testing.T, w *world, c *stack.Controller) {
		w.config.Edit(newConfig)
		time.Sleep(20 * time.Second)
		unchanged := save(t, c, newConfig)
		wantOutcome(t, unchanged, stack.Unchanged, "")
		wantWarning(t, unchanged, "python-orchestrator loaded another config")
		r := again(t, w, c)
		wantOutcome(t, r, stack.Applied, "")
		w.checkLoaded(t, newConfig)
		rev := stack.RevisionOf(newConfig)
		if want := (stack.Revisions{From: rev, To: rev}); r.Revision != want {
			t.Errorf("revisions: got %+v, want %+v", r.Revision, want)
		}
		wantOutcome(t, again(t, w, c), stack.Unchanged, "")
		if got := signalled(w); len(got) > 0 {
			t.Errorf("the second time, %q were signalled", got)
		}
	})
	in("gives who watches the file a moment for what has only just been written", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if i.Service == orchestrator.Name {
				log("Config reloaded")
				return true
			}
			log("Config reload failed: it is half written")
			time.AfterFunc(300*time.Millisecond, func() { w.backend.Log(w.scan, "Config reloaded revision="+stack.RevisionOf(content).Short()) })
			return true
		})
		time.Sleep(20 * time.Second)
		w.config.Edit(newConfig)
		run, err := c.Reload(t.Context(), "test", "")
		if err != nil {
			t.Fatal(err)
		}
		r, _ := run.Wait(t.Context())
		wantOutcome(t, r, stack.Applied, "")
	})
	in("tells nobody of a file that is not valid", func(t *testing.T, w *world, c *stack.Controller) {
		w.config.Edit([]byte("bad"))
		r := again(t, w, c)
		wantOutcome(t, r, stack.Rejected, stack.CauseInvalid)
		if len(r.Errors) != 1 || len(signalled(w)) > 0 {
			t.Errorf("got %+v, and signalled %q", r.Errors, signalled(w))
		}
	})
	in("fails when a service refuses, and leaves the file alone", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
		w.config.Edit(newConfig)
		r := again(t, w, c)
		wantOutcome(t, r, stack.Failed, "")
		if !strings.Contains(r.Message, "orchestrator-1 refused the config: Config reload failed: I do not like it") {
			t.Errorf("the message does not say who refused and why: %s", r.Message)
		}
		w.check(t, newConfig)
	})
	in("fails when the services cannot be listed", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.SetFault(failing("Instances", 1<<20, stacktest.Fault{Err: errInjected}))
		wantOutcome(t, again(t, w, c), stack.Failed, stack.CauseBackend)
	})
	in("does nothing where nobody runs", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.Kill(w.orch)
		w.backend.Kill(w.scan)
		wantOutcome(t, again(t, w, c), stack.Unchanged, "")
	})
	in("is one run at a time with all others", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.SetProgram(func(stack.Instance, []byte, func(string)) bool { return true }) // says nothing
		first, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig})
		if err != nil {
			t.Fatal(err)
		}
		second, err := c.Reload(t.Context(), "test", "")
		if err != nil {
			t.Fatal(err)
		}
		r, _ := second.Wait(t.Context())
		wantOutcome(t, r, stack.Rejected, stack.CauseBusy)
		first.Wait(t.Context())
	})
	in("ends with a shutdown", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.SetProgram(func(stack.Instance, []byte, func(string)) bool { return true }) // says nothing
		w.config.Edit(newConfig)
		time.Sleep(20 * time.Second)
		run, err := c.Reload(t.Context(), "test", "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // it waits for the services' word
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Shutdown(ctx)
		r, _ := run.Wait(t.Context())
		wantOutcome(t, r, stack.Failed, "")
		if !strings.Contains(r.Message, "Pitstop was stopped") {
			t.Errorf("the message: %s", r.Message)
		}
		w.check(t, newConfig)
	})
	in("cannot ask one that watches the file and says nothing", func(t *testing.T, w *world, c *stack.Controller) {
		w.backend.Restart(w.scan)
		w.backend.SetStart(func(stack.Instance, []byte, func(string)) bool { return true })
		w.backend.Restart(w.scan)
		r := again(t, w, c)
		wantOutcome(t, r, stack.Unchanged, "")
		wantWarning(t, r, "watches the file by itself")
	})
}
