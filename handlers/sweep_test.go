package handlers

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/later"
)

// plant is in every secret of this test, and in nothing else.
const plant = "pl4nted"

// planted is a config with secrets wherever one can stand.
var planted = strings.NewReplacer(secret+`"`, `pl4nted-key-0" # was pl4nted-older`).Replace(document) + `# api_key = "pl4nted-aside"
creds = { user = "u", password = "pl4nted-inline", pin_secret = 918273645 } # pl4nted-remark
[[feed]]
name = "a"
token = "pl4nted-feed-1"
[[feed]]
name = "b"
token = '''
pl4nted-line-1
x = "pl4nted-line-2"
'''
[pool]
secrets = [
  "pl4nted-item-1", # pl4nted-item-0
  # pl4nted-item-9
  'pl4nted-item-2',
]
`

// sweeper asks everywhere, and looks through every answer.
type sweeper struct {
	*laterPanel
	t *testing.T
}

func (s sweeper) clean(what, text string) {
	s.t.Helper()
	for _, hidden := range []string{plant, "918273645"} {
		if i := strings.Index(text, hidden); i >= 0 {
			s.t.Errorf("%s holds a secret: …%s…", what, text[max(0, i-300):min(len(text), i+60)])
		}
	}
}

func (s sweeper) ask(method, path, body string, headers ...string) answer {
	s.t.Helper()
	a := s.do(method, path, body, headers...)
	s.clean(method+" "+path, a.body)
	for name, values := range a.Header {
		s.clean(method+" "+path+" "+name, strings.Join(values, " "))
	}
	return a
}

func (s sweeper) send(path string, form url.Values) answer {
	s.t.Helper()
	return s.ask("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// first is what a stream says at once.
func (s sweeper) first(path string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), generous)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	for {
		line, err := in.ReadString('\n')
		s.clean(path, line)
		if err == io.EOF || strings.TrimSpace(line) == "" {
			return
		}
		if err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
	}
}

// everywhere reads all that can be read.
func (s sweeper) everywhere() {
	s.t.Helper()
	paths := []string{"/", "/config", "/config?view=raw", "/schedule", "/later", "/later/edit", "/history", "/history?show=config", "/nowhere",
		"/api/v1/status", "/api/v1/config", "/api/v1/later", "/api/v1/runs", "/api/v1/history", "/api/v1/backups", "/api/v1/trading", "/readyz"}
	for _, r := range s.control.Reports() {
		paths = append(paths, "/history/"+r.ID)
		if r.Kind.IsRun() {
			paths = append(paths, "/config?run="+r.ID, "/api/v1/runs/"+r.ID)
			if r.Outcome != "" {
				paths = append(paths, "/api/v1/runs/"+r.ID+"/events")
			}
		}
	}
	backups, err := s.backups()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, b := range backups {
		paths = append(paths, "/history/backups/"+b.Name, "/api/v1/backups/"+b.Name, "/history/restore?backup="+b.Name, "/history/compare?from="+b.Name+"&to=live",
			"/history/compare?from="+b.Name+"&to="+backups[0].Name)
	}
	versions, err := s.control.Versions()
	if err != nil {
		s.t.Fatal(err)
	}
	paths = append(paths, "/api/v1/versions")
	for _, v := range versions {
		paths = append(paths, "/history/backups/"+string(v.Revision), "/api/v1/versions/"+string(v.Revision), "/history/compare?from="+string(v.Revision)+"&to=live", "/history/restore?backup="+string(v.Revision))
	}
	for _, path := range paths {
		s.ask("GET", path, "")
	}
	s.ask("GET", "/api/v1/config", "", "Accept", asJSON)
	for _, page := range []string{"overview", "config", "history", "later", "schedule"} {
		s.first("/events?page=" + page)
	}
	s.first("/events?page=config&wait=1")
	s.first("/api/v1/events")
	for _, file := range s.stateFiles() {
		s.clean("the state folder", file)
	}
	s.clean("the log", s.log.String())
}

