package handlers

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// change saves one value by the form, and returns the run's report.
func (p *panel) change(key, value string) stack.Report {
	p.t.Helper()
	form := p.form()
	form.Set(key, value)
	a := p.post("/config/run", form)
	if a.StatusCode == 422 { // a change that is asked about once
		a = p.post("/config/run", confirming(p.t, form, a))
	}
	a.want(p.t, 303)
	r := p.ended()
	if r.Outcome != stack.Applied {
		p.t.Fatalf("outcome %q (%s), want applied", r.Outcome, r.Message)
	}
	return r
}

// edit changes the config file as somebody without Pitstop does.
func (p *panel) edit(old, new string) {
	p.t.Helper()
	content := string(p.content())
	if !strings.Contains(content, old) {
		p.t.Fatalf("the config file has no %q", old)
	}
	if err := os.WriteFile(p.file, []byte(strings.Replace(content, old, new, 1)), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.control.ConfigTouched()
}

// settled makes what the panel finds at its start no change.
func settled(t *testing.T) *panel {
	p := newPanel(t)
	p.control.ConfigTouched()
	return p
}

func restoreURL(name string) string {
	return "/history/restore?" + url.Values{"backup": {name}}.Encode()
}

func compareURL(from, to string) string {
	return "/history/compare?" + url.Values{"from": {from}, "to": {to}}.Encode()
}

// restoreForm is what a browser sends of the page on which a backup is looked at.
func (p *panel) restoreForm(name string) url.Values {
	p.t.Helper()
	form := url.Values{"note": {""}}
	page := p.get(restoreURL(name)).want(p.t, 200).body
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(page[strings.Index(page, `class="restore"`):], -1) {
		form.Set(m[1], m[2])
	}
	return form
}

func TestHistory(t *testing.T) {
	t.Run("an empty one says so", func(t *testing.T) {
		newPanel(t).get("/history").want(t, 200).has(t, "Nothing has happened yet", "The newest 50 backups are kept")
	})
	t.Run("tells saves, edits from outside and the gate, newest first", func(t *testing.T) {
		p := settled(t)
		p.gate.OnRecord(RecordTrading(p.control))
		r := p.change("risk.max_position_usd", "8000")
		p.edit("max_open_positions   = 5", "max_open_positions   = 7")
		p.post("/trading", url.Values{"mode": {"halted"}, "reason": {"a broken feed"}}).want(t, 303)
		a := p.get("/history").want(t, 200).has(t,
			"Save &amp; Restart", "applied", "1 key changed", "risk.max_position_usd", "paused", "by 127.0.0.1",
			"Edited outside Pitstop", "external edit", "risk.max_open_positions",
			"Trading halted", "a broken feed", "Today, ", r.ID, r.Backup)
		kinds := regexp.MustCompile(`data-kind="(\w*)"`).FindAllStringSubmatch(a.body, -1)
		var got []string
		for _, k := range kinds {
			got = append(got, k[1])
		}
		if want := []string{"trading", "external", "save"}; !slices.Equal(got, want) {
			t.Errorf("the entries are %q, want %q", got, want)
		}
		trading := p.get("/history?show=trading").want(t, 200).has(t, "Trading halted")
		config := p.get("/history?show=config").want(t, 200).has(t, "Edited outside Pitstop", r.ID)
		if strings.Contains(trading.body, r.ID) || strings.Contains(config.body, `data-kind="trading"`) {
			t.Error("a part of the history shows what is of another")
		}
		p.get("/api/v1/history").want(t, 200).has(t, `"kind":"trading"`, `"kind":"external"`, `"kind":"save"`)
		if runs := p.get("/api/v1/runs").want(t, 200).body; strings.Contains(runs, "external") || strings.Contains(runs, "trading\"") {
			t.Errorf("the runs are not runs only: %s", runs)
		}
	})
	t.Run("has pages, which overlap nowhere", func(t *testing.T) {
		p := settled(t)
		for range 2*historyPage + 5 {
			p.control.AppendAudit(stack.Report{Kind: stack.KindTrading, Message: "closed", Source: gateClosed})
		}
		seen := map[string]bool{}
		path, pages := "/history", 0
		for path != "" {
			a := p.get(path).want(t, 200)
			pages++
			for _, m := range regexp.MustCompile(`data-id="([^"]+)"`).FindAllStringSubmatch(a.body, -1) {
				if seen[m[1]] {
					t.Errorf("%s is on two pages", m[1])
				}
				seen[m[1]] = true
			}
			m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(a.body)
			if path = ""; m != nil {
				path = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		if pages != 3 || len(seen) != 2*historyPage+5 {
			t.Errorf("%d entries on %d pages, want %d on 3", len(seen), pages, 2*historyPage+5)
		}
		p.get("/history?before=nonsense").want(t, 200)
	})
	t.Run("a backup of which no run tells is listed too", func(t *testing.T) {
		p := settled(t)
		name := "config.toml.bak.20200102_030405"
		if err := os.WriteFile(filepath.Join(filepath.Dir(p.file), name), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		p.get("/history").want(t, 200).has(t, "history tells nothing of it", name, "January 2020")
	})
	t.Run("the backup that a roll-back leaves stands beside the run that was rolled back", func(t *testing.T) {
		p := settled(t)
		p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if i.Service == "go-scanner" && strings.Contains(string(content), "8000") {
				log("Config reload failed: too greedy")
				return true
			}
			return stacktest.Obedient(i, content, log)
		})
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		p.post("/config/run", form).want(t, 303)
		if r := p.ended(); r.Outcome != stack.RolledBack {
			t.Fatalf("outcome %q (%s), want rolled_back", r.Outcome, r.Message)
		}
		tried := p.ended().Revision.To.Short()
		body := p.get("/history").want(t, 200).has(t, "rolled back", "what was tried:", "<code>"+tried+"</code>", "tried and put back").body
		if n := strings.Count(body, `<li class="event `); n != 1 {
			t.Errorf("%d entries, want one", n)
		}
		p.get("/history/"+p.ended().ID).want(t, 200).has(t, "what was tried:")
	})
	t.Run("the event stream brings a run that ended", func(t *testing.T) {
		p := settled(t)
		parts := p.Server.historyParts(url.Values{})
		before := parts()
		r := p.change("risk.max_position_usd", "8000")
		var text strings.Builder
		for _, part := range parts() {
			if err := part.Body.Render(t.Context(), &text); err != nil {
				t.Fatal(err)
			}
		}
		if len(before) != 1 || !strings.Contains(text.String(), r.ID) {
			t.Errorf("the part does not show the run:\n%s", text.String())
		}
	})
}

func TestRecordTrading(t *testing.T) {
	p := newPanel(t)
	states := []schedule.GateState{
		{Mode: schedule.FollowSchedule, By: "schedule", Reason: "closed until Monday"},
		{Mode: schedule.FollowSchedule, By: "schedule", Reason: "closed until Tuesday"}, // nothing happened
		{Mode: schedule.FollowSchedule, By: "schedule", Reason: "open", TradingEnabled: true},
		{Mode: schedule.Halted, By: "ann", Reason: "a broken feed"},
		{Mode: schedule.Halted, By: "ann", Reason: "a broken feed"},
		{Mode: schedule.Halted, By: "ann", Reason: "still broken"},
		{Mode: schedule.FollowSchedule, By: "schedule", Reason: "open", TradingEnabled: true},
	}
	record := RecordTrading(p.control)
	for _, g := range states {
		record(g)
	}
	RecordTrading(p.control)(states[len(states)-1]) // as after a start
	var got []string
	for _, r := range p.control.Reports() {
		if r.Kind == stack.KindTrading {
			got = append(got, r.Source)
		}
	}
	if want := []string{gateOpen, gateHalted, gateHalted, gateOpen, gateClosed}; !slices.Equal(got, want) {
		t.Errorf("the history has %q, want %q", got, want)
	}
}

func TestHistoryOfADamagedLog(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	log := "\x00 no report\n" + `{"id":"20250102T030405.000Z-aaaaaa","kind":"save","outcome":"rolled_back","message":"It was refused.","started":"2025-01-02T03:04:05Z"}` + "\n{\"id\":\"half a l"
	if err := os.WriteFile(filepath.Join(dir, "state", "audit.jsonl"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	newPanelIn(t, dir).get("/history").want(t, 200).has(t, "2 lines of the audit log could not be read and were skipped.",
		"20250102T030405.000Z-aaaaaa", "rolled back", "It was refused.")
}

func TestHistoryEntry(t *testing.T) {
	p := settled(t)
	r := p.change("risk.max_position_usd", "80000")
	page := "/history/" + r.ID
	t.Run("tells the change in words and by line", func(t *testing.T) {
		p.get(page).want(t, 200).has(t, "risk.max_position_usd", "5\u202f000", "80\u202f000", "USD", "More than a factor of ten.",
			"max_position_usd     = 80000   # the most in one symbol", `data-step="PauseStack"`)
	})
	t.Run("a note can be added, changed and taken away", func(t *testing.T) {
		for _, note := range []string{"before <the> call", "after the call", ""} {
			p.post(page+"/note", url.Values{"note": {note}}).want(t, 303)
			if got, _ := p.control.Report(r.ID); got.Note != note {
				t.Errorf("the note is %q, want %q", got.Note, note)
			}
		}
		p.do("PUT", "/api/v1/runs/"+r.ID+"/note", `{"note":"by a script"}`, "Content-Type", "application/json").want(t, 200).has(t, `"note":"by a script"`)
		p.get("/history").want(t, 200).has(t, "by a script")
		p.get("/config?run="+r.ID).want(t, 200).has(t, "by a script")
	})
	t.Run("a note that cannot be kept is refused with a sentence", func(t *testing.T) {
		p.post(page+"/note", url.Values{"note": {strings.Repeat("x", maxNote+1)}}).want(t, 422).has(t, "it may have 500", strings.Repeat("x", maxNote))
		p.post(page+"/note", url.Values{"note": {"the key is " + secret}}).want(t, 422).has(t, "holds a secret")
		p.post(page+"/note", url.Values{"note": {"a\xffb"}}).want(t, 422)
		p.post("/history/nothing/note", url.Values{"note": {"x"}}).want(t, 404)
		p.do("PUT", "/api/v1/runs/nothing/note", `{"note":"x"}`, "Content-Type", "application/json").want(t, 404)
		if got, _ := p.control.Report(r.ID); got.Note != "by a script" {
			t.Errorf("the note is %q", got.Note)
		}
	})
	t.Run("one that is not there", func(t *testing.T) { p.get("/history/nothing").want(t, 404) })
}

func TestCompare(t *testing.T) {
	p := settled(t)
	first := p.change("risk.max_position_usd", "8000").Backup
	second := p.change("scanner.min_score", "0.7").Backup
	p.get(compareURL(first, theFileNow)).want(t, 200).has(t, "2 keys differ", "5\u202f000", "8\u202f000", "0.6", "0.7")
	p.get(compareURL(first, second)).want(t, 200).has(t, "1 key differs", "risk.max_position_usd")
	p.get(compareURL(theFileNow, first)).want(t, 200).has(t, "2 keys differ", `data-key="scanner.min_score"`)
	p.get(compareURL(second, second)).want(t, 200).has(t, "the same, byte by byte")
	for _, name := range []string{"", "nothing", "../config.toml", "config.toml", "config.toml.bak.20200102_030405", "..%2f..%2fetc%2fpasswd", "trading.json", "config.toml.bak.20200102_030405/../config.toml"} {
		for _, path := range []string{compareURL(name, theFileNow), compareURL(first, name), restoreURL(name), "/history/backups/" + url.PathEscape(name)} {
			if a := p.get(path); a.StatusCode != http.StatusNotFound {
				t.Errorf("%s: status %d, want 404", path, a.StatusCode)
			}
		}
	}
	p.edit("max_open_positions   = 5", "max_open_positions   = = 5")
	p.get(compareURL(first, theFileNow)).want(t, 200).has(t, "not valid TOML")
}

func TestRestore(t *testing.T) {
	t.Run("shows what will change, then puts back the very bytes by the workflow", func(t *testing.T) {
		p := settled(t)
		backup := p.change("risk.max_position_usd", "8000").Backup
		p.get(restoreURL(backup)).want(t, 200).has(t, "8\u202f000", "5\u202f000", "Restore &amp; Restart")
		form := p.restoreForm(backup)
		form.Set("note", "too bold")
		a := p.post("/history/restore", form).want(t, 303)
		r := p.ended()
		if r.Kind != stack.KindRestore || r.Outcome != stack.Applied || r.Source != backup || r.Note != "too bold" {
			t.Errorf("the run is %+v", r)
		}
		if got, want := a.Header.Get("Location"), "/config?run="+url.QueryEscape(r.ID); got != want {
			t.Errorf("redirected to %q, want %q", got, want)
		}
		p.wantFile(document)
		p.get("/history").want(t, 200).has(t, "Restore", "from <code>"+backup, "too bold")
	})
	t.Run("the file changed meanwhile is a conflict, and nothing is restored", func(t *testing.T) {
		p := settled(t)
		backup := p.change("risk.max_position_usd", "8000").Backup
		form := p.restoreForm(backup)
		form.Set("note", "kept")
		p.edit("max_open_positions   = 5", "max_open_positions   = 7")
		want := string(p.content())
		a := p.post("/history/restore", form).want(t, 412)
		a.has(t, "the config file was changed meanwhile", "risk.max_open_positions", ">kept</textarea>", string(stack.RevisionOf(p.content())))
		p.wantFile(want)
	})
	t.Run("a backup changed since it was shown is not restored", func(t *testing.T) {
		p := settled(t)
		backup := p.change("risk.max_position_usd", "8000").Backup
		form := p.restoreForm(backup)
		path := filepath.Join(filepath.Dir(p.file), backup)
		if err := os.WriteFile(path, []byte(strings.Replace(document, "5000", "9999", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		p.post("/history/restore", form).want(t, 412).has(t, "the backup itself was changed", "9\u202f999")
	})
	t.Run("a file broken from outside is put right", func(t *testing.T) {
		p := settled(t)
		backup := p.change("risk.max_position_usd", "8000").Backup
		p.edit("max_open_positions   = 5", "max_open_positions   = = 5")
		p.get(restoreURL(backup)).want(t, 200).has(t, "not valid TOML", "Restore &amp; Restart")
		p.post("/history/restore", p.restoreForm(backup)).want(t, 303)
		if r := p.ended(); r.Outcome != stack.Applied {
			t.Errorf("outcome %q (%s), want applied", r.Outcome, r.Message)
		}
		p.wantFile(document)
	})
	t.Run("a backup that is not valid cannot be restored, and says why", func(t *testing.T) {
		p := settled(t)
		backup := p.change("risk.max_position_usd", "8000").Backup
		path := filepath.Join(filepath.Dir(p.file), backup)
		if err := os.WriteFile(path, []byte(strings.Replace(document, "5000", "-1", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		a := p.get(restoreURL(backup)).want(t, 200).has(t, "cannot be restored", "risk.max_position_usd")
		if strings.Contains(a.body, `class="restore"`) {
			t.Error("it is offered all the same")
		}
		form := url.Values{"backup": {backup}, ":revision": {string(stack.RevisionOf(p.content()))}, "shown": {"x"}}
		b, _ := os.ReadFile(path)
		form.Set("shown", string(stack.RevisionOf(b)))
		p.post("/history/restore", form).want(t, 422).has(t, "Nothing was restored")
	})
	t.Run("a form without what was shown is refused", func(t *testing.T) {
		p := settled(t)
		backup := p.change("risk.max_position_usd", "8000").Backup
		p.post("/history/restore", url.Values{"backup": {backup}}).want(t, 422)
		p.post("/history/restore", url.Values{"backup": {"live"}, ":revision": {"x"}, "shown": {"x"}}).want(t, 404)
	})
}

func TestHistoryIsLight(t *testing.T) {
	p := settled(t)
	for i := range 2 * historyPage {
		p.control.AppendAudit(stack.Report{
			Kind: stack.KindSave, Outcome: stack.Applied, By: "192.168.1.20", PauseMs: float64(i), Note: "note " + strconv.Itoa(i),
			Changed: []string{"/risk/max_position_usd", "/scanner/symbols"},
		})
	}
	page := p.get("/history", "Accept-Encoding", "br").want(t, 200)
	total := len(page.body)
	for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(p.get("/history").body, -1) {
		total += len(p.get(m[1], "Accept-Encoding", "br").want(t, 200).body)
	}
	t.Logf("%d bytes over the wire, of which the page is %d", total, len(page.body))
	if total > 30_000 {
		t.Errorf("the history weighs %d bytes, want at most 30 000", total)
	}
}

// TestHistoryHoldsNoSecret: every answer is looked through for the secret by the panel itself.
func TestHistoryHoldsNoSecret(t *testing.T) {
	p := settled(t)
	p.edit(`api_key = "`+secret+`"`, `api_key = "`+secret+`" # was `+secret+`, before: older-one`)
	p.edit("[broker]", "# api_key = \""+secret+"\"\n#broker.api_key: "+secret+"\n# see "+secret+"!\n[broker]")
	r := p.change("broker.api_key", "another-"+secret)
	old := r.Backup
	p.edit("# see ", "# look at ")
	p.edit("name    = \"paper\"", "name    = \"other\" # "+secret)
	for _, path := range []string{
		"/history", "/history/" + r.ID, compareURL(old, theFileNow), compareURL(theFileNow, old), restoreURL(old), "/history/backups/" + old, "/api/v1/history", "/api/v1/backups/" + old,
	} {
		a := p.get(path).want(t, 200)
		if strings.Contains(a.body, "older-one") {
			t.Errorf("%s tells a remark beside a secret", path)
		}
	}
	p.get(compareURL(old, theFileNow)).has(t, `data-key="broker.api_key"`, "changed, secret", "What is secret is masked")
	a := p.get("/history/backups/"+old).want(t, 200).has(t, "********", "# the most in one symbol")
	if got, want := a.Header.Get("Content-Disposition"), `attachment; filename="`+old+`.masked.toml"`; got != want {
		t.Errorf("Content-Disposition is %q, want %q", got, want)
	}
	if got := a.Header.Get("X-Pitstop-Masked"); got != "secrets" {
		t.Errorf("X-Pitstop-Masked is %q", got)
	}
}

func TestDownloadWithoutSecrets(t *testing.T) {
	p := settled(t)
	plain := document[:strings.Index(document, "[broker]")]
	if err := os.WriteFile(p.file, []byte(plain), 0o644); err != nil {
		t.Fatal(err)
	}
	name := "config.toml.bak.20200102_030405"
	if err := os.WriteFile(filepath.Join(filepath.Dir(p.file), name), []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	a := p.get("/history/backups/"+name).want(t, 200)
	if a.body != plain || a.Header.Get("Content-Disposition") != `attachment; filename="`+name+`.toml"` {
		t.Errorf("got %q\n%s", a.Header.Get("Content-Disposition"), a.body)
	}
}

func TestShownMasksComments(t *testing.T) {
	p := newPanel(t)
	for name, c := range map[string]struct{ in, want string }{
		"beside a secret":             {"[broker]\napi_key = \"abcdefgh\" # old: zzz\r\n", "[broker]\napi_key = \"********\" # ********\r\n"},
		"a key that is commented out": {"a = 1\n#  api_key = \"zzz\"\n", "a = 1\n#  api_key = ********\n"},
		"in words":                    {"a = 1 # API key: zzz\n", "a = 1 # API key: ********\n"},
		"the secret somewhere else":   {"# abcdefgh!\n[broker]\napi_key = \"abcdefgh\"\n", "# ********!\n[broker]\napi_key = \"********\"\n"},
		"a # in a text is no comment": {"a = \"x # api_key = 1\"\nb = 'c\" # token = 2' # d\n", "a = \"x # api_key = 1\"\nb = 'c\" # token = 2' # d\n"},
		"a word that is short":        {"# demo\n[broker]\napi_key = \"demo\"\n", "# demo\n[broker]\napi_key = \"********\"\n"},
		"every list of secrets":       {"passwords = [\n  \"abcdefgh\", # zzz\n  'ijklmnop',\n]\n", "passwords = [\n  \"********\", # ********\n  '********',\n]\n"},
		"nothing secret is untouched": {"a = 1 # b = 2\n", "a = 1 # b = 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := p.shown([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(v.text); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{"5": "5", "500": "500", "5000": "5\u202f000", "-1234567.25": "-1\u202f234\u202f567.25", "0.0001": "0.0001"} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%q) is %q, want %q", in, got, want)
		}
	}
}
