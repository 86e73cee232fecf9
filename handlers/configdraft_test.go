package handlers

import (
	"html"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"pitstop/stack"
)

var confirmButton = regexp.MustCompile(`name=":confirm" value="([0-9a-f]{64})"`)

// confirming is a form sent again with the button that its answer asks with.
func confirming(t testing.TB, form url.Values, a answer) url.Values {
	t.Helper()
	m := confirmButton.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("the answer asks for nothing, status %d", a.StatusCode)
	}
	out := url.Values{}
	for k, v := range form {
		out[k] = v
	}
	out.Set(inConfirm, m[1])
	return out
}

var (
	inputTag = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
	areaTag  = regexp.MustCompile(`(?s)<textarea [^>]*name="(:raw)"[^>]*>(.*?)</textarea>`)
)

// editor is what a browser would send of an answered page, with nothing typed: its bookkeeping and its text.
func editor(t testing.TB, a answer) url.Values {
	t.Helper()
	form := url.Values{}
	_, page, ok := strings.Cut(a.body, `<form id="config-form"`)
	if !ok {
		t.Fatalf("status %d, and no editor", a.StatusCode)
	}
	for _, m := range inputTag.FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(m[1], ":") {
			form.Add(m[1], html.UnescapeString(m[2]))
		}
	}
	if m := areaTag.FindStringSubmatch(page); m != nil {
		form.Set(inRaw, strings.ReplaceAll(strings.TrimPrefix(html.UnescapeString(m[2]), "\n"), "\n", "\r\n"))
	}
	return form
}

// retyped is a form with a text replaced in its text.
func retyped(t *testing.T, form url.Values, from, to string) url.Values {
	t.Helper()
	text := form.Get(inRaw)
	if !strings.Contains(text, from) {
		t.Fatalf("the text has no %q:\n%s", from, text)
	}
	form.Set(inRaw, strings.Replace(text, from, to, 1))
	return form
}