func TestNothingThatIsToldHoldsASecret(t *testing.T) {
	s := sweeper{newLaterPanel(t), t}
	s.write(planted)
	s.control.ConfigTouched()
	s.everywhere()

	t.Run("nor does what a service says of a config", func(t *testing.T) {
		s.t = t
		s.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if strings.Contains(string(content), "pl4nted-key-1") {
				log(`Config reload failed: broker.api_key is "pl4nted-key-1"; it must not be "pl4nted-key-0", pl4nted-line-1, 918273645`)
			} else {
				log("Config reloaded revision=" + stack.RevisionOf(content).Short())
			}
			return true
		})
		form := s.form()
		form.Set("broker.api_key", "pl4nted-key-1")
		form.Set(inNote, "pl4nted-key-1 for pl4nted-key-0")
		s.send("/config/run", form)
		if r := s.ended(); r.Outcome != stack.RolledBack || !strings.Contains(r.Message, "********") {
			t.Errorf("%s: %s", r.Outcome, r.Message)
		}
		s.everywhere()
	})
	t.Run("nor one to something that is wrong", func(t *testing.T) {
		s.t = t
		for _, patch := range []string{
			`{"broker":{"api_key":{"x":"pl4nted-a"}}}`, `{"broker":{"api_key":["pl4nted-b"]}}`, `{"broker":{"api_key":"` + strings.Repeat("pl4nted", 1000) + `"}}`,
			`{"broker":{"api_key":"pl4nted-c"},"risk":{"max_order_usd":"x"}}`, `{"broker":{"api_key":"pl4nted-d"}`, `{"pool":{"secrets":[null,"pl4nted-e"]}}`, `{"api_key":918273645,"risk":1}`,
		} {
			s.ask("PATCH", "/api/v1/config", patch, "Content-Type", asPatch)
			s.ask("POST", "/api/v1/later?at=next_close", strings.Replace(patch, "pl4nted-c", "pl4nted-c2", 1), "Content-Type", mergePatch)
		}
		for _, more := range []string{
			"[broker.more]\napi_key = pl4nted-bare\n", "x = { token = \"pl4nted-a\" y = 1 }\n", "secret = [\n\"pl4nted-b\n", "password = \"pl4nted-c\npl4nted-d\"\n", "token = \"pl4nted\" \"pl4nted\"\n",
			"token = 918273645x\n", "api_key = \"pl4nted-e\"\napi_key = \"pl4nted-f\"\n", "password = \"\\q pl4nted\"\n", "token = pl4nted.toml\n", "risk = 1\n[risk]\n# token: pl4nted\n",
		} {
			s.ask("PUT", "/api/v1/config", planted+more, "Content-Type", asTOML)
			s.ask("POST", "/api/v1/later?at=next_close", planted+more, "Content-Type", "application/toml")
			form := editor(t, s.get("/config?view=raw"))
			form.Set(inRaw, form.Get(inRaw)+strings.ReplaceAll(more, "\n", "\r\n"))
			s.send("/config/run", form)
			for _, to := range []string{viewForm, viewRaw} {
				s.send("/config/run", with(form, inTo, to))
			}
		}
	})
	t.Run("nor while a change waits", func(t *testing.T) {
		s.t = t
		s.write(planted)
		form := s.laterForm("6000", "next_close", "")
		form.Set("broker.api_key", "pl4nted-key-2")
		form.Set(inNote, "pl4nted-key-2")
		s.send("/later", form).want(t, 303)
		s.everywhere()
		s.write(strings.Replace(planted, "pl4nted-key-0", "pl4nted-key-9", 1)) // it clashes
		s.everywhere()
		s.pass(3*3600e9, later.Held)
		s.everywhere()
	})
	t.Run("nor while the file is broken", func(t *testing.T) {
		s.t = t
		for _, broken := range []string{planted + "a = = 1\n", strings.Replace(planted, `user = "u",`, `user = "u"`, 1), strings.Replace(planted, "secrets = [", "secrets = [[", 1), strings.Replace(planted, "'''", "''", 1)} {
			s.write(broken)
			s.control.ConfigTouched()
			s.everywhere()
			form := editor(t, s.get("/config"))
			s.send("/config/run", form)
			s.send("/config/run", retyped(t, form, "= 5000 ", "= 5001 "))
			s.send("/config/review", form)
		}
	})
}

func TestAHiderKnowsTheFileAndTheNewestVersions(t *testing.T) {
	file := []byte(document)
	h := NewHider(schema.Default(), func() ([]byte, error) { return file, nil })
	h.Learn([]byte(strings.Replace(document, secret, "new-"+secret, 1)))
	file = []byte("[broker]\napi_key = \"yet\\\"another\"\nx = = 1\n")
	got := h.Hide(`refused new-` + secret + `, was ` + secret + `; now yet\"another, yet"another`)
	if want := `refused ********, was ********; now ********, ********`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for i := range 2 * keptVersions {
		h.Learn([]byte(strings.Repeat("\n", i)))
	}
	if len(h.known) > keptVersions {
		t.Errorf("it remembers %d versions", len(h.known))
	}
}
