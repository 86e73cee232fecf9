package features

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"

	"pitstop/schema"
	"pitstop/stack"
)

func (w *world) historySteps(sc *godog.ScenarioContext) {
	var download playwright.Download

	sc.Given(`^the stack runs as local processes$`, w.processesAreRunning)
	sc.Given(`^"([^"]*)" was saved as "([^"]*)"$`, w.savedAs)
	sc.When(`^I open the history$`, func() { w.openHistory(look{}) })
	sc.When(`^I open the history on a wide screen$`, func() { w.openHistory(look{}) })
	sc.When(`^I open the history on a phone$`, func() { w.openHistory(look{phone: true}) })
	sc.When(`^I open the history without JavaScript$`, func() { w.openHistory(look{noScript: true}) })
	sc.When(`^I press "([^"]*)"$`, func(name string) { must(w.TB, w.button(name).Click()) })
	sc.When(`^trading is halted because of "([^"]*)"$`, func(reason string) {
		if status := w.panel.call("PUT", "/api/v1/trading", "application/json", fmt.Sprintf(`{"mode":"halted","reason":%q}`, reason), nil); status != 200 {
			w.Fatalf("the halt was answered %d", status)
		}
	})
	sc.Step(`^somebody else edits "([^"]*)" to "([^"]*)" in config\.toml$`, func(old, new string) {
		w.left = strings.Replace(loosely(w.panel.readConfig(), old), old, new, 1)
		// At one go, as good editors write: what one may see of a file that is being written is not
		// what this is about.
		beside := w.panel.config + ".new"
		must(w.TB, os.WriteFile(beside, []byte(w.left), 0o644))
		must(w.TB, os.Rename(beside, w.panel.config))
	})
	sc.Given(`^the panel is away$`, func() { w.panel.kill() })
	sc.Given(`^the panel is back$`, func() {
		w.panel.start()
		w.servicesRun()
	})
	sc.Given(`^the panel is started anew$`, func() {
		// Not before it has seen the file as it is: what it never saw it cannot have kept.
		eventually(w.TB, "the panel to have seen the file", func() (bool, string) {
			var versions []stack.VersionInfo
			w.panel.call("GET", "/api/v1/versions", "", "", &versions)
			return len(versions) > 0 && versions[0].Revision == stack.RevisionOf([]byte(w.panel.readConfig())), fmt.Sprint(versions)
		})
		w.panel.kill()
		w.panel.start()
		w.servicesRun()
	})
	sc.Given(`^the panel keeps (\d+) backups$`, func(n int) {
		w.panel.kill()
		settings, err := os.ReadFile(w.panel.settings)
		must(w.TB, err)
		must(w.TB, os.WriteFile(w.panel.settings, []byte(strings.Replace(string(settings), "[stack]", fmt.Sprintf("[stack]\nkeep_backups = %d", n), 1)), 0o644))
		w.panel.start()
		w.servicesRun()
	})
	sc.Then(`^the timeline shows "([^"]*)" with "([^"]*)"$`, func(title, text string) {
		entry := w.page.Locator("#timeline .event", playwright.PageLocatorOptions{HasText: title}).
			Filter(playwright.LocatorFilterOptions{HasText: text}).First()
		if err := entry.WaitFor(); err != nil {
			w.Fatalf("no entry %q has %q: %v\n%s", title, text, err, w.text("#timeline"))
		}
	})
	sc.Then(`^the timeline shows, newest first:$`, w.timelineShows)

	sc.When(`^I compare the oldest backup with the file now$`, func() {
		must(w.TB, w.page.GetByText("Compare two versions").Click())
		backups := w.panel.backups()
		slices.Sort(backups)
		w.choose("from", backups[0])
		w.choose("to", "live")
		must(w.TB, w.button("Compare").Click())
	})
	sc.Then(`^the change of "([^"]*)" reads "([^"]*)"$`, func(key, want string) {
		shown := w.page.Locator(fmt.Sprintf(`#difference [data-key=%q] .word-value`, key))
		must(w.TB, shown.WaitFor())
		got, err := shown.InnerText()
		must(w.TB, err)
		// Thousands are set apart by narrow spaces.
		if got = strings.Join(strings.Fields(strings.ReplaceAll(got, "\u202f", " ")), " "); got != want {
			w.Fatalf("the change of %s reads %q, want %q", key, got, want)
		}
	})
	sc.Then(`^the lines show "([^"]*)" removed and "([^"]*)" added$`, func(old, new string) {
		see(w.TB, w.page, "#difference tr.removed", old)
		see(w.TB, w.page, "#difference tr.added", new)
	})
	sc.Then(`^the page does not hold "([^"]*)"$`, func(text string) {
		content, err := w.page.Content()
		must(w.TB, err)
		if strings.Contains(content, text) {
			w.Fatalf("the page holds %q", text)
		}
	})

	sc.When(`^I choose to restore the newest backup$`, func() {
		must(w.TB, w.link("Restore "+w.newestBackup()).Click())
		must(w.TB, w.page.Locator("#difference").WaitFor())
	})
	sc.Then(`^every service has confirmed the restore$`, func() {
		r := w.runEnds(stack.Applied)
		if r.Kind != stack.KindRestore || r.Source == "" {
			w.Fatalf("the newest run is a %s of %q", r.Kind, r.Source)
		}
		confirmed := r.Steps[len(r.Steps)-1]
		for _, name := range []string{orchestrator, scanner} {
			if confirmed.Name != stack.ConfirmReload || confirmed.State != stack.StepDone || !strings.Contains(confirmed.Detail, name) {
				w.Errorf("%s has not confirmed: %+v", name, confirmed)
			}
		}
	})
	sc.Then(`^the config file is as somebody left it$`, func() {
		if got := w.panel.readConfig(); got != w.left {
			w.Fatalf("config.toml is not as it was left:\n%s", got)
		}
	})

	firstOutside := func(link string) {
		must(w.TB, w.page.Locator("#timeline [data-kind=external]").Last().GetByText(link).Click())
		must(w.TB, w.page.Locator("#difference").WaitFor())
	}
	sc.When(`^I choose to restore what the first edit from outside overwrote$`, func() { firstOutside("Restore…") })
	sc.When(`^I compare what the first edit from outside overwrote with the file now$`, func() { firstOutside("Compare") })
	sc.Then(`^(\d+) backups are offered, and (\d+) are there$`, func(offered, there int) {
		got, err := w.page.Locator(`#timeline a[aria-label^="Restore config.toml.bak."]`).Count()
		must(w.TB, err)
		if kept := len(w.panel.backups()); got != offered || kept != there {
			w.Fatalf("%d backups are offered and %d are there, want %d and %d", got, kept, offered, there)
		}
	})
	sc.Then(`^the page says that "([^"]*)"$`, func(text string) { see(w.TB, w.page, "main", text) })

	sc.When(`^I note "([^"]*)" on the newest run$`, func(note string) {
		must(w.TB, w.page.Locator(`#timeline [data-kind=save] .event-head a`).First().Click())
		must(w.TB, w.page.Locator("#note").Fill(note))
		must(w.TB, w.page.Locator(".note-form button").Click())
		see(w.TB, w.page, "#run", note)
	})

	sc.When(`^I download the newest backup$`, func() {
		var err error
		download, err = w.page.ExpectDownload(func() error { return w.link("Download " + w.newestBackup()).Click() })
		must(w.TB, err)
	})
	sc.Then(`^its name says that it is masked$`, func() {
		if got, want := download.SuggestedFilename(), w.newestBackup()+".masked.toml"; got != want {
			w.Fatalf("it is called %q, want %q", got, want)
		}
	})
	sc.Then(`^it is the config of before, but for the secret "([^"]*)"$`, func(secret string) {
		path, err := download.Path()
		must(w.TB, err)
		got, err := os.ReadFile(path)
		must(w.TB, err)
		before := strings.Split(w.before, "\n")
		lines := strings.Split(string(got), "\n")
		if len(lines) != len(before) || strings.Contains(string(got), secret) {
			w.Fatalf("got\n%s", got)
		}
		for i, line := range lines {
			if line != before[i] && !(strings.HasPrefix(line, "api_key") && strings.Contains(line, schema.Mask)) {
				w.Errorf("line %d is %q, want %q", i+1, line, before[i])
			}
		}
	})
}