func (p *panel) write(content string) {
	p.t.Helper()
	if err := os.WriteFile(p.file, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *panel) applied(form url.Values) stack.Report {
	p.t.Helper()
	p.post("/config/run", form).want(p.t, 303)
	r := p.ended()
	if r.Outcome != stack.Applied {
		p.t.Fatalf("outcome %q (%s), want applied", r.Outcome, r.Message)
	}
	return r
}

func TestRawView(t *testing.T) {
	t.Run("a line that is typed is applied, and every other byte stays", func(t *testing.T) {
		for name, content := range map[string]string{
			"as it is": document, "CRLF and a BOM": bom + strings.ReplaceAll(document, "\n", "\r\n"),
			"no final newline": strings.TrimRight(document, "\n"), "a remark with an old secret": strings.Replace(document, secret+`"`, secret+`" # was `+secret+"-2024", 1),
		} {
			t.Run(name, func(t *testing.T) {
				p := newPanel(t)
				p.write(content)
				form := editor(t, p.get("/config?view=raw").want(t, 200).has(t, "api_key = &#34;********&#34;"))
				p.applied(retyped(t, form, "= 5000 ", "= 8000 "))
				p.wantFile(strings.Replace(content, "= 5000 ", "= 8000 ", 1))
			})
		}
	})
	t.Run("what is wrong is said at its line, and the text is kept", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "= 5000 ", "= = 5000 ")
		p.post("/config/review", form).want(t, 200).has(t, `data-line="9"`)
		p.post("/config/run", form).want(t, 422).has(t, `data-line="9"`, "= = 5000", `<li class="wrong">`)
		form = retyped(t, editor(t, p.get("/config?view=raw")), "= 5000 ", "= -5 ")
		p.post("/config/review", form).want(t, 200).has(t, `data-line="9"`, "risk.max_position_usd")
		p.wantFile(document)
	})
	t.Run("a new secret is applied, and never shown again", func(t *testing.T) {
		p := newPanel(t)
		const other = "brand-new-secret"
		form := retyped(t, editor(t, p.get("/config?view=raw")), `"********"`, `"`+other+`"`)
		for _, path := range []string{"/config/review", "/config/run"} {
			form.Set(inCheck, "1")
			if a := p.post(path, form).want(t, 200); strings.Contains(a.body, other) {
				t.Errorf("%s shows it", path)
			}
		}
		// It stays in the draft through both views.
		toForm := p.post("/config/run", with(editor(t, p.post("/config/run", form)), inTo, viewForm)).want(t, 200)
		toRaw := p.post("/config/run", with(editor(t, toForm), inTo, viewRaw)).want(t, 200)
		if strings.Contains(toForm.body+toRaw.body, other) {
			t.Error("a view shows it")
		}
		p.applied(editor(t, toRaw))
		p.wantFile(strings.Replace(document, secret, other, 1))
	})
	t.Run("a mask without a secret behind it is refused at its line", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "[broker]", "[other]\r\npassword = \"********\"\r\n[broker]")
		p.post("/config/run", form).want(t, 422).has(t, "Give the secret itself", `data-line="31"`, "other.password")
	})
	t.Run("tables that change places take their secrets along", func(t *testing.T) {
		p := newPanel(t)
		p.write(document + "[[feed]]\nname = \"a\"\ntoken = \"first-token\"\n[[feed]]\nname = \"b\"\ntoken = \"second-token\"\n")
		form := editor(t, p.get("/config?view=raw"))
		text := form.Get(inRaw)
		at := strings.Index(text, "[[feed]]")
		form.Set(inRaw, text[:at]+"[[feed]]\r\nname = \"b\"\r\ntoken = \"********\"\r\n[[feed]]\r\nname = \"a\"\r\ntoken = \"********\"\r\n")
		p.applied(form)
		p.wantFile(document + "[[feed]]\nname = \"b\"\ntoken = \"second-token\"\n[[feed]]\nname = \"a\"\ntoken = \"first-token\"\n")
	})
	t.Run("tables that a script sends in another order keep their secrets too", func(t *testing.T) {
		p := newPanel(t)
		p.write(document + "[[feed]]\nname = \"a\"\ntoken = \"first-token\"\n[[feed]]\nname = \"b\"\ntoken = \"second-token\"\n")
		masked := p.get("/api/v1/config").want(t, 200).body
		at := strings.Index(masked, "[[feed]]")
		turned := masked[:at] + "[[feed]]\nname = \"b\"\ntoken = \"********\"\n[[feed]]\nname = \"a\"\ntoken = \"********\"\n"
		p.do("PUT", "/api/v1/config", turned, "Content-Type", asTOML).want(t, 200)
		p.wantFile(document + "[[feed]]\nname = \"b\"\ntoken = \"second-token\"\n[[feed]]\nname = \"a\"\ntoken = \"first-token\"\n")
	})
	t.Run("a file that does not parse is mended here", func(t *testing.T) {
		p := newPanel(t)
		p.write(strings.Replace(document, "= 5000 ", "= = 5000 ", 1))
		a := p.get("/config").want(t, 200).has(t, "not valid TOML", `data-line="9"`)
		form := retyped(t, editor(t, a), "= = 5000 ", "= 5000 ")
		p.post("/config/review", form).want(t, 200).has(t, "These are the lines that differ", "max_position_usd     = = 5000")
		p.applied(form)
		p.wantFile(document)

		feeds := document + "[[feed]]\ntoken = \"first-token\"\n[feed.more]\ntoken = 'other-token' # was old-token\n[[feed]]\ntoken = \"second-token\"\n"
		p.write(feeds + "a = = 1\n")
		form = retyped(t, editor(t, p.get("/config")), "a = = 1\r\n", "")
		if text := form.Get(inRaw); strings.Contains(text, "-token\"") || strings.Contains(text, "other-token") {
			t.Errorf("a secret is shown:\n%s", text)
		}
		p.applied(form)
		p.wantFile(feeds)
	})
}

func with(form url.Values, name, value string) url.Values {
	form.Set(name, value)
	return form
}

