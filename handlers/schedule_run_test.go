package handlers

import (
	"os"
	"strings"
	"testing"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

func TestSchedulePageDuringARun(t *testing.T) {
	p := newPanel(t)
	release := make(chan struct{})
	p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
		go func() { // confirms only when it may
			<-release
			p.stack.Log(i, "Config reloaded revision="+stack.RevisionOf(content).Short())
		}()
		return true
	})
	form := p.planForm()
	form.Set("schedule.stop", "15:45")
	to := p.post("/schedule/run", form).want(t, 303).Header.Get("Location")
	a := p.get(to).want(t, 200).has(t, `data-step="ValidateConfig"`, "A run is under way", `value="15:45"`, `http-equiv="refresh"`)
	if strings.Contains(a.body, "input from:#schedule-form") {
		t.Error("the locked form is redrawn, though it sends nothing")
	}
	other := p.planForm()
	other.Set("schedule.stop", "15:30")
	p.post("/schedule/run", other).want(t, 409).has(t, `value="15:30"`)

	id := p.control.Last().ID()
	l := p.listen(t, "/events?page=schedule&wait=1&run="+id+"&rev="+form.Get(inRevision))
	l.until(`id="run"`, "under way")
	close(release)
	if r := p.ended(); r.Outcome != stack.Applied || r.ID != id {
		t.Fatalf("run %s ended %q, want %s applied", r.ID, r.Outcome, id)
	}
	text := l.until(`id="editor"`, "Configuration applied", `value="15:45"`)
	if strings.Contains(text, "A run is under way") {
		t.Error("the form that comes after the run is locked")
	}
}

func TestSchedulePageAfterARollBack(t *testing.T) {
	p := newPanel(t)
	p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
		if i.Service == "go-scanner" && strings.Contains(string(content), "15:45") {
			log("Config reload failed: too early")
			return true
		}
		return stacktest.Obedient(i, content, log)
	})
	form := p.planForm()
	form.Set("schedule.stop", "15:45")
	to := p.post("/schedule/run", form).want(t, 303).Header.Get("Location")
	if r := p.ended(); r.Outcome != stack.RolledBack {
		t.Fatalf("outcome %q (%s), want rolled_back", r.Outcome, r.Message)
	}
	p.wantFile(document)
	p.get(to).want(t, 200).has(t, "Failed to apply configuration", "too early", `value="15:45"`, "What you typed is kept", "not applied yet")
	p.get("/schedule").want(t, 200).has(t, `value="16:00"`)
}

func TestSchedulePageFollowsTheFile(t *testing.T) {
	p := newPanel(t)
	l := p.listen(t, "/events?page=schedule&rev="+string(p.live().Revision))
	l.until(`id="clock"`)
	p.rewrite(`"16:00"`, `"15:45"`)
	p.Changed()
	l.until(`id="stale"`, "was changed since this page was opened", `href="/schedule"`)
}

func TestSchedulePageWithoutAUsableFile(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	if err := os.WriteFile(p.file, []byte("[schedule\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.get("/schedule").want(t, 200).has(t, "not valid TOML", "cannot be edited here", "line 1")
	p.post("/schedule/run", form).want(t, 503)
	p.post("/schedule/preview", form).want(t, 503)
	p.post("/schedule/run", form, "Origin", "http://elsewhere").want(t, 403)
	p.get("/schedule?run=nosuch").want(t, 404)
	p.get("/schedule/preview").want(t, 303)
}

func TestAnInvalidFileSaysSoAtItsFields(t *testing.T) {
	p := newPanel(t)
	p.rewrite(`"16:00"`, `"25:00"`)
	p.rewrite(`"America/New_York"`, `"Nowhere/At_All"`)
	p.get("/schedule").want(t, 200).has(t, "The schedule in the config file is not valid", `<input type="text" id="f-schedule.stop" name="schedule.stop" value="25:00"`,
		`id="f-schedule.timezone-err"`, "Nowhere/At_All")
}
