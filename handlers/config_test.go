package handlers

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

func TestSaveFromTheForm(t *testing.T) {
	t.Run("a change is applied, and only its own bytes change", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		a := p.post("/config/run", form).want(t, 303)
		r := p.ended()
		if r.Outcome != stack.Applied {
			t.Fatalf("outcome %q (%s), want applied", r.Outcome, r.Message)
		}
		if got, want := a.Header.Get("Location"), "/config?run="+url.QueryEscape(r.ID); got != want {
			t.Errorf("redirected to %q, want %q", got, want)
		}
		p.wantFile(strings.Replace(document, "= 5000 ", "= 8000 ", 1))
		page := p.get(a.Header.Get("Location")).want(t, 200)
		page.has(t, "Configuration applied", `data-step="PauseStack"`, "Pause window", string(stack.RevisionOf(p.content())))
	})
	t.Run("an unchanged form pauses nothing", func(t *testing.T) {
		p := newPanel(t)
		p.post("/config/run", p.form()).want(t, 200).has(t, "Nothing to apply")
		if n := p.calls("Pause"); n != 0 || p.control.Last() != nil {
			t.Errorf("%d pauses and a run %v, want none", n, p.control.Last())
		}
	})
	t.Run("an invalid value pauses nothing, keeps what was typed and points at its field", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "a lot")
		form.Set("risk.max_order_usd", "777")
		a := p.post("/config/run", form).want(t, 422)
		a.has(t, `value="a lot"`, `value="777"`, `aria-invalid="true"`, `id="summary"`, `role="alert"`)
		if n := p.calls("Pause"); n != 0 {
			t.Errorf("%d pauses, want none", n)
		}
		p.wantFile(document)
	})
	t.Run("a button that redraws the form keeps what was told at a field, and tells nothing new", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "a lot")
		form.Set(":add", "schedule.early_closes")
		form.Set(":key:schedule.early_closes", "2026-12-24")
		if page := p.post("/config/run", form).want(t, 200); strings.Contains(page.body, `class="problem"`) {
			t.Error("a problem is told before anything was to be saved")
		}
		form.Set(inTold, "1")
		p.post("/config/run", form).want(t, 200).has(t, `name="schedule.early_closes.2026-12-24"`, `value="a lot"`, `class="problem"`, `name=":told"`)
		p.wantFile(document)
	})
	t.Run("what a button took out stands in the review at once, is marked, and can be put back", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set(":remove", "broker.api_key")
		a := p.post("/config/run", form).want(t, 200)
		a.has(t, `data-count="1"`, "Save &amp; Restart will change", "removed", `name=":back" value="broker.api_key"`, "taken out of the file when this is saved", "1 change")
		if strings.Contains(a.body, "Leave blank to keep it") || strings.Contains(a.body, secret) {
			t.Error("the page tells of a key that is kept, or tells the key")
		}
		p.post("/config/run", url.Values{inRevision: form[inRevision], ":have:broker.api_key": {"0"}, ":back": {"broker.api_key"}}).
			want(t, 200).has(t, "No changes", "Leave blank to keep it as it is")
		p.wantFile(document)
	})
	t.Run("the Enter key only looks", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		form.Set(inCheck, "1")
		p.post("/config/run", form).want(t, 200).has(t, "1 change, all valid", `value="8000"`)
		p.wantFile(document)
	})
	t.Run("a secret left blank stays as it is", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		if got := form.Get("broker.api_key"); got != "" {
			t.Fatalf("the form has the secret %q", got)
		}
		form.Set("risk.max_order_usd", "900")
		p.post("/config/run", form).want(t, 303)
		p.ended()
		if !strings.Contains(string(p.content()), secret) {
			t.Error("the secret is gone from the file")
		}
	})
	t.Run("a form without its revision is refused", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Del(inRevision)
		p.post("/config/run", form).want(t, 422)
		p.wantFile(document)
	})
	t.Run("another kind of body is refused", func(t *testing.T) {
		p := newPanel(t)
		p.do("POST", "/config/run", "{}", "Content-Type", "application/json").want(t, 415)
	})
}

