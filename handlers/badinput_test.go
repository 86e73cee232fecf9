package handlers

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"strings"
	"testing"

	"pitstop/stack"
)

// What no browser sends, somebody does: it works or is refused with a sentence, and nothing is lost.
func TestBadForms(t *testing.T) {
	p := newPanel(t)
	type change = func(url.Values)
	for name, c := range map[string]struct {
		change change
		status int
		says   string
	}{
		"a field that the schema does not know": {func(f url.Values) { f.Set("__proto__.polluted", "1"); f.Set("<script>", "x") }, 422, "has a field &#34;&lt;script&gt;&#34; that the schema does not know"},
		"an element that there is not":          {func(f url.Values) { f.Set("scanner.symbols.7", "X") }, 422, "the schema does not know"},
		"a NUL byte in a text":                  {func(f url.Values) { f.Set("broker.name", "a\x00b") }, 422, "1 thing to correct"},
		"invalid UTF-8 in a text":               {func(f url.Values) { f.Set("broker.name", "a\xff\xfeb") }, 422, "1 thing to correct"},
		"a number beyond 64 bits":               {func(f url.Values) { f.Set("risk.max_order_usd", "99999999999999999999") }, 422, "1 thing to correct"},
		"a number that is none":                 {func(f url.Values) { f.Set("risk.stop_loss_pct", "NaN") }, 422, "must be a finite number"},
		"an option that there is not":           {func(f url.Values) { f.Set("scanner.universe", "penny-stocks") }, 422, "1 thing to correct"},
		"a field twice":                         {func(f url.Values) { f.Add("risk.max_order_usd", "2"); f.Add("risk.max_order_usd", "3") }, 422, "1 thing to correct"},
		"no revision":                           {func(f url.Values) { f.Del(inRevision) }, 422, "without the revision that it was drawn from"},
		"a revision twice":                      {func(f url.Values) { f.Add(inRevision, "x") }, 422, ":revision twice"},
		"a revision that is none":               {func(f url.Values) { f.Set(inRevision, "<script>alert(1)</script>") }, 412, "the version that you began with cannot be compared with any more"},
		"a view twice":                          {func(f url.Values) { f[inView] = []string{viewForm, viewForm} }, 422, ":view twice"},
		"a draft that is none":                  {func(f url.Values) { f.Set(inRaw, "= =") }, 422, "a draft that cannot be read"},
		"a draft that nobody keeps":             {func(f url.Values) { f.Set(inKept, "<script>alert(1)</script>") }, 200, "Nothing is applied yet"},
		"a decision on a key that is no clash":  {func(f url.Values) { f.Set(inTheirs, "/risk/max_order_usd") }, 422, "That key is decided already"},
		"clashes that there are not":            {func(f url.Values) { f.Add(inClash, "/nowhere~2/x") }, 412, "it is not decided yet whose value is to count"},
		"another view":                          {func(f url.Values) { f.Set(inTo, "<script>alert(1)</script>") }, 200, "config-form"},
		"a note with all sorts in it":           {func(f url.Values) { f.Set(inNote, "<script>alert(1)</script>\x00\xff") }, 200, "Nothing is applied yet"},
		"a review of something else":            {func(f url.Values) { f.Set(inConfirm, "x") }, 200, "Nothing is applied yet"},
	} {
		t.Run(name, func(t *testing.T) {
			form := p.form()
			form.Set(inCheck, "1") // nothing of this is to be applied
			form.Set("broker.account", "typed-by-hand")
			c.change(form)
			for _, path := range []string{"/config/run", "/config/review"} {
				a := p.post(path, form)
				if a.StatusCode >= 500 {
					t.Errorf("%s: status %d\n%s", path, a.StatusCode, a.body)
				}
				if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<script>=") {
					t.Errorf("%s: what was sent came back as markup", path)
				}
			}
			p.post("/config/run", form).want(t, c.status).has(t, c.says)
			if name != "a decision on a key that is no clash" { // which only a page that is not this one sends
				p.post("/config/run", form).has(t, `value="typed-by-hand"`)
			}
			p.wantFile(document)
		})
	}
	t.Run("a form that is not one", func(t *testing.T) {
		p.do("POST", "/config/run", "%zz=%", "Content-Type", "application/x-www-form-urlencoded").want(t, 400)
	})
}