func TestSwitchingViews(t *testing.T) {
	t.Run("what was typed in the form is in the text, right or wrong, and back again", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		form.Set("risk.max_order_usd", "a lot")
		form.Set(inTo, viewRaw)
		a := p.post("/config/run", form).want(t, 200).has(t, "max_position_usd     = 8000   # the most", "= &#34;a lot&#34;", `data-line="10"`)
		back := p.post("/config/run", with(editor(t, a), inTo, viewForm)).want(t, 200)
		back.has(t, `value="8000"`, "a lot", `data-was="5000"`)
		p.wantFile(document)
	})
	t.Run("what was typed in the text is in the form, comments too, and both are applied", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "# kept", "# typed by hand")
		a := p.post("/config/run", with(retyped(t, form, "= 5000 ", "= 8000 "), inTo, viewForm)).want(t, 200).has(t, `value="8000"`, `data-was="5000"`)
		form = p.form() // of the file, but for what the page carries
		for k, v := range editor(t, a) {
			form[k] = v
		}
		form.Set("risk.max_position_usd", "8000")
		form.Set("risk.max_order_usd", "900")
		form.Del(inReviewed) // as the page's script does when something is typed
		p.applied(form)
		p.wantFile(strings.NewReplacer("# kept", "# typed by hand", "= 5000 ", "= 8000 ", "= 1000\n", "= 900\n").Replace(document))
	})
	t.Run("a text that does not parse stays a text", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "= 5000 ", "= = 5000 ")
		p.post("/config/run", with(form, inTo, viewForm)).want(t, 422).has(t, "= = 5000", "cannot show this text yet", `data-line="9"`)
	})
}

func TestReview(t *testing.T) {
	t.Run("says each change in words and by line, and applies nothing", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		form.Set("scanner.listen", "127.0.0.1:7071")
		form.Set("broker.api_key", "new-"+secret[:7])
		a := p.post("/config/review", form).want(t, 200)
		a.has(t, "risk.max_position_usd", "5\u202f000", "8\u202f000", "USD", "takes effect on reload",
			"A larger position can lose more", "broker.api_key", "changed, secret", `data-count="3"`)
		if strings.Contains(a.body, "new-"+secret[:7]) {
			t.Error("it shows a secret")
		}
		p.wantFile(document)
	})
	t.Run("each problem comes with its field, and leads there", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_order_usd", "-1")
		p.post("/config/review", form).want(t, 200).has(t, "1 thing to correct", `<a href="#f-risk.max_order_usd">`,
			`<div data-at="f-risk.max_order_usd"><p class="problem" id="f-risk.max_order_usd-err0">`, "must be at least 1 USD; it is -1")
		form.Set("risk.max_order_usd", "1200")
		if a := p.post("/config/review", form).want(t, 200); strings.Contains(a.body, "data-at") {
			t.Error("a field is told off for what is mended")
		}
	})
	t.Run("a dangerous change is asked about once, and then applied with its note", func(t *testing.T) {
		for name, change := range map[string]struct {
			key, value string
			why        []string
		}{
			"of a key that its schema calls dangerous": {"risk.stop_loss_pct", "20", []string{"Stop-loss is more than doubled", "More than doubled."}},
			"of one that gets smaller, and says so":    {"risk.max_position_usd", "2000", []string{"Largest position is more than halved", "More than halved."}},
			"by more than a factor of ten":             {"risk.max_open_positions", "60", []string{"Open positions changes by more than a factor of ten", "More than a factor of ten."}},
		} {
			t.Run(name, func(t *testing.T) {
				p := newPanel(t)
				form := p.form()
				form.Set(change.key, change.value)
				form.Set(inNote, "agreed by phone")
				a := p.post("/config/run", form).want(t, 422).has(t, "Yes, apply this", "dangerous", "agreed by phone", "Press “Yes, apply this” to go on")
				a.has(t, change.why...)
				p.wantFile(document)
				if r := p.applied(confirming(t, form, a)); r.Note != "agreed by phone" {
					t.Errorf("the note is %q", r.Note)
				}
			})
		}
	})
	t.Run("a large deletion is asked about", func(t *testing.T) {
		p := newPanel(t)
		form := editor(t, p.get("/config?view=raw"))
		text := form.Get(inRaw)
		form.Set(inRaw, text[:strings.Index(text, "[orchestrator]")])
		p.post("/config/run", form).want(t, 422).has(t, "may be dangerous: it takes ", " keys away. Press", "Yes, apply this")
	})
	t.Run("what was looked at is what is applied, or it is shown again", func(t *testing.T) {
		p := newPanel(t)
		form := p.form()
		form.Set("risk.max_order_usd", "900")
		form.Set(inReviewed, string(stack.RevisionOf([]byte("something else"))))
		p.post("/config/run", form).want(t, 422).has(t, "is not what you looked at", "900")
		p.wantFile(document)
		form.Set(inReviewed, string(stack.RevisionOf([]byte(strings.Replace(document, "= 1000\n", "= 900\n", 1)))))
		p.applied(form)
	})
}

