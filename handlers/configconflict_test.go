package handlers

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const feedsSchema = `{
  "type": "object",
  "properties": {
    "limits": {"type": "object", "properties": {"max": {"type": "integer"}, "port": {"type": "integer"}}},
    "feeds": {"type": "array", "items": {"type": "object", "properties": {
      "name": {"type": "string"}, "host": {"type": "string"}, "token": {"type": "string", "format": "password"}}}}
  }
}`

const (
	limits = "# of the desk\n\n[limits]\nmax  = 5000 # the most\nport = 9000\n"
	mainly = "\n# the main one\n[[feeds]]\nname  = \"main\"\nhost  = \"main.example\"\ntoken = \"first-token\"\n"
	backup = "\n# when main is gone\n[[feeds]]\nname  = \"backup\"\nhost  = \"backup.example\"\ntoken = \"second-token\"\n"
	legacy = "\n# soon to go\n[[feeds]]\nname  = \"legacy\"\nhost  = \"legacy.example\"\ntoken = \"third-token\"\n"
	feeds  = limits + mainly + backup + legacy
)

// newFeeds is a panel whose config has a list of feeds, each with a secret.
func newFeeds(t *testing.T) *panel {
	t.Helper()
	dir := t.TempDir()
	rules := filepath.Join(dir, "schema.json")
	if err := os.WriteFile(rules, []byte(feedsSchema), 0o644); err != nil {
		t.Fatal(err)
	}
	p := newPanelUnder(t, dir, rules)
	p.write(feeds)
	p.get("/config").want(t, 200) // so that the version is known from which a form is drawn
	return p
}

// noTokens fails the test if an answer holds a feed's secret.
func (a answer) noTokens(t *testing.T) answer {
	t.Helper()
	if strings.Contains(a.body, "-token") {
		t.Errorf("%s %s shows a secret", a.Request.Method, a.Request.URL.Path)
	}
	return a
}

// raw is the text page as a browser would send it.
func (p *panel) raw() url.Values { return editor(p.t, p.get("/config?view=raw").want(p.t, 200)) }

func TestAConflictInAListOfTables(t *testing.T) {
	t.Run("a change reaches its table wherever somebody else moved it", func(t *testing.T) {
		for _, view := range []string{"the form", "the text"} {
			t.Run(view, func(t *testing.T) {
				p := newFeeds(t)
				form := p.form()
				form.Set("feeds.0.host", "other.example")
				if view == "the text" {
					form = retyped(t, p.raw(), "main.example", "other.example")
				}
				p.write(limits + legacy + backup + mainly)
				a := p.post("/config/run", form).want(t, 412).has(t, "with your own changes laid over it").noTokens(t)
				p.applied(editor(t, a))
				p.wantFile(limits + legacy + backup + strings.Replace(mainly, "main.example", "other.example", 1))
			})
		}
	})
	t.Run("tables that were moved take their comments along when somebody else changes another key", func(t *testing.T) {
		p := newFeeds(t)
		form := p.form()
		form.Set(":items:feeds", "1 0 2")
		p.write(strings.Replace(feeds, "9000", "9009", 1))
		a := p.post("/config/run", form).want(t, 412).noTokens(t)
		p.applied(editor(t, a))
		p.wantFile(strings.Replace(limits, "9000", "9009", 1) + backup + mainly + legacy)
	})
	t.Run("a key that both changed is decided for its table, wherever that is", func(t *testing.T) {
		for press, host := range map[string]string{inTheirs: "theirs.example", inYours: "yours.example"} {
			t.Run(press, func(t *testing.T) {
				p := newFeeds(t)
				form := p.raw() // yours has backup first
				form.Set(inRaw, strings.Replace(strings.Replace(form.Get(inRaw), "main.example", "yours.example", 1), "max  = 5000", "max  = 6000", 1))
				theirs := strings.Replace(mainly, "main.example", "theirs.example", 1)
				p.write(limits + backup + theirs + legacy)
				a := p.post("/config/run", form).want(t, 412).has(t, "feeds.1.host", "theirs.example", "yours.example", "main.example").noTokens(t)
				// It goes on moving while it is to be decided.
				moved := editor(t, a)
				text := moved.Get(inRaw)
				at := strings.Index(text, "# when main is gone")
				at2, at3 := strings.Index(text, "# the main one"), strings.Index(text, "# soon to go")
				moved.Set(inRaw, text[:at]+text[at2:at3]+text[at:at2]+text[at3:])
				a = p.post("/config/run", with(moved, press, "/feeds/1/host")).want(t, 200).has(t, "All is decided").noTokens(t)
				p.applied(editor(t, a))
				p.wantFile(strings.Replace(limits, "max  = 5000", "max  = 6000", 1) + strings.Replace(mainly, "main.example", host, 1) + backup + legacy)
			})
		}
	})
	t.Run("a list is decided by what can be seen of it, its secrets masked", func(t *testing.T) {
		p := newFeeds(t)
		form := retyped(t, p.raw(), "main.example", "other.example")
		p.write(limits + backup + legacy)
		a := p.post("/config/run", form).want(t, 412).noTokens(t)
		a.has(t, "host = &#34;main.example&#34;", "host = &#34;other.example&#34;", "token = ********")
		a = p.post("/config/run", with(editor(t, a), inYours, "/feeds")).want(t, 200).noTokens(t)
		p.applied(editor(t, a))
		if got := string(p.content()); !strings.Contains(got, "host = \"other.example\"\nname = \"main\"\ntoken = \"first-token\"") {
			t.Errorf("the feed came back without its secret:\n%s", got)
		}
	})
}

