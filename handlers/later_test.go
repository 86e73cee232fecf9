package handlers

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack/configfile"
	"pitstop/stack/later"
)

// laterPanel is a panel with a queue whose clock the test turns.
type laterPanel struct {
	*panel
	clock *clockwork.FakeClock
	next  time.Time // the schedule's next close
}

func newLaterPanel(t *testing.T) *laterPanel {
	t.Helper()
	p := &laterPanel{panel: newPanel(t), clock: clockwork.NewFakeClockAt(time.Now())}
	p.next = p.clock.Now().Add(2 * time.Hour).Truncate(time.Minute)
	queue, err := later.Open(later.Options{
		State: t.TempDir(), Clock: p.clock, Read: p.o.Store.Read, Apply: later.Through(p.control),
		Busy: func() bool { return p.control.Current() != nil },
		Merge: func(base, live, queued []byte) (later.Merged, error) {
			m, err := configfile.Merge(base, live, queued)
			out := later.Merged{Content: m.Content, Unmerged: m.Unmerged}
			for _, c := range m.Clashes {
				out.Clashes = append(out.Clashes, c.Pointer)
			}
			return out, err
		},
		NextClose: func(now time.Time) later.Close {
			if now.Before(p.next) {
				return later.Close{Known: true, Next: p.next, Open: true}
			}
			return later.Close{Known: true}
		},
		Record: p.control.AppendAudit,
	})
	if err != nil {
		t.Fatal(err)
	}
	queue.OnChange(p.Changed)
	queue.Start(context.Background())
	t.Cleanup(queue.Shutdown)
	p.o.Later = queue
	return p
}

// laterForm is the config form with one change, and the choice of when.
func (p *laterPanel) laterForm(usd, when, at string) url.Values {
	form := p.form()
	form.Set("risk.max_position_usd", usd)
	form.Set(inWhen, when)
	form.Set(inAt, at)
	return form
}

// wall is an instant from now as the form has it.
func (p *laterPanel) wall(ahead time.Duration) string {
	return p.clock.Now().Add(ahead).In(p.zone()).Format(wallLayout)
}

// queuedNow is the queued change, which must be there.
func (p *laterPanel) queuedNow() later.Entry {
	p.t.Helper()
	e, ok := p.queued()
	if !ok {
		p.t.Fatal("nothing is queued")
	}
	return e
}

// pass turns the clock and waits until the queued change is in this state.
func (p *laterPanel) pass(d time.Duration, want later.State) {
	p.t.Helper()
	p.clock.Advance(d)
	p.o.Later.Replan() // a timer that was about to be set when the clock moved would not fire any more
	limit := time.After(2 * generous)
	for {
		changed := p.changes.watch()
		e := p.queuedNow()
		if e.State == want {
			return
		}
		select {
		case <-changed:
		case <-limit:
			p.t.Fatalf("the queued change is not %s: %+v", want, e)
		}
	}
}

