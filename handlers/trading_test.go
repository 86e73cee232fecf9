package handlers

import (
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/views"
)

// weekdays is the schedule of the tests as it is at an instant: 09:30 to 16:00 in New York.
func weekdays(t *testing.T, at time.Time) schedule.Status {
	t.Helper()
	sch, problems := schedule.Parse(map[string]any{"schedule": map[string]any{
		"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "days": []any{"mon", "tue", "wed", "thu", "fri"},
	}}, time.UTC)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return schedule.Status{Schedule: sch, State: sch.At(at)}
}

func TestAHaltShowsWhoObeysIt(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z")
	services := []stack.ServiceStatus{
		{Name: "obedient", Obeys: &stack.Obeyed{Reason: "halted"}},
		{Name: "deaf", Obeys: &stack.Obeyed{TradingEnabled: true, Reason: "within hours"}},
		{Name: "go-scanner"}, // has no part in trading
	}
	halted := schedule.GateState{Mode: schedule.Halted, Since: now}
	banner := func(g schedule.GateState, at time.Time) views.Trading {
		return tradingBanner(g, weekdays(t, at), stack.Status{Services: services, At: at}, at, newYork)
	}
	got := banner(halted, now)
	if !slices.Equal(got.Obeyed, []string{"obedient"}) || !slices.Equal(got.Pending, []string{"deaf"}) || len(got.Disobeyed) > 0 {
		t.Errorf("at once: got obeyed %v, pending %v, warnings %v", got.Obeyed, got.Pending, got.Disobeyed)
	}
	if got = banner(halted, now.Add(time.Minute)); len(got.Disobeyed) != 1 {
		t.Errorf("a minute later: got the warnings %v, want one about deaf", got.Disobeyed)
	}
	if got = banner(schedule.GateState{TradingEnabled: true, Mode: schedule.FollowSchedule, Since: now}, now); len(got.Obeyed)+len(got.Pending) > 0 {
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

func TestTheBannerSaysWhatAnOverrideEndsIn(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z") // Monday, 10:00 in New York
	for until, want := range map[string]string{
		"2026-03-02T20:00:00Z": "then the schedule (open until 16:00)",
		"2026-03-02T23:00:00Z": "then off until Tue 09:30",
	} {
		end := instantAt(t, until)
		b := tradingBanner(schedule.GateState{TradingEnabled: true, Mode: schedule.Forced, Since: now, Until: &end}, weekdays(t, now), stack.Status{At: now}, now, newYork)
		if b.Then != want {
			t.Errorf("until %s: got %q, want %q", until, b.Then, want)
		}
	}
}

func TestTheBannerSaysWhatResumingWouldDo(t *testing.T) {
	morning, evening := instantAt(t, "2026-03-02T15:00:00Z"), instantAt(t, "2026-03-02T22:00:00Z")
	end := evening.Add(time.Hour)
	for _, c := range []struct {
		mode schedule.Mode
		at   time.Time
		want string
	}{
		{schedule.Halted, morning, "Resuming: trading goes on at once, until 16:00"},
		{schedule.Halted, evening, "Resuming: trading stays off until Tue 09:30"},
		{schedule.Forced, morning, "Resuming: trading stays on until 16:00"},
		{schedule.Forced, evening, "Resuming: trading ends at once, off until Tue 09:30"},
		{schedule.FollowSchedule, morning, ""},
	} {
		g := schedule.GateState{Mode: c.mode, TradingEnabled: c.mode != schedule.Halted, Since: c.at, Until: &end}
		if got := tradingBanner(g, weekdays(t, c.at), stack.Status{At: c.at}, c.at, newYork).Resuming; got != c.want {
			t.Errorf("%s at %s: got %q, want %q", c.mode, c.at, got, c.want)
		}
	}
}

func TestTradingIsNotGreenWhileNothingCanTrade(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z")
	on := schedule.GateState{TradingEnabled: true, Mode: schedule.FollowSchedule, Since: now.Add(-time.Hour)}
	trades := func(state stack.State) stack.ServiceStatus {
		return stack.ServiceStatus{Name: "python-orchestrator", State: state, Trades: true, Instances: []stack.Instance{{State: state}}}
	}
	scanner := stack.ServiceStatus{Name: "go-scanner", State: stack.Stopped}
	for name, c := range map[string]struct {
		stack stack.Status
		want  string
	}{
		"all runs":                           {stack.Status{At: now, Services: []stack.ServiceStatus{trades(stack.Running)}}, ""},
		"stopped":                            {stack.Status{At: now, Services: []stack.ServiceStatus{trades(stack.Stopped)}}, "python-orchestrator is stopped"},
		"paused":                             {stack.Status{At: now, Services: []stack.ServiceStatus{trades(stack.Paused)}}, "python-orchestrator is paused"},
		"starting":                           {stack.Status{At: now, Services: []stack.ServiceStatus{{Name: "o", State: stack.Stopped, Trades: true, Instances: []stack.Instance{{State: stack.Starting}}}}}, "o is starting"},
		"what has no part in it":             {stack.Status{At: now, Services: []stack.ServiceStatus{trades(stack.Running), scanner}}, ""},
		"nobody knows yet who has a part":    {stack.Status{At: now, Services: []stack.ServiceStatus{{Name: "other", State: stack.Running}, scanner}}, "go-scanner is stopped"},
		"nobody has looked yet":              {stack.Status{Services: []stack.ServiceStatus{{Name: "other"}}}, ""},
		"the engine cannot be reached":       {stack.Status{At: now.Add(-time.Minute), Problem: "away", Services: []stack.ServiceStatus{trades(stack.Running)}}, "the services have not been seen since 09:59"},
		"the engine was never to be reached": {stack.Status{Problem: "away"}, "the services have not been seen since the panel started"},
	} {
		b := tradingBanner(on, weekdays(t, now), c.stack, now, newYork)
		if got := strings.Join(b.Away, "\n"); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if green := b.Badge.Tone == views.Good; green != (c.want == "") || b.Badge.Word != "Trading on" {
			t.Errorf("%s: got the badge %+v", name, b.Badge)
		}
	}
	off := tradingBanner(schedule.GateState{Mode: schedule.FollowSchedule}, weekdays(t, now), stack.Status{At: now, Services: []stack.ServiceStatus{scanner}}, now, newYork)
	if len(off.Away) > 0 {
		t.Errorf("while trading is off anyway: got %q", off.Away)
	}
}

func TestTheWordOfAServiceThatStandsStillIsItsLast(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z")
	frozen := stack.ServiceStatus{
		Name: "python-orchestrator", State: stack.Paused, Trades: true,
		Obeys: &stack.Obeyed{TradingEnabled: true, Reason: "within hours", Since: now.Add(-time.Hour), Said: now.Add(-3 * time.Minute)},
	}
	b := tradingBanner(schedule.GateState{Mode: schedule.Halted, Since: now.Add(-time.Minute)}, weekdays(t, now), stack.Status{At: now, Services: []stack.ServiceStatus{frozen}}, now, newYork)
	want := views.Disobeyed{
		Sentence: "python-orchestrator is paused; its last word is that it trades: within hours",
		Said:     views.At(now.Add(-3*time.Minute), now, newYork), Age: "3 min ago",
	}
	if len(b.Disobeyed) != 1 || b.Disobeyed[0] != want {
		t.Errorf("got %+v, want %+v", b.Disobeyed, want)
	}
	if v := service(frozen, "", now, newYork); v.Obeys.Old != "3 min ago" {
		t.Errorf("its card: got %+v", v.Obeys)
	}
}

func TestWhatComesNextHeedsAPersonsWord(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z")
	plan := weekdays(t, now)
	told := func(g schedule.GateState) string {
		card := nextEdges(plan, g, now, newYork)
		text := card.HeldNote + card.None
		for _, e := range card.Edges {
			text += "|" + e.Badge.Word + " " + e.At.Text + " " + e.Note
			if card.Held != nil && e.Badge.Tone != views.Quiet {
				t.Errorf("while halted %q is shown in the colour of something that will happen", e.Badge.Word)
			}
		}
		return text
	}
	if got, want := told(schedule.GateState{Mode: schedule.Halted}), "Does not open until resumed.|closes 16:00 |opens Tue 09:30 "; !strings.HasPrefix(got, want) {
		t.Errorf("halted: got %q, want %q and so on", got, want)
	}
	evening := instantAt(t, "2026-03-02T23:00:00Z")
	forced := schedule.GateState{Mode: schedule.Forced, TradingEnabled: true, Until: &evening}
	if got, want := told(forced), "|override ends 18:00 then off until Tue 09:30|opens Tue 09:30 "; !strings.HasPrefix(got, want) {
		t.Errorf("forced: got %q, want %q and so on", got, want)
	}
	for mode, word := range map[schedule.Mode]string{schedule.Halted: "halted", schedule.Forced: "on, by hand"} {
		card := clockCard(plan, schedule.GateState{Mode: mode, Until: &evening}, now, newYork)
		if card.Badge.Word != word || card.Badge.Tone == views.Good || card.Above == "" {
			t.Errorf("the schedule's card, %s: got %+v", mode, card)
		}
	}
}

func TestThePageOfAFailureKeepsItsBannerCurrent(t *testing.T) {
	p := newPanel(t)
	a := p.get("/nowhere").want(t, 404)
	_, address, found := strings.Cut(a.body, `hx-sse:connect="`)
	address, _, _ = strings.Cut(address, `"`)
	if !found {
		t.Fatal("it has no stream")
	}
	p.listen(t, html.UnescapeString(address)).until(`hx-target="#trading"`)
}