func TestCommentsThatWereTypedSurviveAConflict(t *testing.T) {
	theirs := strings.Replace(feeds, "9000", "9009", 1)
	t.Run("beside a value", func(t *testing.T) {
		p := newFeeds(t)
		yours := strings.NewReplacer("# of the desk", "# of this desk", "max  = 5000 # the most", "# agreed by phone\r\nmax  = 6000 # the most")
		form := p.raw()
		form.Set(inRaw, yours.Replace(form.Get(inRaw)))
		p.write(theirs)
		a := p.post("/config/run", form).want(t, 412).has(t, "# agreed by phone").noTokens(t)
		p.applied(editor(t, a))
		p.wantFile(strings.ReplaceAll(yours.Replace(theirs), "\r\n", "\n"))
	})
	t.Run("without any value", func(t *testing.T) {
		p := newFeeds(t)
		form := retyped(t, p.raw(), "port = 9000", "port = 9000 # of the scanner")
		p.write(theirs)
		p.post("/config/review", form).want(t, 200).has(t, `data-count="1"`)
		a := p.post("/config/run", form).want(t, 412).has(t, "# of the scanner", "1 change")
		p.applied(editor(t, a))
		p.wantFile(strings.Replace(theirs, "port = 9009", "port = 9009 # of the scanner", 1))
	})
	t.Run("what cannot be merged is said, and the text is carried until the draft is applied", func(t *testing.T) {
		p := newFeeds(t)
		form := retyped(t, p.raw(), "# the most", "# yours")
		theirs := strings.Replace(feeds, "# the most", "# theirs", 1)
		p.write(theirs)
		p.post("/config/review", form).want(t, 200).has(t, `data-count="1"`) // or the browser would drop its draft
		a := p.post("/config/run", form).want(t, 412).has(t, "could not all be merged", "# yours", "# theirs").noTokens(t)
		carried := func(a answer) url.Values {
			t.Helper()
			a.has(t, `name=":unmerged"`, "# yours")
			out := editor(t, a)
			out.Set(inUnmerged, "max  = 5000 # yours\r\n")
			return out
		}
		a = p.post("/config/run", with(carried(a), inTo, viewForm)).want(t, 200)
		a = p.post("/config/run", with(carried(a), inTo, viewRaw)).want(t, 200)
		a = p.post("/config/run", with(carried(a), inCheck, "1"))
		p.applied(retyped(t, carried(a), "port = 9000", "port = 9001"))
		p.wantFile(strings.Replace(theirs, "9000", "9001", 1))
	})
}

