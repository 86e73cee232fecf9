package handlers

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const typedSecret = "brand-new-secret-99"

// forget is what a restart does to the drafts, and what sixty-four others do.
func (p *panel) forget() {
	for range maxKept {
		p.kept.keep([]byte("x"))
	}
}

func TestATypedSecretIsNeverTakenBackSilently(t *testing.T) {
	typed := func(t *testing.T, p *panel, view string) url.Values {
		t.Helper()
		form := retyped(t, editor(t, p.get("/config?view=raw")), `"********"`, `"`+typedSecret+`"`)
		form = editor(t, p.post("/config/run", with(form, inTo, view)).want(t, 200))
		p.forget()
		return form
	}
	for _, view := range []string{viewRaw, viewForm} {
		t.Run("it is asked for again, in the "+view+" view", func(t *testing.T) {
			p := newPanel(t)
			form := typed(t, p, view)
			a := p.post("/config/run", form).want(t, 422).has(t, "The secrets you typed were forgotten", "broker.api_key", "Type it again")
			p.wantFile(document)
			// And again, through either view, for as long as it is not typed.
			for _, to := range []string{viewForm, viewRaw, viewForm} {
				a = p.post("/config/run", with(editor(t, a), inTo, to)).want(t, 200).has(t, "The secrets you typed were forgotten")
				p.post("/config/run", editor(t, a)).want(t, 422).has(t, "Type it again")
			}
			p.wantFile(document)
			form = p.form()
			for k, v := range editor(t, a) {
				form[k] = v
			}
			form.Set("broker.api_key", typedSecret)
			p.applied(form)
			p.wantFile(strings.Replace(document, secret, typedSecret, 1))
		})
	}
	t.Run("typed again in the text, it is taken", func(t *testing.T) {
		p := newPanel(t)
		p.applied(retyped(t, typed(t, p, viewRaw), `"********"`, `"`+typedSecret+`"`))
		p.wantFile(strings.Replace(document, secret, typedSecret, 1))
	})
	t.Run("while the text is broken too", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), `"********"`, `"`+typedSecret+`"`)
		form = editor(t, p.post("/config/run", retyped(t, form, "= 5000 ", "= = 5000 ")).want(t, 422))
		p.forget()
		form = editor(t, p.post("/config/run", form).want(t, 422))
		p.forget()
		p.post("/config/run", retyped(t, form, "= = 5000 ", "= 5000 ")).want(t, 422).has(t, "The secrets you typed were forgotten")
		p.wantFile(document)
	})
	t.Run("a draft that changed no secret goes on without the server's memory", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "= 5000 ", "= 6000 ")
		form = editor(t, p.post("/config/run", with(form, inTo, viewForm)).want(t, 200))
		p.forget()
		whole := p.form()
		for k, v := range form {
			whole[k] = v
		}
		whole.Set("risk.max_position_usd", "6000")
		p.applied(whole)
		p.wantFile(strings.Replace(document, "= 5000 ", "= 6000 ", 1))
	})
}

func TestANoteKeepsNoSecret(t *testing.T) {
	held := func(t *testing.T, p *panel, text string) {
		t.Helper()
		for _, path := range []string{"/history", "/api/v1/history", "/api/v1/runs", "/config", "/later", "/api/v1/later"} {
			if a := p.get(path); strings.Contains(a.body, text) {
				t.Errorf("%s shows it", path)
			}
		}
		for _, file := range p.stateFiles() {
			if strings.Contains(file, text) {
				t.Errorf("the state folder has it:\n%s", file)
			}
		}
	}
	t.Run("of a save: neither the file's nor the new one", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("broker.api_key", typedSecret)
		form.Set(inNote, "from "+secret+" to "+typedSecret)
		form.Set("risk.max_order_usd", "a lot")
		if a := p.post("/config/run", form).want(t, 422).has(t, "from ******** to ********"); strings.Contains(a.body, typedSecret) {
			t.Error("the page shows it")
		}
		form.Set("risk.max_order_usd", "1000")
		form.Set(inNote, "from "+secret+" to "+typedSecret)
		if r := p.applied(form); r.Note != "from ******** to ********" {
			t.Errorf("the note is %q", r.Note)
		}
		held(t, p, secret)
		held(t, p, typedSecret)
	})
	t.Run("of a change that waits", func(t *testing.T) {
		p := newLaterPanel(t)
		p.do("POST", "/api/v1/later?at=next_close&note="+url.QueryEscape("half of "+secret+", "+typedSecret), `{"broker":{"api_key":"`+typedSecret+`"}}`, "Content-Type", mergePatch).want(t, 201).has(t, "half of ********, ********")
		form := p.laterForm("6000", "next_close", "")
		form.Set(inNote, "half of "+secret)
		form.Set(inReplaces, p.queuedNow().ID)
		p.post("/later", form).want(t, 303)
		if got := p.queuedNow().Note; got != "half of ********" {
			t.Errorf("the note is %q", got)
		}
		for _, path := range []string{"/later", "/api/v1/later", "/later/edit"} {
			if a := p.get(path).want(t, 200); strings.Contains(a.body, typedSecret) {
				t.Errorf("%s shows it", path)
			}
		}
	})
}

