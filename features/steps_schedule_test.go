package features

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"

	"pitstop/schedule"
)

// timely is how late what has to be prompt may be on a busy machine.
const timely = 5 * time.Second

// trader is panel and orchestrator as local processes, by the machine's own clock.
type trader struct {
	*world
	rig   *rig
	zone  *time.Location // in which it is about midday, so that no scenario runs into a midnight
	stop  string         // schedule.stop
	bell  time.Time      // when the window closes, if a scenario waits for that
	lives string
}

func (w *world) scheduleSteps(sc *godog.ScenarioContext) {
	w.movedSteps(sc)
	r := &trader{world: w}
	r.bellSteps(sc)
	r.bannerSteps(sc)
	r.planSteps(sc)
	r.haltSteps(sc)
	r.viewerSteps(sc)
	r.lostSteps(sc)
	r.heedSteps(sc)
}

// run starts both with this window. Positions are left soon, so that exits are seen.
func (r *trader) run(start, stop string) {
	r.Helper()
	r.stop = stop
	r.before = withSchedule(r.TB, referenceConfig(r.TB), map[string]string{"start": start, "stop": stop, "timezone": r.zone.String()})
	r.before = setNumber(r.TB, r.before, "max_hold_seconds    ", 6)
	r.before = setNumber(r.TB, r.before, "daily_loss_limit_usd", 90_000) // which would end all entries
	r.rig = processRig(r.TB, r.before)
	r.rig.panel.env = append(r.rig.panel.env, "ORCHESTRATOR_DRILLS=1")
	r.containers = &containers{TB: r.TB, panel: r.rig.panel}
	r.panel.start()
	r.servicesRun()
}