func TestADraftOfAVersionThatNobodyKnows(t *testing.T) {
	const unknown = "00000000000000000000000000000000000000000000000000000000000000ff"
	theirs := limits + backup + strings.Replace(mainly, "main.example", "moved.example", 1) + legacy
	theirs = strings.Replace(theirs, "9000", "9009", 1)
	t.Run("every key that differs is to be decided, and nothing is reverted by pressing again", func(t *testing.T) {
		p := newFeeds(t)
		form := p.form()
		form.Set("limits.max", "6000")
		form.Set(inRevision, unknown)
		form.Set("feeds.0.token", "")
		p.write(strings.NewReplacer("9000", "9009", "legacy.example", "newer.example").Replace(feeds))
		now := string(p.content())
		a := p.post("/config/run", form).want(t, 412).has(t, "Choose for each of the 3 keys", "/limits/port", "/limits/max", "/feeds/2/host").noTokens(t)
		whole := func(a answer) url.Values {
			out := url.Values{}
			for k, v := range form {
				out[k] = v
			}
			for k, v := range editor(t, a) {
				out[k] = v
			}
			return out
		}
		a = p.post("/config/run", whole(a)).want(t, 412).has(t, "not decided yet")
		p.wantFile(now)
		a = p.post("/config/run", with(whole(a), inTheirs, "/limits/port")).want(t, 200)
		form.Set("limits.port", "9009")
		a = p.post("/config/run", with(whole(a), inTheirs, "/feeds/2/host")).want(t, 200)
		form.Set("feeds.2.host", "newer.example")
		a = p.post("/config/run", with(whole(a), inYours, "/limits/max")).want(t, 200).has(t, "All is decided")
		p.applied(whole(a))
		p.wantFile(strings.Replace(now, "5000", "6000", 1))
	})
	t.Run("a list in another order is decided as a whole, each table with its own secret", func(t *testing.T) {
		p := newFeeds(t)
		form := p.form()
		form.Set(inRevision, unknown)
		p.write(theirs)
		a := p.post("/config/run", form).want(t, 412).has(t, `value="/feeds"`, `value="/limits/port"`).noTokens(t)
		a = p.post("/config/run", with(editor(t, a), inYours, "/feeds")).want(t, 200)
		a = p.post("/config/run", with(editor(t, a), inTheirs, "/limits/port")).want(t, 200)
		p.applied(editor(t, a))
		p.wantFile(strings.Replace(feeds, "9000", "9009", 1))
	})
	t.Run("a text keeps the comments of the file, and is shown as it was typed", func(t *testing.T) {
		p := newFeeds(t)
		form := retyped(t, p.raw(), "port = 9000", "port = 9001 # yours")
		form.Set(inRevision, unknown)
		p.write(strings.Replace(feeds, "# of the desk", "# of theirs", 1))
		a := p.post("/config/run", form).want(t, 412).has(t, "the one key that differs", "# yours", "# of theirs").noTokens(t)
		a = p.post("/config/run", with(editor(t, a), inYours, "/limits/port")).want(t, 200)
		p.applied(editor(t, a))
		p.wantFile(strings.NewReplacer("# of the desk", "# of theirs", "9000", "9001").Replace(feeds))
	})
	t.Run("it stays one in every view, and when it is not valid", func(t *testing.T) {
		p := newFeeds(t)
		form := p.raw()
		form.Set(inRevision, unknown)
		p.write(theirs)
		broken := retyped(t, editor(t, p.post("/config/run", with(form, inTo, viewForm)).want(t, 200)), "port = 9000", "port = = 9000")
		broken.Set(inView, viewRaw)
		a := p.post("/config/run", broken).want(t, 412)
		again := retyped(t, editor(t, a), "port = = 9000", "port = 9000")
		p.post("/config/run", again).want(t, 412).has(t, "/limits/port")
		p.wantFile(theirs)
	})
}