// What was typed is nowhere but in the request: it comes back, whatever became of the file.
func TestTypedWorkIsKept(t *testing.T) {
	t.Run("the config file is gone, and back", func(t *testing.T) {
		p := settled(t)
		form, text := p.form(), editor(t, p.get("/config?view=raw"))
		form.Set("scanner.min_score", "0.7")
		text.Set(inRaw, strings.Replace(text.Get(inRaw), "= 1000", "= 900", 1))
		unknown := with(maps.Clone(form), inRevision, "x")
		if err := os.Remove(p.file); err != nil {
			t.Fatal(err)
		}
		p.post("/config/run", form).want(t, 503).has(t, "There is no config file", "what you typed is kept below", `value="0.7"`)
		p.post("/config/run", text).want(t, 503).has(t, "what you typed is kept below", "max_order_usd        = 900")
		p.post("/config/run", unknown).want(t, 503).has(t, "what you typed is kept below", `value="0.7"`)
		p.post("/config/run", with(maps.Clone(text), inRevision, "x")).want(t, 503).has(t, "what you typed is kept below", "max_order_usd        = 900")
		p.write(document)
		p.applied(form)
		p.wantFile(strings.Replace(document, "0.6", "0.7", 1))
	})
	t.Run("the file goes while a run begins", func(t *testing.T) {
		p := settled(t)
		form := p.form()
		form.Set("scanner.min_score", "0.7")
		p.drafts.keep("a-run", form)
		p.control.AppendAudit(stack.Report{ID: "a-run", Kind: stack.KindSave, Outcome: stack.Failed, Message: "The config file cannot be read."})
		if err := os.Remove(p.file); err != nil {
			t.Fatal(err)
		}
		p.get("/config?run=a-run").want(t, 200).has(t, `value="0.7"`, "what you typed is kept below")
	})
	t.Run("a text without its revision is shown over the file as it is, with what it would change", func(t *testing.T) {
		p := settled(t)
		text := editor(t, p.get("/config?view=raw"))
		text.Set(inRaw, strings.Replace(text.Get(inRaw), "= 1000", "= 900", 1))
		text.Del(inRevision)
		a := p.post("/config/run", text).want(t, 422).has(t, "without the revision", "max_order_usd        = 900", `data-key="risk.max_order_usd"`)
		p.wantFile(document)
		p.applied(editor(t, a)) // it has one now
	})
	t.Run("more than is taken is refused where it was typed", func(t *testing.T) {
		p := newPanel(t)
		large := url.Values{inRaw: {strings.Repeat("# 0123456789\n", 20<<20/13)}}
		p.post("/config/run", large).want(t, 413).has(t, "more than the", "Go back in the browser: what you typed is still there.")
		a := p.post("/config/run", large, "HX-Request", "true", "HX-Request-Type", "full").want(t, 413).has(t, `hx-target="#toasts"`, "more than the")
		if a.Header.Get("HX-Reswap") != "none" || strings.Contains(a.body, "<html") {
			t.Errorf("the page would go: HX-Reswap is %q\n%.200s", a.Header.Get("HX-Reswap"), a.body)
		}
	})
}

func TestBadDocuments(t *testing.T) {
	p := newPanel(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing at all":          {"", 422},
		"a NUL byte":              {document + "x = \"a\x00b\"\n", 422},
		"invalid UTF-8":           {document + "x = \"\xff\"\n", 422},
		"a number beyond 64 bits": {document + "x = 99999999999999999999\n", 422},
		"a key twice":             {document + "[risk]\n", 422},
		"an inline table on two lines, as TOML 1.1 has it": {document + "x = { a = 1,\n b = 2 }\n", 422},
		"a time without seconds, as TOML 1.1 has it":       {document + "x = 07:32\n", 422},
	} {
		t.Run(name, func(t *testing.T) {
			v := wantProblem(t, p.do("PUT", "/api/v1/config", c.body, "Content-Type", asTOML), c.status)
			if len(v.Errors) == 0 {
				t.Errorf("no place is named: %+v", v)
			}
			p.wantFile(document)
		})
	}
}

// Texts that somebody pastes: each is applied whole, or refused at its line with the text kept.
func TestOddTexts(t *testing.T) {
	for name, c := range map[string]struct {
		added string
		line  string // what is wrong with it is told at this line; "": nothing is
	}{
		"keys with names that mean something elsewhere": {"[__proto__]\npolluted = 1\n\"<script>alert(1)</script>\" = \"</textarea><script>alert(2)</script>\"\n", ""},
		"the four kinds of dates":                       {"[dates]\na = 2026-03-02T09:30:00-05:00\nb = 2026-03-02T09:30:00\nc = 2026-03-02\nd = 09:30:00\n", ""},
		"numbers that are none":                         {"[odd]\na = nan\nb = -inf\nc = 9223372036854775807\n", ""},
		"a number beyond 64 bits":                       {"[odd]\na = 9223372036854775808\n", "35"},
		"a key twice":                                   {"[odd]\na = 1\na = 2\n", "36"},
		"a NUL byte":                                    {"[odd]\na = \"x\x00y\"\n", "35"},
		"invalid UTF-8":                                 {"[odd]\na = \"x\xffy\"\n", "35"},
		"text that never ends":                          {"[odd]\na = \"\"\"x\n", "35"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPanel(t)
			form := editor(t, p.get("/config?view=raw"))
			form.Set(inRaw, form.Get(inRaw)+c.added)
			for _, to := range []string{viewForm, viewRaw} {
				if a := p.post("/config/run", with(form, inTo, to)); strings.Contains(a.body, "<script>alert") || a.StatusCode >= 500 {
					t.Errorf("shown as %s: status %d, or it came back as markup", to, a.StatusCode)
				}
			}
			form.Del(inTo)
			if c.line == "" {
				p.applied(form)
				p.wantFile(document + c.added)
				p.get("/config").want(t, 200)
				p.get("/config?view=raw").want(t, 200)
				return
			}
			p.post("/config/run", form).want(t, 422).has(t, `data-line="`+c.line+`"`, "[odd]")
			p.wantFile(document)
		})
	}
}

