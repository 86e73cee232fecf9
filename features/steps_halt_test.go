package features

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"github.com/fsnotify/fsnotify"
)

// oneHalt is a halt from the request for it on.
type oneHalt struct {
	asked   time.Time
	written time.Duration // until trading.json said so, as the file system told
	obeyed  time.Duration // until the orchestrator said so, by the stamp of its line
}

// haltSteps measure halts by the machine's own clock. A busy machine makes some of them late, so the
// bound is held to the best of a few; what may never happen is held to all.
func (r *trader) haltSteps(sc *godog.ScenarioContext) {
	var halts []oneHalt
	sc.When(`^trading is halted (\d+) times, and resumed after each$`, func(times int) {
		for n := range times {
			halts = append(halts, r.haltOnce(fmt.Sprintf("drill %d", n+1)))
		}
	})
	sc.When(`^trading\.json is removed$`, func() {
		must(r.TB, os.Remove(filepath.Join(filepath.Dir(r.panel.config), "trading.json")))
	})
	sc.Then(`^the orchestrator says that it stays halted$`, func() {
		eventually(r.TB, "the orchestrator to miss the file", func() (bool, string) {
			said := r.lastSaid()
			return strings.Contains(said, "trading_enabled=false reason=halted") && strings.Contains(said, "cannot be read"), said
		})
	})
	within := func(what string, of func(oneHalt) time.Duration, bound time.Duration) {
		var all []time.Duration
		for _, halt := range halts {
			all = append(all, of(halt).Round(10*time.Microsecond))
		}
		figure(r.TB, "from the request for a halt until %s: best %s of %s; at most %s is promised", what, slices.Min(all), fmt.Sprint(all), bound)
		if slices.Min(all) > bound {
			r.Fatalf("the best of %s until %s is %s; want at most %s", fmt.Sprint(all), what, slices.Min(all), bound)
		}
	}
	sc.Then(`^one halt was in trading\.json within 50 ms of its request$`, func() {
		within("trading.json says so", func(h oneHalt) time.Duration { return h.written }, 50*time.Millisecond)
	})
	sc.Then(`^one halt was obeyed by the orchestrator within 1 s of its request$`, func() {
		within("the orchestrator's order entry obeys", func(h oneHalt) time.Duration { return h.obeyed }, time.Second)
	})
	sc.Then(`^no order was placed between a halt that was obeyed and its end$`, func() {
		halted, orders := "", 0
		for _, line := range r.rig.output(orchestrator) {
			switch {
			case strings.Contains(line, "trading_enabled=false reason=halted"):
				halted = line
			case strings.Contains(line, "trading_enabled=true"):
				halted = ""
			case strings.Contains(line, "order placed"):
				if orders++; halted != "" {
					r.Fatalf("an order was placed after a halt was obeyed:\n%s\n%s", halted, line)
				}
			}
		}
		if orders == 0 {
			r.Fatalf("no order was placed at all")
		}
	})
}

// haltOnce halts trading by the API, waits until file and orchestrator have it, and resumes.
func (r *trader) haltOnce(reason string) oneHalt {
	r.Helper()
	path := filepath.Join(filepath.Dir(r.panel.config), "trading.json")
	watch, err := fsnotify.NewWatcher()
	must(r.TB, err)
	defer watch.Close()
	must(r.TB, watch.Add(filepath.Dir(path)))
	written := make(chan time.Time, 1)
	go func() {
		for range watch.Events {
			at := time.Now()
			if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content), reason) {
				written <- at
				return
			}
		}
	}()

	halt := oneHalt{asked: time.Now()}
	status := r.panel.call("PUT", "/api/v1/trading", "application/json", fmt.Sprintf(`{"mode":"halted","reason":%q}`, reason), nil)
	if status != 200 {
		r.Fatalf("the halt was answered %d", status)
	}
	select {
	case at := <-written:
		halt.written = at.Sub(halt.asked)
	case <-time.After(patience):
		r.Fatalf("trading.json never told of the halt because of %q", reason)
	}
	eventually(r.TB, "the orchestrator to obey", func() (bool, string) {
		at := r.saidAt("trading_enabled=false reason=halted: " + reason)
		halt.obeyed = at.Sub(halt.asked)
		return !at.IsZero(), r.lastSaid()
	})
	if halt.obeyed < -time.Millisecond { // its stamps are cut to the millisecond
		r.Fatalf("the halt was obeyed %s before it was asked for", -halt.obeyed)
	}
	r.panel.call("PUT", "/api/v1/trading", "application/json", `{"mode":"schedule"}`, nil)
	r.bothSay("on")
	return halt
}

// viewerSteps are those of a person whose clock is not the schedule's.
func (r *trader) viewerSteps(sc *godog.ScenarioContext) {
	sc.Step(`^the schedule page is open in "([^"]*)"$`, func(zone string) { r.openPage("/schedule", look{zone: zone}) })
	sc.Then(`^the next open and close are shown by the clocks of "([^"]*)" too$`, func(name string) {
		zone, err := time.LoadLocation(name)
		must(r.TB, err)
		eventually(r.TB, "both, by the viewer's clocks", func() (bool, string) {
			edges := r.edgesShown()
			for _, edge := range edges {
				own, theirs := edge.at.In(r.zone).Format("15:04"), edge.at.In(zone).Format("Mon")+" "+edge.at.In(zone).Format("15:04")
				shown := strings.ReplaceAll(edge.text, ",", "")
				if !strings.Contains(shown, own) || !strings.HasSuffix(shown, "("+theirs+" your time)") {
					return false, fmt.Sprintf("%q for %s, want %s and %s", edge.text, edge.at, own, theirs)
				}
			}
			return len(edges) > 1, fmt.Sprint(edges)
		})
	})
	sc.Then(`^the next open and close are shown once$`, func() {
		see(r.TB, r.page, "#coming .edges time", ":")
		for _, edge := range r.edgesShown() {
			if strings.Contains(edge.text, "your time") {
				r.Fatalf("%q is shown to somebody with the schedule's own clock", edge.text)
			}
		}
	})
}

type shownEdge struct {
	at   time.Time
	text string
}

// edgesShown are the coming edges on the schedule page.
func (r *trader) edgesShown() (edges []shownEdge) {
	r.Helper()
	all, err := r.page.Locator("#coming .edges time").All()
	must(r.TB, err)
	for _, one := range all {
		machine, err := one.GetAttribute("datetime")
		must(r.TB, err)
		at, err := time.Parse(time.RFC3339, machine)
		must(r.TB, err)
		text, err := one.InnerText()
		must(r.TB, err)
		edges = append(edges, shownEdge{at, strings.Join(strings.Fields(text), " ")})
	}
	return edges
}
