package handlers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"pitstop/stack"
)

func versionURL(r stack.Revision) string { return "/api/v1/versions/" + string(r) }

// A version that the panel wrote and somebody else overwrote has no backup.
func TestOverwrittenVersion(t *testing.T) {
	begin := func(t *testing.T) (p *panel, wrote stack.Revision, entry string) {
		p = settled(t)
		wrote = p.change("risk.max_position_usd", "8000").Revision.To
		p.edit("= 8000", "= 1234")
		entry = p.control.Reports()[0].ID
		p.edit("= 1234", "= 4321")
		p.edit("= 4321", "= = 9")
		p.edit("= = 9", "= 10")
		return p, wrote, entry
	}
	t.Run("its entry shows what was overwritten, and offers it", func(t *testing.T) {
		p, wrote, entry := begin(t)
		for _, path := range []string{"/history", "/history/" + entry} {
			p.get(path).want(t, 200).has(t, "Restore version "+wrote.Short(), "Compare version "+wrote.Short(), "Download version "+wrote.Short())
		}
		p.get("/history/"+entry).has(t, "8\u202f000", "1\u202f234", "risk.max_position_usd")
	})
	t.Run("it is compared with any other", func(t *testing.T) {
		p, wrote, _ := begin(t)
		p.get("/history").want(t, 200).has(t, `<option value="`+string(wrote)+`"`)
		p.get(compareURL(string(wrote), theFileNow)).want(t, 200).has(t, "1 key differs", "8\u202f000", "The file as it was,", "Restore the first…")
		p.get(compareURL(string(stack.RevisionOf(nil)), theFileNow)).want(t, 404)
	})
	t.Run("it is restored by the workflow, after a look", func(t *testing.T) {
		p, wrote, _ := begin(t)
		p.get(restoreURL(string(wrote))).want(t, 200).has(t, "8\u202f000", "Restore &amp; Restart")
		p.post("/history/restore", p.restoreForm(string(wrote))).want(t, 303)
		r := p.ended()
		if r.Kind != stack.KindRestore || r.Outcome != stack.Applied || r.Source != string(wrote) || r.Revision.To != wrote {
			t.Errorf("the run is %+v", r)
		}
		p.wantFile(strings.Replace(document, "= 5000", "= 8000", 1))
		p.get("/history").want(t, 200).has(t, "from <code>version "+wrote.Short())
	})
	t.Run("scripts list, read and restore it", func(t *testing.T) {
		p, wrote, _ := begin(t)
		var list []stack.VersionInfo
		if err := json.Unmarshal([]byte(p.get("/api/v1/versions").want(t, 200).body), &list); err != nil || len(list) != 6 {
			t.Fatalf("the list is %+v, %v; want 6 versions", list, err)
		}
		if list[0].Revision != stack.RevisionOf(p.content()) || list[4].Revision != wrote || list[0].Time.IsZero() || list[0].Size == 0 {
			t.Errorf("the list is %+v", list)
		}
		a := p.get(versionURL(wrote)).want(t, 200).has(t, "= 8000", "# the most in one symbol", "********")
		if a.Header.Get("ETag") != `"`+string(wrote)+`"` {
			t.Errorf("ETag is %s", a.Header.Get("ETag"))
		}
		p.get(versionURL(list[1].Revision)).want(t, 422) // not valid TOML: nothing could be masked
		p.get(versionURL("x")).want(t, 404)
		p.do("POST", versionURL(wrote)+"/restore", "", "If-Match", `"`+string(wrote)+`"`).want(t, 412)
		p.do("POST", versionURL(list[1].Revision)+"/restore", "").want(t, 422)
		var r stack.Report
		if err := json.Unmarshal([]byte(p.do("POST", versionURL(wrote)+"/restore", "").want(t, 200).body), &r); err != nil || r.Outcome != stack.Applied || r.Source != string(wrote) {
			t.Errorf("the run is %+v, %v", r, err)
		}
		p.wantFile(strings.Replace(document, "= 5000", "= 8000", 1))
	})
	t.Run("no answer tells its secrets", func(t *testing.T) { // each is looked through for them
		p, wrote, entry := begin(t)
		for _, path := range []string{"/history", "/history/" + entry, compareURL(string(wrote), theFileNow), restoreURL(string(wrote)), versionURL(wrote)} {
			p.get(path).want(t, 200)
		}
		a := p.get("/history/backups/"+string(wrote)).want(t, 200).has(t, "********")
		if got, want := a.Header.Get("Content-Disposition"), fmt.Sprintf(`attachment; filename="config.%s.masked.toml"`, wrote.Short()); got != want {
			t.Errorf("it is called %q, want %q", got, want)
		}
	})
	t.Run("how many are kept stands below the history", func(t *testing.T) {
		p, _, _ := begin(t)
		p.get("/history").has(t, "The newest 50 backups are kept", "the newest 100 versions that the file had")
	})
}

// A form that was drawn before an edit from outside and a restart of the panel is still understood.
func TestConflictWithAVersionOfBeforeTheRestart(t *testing.T) {
	dir := t.TempDir()
	first := newPanelIn(t, dir)
	first.control.ConfigTouched()
	first.change("risk.max_position_usd", "8000")
	form := first.form()
	form.Set("scanner.min_score", "0.7")

	first.end()
	p := newPanelIn(t, dir) // which puts the document as it was before in place
	p.control.ConfigTouched()
	a := p.post("/config/run", form).want(t, 412).has(t, "with your own changes laid over it")
	p.wantFile(document)
	again := url.Values{}
	for _, m := range regexp.MustCompile(`name="(risk\.max_position_usd|scanner\.min_score)"[^>]* value="([^"]*)"|value="([^"]*)"[^>]* name="(risk\.max_position_usd|scanner\.min_score)"`).FindAllStringSubmatch(a.body, -1) {
		again.Set(m[1]+m[4], m[2]+m[3])
	}
	if again.Get("risk.max_position_usd") != "5000" || again.Get("scanner.min_score") != "0.7" {
		t.Errorf("the form comes back with %v; want theirs where one changed nothing, and one's own change", again)
	}
}

// Where even that version is gone, what the form would undo of somebody else's is shown before it can.
func TestConflictWithAVersionThatIsGone(t *testing.T) {
	p := settled(t)
	form := p.form()
	form.Set(inRevision, string(stack.RevisionOf([]byte("gone"))))
	form.Set("scanner.min_score", "0.7")
	p.edit("max_open_positions   = 5", "max_open_positions   = 7")
	p.post("/config/run", form).want(t, 412).has(t, "cannot be compared with any more", `data-key="risk.max_open_positions"`, `data-key="scanner.min_score"`)
}