// processesAreRunning is the reference stack without containers: quicker, and as good for what only
// looks at files and pages.
func (w *world) processesAreRunning() {
	w.before = referenceConfig(w.TB)
	w.containers = &containers{TB: w.TB, panel: processRig(w.TB, w.before).panel}
	w.panel.start()
	w.servicesRun()
}

// savedAs changes one key by the API, and waits until it is applied.
func (w *world) savedAs(key, value string) {
	w.Helper()
	table, name, _ := strings.Cut(key, ".")
	var patch any = value
	if json.Valid([]byte(value)) {
		patch = json.RawMessage(value)
	}
	body, err := json.Marshal(map[string]any{table: map[string]any{name: patch}})
	must(w.TB, err)
	var report stack.Report
	if status := w.panel.call("PATCH", "/api/v1/config", "application/merge-patch+json", string(body), &report); status != 200 || report.Outcome != stack.Applied {
		w.Fatalf("saving %s was answered %d: %+v", key, status, report)
	}
}

func (w *world) openHistory(l look) {
	if w.page != nil {
		must(w.TB, w.page.Close())
	}
	w.openPage("/history", l)
}

func (w *world) button(name string) playwright.Locator {
	return w.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)})
}

func (w *world) link(name string) playwright.Locator {
	return w.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)})
}

func (w *world) choose(name, value string) {
	w.Helper()
	_, err := w.page.Locator(fmt.Sprintf(`select[name=%q]`, name)).SelectOption(playwright.SelectOptionValues{Values: &[]string{value}})
	must(w.TB, err)
}

func (w *world) newestBackup() string {
	w.Helper()
	backups := w.panel.backups()
	if len(backups) == 0 {
		w.Fatalf("there is no backup")
	}
	return slices.Max(backups)
}

func (w *world) text(selector string) string {
	text, _ := w.page.Locator(selector).InnerText()
	return text
}

// timelineShows waits until the newest entries are these: each row is a title and a text of one. What
// the schedule did meanwhile may stand between them.
func (w *world) timelineShows(want *godog.Table) {
	w.Helper()
	eventually(w.TB, "the timeline's entries", func() (bool, string) {
		entries, err := w.page.Locator("#timeline .event").AllInnerTexts()
		must(w.TB, err)
		n := 0
		for _, e := range entries {
			if n < len(want.Rows) && strings.Contains(e, want.Rows[n].Cells[0].Value) && strings.Contains(e, want.Rows[n].Cells[1].Value) {
				n++
			}
		}
		return n == len(want.Rows), strings.Join(entries, "\n--\n")
	})
}
