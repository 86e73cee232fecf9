package handlers

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/schedule"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/rules"
	"pitstop/stack/stacktest"
)

// panel is the whole panel over a stack in memory and a config file on disk, behind a real listener.
type panel struct {
	t testing.TB
	*Server
	url     string
	file    string // the config file
	stack   *stacktest.Backend
	gate    *schedule.Gate
	control *stack.Controller
	log     *lockedBuffer
	end     func() // takes it down; its test does that at its end anyway
}

const secret = "hunter2-very-secret"

const document = `# kept
[schedule]
start    = "09:30" # opening bell
stop     = "16:00"
timezone = "America/New_York"
days     = ["mon", "tue", "wed", "thu", "fri"]

[risk]
max_position_usd     = 5000   # the most in one symbol
max_order_usd        = 1000
max_open_positions   = 5
daily_loss_limit_usd = 250
stop_loss_pct        = 2.0
max_hold_seconds     = 30

[orchestrator]
log_level        = "info"
poll_interval_ms = 250
heartbeat_ms     = 50
scanner          = "127.0.0.1:7070"

[scanner]
listen      = "127.0.0.1:7070"
interval_ms = 250
universe    = "large-cap"
symbols     = ["AAPL", "MSFT"]
min_score   = 0.6
log_level   = "info"

[broker]
name    = "paper"
account = "demo"
api_key = "` + secret + `"
`

// generous is how long a test waits for what must come: machines that run tests are busy.
const generous = 30 * time.Second

func newPanel(t testing.TB) *panel {
	t.Helper()
	return newPanelIn(t, t.TempDir())
}

// newPanelIn is a panel in a folder that may have a state already.
func newPanelIn(t testing.TB, dir string) *panel {
	t.Helper()
	return newPanelUnder(t, dir, "")
}

