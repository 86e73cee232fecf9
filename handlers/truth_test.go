package handlers

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"pitstop/stack"
)

func TestARunThatLeftTheOldConfigSaysThatItOnlyTried(t *testing.T) {
	done := []stack.StepReport{{Name: stack.SaveConfig, State: stack.StepDone}}
	one := []string{"/a"}
	for name, c := range map[string]struct {
		report stack.Report
		want   string
	}{
		"applied":                                {stack.Report{Outcome: stack.Applied, Steps: done, Changed: one}, "1 key changed"},
		"under way":                              {stack.Report{Changed: []string{"/a", "/b"}}, "2 keys to change"},
		"rejected":                               {stack.Report{Outcome: stack.Rejected, Changed: one}, "1 key would have changed"},
		"rolled back":                            {stack.Report{Outcome: stack.RolledBack, Steps: done, RollBack: done, Changed: one}, "1 key tried and put back"},
		"failed before the save":                 {stack.Report{Outcome: stack.Failed, Changed: one, MoreChanged: 4}, "5 keys would have changed"},
		"failed, the new one in place":           {stack.Report{Outcome: stack.Failed, Steps: done, RollBack: []stack.StepReport{{Name: stack.SaveConfig, State: stack.StepFailed}}, Changed: one}, "1 key changed"},
		"failed, but the old one in place":       {stack.Report{Outcome: stack.Failed, Steps: done, RollBack: done, Changed: one}, "1 key would have changed"},
		"failed, and nobody knows what is there": {stack.Report{Outcome: stack.Failed, Unfinished: true, Changed: one}, "1 key to change"},
		"edited from outside":                    {stack.Report{Kind: stack.KindExtern, Outcome: stack.Applied, Changed: one}, "1 key changed"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := changedCount(c.report); got != c.want {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
	t.Run("on its page and in the history", func(t *testing.T) {
		p := newPanel(t)
		p.stack.Down()
		defer p.stack.Up()
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		where := p.post("/config/run", form).want(t, 303).Header.Get("Location")
		r := p.ended()
		page := p.get(where).want(t, 200).has(t, "1 key would have changed", "as before", "Tried").body
		if strings.Contains(page, "→ <code>"+r.Revision.To.Short()) {
			t.Error("the run tells a revision that never was the file's")
		}
		if n := strings.Count(page, "so nothing was paused and nothing changed"); n != 2 { // the run, and the toast
			t.Errorf("the page says %d times why it failed, want once, and once in the toast", n)
		}
		p.get("/history").want(t, 200).has(t, "1 key would have changed")
	})
}

func TestAnInvalidFileSaysWhoLoadedIt(t *testing.T) {
	p := newPanel(t)
	bad := strings.Replace(document, "= 5000 ", "= -5 ", 1)
	p.write(bad)
	for _, i := range p.stack.Now() {
		rev := stack.RevisionOf([]byte(document))
		if i.Service == "go-scanner" {
			rev = stack.RevisionOf([]byte(bad))
		}
		p.stack.Log(i, "Config reloaded revision="+rev.Short())
	}
	want := "go-scanner loaded it all the same; python-orchestrator goes on with " + stack.RevisionOf([]byte(document)).Short() + "."
	p.listen(t, "/events?page=overview&back=/").until(want) // both have spoken
	for _, path := range []string{"/config", "/"} {
		if body := p.get(path).want(t, 200).has(t, want).body; strings.Contains(body, "loaded last") {
			t.Errorf("%s claims to know what every service loaded", path)
		}
	}
}

func TestAConfigFileThatIsGoneCanBePutBack(t *testing.T) {
	gone := func(t *testing.T) (*panel, string) {
		p := newPanel(t)
		p.control.ConfigTouched() // seen, and so kept
		if err := os.Remove(p.file); err != nil {
			t.Fatal(err)
		}
		rev := string(stack.RevisionOf([]byte(document)))
		link := "/history/restore?backup=" + rev
		p.get("/config").want(t, 200).has(t, "There is no config file", link)
		p.get("/").want(t, 200).has(t, link)
		p.get(link).want(t, 200).has(t, "becomes the config file again", "Put it back")
		return p, rev
	}
	form := func(rev string) url.Values { return url.Values{inBackup: {rev}, inShown: {rev}, inRevision: {""}} }
	t.Run("as it was last seen, which the history tells", func(t *testing.T) {
		p, rev := gone(t)
		where := p.post("/history/restore", form(rev)).want(t, http.StatusSeeOther).Header.Get("Location")
		p.wantFile(document)
		p.get(where).want(t, 200).has(t, "The config file was gone, and is back", stack.Revision(rev).Short())
		p.get("/config").want(t, 200).has(t, `value="5000"`)
		if n := p.calls("Pause"); n != 0 {
			t.Errorf("%d pauses, want none", n)
		}
	})
	t.Run("but not over one that is there by now", func(t *testing.T) {
		p, rev := gone(t)
		other := document + "# somebody was quicker\n"
		p.write(other)
		p.post("/history/restore", form(rev)).want(t, http.StatusPreconditionFailed).has(t, "was changed meanwhile")
		p.wantFile(other)
	})
}

func TestARunIsTitledByWhatWasPressed(t *testing.T) {
	p := newPanel(t)
	form := p.planForm()
	form.Set("schedule.stop", "15:45")
	where := p.post("/schedule/run", form).want(t, 303).Header.Get("Location")
	if r := p.ended(); r.Pressed != "Apply Schedule" || r.Kind != stack.KindSave {
		t.Errorf("the report is of a %s by %q", r.Kind, r.Pressed)
	}
	p.get(where).want(t, 200).has(t, "<h2>Apply Schedule</h2>")
	p.get("/history").want(t, 200).has(t, ">Apply Schedule</a>")
}

func TestEveryPageNamesTheZoneOfItsTimesOnce(t *testing.T) {
	p := newPanel(t)
	for _, path := range []string{"/", "/config", "/schedule", "/history", "/later", "/nowhere"} {
		if n := strings.Count(p.get(path).body, "Times of <b>America/New_York</b>"); n != 1 {
			t.Errorf("%s names it %d times", path, n)
		}
	}
}