func TestSaveFromTheFormMeetsAnothersSave(t *testing.T) {
	edit := func(t *testing.T, p *panel, from, to string) string {
		t.Helper()
		content := strings.Replace(string(p.content()), from, to, 1)
		if err := os.WriteFile(p.file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return content
	}
	t.Run("nothing is overwritten, both changes are shown, and a second press applies both", func(t *testing.T) {
		p := newPanel(t)
		p.get("/config").want(t, 200) // the version that the form is drawn from is known from here
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		theirs := edit(t, p, "max_order_usd        = 1000", "max_order_usd        = 600")
		a := p.post("/config/run", form).want(t, 412)
		a.has(t, "changed meanwhile", `value="8000"`, `value="600"`, string(stack.RevisionOf([]byte(theirs))))
		p.wantFile(theirs)

		again := p.form()
		again.Set("risk.max_position_usd", "8000")
		p.post("/config/run", again).want(t, 303)
		if r := p.ended(); r.Outcome != stack.Applied {
			t.Fatalf("outcome %q (%s), want applied", r.Outcome, r.Message)
		}
		p.wantFile(strings.Replace(theirs, "= 5000 ", "= 8000 ", 1))
	})
	t.Run("a key that both changed is named", func(t *testing.T) {
		p := newPanel(t)
		p.get("/config").want(t, 200)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		theirs := edit(t, p, "= 5000 ", "= 7000 ")
		p.post("/config/run", form).want(t, 412).has(t, `value="8000"`, `data-was="7000"`, "Changed by somebody else too")
		p.wantFile(theirs)
	})
	t.Run("what was typed is kept where the version it began with is gone", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		form.Set(inRevision, strings.Repeat("0", 64))
		p.post("/config/run", form).want(t, 412).has(t, `value="8000"`)
		p.wantFile(document)
	})
}

func TestConfigPageDuringARun(t *testing.T) {
	t.Run("any tab shows the run from its first step, with the form locked and what was typed in it", func(t *testing.T) {
		p := newPanel(t)
		release := make(chan struct{})
		p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			go func() { // confirms only when it may
				<-release
				p.stack.Log(i, "Config reloaded revision="+stack.RevisionOf(content).Short())
			}()
			return true
		})
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		to := p.post("/config/run", form).want(t, 303).Header.Get("Location")
		id := p.control.Last().ID()
		p.get("/config").want(t, 200).has(t, `data-step="ValidateConfig"`, "under way", "A run is under way", `value="8000"`, "run="+id)
		p.get(to).want(t, 200).has(t, `http-equiv="refresh"`)

		other := p.form()
		other.Set("risk.max_order_usd", "900")
		p.post("/config/run", other).want(t, 409).has(t, `value="900"`)
		close(release)
		if r := p.ended(); r.Outcome != stack.Applied || r.ID != id {
			t.Fatalf("run %s ended %q, want %s applied", r.ID, r.Outcome, id)
		}
	})
	t.Run("a run that is rolled back gives back what was typed, and says which service refused", func(t *testing.T) {
		p := newPanel(t)
		p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if i.Service == "go-scanner" && strings.Contains(string(content), "8000") {
				log("Config reload failed: too greedy")
				return true
			}
			return stacktest.Obedient(i, content, log)
		})
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		to := p.post("/config/run", form).want(t, 303).Header.Get("Location")
		if r := p.ended(); r.Outcome != stack.RolledBack {
			t.Fatalf("outcome %q (%s), want rolled_back", r.Outcome, r.Message)
		}
		p.wantFile(document)
		p.get(to).want(t, 200).has(t, "Failed to apply configuration", "go-scanner", "too greedy", `value="8000"`, `data-was="5000"`, "Rolled back")
	})
}

func TestConfigPageWithoutAUsableFile(t *testing.T) {
	t.Run("a missing file is said, with its name", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		if err := os.Remove(p.file); err != nil {
			t.Fatal(err)
		}
		p.get("/config").want(t, 200).has(t, "There is no config file", p.file)
		p.get("/").want(t, 200).has(t, "unusable")
		p.post("/config/run", form).want(t, 503)
		p.get("/readyz").want(t, 503)
		p.get("/healthz").want(t, 200)
	})
	t.Run("a file that does not parse is said, with line and column, and nothing of it is shown", func(t *testing.T) {
		p := newPanel(t)
		if err := os.WriteFile(p.file, []byte("[broker]\napi_key = \""+secret+"\"\nbroken = = 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		p.get("/config").want(t, 200).has(t, "not valid TOML", "line 3")
		p.get("/api/v1/config").want(t, 503).has(t, `"line":3`)
	})
	t.Run("a file that breaks the schema has its form, with the problem at the field", func(t *testing.T) {
		p := newPanel(t)
		if err := os.WriteFile(p.file, []byte(strings.Replace(document, "= 5000 ", "= -1 ", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		p.get("/config").want(t, 200).has(t, "is not valid", `value="-1"`, `aria-invalid="true"`)
	})
}
