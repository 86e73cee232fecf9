package stack_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

func TestSaveAndRestart(t *testing.T) {
	in := func(name string, f func(t *testing.T, w *world)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, newWorld(t)) })
		})
	}

	in("applies a new config", func(t *testing.T, w *world) {
		saved := 0
		c := w.start(t, func(o *stack.Options) { o.OnSaved = func() { saved++ } })
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		w.check(t, newConfig)
		w.checkLoaded(t, newConfig)
		for n, s := range r.Steps {
			if s.Name != stack.Steps[n] || s.State != stack.StepDone {
				t.Errorf("step %d: got %s %s, want %s done", n+1, s.Name, s.State, stack.Steps[n])
			}
		}
		if old, err := w.config.Backup(r.Backup); err != nil || string(old) != string(oldConfig) {
			t.Errorf("the backup: got %q, %v; want %q", old, err, oldConfig)
		}
		if len(r.Warnings) > 0 || saved != 1 {
			t.Errorf("got warnings %q and %d calls of OnSaved, want none and 1", r.Warnings, saved)
		}
		if got := c.Reports(); len(got) != 1 || got[0].ID != r.ID || got[0].By != "test" {
			t.Errorf("the history: got %+v, want the run", got)
		}
	})
	in("makes within the pause window only the calls that it is for", func(t *testing.T, w *world) {
		c := w.start(t)
		save(t, c, newConfig)
		var got []string
		for _, call := range w.backend.Calls() {
			got = append(got, call.Method)
		}
		first := slices.Index(got, "Pause")
		if want := []string{"Pause", "Pause", "Unpause", "Unpause"}; first < 0 || !slices.Equal(got[first:first+4], want) {
			t.Errorf("got %q, want %q in a row", got, want)
		}
	})
	in("ends unchanged when there is nothing to do", func(t *testing.T, w *world) {
		r := save(t, w.start(t), oldConfig)
		wantOutcome(t, r, stack.Unchanged, "")
		w.check(t, oldConfig)
		wantNoPause(t, w)
	})
	in("rejects an invalid config and pauses nothing", func(t *testing.T, w *world) {
		r := save(t, w.start(t), []byte("bad"))
		wantOutcome(t, r, stack.Rejected, stack.CauseInvalid)
		if len(r.Errors) != 1 || r.Errors[0].Line != 2 {
			t.Errorf("errors: got %+v", r.Errors)
		}
		if want := (stack.Revisions{From: stack.RevisionOf(oldConfig), To: stack.RevisionOf([]byte("bad"))}); r.Revision != want {
			t.Errorf("revisions: got %+v, want %+v", r.Revision, want)
		}
		w.check(t, oldConfig)
		wantNoPause(t, w)
	})
	in("warns of what is remarkable about a change, and makes it", func(t *testing.T, w *world) {
		c := w.start(t, func(o *stack.Options) {
			o.Remarks = func(old, new []byte) []string { return []string{string(old) + "->" + string(new)} }
		})
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		wantWarning(t, r, string(oldConfig)+"->"+string(newConfig))
	})
	in("rejects a change of a config that somebody else has changed", func(t *testing.T, w *world) {
		c := w.start(t)
		w.config.Edit([]byte("theirs"))
		run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: newConfig, Base: stack.RevisionOf(oldConfig)})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := run.Wait(t.Context())
		wantOutcome(t, r, stack.Rejected, stack.CauseConflict)
		w.check(t, []byte("theirs"))
		wantNoPause(t, w)
	})
	in("rejects a change when somebody else changes the file at the last moment", func(t *testing.T, w *world) {
		c := w.start(t, func(o *stack.Options) {
			o.Hook = func(point string) {
				if point == stack.PointPaused {
					w.config.Edit([]byte("theirs"))
				}
			}
		})
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Rejected, stack.CauseConflict)
		w.check(t, []byte("theirs"))
	})
	in("rolls back when a service refuses, and says what it logged", func(t *testing.T, w *world) {
		w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		w.check(t, oldConfig)
		w.checkLoaded(t, oldConfig)
		if !strings.Contains(r.Message, "orchestrator-1 refused the config: Config reload failed: I do not like it") {
			t.Errorf("the message does not say who refused and why: %s", r.Message)
		}
		if len(r.RollBack) != len(stack.Steps) || r.RollBack[5].State != stack.StepDone {
			t.Errorf("the roll-back's steps:\n%s", story(r))
		}
	})
	in("rolls back when a service says nothing in time", func(t *testing.T, w *world) {
		w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if i.Service == scanner.Name && string(content) == string(newConfig) {
				log("Config reloaded revision=000000000000") // another one's word does not count
				return true
			}
			return stacktest.Obedient(i, content, log)
		})
		start := time.Now()
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		w.check(t, oldConfig)
		if took := time.Since(start); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("it took %v, want the reload timeout of 10 s", took)
		}
		if !strings.Contains(r.Message, "scanner-1 did not log") {
			t.Errorf("message: %s", r.Message)
		}
	})
	in("rolls back when a service dies of the signal", func(t *testing.T, w *world) {
		w.backend.SetProgram(dieOf(orchestrator.Name, newConfig))
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		w.check(t, oldConfig)
		if !strings.Contains(r.Message, "orchestrator-1 died; the last that it logged was: Traceback") {
			t.Errorf("message: %s", r.Message)
		}
	})
	in("rolls back when a watching service dies, and its next life reads the old config", func(t *testing.T, w *world) {
		w.backend.SetProgram(dieOf(scanner.Name, newConfig))
		c := w.start(t, func(o *stack.Options) {
			o.Hook = func(point string) {
				if point == stack.PointUndoBegun {
					w.backend.Restart(w.scan)
				}
			}
		})
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		w.check(t, oldConfig)
		w.checkLoaded(t, oldConfig)
	})
	in("ends failed, with the old config and everything running, when that is not confirmed either", func(t *testing.T, w *world) {
		w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			log("Config reload failed: no config pleases me")
			return true
		})
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.Failed, "")
		w.check(t, oldConfig)
	})
	in("leaves alone what was paused before", func(t *testing.T, w *world) {
		w.backend.PauseByHand(w.scan)
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.Applied, "")
		w.checkFile(t, newConfig)
		w.checkTidy(t)
		if now := w.backend.Now()[1]; now.State != stack.Paused {
			t.Errorf("the scanner is %s, want paused as before", now.State)
		}
		if !slices.ContainsFunc(r.Warnings, func(s string) bool { return strings.Contains(s, "stays paused") }) {
			t.Errorf("no warning says so: %q", r.Warnings)
		}
	})
	in("never signals an instance that is starting", func(t *testing.T, w *world) {
		w.backend.SetState(w.orch, stack.Starting)
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.Applied, "")
		w.check(t, newConfig)
	})
	in("leaves alone an instance that somebody paused after the pause", func(t *testing.T, w *world) {
		c := w.start(t, atPoint(stack.PointReloading, func() { w.backend.PauseByHand(w.orch) }))
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		wantWarning(t, r, "was paused by somebody else meanwhile")
		if got := w.backend.Now()[0].State; got != stack.Paused {
			t.Errorf("it is %s, want paused", got)
		}
	})
	in("puts the old config back when an instance that ran does not come up again, and never signals it", func(t *testing.T, w *world) {
		c := w.start(t, atPoint(stack.PointReloading, func() { w.backend.SetState(w.orch, stack.Starting) }))
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Failed, "") // nor does it for the old config
		w.check(t, oldConfig)
		if !strings.Contains(r.Message, "orchestrator-1 is being started again, and did not come up within 10s") {
			t.Errorf("message: %s", r.Message)
		}
	})
	in("gives an instance that has just begun the time to handle the signal", func(t *testing.T, w *world) {
		w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if i.Service == orchestrator.Name && (time.Since(i.Started) < time.Second || string(content) == string(newConfig)) {
				return false
			}
			return stacktest.Obedient(i, content, log)
		})
		r := save(t, w.start(t, atPoint(stack.PointUndoBegun, func() { w.backend.Restart(w.orch) })), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		w.check(t, oldConfig)
		w.checkLoaded(t, oldConfig)
	})
	in("does not roll back over what somebody else wrote meanwhile", func(t *testing.T, w *world) {
		w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
		r := save(t, w.start(t, atPoint(stack.PointUndoBegun, func() { w.config.Edit([]byte("theirs")) })), newConfig)
		wantOutcome(t, r, stack.Failed, stack.CauseConfig)
		w.check(t, []byte("theirs"))
	})
	in("rejects a change when somebody else changes the file while it is staged", func(t *testing.T, w *world) {
		c := w.start(t, func(o *stack.Options) { o.Config = &editedWhileStaging{w.config} })
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Rejected, stack.CauseConflict)
		w.check(t, []byte("theirs"))
		wantNoPause(t, w)
	})
	in("does not wait for a service that does not run", func(t *testing.T, w *world) {
		w.backend.Remove(w.orch)
		w.backend.Kill(w.scan)
		r := save(t, w.start(t), newConfig)
		wantOutcome(t, r, stack.Applied, "")
		w.check(t, newConfig)
		if len(r.Warnings) != 2 {
			t.Errorf("warnings: got %q, want one for each service", r.Warnings)
		}
	})
	in("says that a run without a confirm pattern is unconfirmed", func(t *testing.T, w *world) {
		silent := scanner
		silent.Reload.Confirm = ""
		r := save(t, w.start(t, func(o *stack.Options) { o.Services = []stack.Service{orchestrator, silent} }), newConfig)
		wantOutcome(t, r, stack.Applied, "")
		if !strings.Contains(r.Message, "go-scanner unconfirmed") {
			t.Errorf("message: %s", r.Message)
		}
	})
	in("goes on when instances die or vanish while they are paused, if others confirm", func(t *testing.T, w *world) {
		third := w.backend.Add(scanner.Name, "scanner-2")
		w.backend.Add(scanner.Name, "scanner-3")
		time.Sleep(time.Minute)
		c := w.start(t, func(o *stack.Options) {
			o.Hook = func(point string) {
				if point == stack.PointPaused {
					w.backend.Restart(w.orch)
					w.backend.Kill(w.scan)
					w.backend.Remove(third)
				}
			}
		})
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		w.check(t, newConfig)
		if len(r.Warnings) != 3 {
			t.Errorf("warnings: got %q, want one for each instance", r.Warnings)
		}
	})
	in("holds the guardian for the time of the pause only", func(t *testing.T, w *world) {
		var story []string
		c := w.start(t, func(o *stack.Options) {
			o.Guard = func(p []stack.Instance) (func() time.Time, error) {
				story = append(story, "guard")
				return func() time.Time { story = append(story, "release"); return time.Time{} }, nil
			}
			o.Hook = func(point string) {
				if point == stack.PointJournalWritten || point == stack.PointUnpaused || point == stack.PointReloading {
					story = append(story, point)
				}
			}
		})
		save(t, c, newConfig)
		if want := []string{"journal-written", "guard", "unpaused", "release", "reloading"}; !slices.Equal(story, want) {
			t.Errorf("got %q, want %q", story, want)
		}
	})
}

// editedWhileStaging is a store whose file somebody changes at the worst moment.
type editedWhileStaging struct{ *stacktest.Config }

func (c *editedWhileStaging) Stage(content []byte, at time.Time) (stack.Staged, error) {
	c.Edit([]byte("theirs"))
	return c.Config.Stage(content, at)
}

func wantNoPause(t *testing.T, w *world) {
	t.Helper()
	for _, c := range w.backend.Calls() {
		if c.Method == "Pause" {
			t.Errorf("%s was paused", c.On)
		}
	}
}

// refuse is a program of a service that does not like this config.
func refuse(service string, disliked []byte) stacktest.Program {
	return func(i stack.Instance, content []byte, log func(string)) bool {
		if i.Service == service && string(content) == string(disliked) {
			log("Config reload failed: I do not like it")
			return true
		}
		return stacktest.Obedient(i, content, log)
	}
}

// dieOf is a program of a service that this config kills.
func dieOf(service string, deadly []byte) stacktest.Program {
	return func(i stack.Instance, content []byte, log func(string)) bool {
		if i.Service == service && string(content) == string(deadly) {
			log("Traceback")
			return false
		}
		return stacktest.Obedient(i, content, log)
	}
}
