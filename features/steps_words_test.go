package features

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"

	"pitstop/stack"
)

// wordsSteps are about what the panel says, and where.
func (w *world) wordsSteps(sc *godog.ScenarioContext) {
	sc.Given(`^I have the config page open on a wide screen$`, func() { w.openPage("/config", look{}) })
	sc.Step(`^I have the config page open on a phone$`, func() { w.openPage("/config", look{phone: true, dark: true}) })
	sc.Given(`^my own clock is in Tokyo$`, func() { w.openPage("/config", look{zone: "Asia/Tokyo"}) })
	sc.When(`^I follow "([^"]*)"$`, func(name string) { must(w.TB, w.link(name).Click()) })
	sc.When(`^I press the Enter key$`, func() { must(w.TB, w.page.Keyboard().Press("Enter")) })
	w.toastSteps(sc)

	sc.Then(`^nowhere on the page stands a time in UTC$`, func() {
		if stamp := regexp.MustCompile(`\d\d:\d\d[:.\d]*Z|UTC`).FindString(w.text("body")); stamp != "" {
			w.Fatalf("the page tells %s:\n%s", stamp, w.text("body"))
		}
	})
	sc.Then(`^the run is in sight$`, func() {
		w.holds("the run to be in sight", `(() => { const r = document.querySelector("#run h2").getBoundingClientRect(); return r.top >= 0 && r.bottom < innerHeight })()`)
	})
	sc.When(`^a script changes "([^"]*)" to (\d+)$`, w.savedAs)
	sc.Then(`^the page asks because "([^"]*)"$`, func(why string) {
		see(w.TB, w.page, "#summary", why)
		see(w.TB, w.page, "#summary", "Press “Yes, apply this” to go on")
	})
	sc.Then(`^the focus is on "([^"]*)"$`, func(text string) {
		w.holds("the focus to be on "+text, fmt.Sprintf(`document.activeElement.textContent.trim() === %q`, text))
	})
	sc.Then(`^I am told of 1 unsaved change, at the time in New York$`, func() {
		newYork, err := time.LoadLocation("America/New_York")
		must(w.TB, err)
		see(w.TB, w.page, "#draft", "You had 1 unsaved change from ")
		told := w.text("#draft")
		for ago := range 5 { // it was typed a moment ago, perhaps before the minute went by
			if strings.Contains(told, time.Now().In(newYork).Add(-time.Duration(ago)*time.Minute).Format("15:04")) {
				return
			}
		}
		w.Fatalf("it is %s in New York, and the page says: %s", time.Now().In(newYork).Format("15:04"), told)
	})
	sc.Then(`^the page names "([^"]*)" as the zone of its times$`, func(zone string) { see(w.TB, w.page, "footer", "Times of "+zone) })
	sc.When(`^a change is queued for the next close$`, func() {
		if status := w.panel.call("POST", "/api/v1/later?at=next_close", "application/merge-patch+json", `{"risk":{"max_open_positions":8}}`, nil); status != 201 {
			w.Fatalf("queueing was answered %d", status)
		}
	})
	sc.Then(`^the timeline shows "([^"]*)" with "([^"]*)" or "([^"]*)"$`, func(title, one, other string) {
		entry := w.page.Locator("#timeline .event", playwright.PageLocatorOptions{HasText: title}).First()
		must(w.TB, entry.WaitFor())
		if text, err := entry.InnerText(); err != nil || !strings.Contains(text, one) && !strings.Contains(text, other) {
			w.Fatalf("the entry is (%v) %s", err, text)
		}
	})

	sc.Then(`^the run shows all its steps in less than (\d+) pixels$`, func(most int) {
		for _, step := range stack.Steps {
			w.showsStep(w.page, step, stack.StepDone)
		}
		w.holds("the run to be small", fmt.Sprintf(`document.querySelector("#run .run").offsetHeight < %d`, most))
	})
	sc.When(`^I open the run$`, func() { must(w.TB, w.page.Locator("#run .rest > summary").Click()) })
	sc.Then(`^the run shows its figures$`, func() {
		see(w.TB, w.page, "#run .figure", "Pause window")
		see(w.TB, w.page, "#run .step-detail", "2 instances")
	})
	sc.When(`^the window is (\d+) by (\d+)$`, func(width, height int) { must(w.TB, w.page.SetViewportSize(width, height)) })
	sc.When(`^I scroll down$`, func() {
		_, err := w.page.Evaluate(`scrollTo({ top: 900, behavior: "instant" })`)
		must(w.TB, err)
	})
	sc.Then(`^the banner is out of sight, and the action bar is not$`, func() {
		w.holds("the banner to scroll away", `document.querySelector("#trading").getBoundingClientRect().bottom <= 0`)
		w.holds("the action bar to stay", `document.querySelector(".actions .save").getBoundingClientRect().bottom <= innerHeight`)
	})

	sc.Given(`^the panel has seen the config file$`, func() {
		eventually(w.TB, "the panel to have seen the file", func() (bool, string) {
			var versions []stack.VersionInfo
			w.panel.call("GET", "/api/v1/versions", "", "", &versions)
			return len(versions) > 0, fmt.Sprint(versions)
		})
	})
	sc.When(`^somebody deletes config\.toml$`, func() { must(w.TB, os.Remove(w.panel.config)) })
}

func (w *world) toastSteps(sc *godog.ScenarioContext) {
	sc.Then(`^the alert begins with "([^"]*)"$`, func(text string) {
		alert := w.page.Locator("#toasts [role=alert]")
		must(w.TB, alert.Locator("span").WaitFor())
		if got, err := alert.InnerText(); err != nil || !strings.HasPrefix(strings.TrimSpace(got), text) {
			w.Fatalf("the alert says (%v) %q", err, got)
		}
	})
	sc.Then(`^the alert takes less than a quarter of the screen$`, func() {
		w.holds("the alert to be small", `(() => { const r = document.querySelector("#toasts .toast.bad").getBoundingClientRect(); return 4 * r.width * r.height < innerWidth * innerHeight })()`)
	})
	sc.Then(`^no toast is shown, not even when the stream begins anew$`, func() {
		hidden := playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}
		must(w.TB, w.page.Locator("#toasts").WaitFor(hidden))
		_, err := w.page.Evaluate(`(() => { const stream = document.querySelector("#live [hx-sse\\:connect]"); window.brought = false;
			document.addEventListener("htmx:after:swap", () => { window.brought = true });
			const again = stream.cloneNode(true); again.removeAttribute("data-htmx-powered"); stream.replaceWith(again); htmx.process(again) })()`)
		must(w.TB, err)
		w.holds("the stream to begin anew", `window.brought`)
		must(w.TB, w.page.Locator("#toasts").WaitFor(hidden))
	})
	sc.Then(`^the toast covers no field$`, func() {
		w.holds("the toast to cover no field", `(() => { const t = document.querySelector("#toasts .toast.good").getBoundingClientRect();
			return t.width > 0 && ![...document.querySelectorAll("#config-form .field")].some((f) => { const r = f.getBoundingClientRect();
				return r.left < t.right && t.left < r.right && r.top < t.bottom && t.top < r.bottom }) })()`)
	})
	sc.Then(`^the toast goes by itself$`, func() {
		must(w.TB, w.page.Locator("#toasts").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	})
}

// holds waits until something is true in the page.
func (w *world) holds(what, script string) {
	w.Helper()
	eventually(w.TB, what, func() (bool, string) {
		got, err := w.page.Evaluate(script)
		shown, _ := json.Marshal(got)
		return err == nil && got == true, fmt.Sprintf("%s %v", shown, err)
	})
}
