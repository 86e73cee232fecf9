package handlers

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"pitstop/schedule"
	"pitstop/stack"
)

func TestAHaltShowsWhoObeysIt(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z")
	services := []stack.ServiceStatus{
		{Name: "obedient", Obeys: &stack.Obeyed{Reason: "halted"}},
		{Name: "deaf", Obeys: &stack.Obeyed{TradingEnabled: true, Reason: "within hours"}},
		{Name: "go-scanner"}, // has no part in trading
	}
	halted := schedule.GateState{Mode: schedule.Halted, Since: now}
	got := tradingBanner(halted, services, now, newYork)
	if !slices.Equal(got.Obeyed, []string{"obedient"}) || !slices.Equal(got.Pending, []string{"deaf"}) || len(got.Disobeyed) > 0 {
		t.Errorf("at once: got obeyed %v, pending %v, warnings %v", got.Obeyed, got.Pending, got.Disobeyed)
	}
	if got = tradingBanner(halted, services, now.Add(time.Minute), newYork); len(got.Disobeyed) != 1 {
		t.Errorf("a minute later: got the warnings %v, want one about deaf", got.Disobeyed)
	}
	if got = tradingBanner(schedule.GateState{TradingEnabled: true, Mode: schedule.FollowSchedule, Since: now}, services, now, newYork); len(got.Obeyed)+len(got.Pending) > 0 {
		t.Errorf("without a halt: got obeyed %v, pending %v", got.Obeyed, got.Pending)
	}
}

func TestTradeUntilWhileHaltedIsRefusedInWords(t *testing.T) {
	p := newPanel(t)
	p.post("/trading", url.Values{"mode": {"halted"}, "reason": {"a drill"}}).want(t, 303)
	force := url.Values{"mode": {"forced"}, "until": {"23:58"}}
	p.post("/trading", force).want(t, 422).has(t, "Trading is halted by", "resume the schedule before forcing trading on.")
	p.post("/trading", force, "HX-Request", "true", "HX-Request-Type", "partial").want(t, 422).has(t, `hx-target="#toasts"`, "resume the schedule")
	p.get("/").want(t, 200).has(t, "Trading halted", "a drill", "Resume schedule")
	p.post("/trading", url.Values{"mode": {"schedule"}, "back": {"/schedule"}}).want(t, 303)
	if g := p.gate.State(); g.Mode != schedule.FollowSchedule {
		t.Errorf("got %+v", g)
	}
}