var maskedTag = regexp.MustCompile(`(?s)<textarea id="masked" hidden data-revision="([^"]*)" data-kept="([^"]*)" data-note="([^"]*)" data-secrets="([^"]*)">(.*?)</textarea>`)

// browserDraft is what a browser keeps of a review's answer, and sends to restore it.
func browserDraft(t *testing.T, a answer, view string) (form url.Values, secrets string) {
	t.Helper()
	m := maskedTag.FindStringSubmatch(a.want(t, 200).body)
	if m == nil {
		t.Fatalf("the answer has no draft to keep:\n%s", a.body)
	}
	for i := range m {
		m[i] = html.UnescapeString(m[i])
	}
	text := strings.ReplaceAll(strings.TrimPrefix(m[5], "\n"), "\n", "\r\n")
	return url.Values{inView: {viewRaw}, inRevision: {m[1]}, inKept: {m[2]}, inNote: {m[3]}, inRaw: {text}, inCheck: {"1"}, inTo: {view}}, m[4]
}

func TestABrowserKeepsADraftWithoutSecrets(t *testing.T) {
	t.Run("wherever they are typed", func(t *testing.T) {
		for name, more := range map[string]string{
			"an inline table": `creds = { user = "u", token = "typed-77" }`, "items on their lines": "api_secrets = [\n  \"typed-77\",\n  'typed-78' # typed-79\n]",
			"a text of several lines": "password = \"\"\"\ntyped-77\nx = \"typed-78\"\n\"\"\"", "a dotted key": "a . token = 'typed-77'",
			"a remark": "# api_key = 'typed-77'\n#password: typed-78", "no end": "token = \"typed-77", "a broken table": `creds = { token = "typed-77" user = 'typed-78`,
			"a remark beside one": `[broker2]` + "\napi_key = \"********\" # was typed-77",
		} {
			t.Run(name, func(t *testing.T) {
				p := newPanel(t)
				p.write(strings.Replace(document, "[broker]", "[broker2]\napi_key = \"another-one-here\"\n[broker]", 1))
				form := editor(t, p.get("/config?view=raw"))
				first, rest, _ := strings.Cut(more, "\n")
				if first == "[broker2]" {
					retyped(t, form, "[broker2]\r\napi_key = \"********\"", first+"\r\n"+rest)
				} else {
					retyped(t, form, "# kept", "# kept\r\n"+strings.ReplaceAll(more, "\n", "\r\n"))
				}
				form.Set(inNote, "because of typed-77")
				a := p.post("/config/review", form)
				if strings.Contains(a.body, "typed-7") && name != "a broken table" && name != "a remark" && name != "no end" && name != "a remark beside one" {
					t.Errorf("the answer has it:\n%s", a.body)
				}
				draft, _ := browserDraft(t, a, viewRaw)
				if strings.Contains(draft.Get(inRaw)+draft.Get(inKept), "typed-7") {
					t.Errorf("the browser keeps\n%s", draft.Get(inRaw))
				}
			})
		}
	})
	for _, view := range []string{viewRaw, viewForm} {
		t.Run("and restores the rest of it, in the "+view+" view", func(t *testing.T) {
			p := newPanel(t)
			form := p.form()
			form.Set("broker.api_key", typedSecret)
			form.Set("risk.max_order_usd", "900")
			form.Set(inNote, "calmer")
			draft, secrets := browserDraft(t, p.post("/config/review", form), view)
			if secrets != "1" {
				t.Errorf("it tells of %s secrets, want 1", secrets)
			}
			p.post("/config/review", draft).want(t, 200).has(t, `data-count="2"`, "broker.api_key", "Type it again")
			a := p.post("/config/run", draft).want(t, 200).has(t, "The secrets you typed were forgotten", "calmer", "900")
			p.post("/config/run", editor(t, a)).want(t, 422).has(t, "The secrets you typed were forgotten")
			p.wantFile(document)
		})
	}
	t.Run("and a draft that changed no secret is restored whole", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_order_usd", "900")
		draft, secrets := browserDraft(t, p.post("/config/review", form), viewRaw)
		if secrets != "0" {
			t.Errorf("it tells of %s secrets, want none", secrets)
		}
		p.applied(editor(t, p.post("/config/run", draft).want(t, 200)))
		p.wantFile(strings.Replace(document, "= 1000\n", "= 900\n", 1))
	})
	t.Run("and of a file that was changed meanwhile both versions are shown", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_order_usd", "900")
		draft, _ := browserDraft(t, p.post("/config/review", form), viewForm)
		p.write(strings.Replace(document, "= 1000\n", "= 600\n", 1))
		p.post("/config/run", draft).want(t, 412).has(t, "Take theirs")
	})
}
