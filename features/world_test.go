package features

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"

	"pitstop/stack"
)

// world is what the steps of one scenario share.
type world struct {
	testing.TB
	*containers
	page   playwright.Page
	second playwright.Page
	before string // config.toml as it was when the scenario began
	left   string // config.toml as somebody else left it
}

// Fatal and the like are the test's, not the containers'.
func (w *world) Helper()                      { w.TB.Helper() }
func (w *world) Fatalf(f string, args ...any) { w.TB.Helper(); w.TB.Fatalf(f, args...) }
func (w *world) Errorf(f string, args ...any) { w.TB.Helper(); w.TB.Errorf(f, args...) }

// commonSteps are those that more than one feature uses.
func (w *world) commonSteps(sc *godog.ScenarioContext) {
	sc.Given(`^containers are running$`, func() { w.containersAreRunning("always") })
	sc.Given(`^containers are running with the restart policy "([^"]*)"$`, w.containersAreRunning)
	sc.Given(`^the config page is open$`, func() { w.openPage("/config", look{}) })
	sc.Given(`^the config page is open on a phone$`, func() { w.openPage("/config", look{phone: true}) })
	sc.Given(`^the config page is open without JavaScript$`, func() { w.openPage("/config", look{noScript: true}) })
	sc.When(`^I type "([^"]*)" into "([^"]*)"$`, w.typeInto)
	sc.When(`^I press Save & Restart$`, w.pressSave)
	sc.When(`^I change "([^"]*)" to "([^"]*)" and save$`, func(name, value string) {
		w.typeInto(value, name)
		w.pressSave()
	})
	sc.Then(`^the toast says "([^"]*)"$`, w.toastSays)
	sc.Then(`^the run ends as "([^"]*)"$`, func(want string) { w.runEnds(stack.Outcome(want)) })
	sc.Then(`^the field "([^"]*)" still holds "([^"]*)"$`, func(name, want string) {
		if got, err := w.field(name).InputValue(); err != nil || got != want {
			w.Fatalf("%s holds %q (%v), want %q", name, got, err, want)
		}
	})
	sc.Then(`^nothing is wider than the screen$`, w.nothingTooWide)
}

func (w *world) containersAreRunning(restart string) {
	w.before = referenceConfig(w.TB)
	w.containers = runContainers(w.TB, w.before, restart)
	w.panel.start()
	w.servicesRun()
}

// servicesRun waits until the panel sees every service run.
func (w *world) servicesRun() {
	w.Helper()
	eventually(w.TB, "every service to run", func() (bool, string) {
		var status struct {
			Services []struct {
				Name  string
				State stack.State
			}
		}
		w.panel.call("GET", "/api/v1/status", "", "", &status)
		for _, s := range status.Services {
			if s.State != stack.Running {
				return false, fmt.Sprint(status)
			}
		}
		return len(status.Services) > 0, fmt.Sprint(status)
	})
}

func (w *world) openPage(path string, l look) {
	w.page = tab(w.TB, l)
	open(w.TB, w.page, w.panel.url+path)
}

func (w *world) field(name string) playwright.Locator {
	return w.page.Locator(fmt.Sprintf(`[name=%q]:not([type=hidden])`, name)).First()
}

func (w *world) typeInto(value, name string) {
	w.Helper()
	must(w.TB, w.field(name).Fill(value))
}

func (w *world) pressSave() {
	w.Helper()
	must(w.TB, w.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Save & Restart", Exact: playwright.Bool(true)}).Click())
}

func (w *world) toastSays(text string) {
	w.Helper()
	see(w.TB, w.page, "#toasts", text)
}

// runEnds waits until the newest run has ended, and compares how.
func (w *world) runEnds(want stack.Outcome) stack.Report {
	w.Helper()
	report := w.lastRun()
	if report.Outcome != want {
		w.Fatalf("the run ended as %q, want %q: %s", report.Outcome, want, report.Message)
	}
	return report
}

// lastRun waits until the newest run has ended.
func (w *world) lastRun() (last stack.Report) {
	w.Helper()
	eventually(w.TB, "the run to end", func() (bool, string) {
		var reports []stack.Report
		w.panel.call("GET", "/api/v1/runs", "", "", &reports)
		if len(reports) == 0 {
			return false, "no run"
		}
		last = reports[0]
		return last.Outcome != "", fmt.Sprint(last.Steps)
	})
	return last
}

func (w *world) nothingTooWide() {
	w.Helper()
	wide, err := w.page.Evaluate(`[document.documentElement.scrollWidth, window.innerWidth].join(" > ")`)
	must(w.TB, err)
	var content, screen int
	_, err = fmt.Sscanf(fmt.Sprint(wide), "%d > %d", &content, &screen)
	must(w.TB, err)
	if content > screen {
		w.Fatalf("the page is wider than the screen: %v", wide)
	}
}

// untouched fails if anything of the stack was paused since the scenario began.
func (w *world) untouched(config string) {
	w.Helper()
	if n := w.events.Count("pause", w.both()...); n > 0 {
		w.Fatalf("containers were paused %d times", n)
	}
	if got := w.panel.readConfig(); got != config {
		w.Fatalf("config.toml is not as it was:\n%s", got)
	}
	if b := w.panel.backups(); len(b) > 0 {
		w.Fatalf("there are backups: %s", strings.Join(b, " "))
	}
}