// midday is a zone in which the clocks show twelve to one.
func midday() *time.Location {
	name := "Etc/GMT"
	if ahead := 12 - time.Now().UTC().Hour(); ahead != 0 {
		name = fmt.Sprintf("Etc/GMT%+d", -ahead) // these names count westwards
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

func (r *trader) bellSteps(sc *godog.ScenarioContext) {
	sc.Given(`^panel and orchestrator run in the middle of a window$`, func() {
		r.zone = midday()
		r.run("00:01", "23:59")
	})
	sc.Given(`^panel and orchestrator run outside of a window$`, func() {
		r.zone = midday()
		r.run("00:01", "00:02")
	})
	sc.Given(`^panel and orchestrator run, and trading closes within two minutes$`, func() {
		r.zone = midday()
		r.run("00:01", "23:59")
		r.bothSay("on")
		r.ringSoon()
	})
	sc.Given(`^panel and orchestrator run by the clocks of "([^"]*)"$`, func(name string) {
		zone, err := time.LoadLocation(name)
		must(r.TB, err)
		r.zone = zone
		r.run("09:30", "16:00")
	})
	sc.Step(`^the panel and the orchestrator say that trading is (on|off)$`, r.bothSay)
	sc.When(`^that minute comes$`, func() {
		if late := time.Since(r.bell); late > 0 {
			r.Logf("the bell rang %s before the scenario was ready for it", late)
		}
		<-time.After(time.Until(r.bell))
	})
	sc.Then(`^the panel kept the edge in time$`, func() {
		m := regexp.MustCompile(`an edge of the schedule" open=false planned=\S+ late=(\S+)`).FindStringSubmatch(r.panel.output.String())
		if m == nil {
			r.Fatalf("the panel logged no edge:\n%s", r.panel.output)
		}
		late, err := time.ParseDuration(m[1])
		must(r.TB, err)
		theirs := r.saidAt("trading_enabled=false").Sub(r.bell)
		r.Logf("the close was kept %s late by the panel, %s by the orchestrator", late, theirs)
		if late > timely || theirs > timely || theirs < 0 {
			r.Fatalf("the close was kept %s late by the panel, %s by the orchestrator; want at most %s", late, theirs, timely)
		}
	})
	sc.Step(`^the panel is killed$`, func() { r.panel.kill() })
	sc.Step(`^the panel is started again$`, func() { r.panel.start() })
	sc.Then(`^the orchestrator closes by its own schedule$`, func() {
		r.orchestratorSays(false)
		for _, line := range r.rig.output(orchestrator) {
			if strings.Contains(line, "trading_enabled=false reason=own schedule") || strings.Contains(line, "trading_enabled=false reason=the window has closed") {
				return
			}
		}
		r.Fatalf("it did not say that its own schedule closed trading; it said %q", r.lastSaid())
	})
	sc.Then(`^the panel, started again, says that trading is (on|off)$`, func(word string) {
		r.panel.start()
		r.bothSay(word)
	})
	sc.Given(`^the orchestrator's scheduler thread is stopped$`, func() {
		r.signal(syscall.SIGUSR2)
		eventually(r.TB, "the thread to stop", func() (bool, string) {
			return r.logged("the scheduler thread was stopped"), r.lastSaid()
		})
	})
	sc.Given(`^both are killed$`, func() {
		r.lives = r.rig.lives()
		r.panel.kill()
		r.signal(syscall.SIGKILL)
	})
	sc.Then(`^the orchestrator begins another life$`, func() {
		eventually(r.TB, "another life", func() (bool, string) {
			lives := r.rig.lives()
			return lives != r.lives && len(r.rig.standing()) == 0, lives
		})
	})
}

// ringSoon sets schedule.stop to one of the next minutes, once everything runs: how long that took
// on a busy machine does not matter then.
func (r *trader) ringSoon() {
	r.Helper()
	const ahead = 12 * time.Second // for what a scenario does before
	for range 3 {
		r.bell = time.Now().Add(ahead).Truncate(time.Minute).Add(time.Minute)
		patch := fmt.Sprintf(`{"schedule":{"stop":%q}}`, r.bell.In(r.zone).Format("15:04"))
		if status := r.panel.call("PATCH", "/api/v1/config", "application/merge-patch+json", patch, nil); status != 200 {
			r.Fatalf("setting the closing bell was answered %d", status)
		}
		eventually(r.TB, "the panel to follow the new schedule", func() (bool, string) {
			told := readGate(r.TB, filepath.Dir(r.panel.config))
			return told.Until != nil && told.Until.Equal(r.bell) || time.Now().After(r.bell), fmt.Sprintf("%+v", told)
		})
		if time.Until(r.bell) > ahead/2 {
			return
		}
	}
	r.Fatalf("the machine is too busy to set a bell %s ahead", ahead)
}

// bothSay waits until trading.json, the panel and the orchestrator agree.
func (r *trader) bothSay(word string) {
	r.Helper()
	want := word == "on"
	eventually(r.TB, "the panel to say that trading is "+word, func() (bool, string) {
		var told schedule.GateState
		r.panel.call("GET", "/api/v1/trading", "", "", &told)
		file := readGate(r.TB, filepath.Dir(r.panel.config))
		return told.TradingEnabled == want && file.TradingEnabled == want, fmt.Sprintf("the panel: %+v, trading.json: %+v", told, file)
	})
	r.orchestratorSays(want)
}

func (r *trader) orchestratorSays(want bool) {
	r.Helper()
	eventually(r.TB, fmt.Sprintf("the orchestrator to say trading_enabled=%v", want), func() (bool, string) {
		said := r.lastSaid()
		return strings.Contains(said, fmt.Sprintf("trading_enabled=%v ", want)), said
	})
}

// lastSaid is the orchestrator's last word on whether it trades, in its present life.
func (r *trader) lastSaid() (last string) {
	for _, line := range r.rig.output(orchestrator) {
		if strings.Contains(line, "trading_enabled=") {
			last = line
		}
	}
	return last
}

func (r *trader) logged(text string) bool {
	for _, line := range r.rig.output(orchestrator) {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// saidAt is when the orchestrator last wrote a line with this text, by its own stamp; zero: never.
func (r *trader) saidAt(text string) (last time.Time) {
	for _, line := range r.rig.output(orchestrator) {
		if !strings.Contains(line, text) {
			continue
		}
		stamp, _, _ := strings.Cut(line, " ")
		if at, err := time.Parse(time.RFC3339, stamp); err == nil {
			last = at
		}
	}
	return last
}

// signal signals the orchestrator's process.
func (r *trader) signal(s syscall.Signal) {
	r.Helper()
	content, err := os.ReadFile(filepath.Join(r.panel.state(), "process", "service-"+orchestrator, "process.json"))
	must(r.TB, err)
	var process struct{ PID int }
	must(r.TB, json.Unmarshal(content, &process))
	if process.PID <= 1 {
		r.Fatalf("the process of the orchestrator is not known: %s", content)
	}
	must(r.TB, syscall.Kill(process.PID, s))
}

func (r *trader) bannerSteps(sc *godog.ScenarioContext) {
	sc.Step(`^the schedule page is open$`, func() { r.openPage("/schedule", look{}) })
	sc.Step(`^the schedule page is open without JavaScript$`, func() { r.openPage("/schedule", look{noScript: true}) })
	sc.Step(`^the schedule page is open on a phone without JavaScript$`, func() { r.openPage("/schedule", look{phone: true, noScript: true}) })
	sc.Given(`^the orchestrator has placed an order$`, func() {
		eventually(r.TB, "an order", func() (bool, string) { return r.logged("order placed"), r.lastSaid() })
	})
	sc.Step(`^the orchestrator hangs$`, func() {
		r.signal(syscall.SIGSTOP)
		r.Cleanup(func() { r.signal(syscall.SIGCONT) })
	})
	sc.When(`^the orchestrator goes on$`, func() { r.signal(syscall.SIGCONT) })
	sc.When(`^I halt trading on the page because of "([^"]*)"$`, func(why string) {
		must(r.TB, r.page.Locator("#ask-halt summary").Click())
		must(r.TB, r.page.Locator("#halt-reason").Fill(why))
		must(r.TB, r.page.Locator("#ask-halt button").Click())
	})
	sc.When(`^I resume the schedule on the page$`, func() {
		must(r.TB, r.page.Locator("#trading button[value=schedule]").Click())
	})
	sc.When(`^I let trading go on for an hour, on the page$`, func() {
		must(r.TB, r.page.Locator("#ask-force summary").Click())
		must(r.TB, r.page.Locator("#force-until").Fill(time.Now().In(r.zone).Add(time.Hour).Format("15:04")))
		must(r.TB, r.page.Locator("#ask-force button").Click())
	})
	sc.When(`^somebody halts trading meanwhile$`, func() {
		if status := r.panel.call("PUT", "/api/v1/trading", "application/json", `{"mode":"halted"}`, nil); status != 200 {
			r.Fatalf("the halt was answered %d", status)
		}
	})
	sc.Then(`^the page says "([^"]*)"$`, func(word string) { see(r.TB, r.page, "#trading .trading-word", word) })
	sc.Then(`^the page says "([^"]*)" because of "([^"]*)"$`, func(word, why string) {
		see(r.TB, r.page, "#trading .trading-word", word)
		see(r.TB, r.page, "#trading .trading-why", why)
	})
	sc.Then(`^the page says that the halt is obeyed by (\S+)$`, func(name string) { see(r.TB, r.page, "#trading .obeyed", name) })
	sc.Then(`^the page says that the halt is not yet obeyed by (\S+)$`, func(name string) { see(r.TB, r.page, "#trading .pending", name) })
	sc.Then(`^the page warns that (\S+) still trades$`, func(name string) {
		see(r.TB, r.page, "#trading [role=alert]", name+" is paused; its last word is that it trades")
	})
	sc.Then(`^the page refuses, for trading is halted$`, func() { see(r.TB, r.page, "main", "resume the schedule") })
	sc.Then(`^the orchestrator refuses an order$`, func() {
		halted := readGate(r.TB, filepath.Dir(r.panel.config)).Since
		eventually(r.TB, "an order to be refused", func() (bool, string) {
			return r.saidAt("order refused: trading is not enabled").After(halted), r.lastSaid()
		})
		if placed := r.saidAt("order placed"); placed.Sub(halted) > timely {
			r.Fatalf("an order was placed %s after the halt", placed.Sub(halted))
		}
	})
	sc.Then(`^an exit still goes through$`, func() {
		refusing := r.saidAt("trading_enabled=false")
		eventually(r.TB, "an exit", func() (bool, string) { return r.saidAt("exit placed").After(refusing), r.lastSaid() })
	})
}

func (r *trader) planSteps(sc *godog.ScenarioContext) {
	sc.When(`^I type "([^"]*)" as "([^"]*)" of the plan$`, r.typeInto)
	sc.When(`^I press Apply Schedule$`, r.apply)
	sc.When(`^I press Preview$`, func() { must(r.TB, r.page.Locator("#schedule-form button.plain").Click()) })
	sc.Then(`^the drawing shows "([^"]*)"$`, func(text string) { see(r.TB, r.page, "#coming .days", text) })
	sc.Then(`^the drawing says "([^"]*)"$`, func(text string) { see(r.TB, r.page, "#coming", text) })
	sc.Then(`^schedule\.stop in config\.toml is as it was$`, func() {
		if got := r.panel.readConfig(); got != r.before {
			r.Fatalf("config.toml is not as it was:\n%s", got)
		}
	})
	sc.Then(`^schedule\.stop in config\.toml is "([^"]*)", and nothing else has changed$`, func(stop string) {
		want := strings.Replace(r.before, fmt.Sprintf("stop = %q", r.stop), fmt.Sprintf("stop = %q", stop), 1)
		if got := r.panel.readConfig(); got != want {
			r.Fatalf("config.toml is\n%s\nwant\n%s", got, want)
		}
	})
	sc.Then(`^the panel follows the schedule until (\d\d:\d\d)$`, func(want string) {
		eventually(r.TB, "the panel to follow the new schedule", func() (bool, string) {
			told := readGate(r.TB, filepath.Dir(r.panel.config))
			return told.TradingEnabled && told.Until != nil && told.Until.In(r.zone).Format("15:04") == want, fmt.Sprintf("%+v", told)
		})
	})
	sc.Then(`^each of these is refused at its field, with all of it kept:$`, func(table *godog.Table) {
		for _, row := range table.Rows[1:] {
			cell := make(map[string]string, len(row.Cells))
			for i, c := range row.Cells {
				cell[table.Rows[0].Cells[i].Value] = c.Value
			}
			r.refused(cell)
		}
		r.untouchedConfig()
	})
	sc.When(`^somebody writes an unknown calendar into config\.toml$`, func() {
		r.left = strings.Replace(r.before, "[schedule]\n", "[schedule]\ncalendar = \"XNYZ\"\n", 1)
		must(r.TB, os.WriteFile(r.panel.config, []byte(r.left), 0o644))
	})
	sc.Then(`^the schedule page says at its field that the calendar is unknown$`, func() {
		r.openPage("/schedule", look{})
		see(r.TB, r.page, `[id="f-schedule.calendar-err"]`, "is unknown")
	})
}

func (r *trader) apply() {
	r.Helper()
	must(r.TB, r.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Apply Schedule", Exact: playwright.Bool(true)}).Click())
}

// refused applies one plan that cannot be.
func (r *trader) refused(cell map[string]string) {
	r.Helper()
	mode := map[string]string{"Fixed times": "times", "Cron": "cron", "Exchange session": "session"}[cell["mode"]]
	must(r.TB, r.page.Locator(fmt.Sprintf(`input[name=":mode"][value=%s]`, mode)).Click())
	drawn := r.page.Locator(fmt.Sprintf(`input[name=":drawn"][value=%s]`, mode))
	must(r.TB, drawn.WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateAttached}))
	typed := map[string]string{"schedule.start": cell["start"], "schedule.stop": cell["stop"], "schedule.timezone": cell["zone"]}
	for name, value := range typed {
		r.typeInto(value, name)
	}
	r.apply()
	see(r.TB, r.page, fmt.Sprintf(`[id="f-schedule.%s-err"]`, cell["field"]), cell["says"])
	for name, want := range typed {
		if got, err := r.field(name).InputValue(); err != nil || got != want {
			r.Fatalf("%s holds %q (%v), want %q", name, got, err, want)
		}
	}
}

func (r *trader) untouchedConfig() {
	r.Helper()
	if got := r.panel.readConfig(); got != r.before || len(r.panel.backups()) > 0 {
		r.Fatalf("config.toml was touched:\n%s", got)
	}
}
