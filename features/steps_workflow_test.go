package features

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

func (w *world) workflowSteps(sc *godog.ScenarioContext) {
	sc.When(`^I click “Save & Restart”$`, func() {
		w.openPage("/config", look{})
		w.typeInto("8000", "risk.max_position_usd")
		w.pressSave()
	})
	sc.Then(`^PauseStack is called$`, func() { w.events.Wait("pause", 1, w.both()...) })
	sc.Then(`^UnpauseStack is called$`, func() {
		w.events.Wait("unpause", 1, w.both()...)
		w.replacedWhilePaused()
	})
	sc.Then(`^config\.toml is backed up and updated$`, w.backedUpAndUpdated)
	sc.Then(`^services log “Config reloaded”$`, func() {
		w.toastSays("Configuration applied")
		revision := stack.RevisionOf([]byte(w.panel.readConfig())).Short()
		for _, service := range w.both() {
			service.WaitLog("Config reloaded revision=" + revision)
		}
		w.runEnds(stack.Applied)
		w.everyServiceRuns()
	})

	sc.Then(`^the field "([^"]*)" says what is wrong with it$`, func(name string) {
		field := w.page.Locator(fmt.Sprintf(`.field:has([name=%q])`, name)).First()
		must(w.TB, field.Locator(".problem").First().WaitFor())
		if invalid, err := w.field(name).GetAttribute("aria-invalid"); err != nil || invalid != "true" {
			w.Fatalf("aria-invalid is %q (%v)", invalid, err)
		}
	})
	sc.Then(`^nothing was paused and config\.toml is as it was$`, func() { w.untouched(w.before) })
	sc.Then(`^nothing was paused and config\.toml is as somebody left it$`, func() { w.untouched(w.left) })
	sc.When(`^I press Save & Restart without a change$`, w.pressSave)
	sc.Then(`^the page says that there is nothing to apply$`, func() { see(w.TB, w.page, "main", "othing") })

	sc.Given(`^somebody has paused "([^"]*)"$`, func(name string) {
		w.service[name].Pause()
		w.waitState(name, stack.Paused)
	})
	sc.Then(`^"([^"]*)" is still paused, and was never unpaused$`, func(name string) {
		if n := w.events.Count("unpause", w.service[name]); n > 0 {
			w.Fatalf("%s was unpaused %d times", name, n)
		}
		if s := w.service[name].State(); s.Status != "paused" {
			w.Fatalf("%s is %s", name, s.Status)
		}
	})
	sc.When(`^somebody unpauses "([^"]*)"$`, func(name string) {
		w.service[name].Unpause()
		w.waitState(name, stack.Running)
	})
	for how, l := range map[string]look{"with JavaScript": {}, "without JavaScript": {noScript: true}, "on a phone": {phone: true}} {
		sc.Step("^the overview is open "+how+"$", func() { w.openPage("/", l) })
	}
	sc.Then(`^the overview says "([^"]*)"$`, func(text string) { see(w.TB, w.page, "#services", text) })
	sc.Then(`^the services section says no more "([^"]*)"$`, func(text string) {
		eventually(w.TB, "no word of it", func() (bool, string) {
			said, err := w.page.Locator("#services").InnerText()
			return err == nil && !strings.Contains(said, text), said
		})
	})
	sc.Then(`^"([^"]*)" logs that it loaded the file, and was not paused for it$`, func(name string) {
		w.service[name].WaitLog("Config reloaded revision=" + stack.RevisionOf([]byte(w.panel.readConfig())).Short())
		run := w.lastRun()
		for _, e := range w.events.Of(w.service[name]) {
			if e.Action == "pause" && e.Time.After(run.Started) {
				w.Fatalf("it was paused at %v", e.Time)
			}
		}
	})
	sc.Then(`^"([^"]*)" runs$`, func(name string) { w.runs(name) })
	sc.Then(`^every service runs$`, w.everyServiceRuns)

	sc.Step(`^somebody edits "([^"]*)" to "([^"]*)" in config\.toml$`, func(old, new string) {
		w.left = strings.Replace(loosely(w.panel.readConfig(), old), old, new, 1)
		must(w.TB, os.WriteFile(w.panel.config, []byte(w.left), 0o644))
	})
	sc.Then(`^the page says that the file was changed meanwhile$`, func() { see(w.TB, w.page, "main", "changed") })

	sc.When(`^I change "([^"]*)" to "([^"]*)" and close the tab at once$`, func(name, value string) {
		w.typeInto(value, name)
		w.pressSave()
		w.events.Wait("pause", 1, w.both()...)
		must(w.TB, w.page.Close())
	})
	sc.Then(`^the overview shows the run with all its steps$`, func() {
		run := w.lastRun()
		w.openPage("/", look{})
		for _, step := range stack.Steps {
			w.showsStep(w.page, step, stack.StepDone)
		}
		see(w.TB, w.page, "#run", run.Revision.To.Short())
	})
	sc.Given(`^the orchestrator is too busy to answer$`, func() { w.signalOutside(orchestrator, syscall.SIGSTOP) })
	sc.When(`^the orchestrator has time again$`, func() { w.signalOutside(orchestrator, syscall.SIGCONT) })
	sc.When(`^I open a second tab$`, func() {
		w.showsStep(w.page, stack.ConfirmReload, stack.StepRunning)
		w.second = tab(w.TB, look{})
		open(w.TB, w.second, w.panel.url+"/config")
	})
	sc.Then(`^both tabs wait at "ConfirmReload" and show what went before$`, func() {
		for _, page := range []playwright.Page{w.page, w.second} {
			for _, step := range stack.Steps[:5] {
				w.showsStep(page, step, stack.StepDone)
			}
			w.showsStep(page, stack.ConfirmReload, stack.StepRunning)
		}
	})
	sc.When(`^the orchestrator crashes$`, func() { w.signalOutside(orchestrator, syscall.SIGKILL) })
	sc.Then(`^the engine has started it again$`, func() {
		w.service[orchestrator].WaitState("to run again", func(s dockertest.State) bool {
			return s.Status == "running" && s.Restarts == 1
		})
	})
	sc.Then(`^both tabs show "([^"]*)"$`, func(text string) {
		see(w.TB, w.page, "#toasts", text)
		see(w.TB, w.second, "#toasts", text)
	})

	sc.Then(`^the page says that "([^"]*)" refused it, and what it logged$`, func(name string) {
		see(w.TB, w.page, "#run", name)
		see(w.TB, w.page, "#run", "Config reload failed")
	})
	sc.Then(`^config\.toml is as it was$`, func() {
		if got := w.panel.readConfig(); got != w.before {
			w.Fatalf("config.toml is not as it was:\n%s", got)
		}
	})
}

