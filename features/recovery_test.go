package features

import (
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"

	"pitstop/stack"
)

// TestARecoveryIsOnThePage: who opens the panel after a crash sees what became of the run that the crash
// interrupted, at once and in the history.
func TestARecoveryIsOnThePage(t *testing.T) {
	for _, round := range []struct{ name, at, badge, message string }{
		{"of a run that had not changed the file", stack.PointPaused, "rolled back", "was interrupted before it changed the config file. Everything runs, with the old config."},
		{"of a run that had", stack.PointSaved, "applied", "was interrupted and is finished now"},
	} {
		t.Run(round.name, func(t *testing.T) {
			c := newChaos(processRig(t, referenceConfig(t)))
			services := c.env
			c.env = append(services, "PITSTOP_CHAOS_KILL_AT="+round.at)
			c.start()
			c.settled()
			s := c.newSave(false)
			c.died(round.at, c.put(s))
			c.env = services
			c.start()
			page := tab(t, look{})
			open(t, page, c.url+"/")
			see(t, page, "#run h2", "Recovery after an interruption")
			see(t, page, "#run header", round.badge)
			see(t, page, "#run .run-message", round.message)
			open(t, page, c.url+"/history")
			entry := page.Locator("main article, main li").Filter(playwright.LocatorFilterOptions{HasText: "Recovery after an interruption"}).First()
			if text, err := entry.InnerText(); err != nil || !strings.Contains(text, round.badge) {
				t.Errorf("the history says %q (%v), want the recovery as %s", text, err, round.badge)
			}
			c.kill()
		})
	}
}