func TestClashes(t *testing.T) {
	clash := func(t *testing.T) (*panel, answer, string) {
		p := newPanel(t)
		p.get("/config").want(t, 200)
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		form.Set("risk.max_order_usd", "900")
		theirs := strings.NewReplacer("= 5000 ", "= 7000 ", "= 30\n", "= 40\n").Replace(document)
		p.write(theirs)
		a := p.post("/config/run", form).want(t, 412).has(t, "Take theirs", "Keep yours", "was 5\u202f000 USD", "7\u202f000 USD", "8\u202f000 USD")
		p.wantFile(theirs)
		return p, a, theirs
	}
	whole := func(p *panel, a answer, position string) url.Values {
		form := p.form()
		for k, v := range editor(p.t, a) {
			form[k] = v
		}
		form.Set("risk.max_position_usd", position)
		form.Set("risk.max_order_usd", "900")
		return form
	}
	t.Run("nothing is applied before it is decided", func(t *testing.T) {
		p, a, theirs := clash(t)
		p.post("/config/run", whole(p, a, "8000")).want(t, 412).has(t, "not decided yet", "Take theirs")
		p.wantFile(theirs)
	})
	t.Run("theirs, with one press", func(t *testing.T) {
		p, a, theirs := clash(t)
		a = p.post("/config/run", with(whole(p, a, "8000"), inTheirs, "/risk/max_position_usd")).want(t, 200).has(t, "All is decided")
		p.applied(whole(p, a, "7000"))
		p.wantFile(strings.Replace(theirs, "= 1000\n", "= 900\n", 1))
	})
	t.Run("yours, with one press", func(t *testing.T) {
		p, a, theirs := clash(t)
		a = p.post("/config/run", with(whole(p, a, "8000"), inYours, "/risk/max_position_usd")).want(t, 200).has(t, "All is decided")
		p.applied(whole(p, a, "8000"))
		p.wantFile(strings.NewReplacer("= 1000\n", "= 900\n", "= 7000 ", "= 8000 ").Replace(theirs))
	})
	t.Run("in the text as in the form", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "= 5000 ", "= 8000 ")
		theirs := strings.Replace(document, "= 5000 ", "= 7000 ", 1)
		p.write(theirs)
		a := p.post("/config/run", form).want(t, 412).has(t, "= 8000 ", "Take theirs")
		a = p.post("/config/run", with(editor(t, a), inYours, "/risk/max_position_usd")).want(t, 200)
		p.applied(editor(t, a))
		p.wantFile(strings.Replace(document, "= 5000 ", "= 8000 ", 1))
	})
	t.Run("a text that does not parse yet is kept until it does", func(t *testing.T) {
		p := newPanel(t)
		form := retyped(t, editor(t, p.get("/config?view=raw")), "= 5000 ", "= = 8000 ")
		theirs := strings.Replace(document, "= 1000\n", "= 600\n", 1)
		p.write(theirs)
		a := p.post("/config/run", form).want(t, 412).has(t, "= = 8000", "changed meanwhile")
		a = p.post("/config/run", retyped(t, editor(t, a), "= = 8000", "= 8000")).want(t, 412)
		p.applied(editor(t, a))
		p.wantFile(strings.Replace(theirs, "= 5000 ", "= 8000 ", 1))
	})
}