// loosely is the text with the spaces before = as the one searched for has them.
func loosely(text, like string) string {
	key, _, _ := strings.Cut(like, " =")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if k, v, ok := strings.Cut(line, "="); ok && strings.TrimSpace(k) == key {
			lines[i] = key + " =" + v
		}
	}
	return strings.Join(lines, "\n")
}

// showsStep waits until a page shows a step in a state.
func (w *world) showsStep(page playwright.Page, step stack.Step, state stack.StepState) {
	w.Helper()
	shown := page.Locator(fmt.Sprintf(`#run [data-step=%s][data-state=%s]`, step, state)).First()
	if err := shown.WaitFor(); err != nil {
		content, _ := page.Locator("main").InnerText()
		w.Fatalf("the page does not show %s as %s: %v\n%s", step, state, err, content)
	}
}

// signalOutside signals a service's main process from the engine's machine: as neither the panel nor
// the engine would.
func (w *world) signalOutside(name string, signal syscall.Signal) {
	w.Helper()
	must(w.TB, syscall.Kill(w.service[name].State().PID, signal))
}

func (w *world) backedUpAndUpdated() {
	eventually(w.TB, "the new config.toml", func() (bool, string) {
		now := w.panel.readConfig()
		return now != w.before, now
	})
	want := strings.Replace(w.before, "max_position_usd     = 5000", "max_position_usd     = 8000", 1)
	if got := w.panel.readConfig(); got != want {
		w.Fatalf("more than one value changed:\n%s", got)
	}
	backups := w.panel.backups()
	if len(backups) != 1 {
		w.Fatalf("got %d backups, want 1: %v", len(backups), backups)
	}
	content, err := os.ReadFile(strings.TrimSuffix(w.panel.config, "config.toml") + backups[0])
	must(w.TB, err)
	if string(content) != w.before {
		w.Fatalf("the backup is not what was there before:\n%s", content)
	}
}

// coarse is how far the clock that a file system stamps files with may lag behind the engine's.
const coarse = 20 * time.Millisecond

// replacedWhilePaused holds the time at which config.toml took its name, which a rename leaves on a file,
// against the engine's own events: after the last pause, and before the first unpause.
func (w *world) replacedWhilePaused() {
	w.Helper()
	info, err := os.Stat(w.panel.config)
	must(w.TB, err)
	stamp := info.Sys().(*syscall.Stat_t).Ctim
	replaced := time.Unix(stamp.Unix())
	var paused, unpaused time.Time
	for _, e := range w.events.Of(w.both()...) {
		switch {
		case e.Action == "pause":
			paused = e.Time
		case e.Action == "unpause" && unpaused.IsZero():
			unpaused = e.Time
		}
	}
	if replaced.Before(paused.Add(-coarse)) || replaced.After(unpaused) {
		w.Fatalf("config.toml was replaced at %v, and the stack stood still from %v to %v", replaced, paused, unpaused)
	}
}

func (w *world) waitState(name string, want stack.State) {
	w.Helper()
	eventually(w.TB, name+" to be "+string(want), func() (bool, string) {
		var status stack.Status
		w.panel.call("GET", "/api/v1/status", "", "", &status)
		for _, s := range status.Services {
			if s.Name == name {
				return s.State == want, string(s.State)
			}
		}
		return false, "it is not listed"
	})
}

func (w *world) runs(name string) {
	w.Helper()
	if s := w.service[name].State(); s.Status != "running" {
		w.Fatalf("%s is %s", name, s.Status)
	}
}

func (w *world) everyServiceRuns() {
	w.Helper()
	for name := range w.service {
		w.runs(name)
	}
}