// newPanelUnder is a panel whose settings name a schema.
func newPanelUnder(t testing.TB, dir, schemaFile string) *panel {
	t.Helper()
	p := &panel{t: t, file: filepath.Join(dir, "config.toml"), log: &lockedBuffer{}}
	if err := os.WriteFile(p.file, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store, err := configfile.Open(p.file, 50, log)
	if err != nil {
		t.Fatal(err)
	}
	services := []stack.Service{
		{Name: "python-orchestrator", Reload: stack.Reload{Signal: "SIGUSR1", Confirm: "Config reloaded revision={revision}", Reject: "Config reload failed"}},
		{Name: "go-scanner", Reload: stack.Reload{Signal: "SIGUSR1", Confirm: "Config reloaded revision={revision}", Reject: "Config reload failed"}},
	}
	p.stack = stacktest.New(t, services...)
	p.stack.Reads = func() []byte { b, _ := os.ReadFile(p.file); return b }
	p.stack.Add("python-orchestrator", "orchestrator-1")
	p.stack.Add("go-scanner", "scanner-1")
	rule := rules.New(schemaFile, log)
	if p.gate, err = schedule.OpenGate(filepath.Join(dir, "trading.json"), state, nil, log); err != nil {
		t.Fatal(err)
	}
	scheduler := schedule.NewScheduler(p.gate, rule.ScheduleOf(store), nil, log)
	hider := NewHider(rule.Schema(), store.Read)
	p.control, err = stack.New(stack.Options{
		Services: services, Backend: p.stack, Config: store, State: state,
		Validate: func(content []byte) []stack.Problem { hider.Learn(content); return rule.Check(content) }, Hide: hider.Hide,
		Changed: configfile.Pointers, ReloadTimeout: generous, MaxPause: generous, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	p.Server, handler = New(Options{
		Controller: p.control, Store: store, Schema: rule.Schema(), Gate: p.gate, Scheduler: scheduler, Check: rule.Check, Remarks: rule.Remarks, Broken: rule.Broken(),
		AllowedHosts: []string{"panel.lan"}, Version: "test", Backend: "fake", Log: log,
	})
	ctx, stop := context.WithCancel(context.Background())
	if err := scheduler.Start(ctx); err != nil {
		t.Fatal(err)
	}
	p.control.Start(ctx)
	server := httptest.NewServer(handler)
	p.url = server.URL
	p.end = sync.OnceFunc(func() {
		grace, cancel := context.WithTimeout(context.Background(), generous)
		defer cancel()
		if err := p.control.Shutdown(grace); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		p.Close()
		server.Close()
		scheduler.Shutdown()
		stop()
		p.stack.Close()
		store.Close()
		if strings.Contains(p.log.String(), secret) {
			t.Error("the log holds a secret")
		}
	})
	t.Cleanup(p.end)
	return p
}

// answer is a response, read.
type answer struct {
	*http.Response
	body string
}

// do sends a request without following redirects. headers are names and values in turn.
func (p *panel) do(method, path, body string, headers ...string) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*generous)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	if strings.Contains(string(b), secret) {
		p.t.Errorf("%s %s: the answer holds a secret", method, path)
	}
	return answer{res, string(b)}
}

func (p *panel) get(path string, headers ...string) answer { return p.do("GET", path, "", headers...) }

func (p *panel) post(path string, form url.Values, headers ...string) answer {
	return p.do("POST", path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// want fails the test unless the answer has this status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}

// has fails the test unless the answer's body holds all of these.
func (a answer) has(t testing.TB, texts ...string) answer {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s %s lacks %q", a.Request.Method, a.Request.URL.Path, text)
		}
	}
	return a
}

// form is what a browser would send of the form as the file is now.
func (p *panel) form() url.Values {
	p.t.Helper()
	content := p.content()
	doc, err := configfile.Parse(content)
	if err != nil {
		p.t.Fatal(err)
	}
	form := url.Values{inRevision: {string(stack.RevisionOf(content))}}
	eachSection(p.o.Schema.Form(doc.Value()).Sections, func(s schema.Section) {
		for _, h := range s.Hidden {
			form.Add(h.Name, h.Value)
		}
		for _, f := range s.Fields {
			switch f.Control {
			case schema.Checks:
				form.Add(f.Name, "")
				for _, o := range f.Options {
					if o.Selected {
						form.Add(f.Name, o.Value)
					}
				}
			case schema.Select:
				for _, o := range f.Options {
					if o.Selected {
						form.Add(f.Name, o.Value)
					}
				}
			case schema.Raw, schema.None:
			default:
				form.Add(f.Name, f.Value)
			}
		}
	})
	return form
}

func (p *panel) content() []byte {
	p.t.Helper()
	b, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *panel) wantFile(want string) {
	p.t.Helper()
	if got := string(p.content()); got != want {
		p.t.Errorf("the config file is\n%s\nwant\n%s", got, want)
	}
}

// stateFiles are the contents of the state folder, but for the versions of the config file: those are
// whole, and nobody's but the panel's.
func (p *panel) stateFiles() (files []string) {
	p.t.Helper()
	err := filepath.WalkDir(filepath.Join(filepath.Dir(p.file), "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == "versions" {
			if info, err := d.Info(); err == nil && info.Mode().Perm() != 0o600 {
				p.t.Errorf("%s has the mode %v, want 0600", path, info.Mode())
			}
			return nil
		}
		b, err := os.ReadFile(path)
		files = append(files, string(b))
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return files
}

// calls are how often the stack was asked to do this.
func (p *panel) calls(method string) int {
	n := 0
	for _, c := range p.stack.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

// ended waits for the newest run to end.
func (p *panel) ended() stack.Report {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*generous)
	defer cancel()
	run := p.control.Last()
	if run == nil {
		p.t.Fatal("there was no run")
	}
	r, err := run.Wait(ctx)
	if err != nil {
		p.t.Fatalf("the run did not end: %v\n%+v", err, r)
	}
	return r
}

// lockedBuffer is a buffer for many writers.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// The log is for whoever reads it at night: a line for each run, none for who looked at a page.
func TestTheLogHasALinePerRunAndNonePerRequest(t *testing.T) {
	p := newPanel(t)
	lines := func() int { return strings.Count(p.log.String(), "\n") }
	p.get("/").want(t, 200) // whatever is seen for the first time is told once
	before := lines()
	for _, path := range []string{"/", "/config", "/schedule", "/history", "/api/v1/status", "/api/v1/config", "/nowhere", "/healthz"} {
		p.get(path)
	}
	if got := lines() - before; got != 0 {
		t.Errorf("8 requests left %d lines in the log:\n%s", got, p.log.String())
	}
	p.do("PATCH", "/api/v1/config", `{"risk":{"max_order_usd":900}}`, "Content-Type", "application/merge-patch+json").want(t, 200)
	if got := strings.Count(p.log.String(), "A run has ended."); got != 1 {
		t.Errorf("a run is told in %d lines, want one", got)
	}
}
