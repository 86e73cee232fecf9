package stack_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// A service that ran when the run began has to confirm by its end, whoever starts it anew meanwhile.
func TestAServiceThatIsStartedAnewMeanwhileHasToConfirm(t *testing.T) {
	in := func(name string, f func(t *testing.T, w *world)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, newWorld(t)) })
		})
	}
	both := func(w *world) func() {
		return func() {
			w.backend.Restart(w.orch)
			w.backend.Restart(w.scan)
		}
	}
	wantMessage := func(t *testing.T, r stack.Report, part string) {
		t.Helper()
		if !strings.Contains(r.Message, part) {
			t.Errorf("the message does not say %q: %s", part, r.Message)
		}
	}

	for _, point := range []string{stack.PointJournalWritten, stack.PointFirstPaused, stack.PointPaused, stack.PointSaved} {
		in("applies when all confirm, restarted at "+point, func(t *testing.T, w *world) {
			r := save(t, w.start(t, atPoint(point, both(w))), newConfig)
			wantOutcome(t, r, stack.Applied, "")
			wantMessage(t, r, "go-scanner, python-orchestrator confirmed")
			w.check(t, newConfig)
			w.checkLoaded(t, newConfig)
		})
	}
	for _, service := range []string{orchestrator.Name, scanner.Name} {
		for _, revive := range []time.Duration{time.Millisecond, 700 * time.Millisecond, 4 * time.Second} {
			in("rolls back when "+service+" dies of the new config at each start, "+revive.String()+" apart", func(t *testing.T, w *world) {
				w.backend.Revive = revive
				w.backend.SetStart(dieOf(service, newConfig))
				r := save(t, w.start(t, atPoint(stack.PointSaved, both(w))), newConfig)
				wantOutcome(t, r, stack.RolledBack, "")
				wantMessage(t, r, service)
				w.check(t, oldConfig)
				w.checkLoaded(t, oldConfig)
				wantAllRunning(t, w)
			})
		}
		in("rolls back when "+service+" refuses the new config a while after each start", func(t *testing.T, w *world) {
			w.backend.Revive = 300 * time.Millisecond
			w.backend.SetStart(func(i stack.Instance, content []byte, log func(string)) bool {
				if i.Service == service && string(content) == string(newConfig) {
					time.AfterFunc(200*time.Millisecond, func() {
						w.backend.Log(i, "Config reload failed: I do not like it")
						w.backend.Kill(i)
						time.AfterFunc(w.backend.Revive, func() { w.backend.Restart(i) })
					})
					return true
				}
				return stacktest.Begun(i, content, log)
			})
			w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
				return i.Service == service && string(content) == string(newConfig) || stacktest.Obedient(i, content, log)
			})
			r := save(t, w.start(t, atPoint(stack.PointSaved, both(w))), newConfig)
			wantOutcome(t, r, stack.RolledBack, "")
			wantMessage(t, r, service[len(service)-7:])
			w.check(t, oldConfig)
			w.checkLoaded(t, oldConfig)
			wantAllRunning(t, w)
		})
	}
	in("waits for one that is starting", func(t *testing.T, w *world) {
		c := w.start(t, atPoint(stack.PointSaved, func() {
			w.backend.Restart(w.orch)
			w.backend.SetState(w.orch, stack.Starting)
			time.AfterFunc(5*time.Second, func() { w.backend.Restart(w.orch) })
		}))
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		wantMessage(t, r, "python-orchestrator confirmed")
		w.check(t, newConfig)
		w.checkLoaded(t, newConfig)
	})
	in("waits for one that takes the place of one that was removed", func(t *testing.T, w *world) {
		c := w.start(t, atPoint(stack.PointSaved, func() {
			w.backend.Remove(w.scan)
			time.AfterFunc(5*time.Second, func() { w.backend.Add(scanner.Name, "scanner-2") })
		}))
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Applied, "")
		wantMessage(t, r, "go-scanner, python-orchestrator confirmed")
		w.check(t, newConfig)
	})
	in("rolls back when a service has none any more, and says so", func(t *testing.T, w *world) {
		r := save(t, w.start(t, atPoint(stack.PointSaved, func() { w.backend.Remove(w.scan) })), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		wantMessage(t, r, "go-scanner ran when the run began")
		wantWarning(t, r, "No instance of go-scanner runs any more")
		w.check(t, oldConfig)
		w.checkLoaded(t, oldConfig)
	})
	in("only warns when another instance of the service confirms", func(t *testing.T, w *world) {
		w.backend.Add(scanner.Name, "scanner-2")
		time.Sleep(time.Minute)
		r := save(t, w.start(t, atPoint(stack.PointSaved, func() { w.backend.Remove(w.scan) })), newConfig)
		wantOutcome(t, r, stack.Applied, "")
		wantWarning(t, r, "scanner-1 ended or was replaced")
		w.check(t, newConfig)
		w.checkLoaded(t, newConfig)
	})
	in("ends failed, with the old config in place, when it never comes up for that either", func(t *testing.T, w *world) {
		c := w.start(t, atPoint(stack.PointSaved, func() {
			w.backend.Restart(w.scan)
			w.backend.SetState(w.scan, stack.Starting)
		}))
		r := save(t, c, newConfig)
		wantOutcome(t, r, stack.Failed, "")
		w.check(t, oldConfig)
	})
	in("does not wait for one that was starting before the run", func(t *testing.T, w *world) {
		pending := w.backend.Add(scanner.Name, "scanner-2")
		w.backend.SetState(pending, stack.Starting)
		time.Sleep(time.Minute)
		r := save(t, w.start(t, atPoint(stack.PointSaved, both(w))), newConfig)
		wantOutcome(t, r, stack.Applied, "")
		wantWarning(t, r, "scanner-2 is starting")
		w.check(t, newConfig)
	})
}

func wantAllRunning(t *testing.T, w *world) {
	t.Helper()
	for _, i := range w.backend.Now() {
		if i.State != stack.Running {
			t.Errorf("%s is %s, want it running", i.Name, i.State)
		}
	}
}

// A life that ends while its word is waited for is not waited for any longer, and the report says why, though
// another one runs in its place by then.
func TestAnInstanceStartedAnewWhileItsWordIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.backend.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			return string(content) == string(newConfig) || stacktest.Obedient(i, content, log) // and says nothing to the new one
		})
		var begun time.Time
		r := save(t, w.start(t, func(o *stack.Options) {
			o.Hook = func(point string) {
				switch point {
				case stack.PointReloaded:
					begun = time.Now()
					time.AfterFunc(time.Second, func() { w.backend.Restart(w.orch) })
				case stack.PointUndoBegun:
					if took := time.Since(begun); took > 2*time.Second {
						t.Errorf("its end was seen only after %v", took)
					}
				}
			}
		}), newConfig)
		wantOutcome(t, r, stack.RolledBack, "")
		if !strings.Contains(r.Message, w.orch.Name+" died and was started again") {
			t.Errorf("message: %s", r.Message)
		}
		w.check(t, oldConfig)
	})
}