func TestLargeConfigs(t *testing.T) {
	t.Run("10 000 keys are shown, reviewed and changed one by one", func(t *testing.T) {
		p := newPanel(t)
		var many strings.Builder
		for i := range 10_000 {
			if i%100 == 0 {
				fmt.Fprintf(&many, "[table_%d]\n", i/100)
			}
			fmt.Fprintf(&many, "key_%d = %d # number %d\n", i, i, i)
		}
		content := document + many.String()
		p.write(content)
		form := p.form()
		form.Set("risk.max_order_usd", "900")
		p.post("/config/review", form).want(t, 200).has(t, "900")
		p.applied(form)
		p.wantFile(strings.Replace(content, "= 1000\n", "= 900\n", 1))
		text := editor(t, p.get("/config?view=raw").want(t, 200))
		p.post("/config/review", retyped(t, text, "key_9999 = 9999", "key_9999 = 9998")).want(t, 200).has(t, "table_99.key_9999")
	})
	t.Run("10 MB are taken as a document, 2 MB as a text; what is more is refused with a sentence", func(t *testing.T) {
		p := newPanel(t)
		sized := func(n int) string {
			return document + "[more]\nnotes = [\n" + strings.Repeat("  \""+strings.Repeat("0123456789", 100)+"\",\n", n/1006) + "]\n"
		}
		large := sized(10 << 20)
		p.do("PUT", "/api/v1/config", large, "Content-Type", asTOML).want(t, 200)
		p.wantSize(len(large))
		p.get("/config").want(t, 200)
		p.post("/config/run", url.Values{inRevision: {"x"}, inView: {viewRaw}, inRaw: {large + large}}).want(t, 413).has(t, "more than the")
		p.wantSize(len(large))

		content := sized(2 << 20)
		p.write(content)
		p.applied(retyped(t, editor(t, p.get("/config?view=raw").want(t, 200)), "= 1000", "= 900"))
		p.wantFile(strings.Replace(content, "= 1000", "= 900", 1))
	})
}

// Keys, not bytes, are what costs: each is parsed, compared, masked and drawn.
func TestConfigsOfTooManyKeys(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		b.WriteString(document)
		for i := range n {
			if i%1000 == 0 {
				fmt.Fprintf(&b, "[table_%d]\n", i/1000)
			}
			fmt.Fprintf(&b, "key_%d = 1\n", i)
		}
		return b.String()
	}
	t.Run("more than 100 000 are refused with a sentence", func(t *testing.T) {
		p := newPanel(t)
		v := wantProblem(t, p.do("PUT", "/api/v1/config", many(700_000), "Content-Type", asTOML), 422)
		if len(v.Errors) != 1 || !strings.Contains(v.Errors[0].Message, "more than 100 000 keys") || v.Errors[0].Line < 99_000 {
			t.Errorf("the problems are %+v", v.Errors)
		}
		p.wantFile(document)
	})
	t.Run("20 000 that change at once are counted, and 1000 of them named", func(t *testing.T) {
		p := newPanel(t)
		p.do("PUT", "/api/v1/config", many(20_000), "Content-Type", asTOML).want(t, 200)
		r := p.ended()
		if len(r.Changed) != stack.MaxChanged || r.MoreChanged != 19_000 {
			t.Errorf("%d keys are named and %d more, want 1000 and 19000", len(r.Changed), r.MoreChanged)
		}
		if n := len(p.get("/api/v1/status").want(t, 200).body); n > 100_000 {
			t.Errorf("the status has %d bytes", n)
		}
		p.get("/history").want(t, 200).has(t, "20000 keys changed", "and 19996 more")
		p.get("/config?run="+r.ID).want(t, 200).has(t, "20000 keys changed", "and 19000 more")
	})
	t.Run("what is wrong is told 1000 times at most", func(t *testing.T) {
		p := newPanel(t)
		broken := document + "[more]\nx = 1\n"
		problems := make([]string, 5000)
		for i := range problems {
			problems[i] = fmt.Sprintf("[[schedule.wrong_%d]]", i)
		}
		broken += strings.Join(problems, "\n") + "\n"
		v := wantProblem(t, p.do("PUT", "/api/v1/config", broken, "Content-Type", asTOML), 422)
		if n := len(v.Errors); n != 1001 || v.Errors[n-1].Message != "There are 4000 more problems." {
			t.Errorf("%d problems are told, the last %+v", n, v.Errors[n-1])
		}
	})
}

func (p *panel) wantSize(n int) {
	p.t.Helper()
	if got := len(p.content()); got != n {
		p.t.Errorf("the config file has %d bytes, want %d", got, n)
	}
}
