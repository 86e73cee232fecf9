package features

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"
)

func (w *world) laterSteps(sc *godog.ScenarioContext) {
	sc.When(`^I change "([^"]*)" to "([^"]*)" and queue it for the next close$`, func(name, value string) {
		w.queueFor(name, value, "Queue it")
	})
	sc.When(`^I change "([^"]*)" to "([^"]*)" and replace the queued change$`, func(name, value string) {
		w.queueFor(name, value, "Replace the queued change")
	})
	sc.When(`^I go on to the config page$`, func() {
		see(w.TB, w.page, "#queued", "next close")
		open(w.TB, w.page, w.panel.url+"/config")
	})
	sc.When(`^a script queues "risk\.max_position_usd" = 6000 for a few seconds ahead$`, func() {
		at := url.QueryEscape(time.Now().Add(4 * time.Second).Format(time.RFC3339Nano))
		status := w.panel.call("POST", "/api/v1/later?at="+at, "application/merge-patch+json", `{"risk":{"max_position_usd":6000}}`, nil)
		if status != 201 {
			w.Fatalf("the script was answered %d", status)
		}
	})
	sc.When(`^I open the overview$`, func() { w.openPage("/", look{}) })

	sc.Then(`^the queued change is shown as "([^"]*)"$`, func(text string) { see(w.TB, w.page, "#later", text) })
	sc.Then(`^the queued change is shown with "([^"]*)" and "([^"]*)", and line by line$`, func(old, now string) {
		for _, value := range []string{old, now} {
			see(w.TB, w.page, "#queued .word-value", strings.ReplaceAll(value, " ", "\u202f"))
		}
		see(w.TB, w.page, "#queued .diff tr.added", "max_position_usd")
	})
	sc.Then(`^every page shows the queued change$`, func() {
		w.wait("#later .later")
		for _, path := range w.everyPage() {
			open(w.TB, w.page, w.panel.url+path)
			see(w.TB, w.page, "#later", "risk.max_position_usd")
		}
	})
	sc.Then(`^no page shows a queued change$`, func() {
		w.answered()
		for _, path := range w.everyPage() {
			open(w.TB, w.page, w.panel.url+path)
			must(w.TB, w.page.Locator("#later").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
		}
	})
	sc.When(`^I withdraw the queued change$`, func() { w.onQueued("Withdraw") })
	sc.When(`^I apply the queued change now$`, func() {
		w.onQueued("Apply it now")
		must(w.TB, w.page.Locator("#queued .badge").Filter(playwright.LocatorFilterOptions{HasText: "waiting"}).
			WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	})
	sc.When(`^I dismiss what is told of the queued change$`, func() {
		must(w.TB, w.page.Locator("#later").GetByRole("button", playwright.LocatorGetByRoleOptions{Name: "Dismiss"}).Click())
	})

	var moved string
	sc.When(`^I move the queued change to a time two hours ahead$`, func() {
		see(w.TB, w.page, "#queued", "next close")
		zone, err := time.LoadLocation("America/New_York") // as the reference config has it
		must(w.TB, err)
		moved = time.Now().Add(2 * time.Hour).In(zone).Format("2006-01-02T15:04")
		must(w.TB, w.page.Locator("#later-move > summary").Click())
		must(w.TB, w.page.Locator(`#queued [name=":when"][value=time]`).Check())
		must(w.TB, w.page.Locator(`#queued [name=":at"]`).Fill(moved))
		must(w.TB, w.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Change the time"}).Click())
	})
	sc.Then(`^the queued change is shown with that time$`, func() {
		for _, place := range []string{"#queued h2", "#later"} {
			see(w.TB, w.page, place, moved[len("2006-01-02T"):])
		}
	})

	sc.Then(`^the page says by itself that the queued change was applied$`, func() { see(w.TB, w.page, "#later", "Applied") })
	sc.Then(`^config\.toml holds 6000$`, func() {
		want := strings.Replace(w.before, "max_position_usd     = 5000", "max_position_usd     = 6000", 1)
		eventually(w.TB, "the new config.toml", func() (bool, string) {
			now := w.panel.readConfig()
			return now == want, now
		})
	})
	sc.When(`^I go to decide$`, func() {
		must(w.TB, w.page.Locator("#queued").GetByText("Decide whose value counts").Click())
	})
	sc.Then(`^config\.toml holds "([^"]*)"$`, func(line string) {
		eventually(w.TB, "the new config.toml", func() (bool, string) {
			now := w.panel.readConfig()
			return strings.Contains(now, line), now
		})
	})
	sc.Then(`^the history tells who queued it$`, func() {
		if run := w.lastRun(); run.By == "" || !strings.HasPrefix(run.Note, "Queued ") {
			w.Fatalf("the run is told as by %q, with the note %q", run.By, run.Note)
		}
	})
	sc.When(`^the panel is killed and started again$`, func() {
		see(w.TB, w.page, "#queued", "next close")
		must(w.TB, w.page.Close())
		w.panel.kill()
		w.panel.start()
		w.servicesRun()
		w.openPage("/", look{})
	})
	sc.Then(`^the page says that somebody changed "([^"]*)" too, and that I am to decide$`, func(key string) {
		see(w.TB, w.page, "#queued", "somebody else changed the same keys")
		see(w.TB, w.page, "#queued", key)
		see(w.TB, w.page, "#later", "Decide")
	})
}

// queueFor types a value and queues it by this button. It waits for the answer, so that whatever comes
// next in the scenario finds the change queued, or refused.
func (w *world) queueFor(name, value, button string) {
	w.Helper()
	w.typeInto(value, name)
	must(w.TB, w.page.Locator("#ask-later > summary").Click())
	must(w.TB, w.page.Locator(`#ask-later [name=":when"][value=next_close]`).Check())
	must(w.TB, w.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: button, Exact: playwright.Bool(true)}).Click())
	w.wait("#queued .badge, #summary")
}

// onQueued presses a button on the page of the queued change.
func (w *world) onQueued(button string) {
	w.Helper()
	w.wait("#later .later")
	open(w.TB, w.page, w.panel.url+"/later")
	must(w.TB, w.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: button, Exact: playwright.Bool(true)}).Click())
}

func (w *world) everyPage() []string { return []string{"/", "/config", "/schedule", "/history"} }

// wait waits until the page shows an element.
func (w *world) wait(selector string) {
	w.Helper()
	if err := w.page.Locator(selector).First().WaitFor(); err != nil {
		w.Fatalf("the page %s has no %s: %v", w.page.URL(), selector, err)
	}
}

// answered waits until nothing is queued, as a script sees it.
func (w *world) answered() {
	w.Helper()
	eventually(w.TB, "nothing to be queued", func() (bool, string) {
		var entry map[string]any
		w.panel.call("GET", "/api/v1/later", "", "", &entry)
		return entry == nil, fmt.Sprint(entry)
	})
}
