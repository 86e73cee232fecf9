package features

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"
)

// lostSteps are those of a page whose panel does not answer.
func (r *trader) lostSteps(sc *godog.ScenarioContext) {
	sc.Given(`^the overview is open$`, func() { r.openPage("/", look{}) })
	sc.Then(`^the head of the page says that the connection is lost, and as of when it speaks$`, func() {
		notice := r.page.Locator(".top .lost").Filter(playwright.LocatorFilterOptions{HasText: regexp.MustCompile(`Connection lost.*as of\s+\d\d:\d\d:\d\d`)})
		must(r.TB, notice.WaitFor())
		said, err := r.page.Locator(".top .lost time").TextContent()
		must(r.TB, err)
		now := time.Now().In(r.zone)
		at, err := time.ParseInLocation(time.DateOnly+" 15:04:05", now.Format(time.DateOnly)+" "+said, r.zone)
		if must(r.TB, err); at.After(now) || now.Sub(at) > patience {
			r.Fatalf("it speaks as of %s, and by the schedule's clocks it is %s", said, now.Format(time.TimeOnly))
		}
		r.nothingTooWide()
	})
	sc.Then(`^the head of the page says nothing of a lost connection$`, func() {
		must(r.TB, r.page.Locator(".top .lost").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	})
	sc.Then(`^the head of the page is (not )?green$`, func(not string) {
		eventually(r.TB, "the colour of the banner", func() (bool, string) {
			colours, err := r.page.Evaluate(`() => {
				const style = getComputedStyle(document.querySelector("#trading"));
				return style.getPropertyValue("--tone").trim() + " " + style.getPropertyValue("--good").trim();
			}`)
			must(r.TB, err)
			tone, good, _ := strings.Cut(fmt.Sprint(colours), " ")
			return (tone == good) == (not == ""), fmt.Sprint(colours)
		})
	})
	sc.Then(`^the page says in red "([^"]*)"$`, func(text string) { see(r.TB, r.page, "#toasts [role=alert]", text) })
	sc.When(`^I write into trading\.json what the page says$`, func() {
		toast, err := r.page.Locator("#toasts [role=alert]").InnerText()
		must(r.TB, err)
		said := regexp.MustCompile(`\{.*\}`).FindString(toast)
		must(r.TB, os.WriteFile(filepath.Join(filepath.Dir(r.panel.config), "trading.json"), []byte(said), 0o644))
	})
	sc.Then(`^the panel is gone, and the orchestrator halts all the same$`, func() {
		eventually(r.TB, "the orchestrator to halt", func() (bool, string) {
			said := r.lastSaid()
			return strings.Contains(said, "trading_enabled=false reason=halted"), said
		})
	})
	sc.When(`^the panel hangs$`, func() { // be it before the page's stream has begun
		process := r.panel.process.Process
		must(r.TB, process.Signal(syscall.SIGSTOP))
		r.Cleanup(func() { _ = process.Signal(syscall.SIGCONT) })
	})
	sc.When(`^the panel goes on$`, func() { must(r.TB, r.panel.process.Process.Signal(syscall.SIGCONT)) })
	sc.When(`^the panel is started again where it was$`, func() {
		at, err := url.Parse(r.panel.url)
		must(r.TB, err)
		r.panel.env = append(r.panel.env, "PITSTOP_LISTEN="+at.Host)
		r.panel.start()
	})
	sc.Then(`^nothing on the page says that it is not confirmed$`, func() {
		must(r.TB, r.page.Locator("#toasts [role=alert] span").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	})
}

// heedSteps are what the pages say of trading beyond the banner's word.
func (r *trader) heedSteps(sc *godog.ScenarioContext) {
	sc.When(`^I halt trading with the keyboard, and press once more$`, func() {
		// Whether the button takes clicks is looked at as it comes: a moment later it does.
		_, err := r.page.Evaluate(`() => {
			window.cameAs = new Promise((came) => new MutationObserver((_, watch) => {
				const resume = document.querySelector("#resume button");
				if (!resume) return;
				watch.disconnect();
				came(getComputedStyle(resume).pointerEvents);
			}).observe(document.body, { childList: true, subtree: true }));
		}`)
		must(r.TB, err)
		must(r.TB, r.page.Locator("#ask-halt summary").Press("Enter"))
		must(r.TB, r.page.Locator("#ask-halt button").Press("Enter"))
		see(r.TB, r.page, "#trading .trading-word", "Trading halted")
		must(r.TB, r.page.Keyboard().Press("Enter"))
	})
	sc.Then(`^the button that resumes took no click when it came$`, func() {
		came, err := r.page.Evaluate(`() => window.cameAs`)
		if must(r.TB, err); came != "none" {
			r.Fatalf("its pointer-events were %v", came)
		}
	})
	sc.Then(`^the keyboard is in the banner, at "([^"]*)"$`, func(text string) { see(r.TB, r.page, "#trading :focus", text) })
	sc.Then(`^a screen reader is told "([^"]*)"$`, func(text string) {
		told := r.page.Locator("[role=status]#said").Filter(playwright.LocatorFilterOptions{HasText: text})
		must(r.TB, told.WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateAttached}))
	})
	sc.Then(`^what comes next is "([^"]*)"$`, func(text string) { see(r.TB, r.page, "#next", text) })
	sc.Then(`^beside Apply Schedule it says "([^"]*)"$`, func(text string) { see(r.TB, r.page, ".actions #plan-changes", text) })
	sc.Then(`^trading is off since a moment ago, not since 00:02$`, func() {
		since := readGate(r.TB, filepath.Dir(r.panel.config)).Since
		if age := time.Since(since); age < 0 || age > patience {
			r.Fatalf("trading is said to be off since %s", since)
		}
	})
	sc.When(`^somebody takes the time zone out of config\.toml$`, func() {
		r.rewritten(fmt.Sprintf("timezone = %q\n", r.zone), "")
	})
	sc.Then(`^the schedule page warns at its head that no time zone is set$`, func() {
		eventually(r.TB, "the panel to follow", func() (bool, string) {
			r.openPage("/schedule", look{})
			text, err := r.page.Locator("#clock").InnerText()
			must(r.TB, err)
			return strings.Contains(text, "No time zone is set"), text
		})
	})
	sc.When(`^somebody breaks config\.toml$`, func() { r.rewritten("[risk]", "[risk") })
	sc.Then(`^the schedule page leads to the text of the file$`, func() {
		r.openPage("/schedule", look{})
		must(r.TB, r.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Open the file as TOML"}).Click())
		must(r.TB, r.page.Locator("textarea#raw").WaitFor())
	})
	sc.When(`^I choose "([^"]*)" and press "([^"]*)"$`, func(mode, button string) {
		must(r.TB, r.page.GetByLabel(mode, playwright.PageGetByLabelOptions{Exact: playwright.Bool(true)}).Check())
		must(r.TB, r.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: button}).Click())
	})
}

// rewritten changes config.toml as an editor on the machine does.
func (r *trader) rewritten(old, new string) {
	r.Helper()
	if r.left = strings.Replace(r.before, old, new, 1); r.left == r.before {
		r.Fatalf("config.toml lacks %q:\n%s", old, r.before)
	}
	must(r.TB, os.WriteFile(r.panel.config, []byte(r.left), 0o644))
}
