package handlers

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/views"
)

// planForm is what a browser would send of the schedule form as the file is now.
func (p *panel) planForm() url.Values {
	p.t.Helper()
	live := p.live()
	is := planOf(live.Value)
	return url.Values{
		inRevision: {string(live.Revision)}, inMode: {is.Mode}, inDrawn: {is.Mode},
		"schedule.start": {is.Start}, "schedule.stop": {is.Stop}, "schedule.timezone": {is.Zone}, "schedule.calendar": {is.Calendar},
		"schedule.days": is.Days, "schedule.holidays": {strings.Join(is.Holidays, "\r\n")},
		"schedule.early_closes": {strings.Join(is.EarlyCloses, "\r\n")},
	}
}

func (p *panel) rewrite(old, new string) {
	p.t.Helper()
	content := string(p.content())
	if !strings.Contains(content, old) {
		p.t.Fatalf("the config file lacks %q", old)
	}
	if err := os.WriteFile(p.file, []byte(strings.Replace(content, old, new, 1)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// replanned waits until something follows from the schedule in the file.
func (p *panel) replanned(what string, so func() bool) {
	p.t.Helper()
	p.o.Scheduler.Replan()
	for end := time.Now().Add(generous); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("waited %s, and not yet: %s", generous, what)
		}
	}
}

func TestSchedulePageHasTheFormAndTheDrawing(t *testing.T) {
	p := newPanel(t)
	p.get("/schedule").want(t, 200).has(t,
		`<input type="time" id="f-schedule.start" name="schedule.start" value="09:30"`,
		`<input type="time" id="f-schedule.stop" name="schedule.stop" value="16:00"`,
		"Apply Schedule", `<rect class="bar" x="570" y="1" width="390"`, "09:30–16:00",
		`href="/static/schedule.`, `value="XNYS"`, "New York Stock Exchange", `<option value="Australia/Sydney">`)
	if body := p.get("/").want(t, 200).body; strings.Contains(body, "/static/schedule.") {
		t.Error("the overview loads what only the schedule needs")
	}
}

func TestApplyScheduleChangesOnlyWhatWasTyped(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set("schedule.stop", "15:45")
	form.Set("schedule.calendar", "XNYS")
	a := p.post("/schedule/run", form).want(t, 303)
	if r := p.ended(); r.Outcome != stack.Applied {
		t.Fatalf("got %s: %s", r.Outcome, r.Message)
	}
	want := strings.Replace(document, `"16:00"`, `"15:45"`, 1)
	want = strings.Replace(want, "\"fri\"]\n", "\"fri\"]\ncalendar = \"XNYS\"\n", 1)
	p.wantFile(want)
	p.get(a.Header.Get("Location")).want(t, 200).has(t, "Configuration applied", `value="15:45"`, "are known from")
}

func TestApplyScheduleWritesDatesAndTakesThemAway(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set("schedule.holidays", "2026-12-24\r\n\r\n2026-12-31")
	form.Set("schedule.early_closes", "2026-11-27 13:00\r\n2026-12-23 12:30")
	p.post("/schedule/run", form).want(t, 303)
	p.ended()
	got := planOf(p.live().Value)
	if strings.Join(got.Holidays, " ") != "2026-12-24 2026-12-31" || strings.Join(got.EarlyCloses, " ") != "2026-11-27 13:00 2026-12-23 12:30" {
		t.Fatalf("got %+v\n%s", got, p.content())
	}
	form = p.planForm()
	form.Set("schedule.holidays", "")
	form.Set("schedule.early_closes", "2026-11-27 13:00")
	p.post("/schedule/run", form).want(t, 303)
	p.ended()
	if got = planOf(p.live().Value); len(got.Holidays) != 0 || len(got.EarlyCloses) != 1 {
		t.Errorf("got %+v\n%s", got, p.content())
	}
}

func TestAnUntouchedScheduleIsNothingToApply(t *testing.T) {
	p := newPanel(t)
	p.rewrite(`"16:00"`, "16:00:00") // TOML's own time is the same time
	p.post("/schedule/run", p.planForm()).want(t, 200).has(t, "Nothing to apply")
	if n := p.calls("Pause"); n > 0 {
		t.Errorf("paused %d times", n)
	}
}

func TestABadScheduleIsAnsweredAtItsField(t *testing.T) {
	p := newPanel(t)
	for name, c := range map[string]struct {
		set         url.Values
		field, says string
	}{
		"equal":             {url.Values{"schedule.stop": {"09:30"}}, "schedule.stop", "both 09:30"},
		"25:00":             {url.Values{"schedule.stop": {"25:00"}}, "schedule.stop", "not a time of day"},
		"never fires":       {url.Values{inMode: {"cron"}, inDrawn: {"cron"}, "schedule.start": {"0 9 31 2 *"}, "schedule.stop": {"0 16 * * *"}}, "schedule.start", "never"},
		"unknown zone":      {url.Values{"schedule.timezone": {"America/New_Yrok"}}, "schedule.timezone", "did you mean"},
		"unknown calendar":  {url.Values{"schedule.calendar": {"XNYZ"}}, "schedule.calendar", "is unknown"},
		"no day":            {url.Values{"schedule.days": nil}, "schedule.days", "never open"},
		"no date":           {url.Values{"schedule.holidays": {"2026-02-30"}}, "schedule.holidays", "date"},
		"early close":       {url.Values{"schedule.early_closes": {"tomorrow"}}, "schedule.early_closes", "Line 1"},
		"early close twice": {url.Values{"schedule.early_closes": {"2026-11-27 13:00\n2026-11-27 14:00"}}, "schedule.early_closes", "twice"},
		"open without one":  {url.Values{inMode: {"session"}, inDrawn: {"session"}, "schedule.start": {"open"}, "schedule.stop": {"close"}}, "schedule.start", "needs a calendar"},
	} {
		t.Run(name, func(t *testing.T) {
			form := p.planForm()
			for k, v := range c.set {
				form[k] = v
			}
			a := p.post("/schedule/run", form).want(t, 422)
			_, field, found := strings.Cut(a.body, `id="f-`+c.field+`-err"`)
			if !found || !strings.Contains(field[:min(len(field), 900)], c.says) {
				t.Errorf("%s does not say %q:\n%s", c.field, c.says, field[:min(len(field), 900)])
			}
			a.has(t, "Nothing was applied")
			for _, v := range c.set {
				for _, typed := range v {
					a.has(t, strings.ReplaceAll(typed, "&", "&amp;"))
				}
			}
		})
	}
	p.wantFile(document)
}

func TestPreviewDrawsWhatIsTypedAndAppliesNothing(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set("schedule.start", "22:00")
	form.Set("schedule.stop", "04:00")
	a := p.post("/schedule/preview?part=coming", form, "HX-Request", "true").want(t, 200)
	a.has(t, "not applied yet", "22:00–04:00", `x="1320" y="1" width="120"`, `x="0" y="1" width="240"`)
	if strings.Contains(a.body, "<html") {
		t.Error("the answer is a whole page, want the drawing alone")
	}
	p.post("/schedule/preview", form).want(t, 200).has(t, "<html", "22:00–04:00")
	form.Set("schedule.start", "25:00")
	p.post("/schedule/preview?part=coming", form).want(t, 200).has(t, "cannot be drawn yet", "25:00")
	p.wantFile(document)
}

func TestAScheduleWithoutAZoneIsWarnedOf(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	drawn := func() string { return p.post("/schedule/preview?part=coming", form).want(t, 200).body }
	const warning = "Services cannot keep this schedule by themselves"
	if strings.Contains(drawn(), warning) {
		t.Error("a schedule with a zone is warned of")
	}
	if body := p.get("/schedule").body; strings.Contains(body, warning) {
		t.Error("the page warns of a schedule with a zone")
	}
	form.Set("schedule.timezone", "")
	if body := drawn(); !strings.Contains(body, warning) {
		t.Errorf("a schedule without a zone is not warned of:\n%s", body)
	}
	p.rewrite("timezone = \"America/New_York\"\n", "")
	p.replanned("the card of what is followed warns", func() bool {
		_, card, _ := strings.Cut(p.get("/schedule").body, `id="clock"`)
		card, _, _ = strings.Cut(card, "</section>")
		return strings.Contains(card, warning)
	})
}

func TestAnotherWayOfWritingIsProposed(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set(inMode, views.ModeCron)
	p.post("/schedule/preview", form).want(t, 200).has(t, `value="30 9 * * *"`, `value="0 16 * * *"`, `name=":drawn" value="cron"`)
	form.Set(inMode, views.ModeSession)
	p.post("/schedule/preview", form).want(t, 200).has(t, `value="open"`, `value="close"`, `value="XNYS" selected`)
	p.post("/schedule/run", form).want(t, 422).has(t, "written the way you chose", `value="open"`)
	p.wantFile(document)
}

func TestAScheduleChangedMeanwhileIsAConflict(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set("schedule.stop", "15:45")
	p.rewrite(`"09:30"`, `"10:00"`)
	a := p.post("/schedule/run", form).want(t, 412).has(t, "changed meanwhile", `value="10:00"`, `value="15:45"`)
	if n := p.calls("Pause"); n > 0 {
		t.Errorf("paused %d times", n)
	}
	_, rest, _ := strings.Cut(a.body, `name=":revision" value="`)
	revision, _, _ := strings.Cut(rest, `"`)
	form.Set(inRevision, revision)
	form.Set("schedule.start", "10:00")
	p.post("/schedule/run", form).want(t, 303)
	p.ended()
	p.wantFile(strings.Replace(strings.Replace(document, `"09:30"`, `"10:00"`, 1), `"16:00"`, `"15:45"`, 1))
}

func TestAScheduleOfAVersionThatNobodyKnowsMarksWhatDiffersFromTheFile(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set(inRevision, strings.Repeat("0", 64))
	form.Set("schedule.stop", "15:45")
	p.rewrite(`"09:30"`, `"10:00"`)
	a := p.post("/schedule/run", form).want(t, 412).has(t, "is gone", `value="09:30"`, `value="15:45"`)
	if n := strings.Count(a.body, "The file has another value; yours is shown."); n < 2 {
		t.Errorf("%d of the two fields are marked", n)
	}
}

func TestAConfigWithoutAScheduleCanGetOne(t *testing.T) {
	p := newPanel(t)
	_, rest, _ := strings.Cut(document, "[risk]")
	if err := os.WriteFile(p.file, []byte("[risk]"+rest), 0o644); err != nil {
		t.Fatal(err)
	}
	p.get("/schedule").want(t, 200).has(t, "No schedule yet", `href="/schedule?add=1"`)
	p.get("/schedule?add=1").want(t, 200).has(t, `value="09:30"`, "Apply Schedule")
	form := p.planForm()
	for key, value := range map[string]string{inMode: "times", inDrawn: "times", "schedule.start": "09:30", "schedule.stop": "16:00", "schedule.timezone": "UTC"} {
		form.Set(key, value)
	}
	form["schedule.days"] = week[:5]
	p.post("/schedule/run", form).want(t, 303)
	if r := p.ended(); r.Outcome != stack.Applied {
		t.Fatalf("got %s: %s", r.Outcome, r.Message)
	}
	p.get("/schedule").want(t, 200).has(t, `value="UTC"`)
}

func TestTheClockCardTellsHowWellItIsKept(t *testing.T) {
	now := instantAt(t, "2026-03-02T21:30:00Z")
	sch, problems := schedule.Parse(map[string]any{"schedule": map[string]any{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}}, time.UTC)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	close := instantAt(t, "2026-03-02T21:00:00Z")
	got := clockCard(schedule.Status{
		Schedule: sch, State: sch.At(now),
		LastEdge: &schedule.LateEdge{Planned: close, Kept: close.Add(3 * time.Millisecond), Late: 3 * time.Millisecond},
		LastJump: &schedule.ClockJump{At: close, By: -time.Hour},
	}, schedule.GateState{Mode: schedule.FollowSchedule, Since: close}, now, newYork)
	if got.Badge.Word != "closed by the schedule" || got.Since.Text != "16:00" || got.Until.Text != "Tue 09:30" {
		t.Errorf("got %+v", got)
	}
	if want := "closed, kept 3.00 ms after it was due"; got.Edge != want || got.EdgeAt.Text != "16:00" {
		t.Errorf("the last edge: got %q at %q, want %q at 16:00", got.Edge, got.EdgeAt.Text, want)
	}
	if want := "jumped back by 1 h at"; got.Jump != want {
		t.Errorf("the jump: got %q, want %q", got.Jump, want)
	}
	got = clockCard(schedule.Status{State: schedule.State{Reason: "The file is bad."}, Problem: "The file is bad."}, schedule.GateState{Mode: schedule.FollowSchedule}, now, newYork)
	if got.Badge.Word != "no schedule" || got.Problem == "" || got.Reason != "" {
		t.Errorf("without a schedule: got %+v, want the problem, said once", got)
	}
}

func TestDrawnDays(t *testing.T) {
	draw := func(now string, table map[string]any) map[string]views.ComingDay {
		sch, problems := schedule.Parse(map[string]any{"schedule": table}, time.UTC)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		var c views.Coming
		drawComing(&c, sch, instantAt(t, now))
		days := map[string]views.ComingDay{}
		for _, d := range c.Days {
			days[d.Date] = d
		}
		return days
	}
	exchange := draw("2026-11-25T21:00:00Z", map[string]any{"start": "open", "stop": "close", "calendar": "XNYS", "timezone": "America/New_York"})
	if d := exchange["2026-11-26"]; !d.Closed || !strings.HasPrefix(d.Hours, "closed: Thanksgiving") {
		t.Errorf("Thanksgiving: got %+v", d)
	}
	if d := exchange["2026-11-27"]; d.Hours != "09:30–13:00" || !strings.Contains(d.Note, "early close") {
		t.Errorf("the day after: got %+v", d)
	}
	if d := exchange["2026-11-25"]; !d.Today || d.Now != "960" {
		t.Errorf("today: got %+v", d)
	}
	if d := exchange["2026-11-28"]; d.Hours != "closed: weekend" {
		t.Errorf("Saturday: got %+v", d)
	}
	night := draw("2026-10-30T12:00:00Z", map[string]any{"start": "22:00", "stop": "04:00", "timezone": "America/New_York"})
	if d := night["2026-11-01"]; d.Shift != "60" || !strings.Contains(d.Note, "clocks go back 1 h") || d.Hours != "until 04:00, 22:00–04:00" {
		t.Errorf("the clocks go back: got %+v", d)
	}
	lordHowe := draw("2026-10-01T12:00:00Z", map[string]any{"start": "09:00", "stop": "17:00", "timezone": "Australia/Lord_Howe"})
	if d := lordHowe["2026-10-04"]; d.Shift != "150" || !strings.Contains(d.Note, "clocks go forward 30 min") {
		t.Errorf("Lord Howe: got %+v", d)
	}
	often := draw("2026-11-25T12:00:00Z", map[string]any{"start": "*/30 8-17 * * *", "stop": "15,45 * * * *"})
	if d := often["2026-11-26"]; d.Hours != "20 windows, 08:00 to 17:45" || len(d.Bars) != 20 {
		t.Errorf("often: got %+v", d)
	}
	always := draw("2026-11-25T12:00:00Z", map[string]any{"start": "open", "stop": "close", "calendar": "24-7"})
	if d := always["2026-11-28"]; d.Hours != "all day" || len(d.Bars) != 1 || d.Bars[0].Width != "1440" {
		t.Errorf("around the clock: got %+v", d)
	}
}

func TestAPlanThatOpensOrClosesTradingAtOnceSaysSo(t *testing.T) {
	p := newPanel(t)
	always := map[string]string{"schedule.start": "00:00", "schedule.stop": "23:59"} // but for a minute, in which no test counts on it
	never := map[string]string{"schedule.holidays": time.Now().In(newYork).Format(time.DateOnly)}
	typed := func(more ...map[string]string) url.Values {
		form := p.planForm()
		form["schedule.days"] = week
		for _, m := range more {
			for k, v := range m {
				form.Set(k, v)
			}
		}
		return form
	}
	apply := func(form url.Values, open bool) {
		t.Helper()
		p.post("/schedule/run", form).want(t, 303)
		p.ended()
		p.replanned("the gate follows", func() bool { return p.gate.State().TradingEnabled == open })
	}
	const opens, closes = "Applying this opens trading now", "Applying this closes trading now"
	apply(typed(never), false)
	open := typed(always, map[string]string{"schedule.holidays": ""})
	p.post("/schedule/preview?part=coming", open).want(t, 200).has(t, opens)
	p.post("/schedule/preview", open).want(t, 200).has(t, `role="status">`+opens)
	apply(open, true)
	shut := typed(always, never)
	p.post("/schedule/preview?part=coming", shut).want(t, 200).has(t, closes)
	if body := p.post("/schedule/preview?part=coming", typed(always)).want(t, 200).body; strings.Contains(body, "Applying this") {
		t.Error("a plan that changes nothing of now is warned of")
	}
	raw := p.raw()
	raw.Set(inRaw, strings.Replace(raw.Get(inRaw), "holidays = []", `holidays = ["`+never["schedule.holidays"]+`"]`, 1))
	p.post("/config/review", raw).want(t, 200).has(t, closes)
	p.post("/trading", url.Values{"mode": {"halted"}}).want(t, 303)
	if body := p.post("/schedule/preview?part=coming", shut).want(t, 200).body; strings.Contains(body, "Applying this") {
		t.Error("halted already, trading is said to close")
	}
}

func TestAScheduleInAFileThatIsNoTOMLLeadsToItsText(t *testing.T) {
	p := newPanel(t)
	p.rewrite("[risk]", "[risk")
	p.get("/schedule").want(t, 200).has(t, "cannot be edited here", `href="/config?view=raw"`)
}