func TestApplyLater(t *testing.T) {
	t.Run("queues what the form asks for, and every page says so", func(t *testing.T) {
		p := newLaterPanel(t)
		p.get("/config").want(t, 200).has(t, "Apply", "at the next close", `formaction="/later"`)
		p.get("/later").want(t, 200).has(t, "Nothing is queued")
		form := p.laterForm("6000", "next_close", "")
		form.Set("broker.api_key", "another-secret-entirely")
		form.Set(inNote, "calmer then")
		if to := p.post("/later", form).want(t, 303).Header.Get("Location"); to != "/later" {
			t.Errorf("it leads to %q", to)
		}
		for _, page := range []string{"/", "/config", "/schedule", "/history", "/nowhere"} {
			p.get(page).has(t, "Queued", "risk.max_position_usd and 1 more key", "at the next close", `href="/later"`)
		}
		shown := p.get("/later").want(t, 200).has(t, "calmer then", "5\u202f000", "6\u202f000", "changed, secret", "max_position_usd     = 6000", "Withdraw")
		if strings.Contains(shown.body, "another-secret-entirely") || strings.Contains(p.log.String(), "another-secret-entirely") {
			t.Error("a queued secret is shown")
		}
		p.wantFile(document)
		if n := p.calls("Pause"); n > 0 {
			t.Errorf("%d instances were paused", n)
		}

		p.pass(2*time.Hour, later.Done)
		if got := string(p.content()); !strings.Contains(got, "max_position_usd     = 6000   # the most") || !strings.Contains(got, "another-secret-entirely") {
			t.Errorf("the config file is\n%s", got)
		}
		if r := p.ended(); !strings.HasPrefix(r.Note, "calmer then · Queued ") {
			t.Errorf("the history's note is %q", r.Note)
		}
		p.get("/").has(t, "Applied later", "Dismiss")
		p.get("/later").want(t, 200).has(t, "Applied as it was queued", "/config?run=")
		id := p.queuedNow().ID
		if to := p.post("/later/change", url.Values{inID: {id}, inDo: {"dismiss"}, "back": {"/history"}}).want(t, 303).Header.Get("Location"); to != "/history" {
			t.Errorf("dismissing leads to %q", to)
		}
		if body := p.get("/").body; strings.Contains(body, "Applied later") {
			t.Error("it is still told after it was dismissed")
		}
	})

	t.Run("refuses what cannot be queued, and keeps all that was typed", func(t *testing.T) {
		p := newLaterPanel(t)
		p.post("/later", p.laterForm("-6", "time", p.wall(time.Hour))).want(t, 422).has(t, `value="-6"`, "to correct", p.wall(time.Hour))
		for _, at := range []string{"", "soon", p.wall(-time.Hour)} {
			a := p.post("/later", p.laterForm("6000", "time", at)).want(t, 422)
			a.has(t, "value=\"6000\"", `id="ask-later" open`)
		}
		p.post("/later", p.laterForm("6000", "", "")).want(t, 422).has(t, "Say when")
		p.post("/later", p.laterForm("5000", "next_close", "")).want(t, 200).has(t, "Nothing to apply")
		p.clock.Advance(3 * time.Hour) // past the last close
		p.post("/later", p.laterForm("6000", "next_close", "")).want(t, 422).has(t, "no close to come")
		if _, ok := p.queued(); ok {
			t.Error("something is queued")
		}
	})

	t.Run("puts a change in the place of another only when told to", func(t *testing.T) {
		p := newLaterPanel(t)
		p.post("/later", p.laterForm("6000", "next_close", "")).want(t, 303)
		first := p.queuedNow()
		form := p.laterForm("7000", "time", p.wall(time.Hour))
		p.post("/later", form).want(t, 409).has(t, "Replace the queued change", `value="7000"`, `value="`+first.ID+`"`, p.wall(time.Hour))
		if p.queuedNow().ID != first.ID {
			t.Error("the first is gone")
		}
		form.Set(inReplaces, first.ID)
		p.post("/later", form).want(t, 303)
		if e := p.queuedNow(); !strings.Contains(e.Content, "7000") || e.When != later.AtTime {
			t.Errorf("queued is %+v", e)
		}
	})

	t.Run("asks before a dangerous change is queued, as before one is saved", func(t *testing.T) {
		p := newLaterPanel(t)
		form := p.laterForm("90000", "next_close", "")
		body := p.post("/later", form).want(t, 422).has(t, "dangerous", "once more to queue it all the same", "/later?confirm=").body
		_, rest, _ := strings.Cut(body, "/later?confirm=")
		confirm, _, _ := strings.Cut(rest, `"`)
		p.post("/later?confirm="+confirm, form).want(t, 303)
		p.queuedNow()
	})

	t.Run("queues the raw text too, secrets kept", func(t *testing.T) {
		p := newLaterPanel(t)
		text := strings.Replace(p.get("/api/v1/config").body, "# kept", "# kept, and remarked upon", 1)
		p.post("/later", url.Values{inRevision: p.form()[inRevision], inView: {viewRaw}, inRaw: {text}, inWhen: {"next_close"}}).want(t, 303)
		p.get("/").has(t, "the config file", "at the next close")
		p.pass(2*time.Hour, later.Done)
		p.wantFile(strings.Replace(document, "# kept", "# kept, and remarked upon", 1))
	})

	t.Run("lets the queued change be moved, made due and withdrawn", func(t *testing.T) {
		p := newLaterPanel(t)
		p.post("/later", p.laterForm("6000", "next_close", "")).want(t, 303)
		id := p.queuedNow().ID
		change := func(do string, more ...string) answer {
			form := url.Values{inID: {id}, inDo: {do}}
			for i := 0; i < len(more); i += 2 {
				form.Set(more[i], more[i+1])
			}
			return p.post("/later/change", form)
		}
		change("move", inWhen, "time", inAt, p.wall(3*time.Hour)).want(t, 303)
		if e := p.queuedNow(); e.When != later.AtTime || e.At.In(p.zone()).Format(wallLayout) != p.wall(3*time.Hour) {
			t.Errorf("it is due at %s", e.At)
		}
		change("move", inWhen, "time", inAt, p.wall(-3*time.Hour)).want(t, 422).has(t, "has passed already", p.wall(-3*time.Hour))
		change("explode").want(t, 422)
		p.post("/later/change", url.Values{inID: {"older"}, inDo: {"withdraw"}}).want(t, 409).has(t, "replaced by another one")
		change("withdraw").want(t, 303)
		change("withdraw").want(t, 404).has(t, "Nothing is queued")
		p.get("/history?show=config").want(t, 200).has(t, `data-kind="later"`, "Apply later", "queued", "moved", "withdrawn", "1 key to change", "risk.max_position_usd", "It is not in the file.")
		p.get("/api/v1/history").want(t, 200).has(t, `"kind":"later"`, `"source":"withdrawn"`)
		p.get("/history/"+p.control.Reports()[0].ID).want(t, 200).has(t, "withdrawn", "risk.max_position_usd")
		if runs := p.get("/api/v1/runs").want(t, 200).body; strings.Contains(runs, "withdrawn") {
			t.Errorf("they are told as runs: %s", runs)
		}

		p.post("/later", p.laterForm("6000", "next_close", "")).want(t, 303)
		id = p.queuedNow().ID
		change("now").want(t, 303)
		p.pass(0, later.Done)
	})

	t.Run("holds what clashes, names the keys, and lets it be changed", func(t *testing.T) {
		p := newLaterPanel(t)
		p.post("/later", p.laterForm("6000", "next_close", "")).want(t, 303)
		theirs := strings.Replace(document, "= 5000", "= 4000", 1)
		if err := os.WriteFile(p.file, []byte(theirs), 0o644); err != nil {
			t.Fatal(err)
		}
		p.get("/later").want(t, 200).has(t, "in the same keys too")
		p.pass(2*time.Hour, later.Held)
		p.wantFile(theirs)
		p.get("/history").want(t, 200).has(t, "Not applied", "Decide")
		p.get("/later").want(t, 200).has(t, "somebody else changed the same keys", "risk.max_position_usd",
			"was <strong>5\u202f000 USD</strong>, is <strong>4\u202f000 USD</strong> now", "to become <strong>6\u202f000 USD</strong>", "Decide whose value counts")
		p.get("/later/edit").want(t, 200).has(t, "Take theirs: <strong>4\u202f000 USD</strong>", "Keep yours: <strong>6\u202f000 USD</strong>", "value=\"6000\"", "Replace the queued change")
		if n := p.calls("Pause"); n > 0 {
			t.Errorf("%d instances were paused", n)
		}
	})

	t.Run("shows the queued change in the form, secrets kept", func(t *testing.T) {
		p := newLaterPanel(t)
		form := p.laterForm("6000", "next_close", "")
		form.Set("broker.api_key", "another-secret-entirely")
		p.post("/later", form).want(t, 303)
		if err := os.WriteFile(p.file, []byte(strings.Replace(document, "= 250 ", "= 251 ", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		a := p.get("/later/edit").want(t, 200).has(t, "value=\"6000\"", "Replace the queued change")
		if strings.Contains(a.body, "another-secret-entirely") {
			t.Error("the form shows a queued secret")
		}
	})

	t.Run("is not offered by a panel without a queue", func(t *testing.T) {
		p := newPanel(t)
		if strings.Contains(p.get("/config").body, "ask-later") {
			t.Error("it is offered")
		}
		p.get("/later").want(t, 200)
		p.get("/later/edit").want(t, 303)
		p.post("/later", p.form()).want(t, 404)
		p.post("/later/change", url.Values{}).want(t, 404)
		if a := p.get("/api/v1/later").want(t, 200); strings.TrimSpace(a.body) != "null" {
			t.Errorf("the API answers %q", a.body)
		}
		p.do("DELETE", "/api/v1/later", "").want(t, 404)
	})
}

func TestApplyLaterByTheAPI(t *testing.T) {
	p := newLaterPanel(t)
	post := func(query, mime, body string, headers ...string) answer {
		return p.do("POST", "/api/v1/later"+query, body, append([]string{"Content-Type", mime}, headers...)...)
	}
	patch := `{"risk":{"max_position_usd":6000}}`
	if a := p.get("/api/v1/later").want(t, 200); strings.TrimSpace(a.body) != "null" {
		t.Errorf("with nothing queued it answers %q", a.body)
	}
	post("?at=next_close", "text/plain", patch).want(t, 415)
	post("", mergePatch, patch).want(t, 422).has(t, "?at=")
	post("?at=2001-01-01T00:00:00Z", mergePatch, patch).want(t, 422).has(t, "passed already")
	post("?at=next_close", mergePatch, `{"risk":{"max_position_usd":-1}}`).want(t, 422).has(t, "/risk/max_position_usd")
	post("?at=next_close", mergePatch, `{}`).want(t, 422).has(t, "already")
	post("?at=next_close", mergePatch, patch, "If-Match", `"older"`).want(t, 412)
	post("?at=next_close", "application/toml", document, "If-Match", `"older"`).want(t, 412)

	var e queuedAnswer
	a := post("?at=next_close&note=n", mergePatch, patch).want(t, 201)
	if err := json.Unmarshal([]byte(a.body), &e); err != nil {
		t.Fatal(err)
	}
	if e.State != later.Waiting || e.When != later.NextClose || e.At == nil || !e.At.Equal(p.next) || e.Note != "n" || len(e.Changed) != 1 || e.Changed[0] != "/risk/max_position_usd" {
		t.Errorf("it is told as %s", a.body)
	}
	p.get("/api/v1/later").want(t, 200).has(t, e.ID, `"waiting"`)
	p.get("/api/v1/status").want(t, 200).has(t, `"later":{"id":"`+e.ID)
	masked := p.get("/api/v1/config").body
	whole := strings.Replace(masked, "= 5000", "= 7000", 1)
	at := "?at=" + url.QueryEscape(p.clock.Now().Add(time.Hour).Format(time.RFC3339))
	post(at, "application/toml", whole).want(t, 409).has(t, e.ID)
	post(at+"&replace="+e.ID, "application/toml", whole).want(t, 201)
	if now := p.queuedNow(); !strings.Contains(now.Content, secret) || !strings.Contains(now.Content, "7000") {
		t.Error("the queued document lacks the file's secret, or the change")
	}
	p.do("DELETE", "/api/v1/later?id="+e.ID, "").want(t, 409)
	p.do("DELETE", "/api/v1/later", "").want(t, 204)
	p.do("DELETE", "/api/v1/later", "").want(t, 404)
	p.wantFile(document)
}
