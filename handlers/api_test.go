package handlers

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"pitstop/schedule"
	"pitstop/stack"
)

const (
	asTOML  = "application/toml"
	asPatch = "application/merge-patch+json"
	asJSON  = "application/json"
)

// decode reads an answer's JSON.
func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s %s: %v\n%s", a.Request.Method, a.Request.URL.Path, err, a.body)
	}
	return v
}

// problem is RFC 9457 as it is read by a client.
type problem struct {
	Title, Detail string
	Status        int
	Errors        []stack.Problem
	Run           *stack.Report
}

func wantProblem(t *testing.T, a answer, status int) problem {
	t.Helper()
	a.want(t, status)
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want application/problem+json", got)
	}
	v := decode[problem](t, a)
	if v.Status != status || v.Title == "" || v.Detail == "" {
		t.Errorf("problem %+v, want status %d with title and detail", v, status)
	}
	return v
}

func TestAPIConfig(t *testing.T) {
	t.Run("what GET gives can be PUT back and changes nothing, secrets included", func(t *testing.T) {
		p := newPanel(t)
		a := p.get("/api/v1/config").want(t, 200)
		if got, want := a.body, strings.Replace(document, secret, "********", 1); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		etag := a.Header.Get("ETag")
		if want := `"` + string(stack.RevisionOf([]byte(document))) + `"`; etag != want {
			t.Errorf("ETag %s, want %s", etag, want)
		}
		r := decode[stack.Report](t, p.do("PUT", "/api/v1/config", a.body, "Content-Type", asTOML, "If-Match", etag).want(t, 200))
		if r.Outcome != stack.Unchanged {
			t.Errorf("outcome %q, want unchanged", r.Outcome)
		}
		p.wantFile(document)

		changed := strings.Replace(a.body, "= 5000 ", "= 8000 ", 1)
		r = decode[stack.Report](t, p.do("PUT", "/api/v1/config", changed, "Content-Type", asTOML, "If-Match", etag).want(t, 200))
		if r.Outcome != stack.Applied || r.PauseMs <= 0 || r.Backup == "" {
			t.Errorf("report %+v, want applied with a pause window and a backup", r)
		}
		p.wantFile(strings.Replace(document, "= 5000 ", "= 8000 ", 1))
	})
	t.Run("another revision than If-Match is a conflict", func(t *testing.T) {
		p := newPanel(t)
		other := `"` + strings.Repeat("0", 64) + `"`
		wantProblem(t, p.do("PUT", "/api/v1/config", "[risk]\n", "Content-Type", asTOML, "If-Match", other), 412)
		wantProblem(t, p.do("PATCH", "/api/v1/config", `{"risk":{"max_order_usd":1}}`, "Content-Type", asPatch, "If-Match", other), 412)
		wantProblem(t, p.do("PUT", "/api/v1/config", "[risk]\n", "Content-Type", asTOML, "If-Match", "abc"), 400)
		p.wantFile(document)
	})
	t.Run("an invalid document is refused with the place of each problem", func(t *testing.T) {
		p := newPanel(t)
		v := wantProblem(t, p.do("PUT", "/api/v1/config", strings.Replace(document, "= 5000 ", "= -1 ", 1), "Content-Type", asTOML), 422)
		if len(v.Errors) != 1 || v.Errors[0].Pointer != "/risk/max_position_usd" || v.Errors[0].Line != 9 || v.Errors[0].Message == "" {
			t.Errorf("errors %+v, want one at /risk/max_position_usd in line 9", v.Errors)
		}
		v = wantProblem(t, p.do("PUT", "/api/v1/config", "a = \n", "Content-Type", asTOML), 422)
		if len(v.Errors) != 1 || v.Errors[0].Line != 1 {
			t.Errorf("errors %+v, want one in line 1", v.Errors)
		}
		if p.calls("Pause") != 0 {
			t.Error("the stack was paused")
		}
	})
	t.Run("a PATCH changes only its own keys", func(t *testing.T) {
		p := newPanel(t)
		r := decode[stack.Report](t, p.do("PATCH", "/api/v1/config", `{"risk":{"max_position_usd":8000,"stop_loss_pct":3}}`, "Content-Type", asPatch).want(t, 200))
		if r.Outcome != stack.Applied {
			t.Fatalf("outcome %q (%s), want applied", r.Outcome, r.Message)
		}
		p.wantFile(strings.Replace(strings.Replace(document, "= 5000 ", "= 8000 ", 1), "= 2.0", "= 3.0", 1))
	})
	t.Run("a PATCH that makes no sense is refused", func(t *testing.T) {
		p := newPanel(t)
		for body, status := range map[string]int{
			`[]`: 422, `{`: 400, `{"risk":{"max_order_usd":99999999999999999999}}`: 422, `{"scanner":{"symbols":["A",null]}}`: 422, `{"a":1} {"b":2}`: 400,
			`{"risk":{"max_order_usd":-5}}`: 422,
		} {
			wantProblem(t, p.do("PATCH", "/api/v1/config", body, "Content-Type", asPatch), status)
		}
		wantProblem(t, p.do("PATCH", "/api/v1/config", `{}`, "Content-Type", asJSON), 415)
		p.wantFile(document)
	})
	t.Run("a mask where the file has no secret is refused", func(t *testing.T) {
		p := newPanel(t)
		p.do("PATCH", "/api/v1/config", `{"broker":{"api_key":null}}`, "Content-Type", asPatch).want(t, 200)
		v := wantProblem(t, p.do("PATCH", "/api/v1/config", `{"broker":{"api_key":"********"}}`, "Content-Type", asPatch), 422)
		if len(v.Errors) != 1 || v.Errors[0].Pointer != "/broker/api_key" {
			t.Errorf("errors %+v, want one at /broker/api_key", v.Errors)
		}
	})
	t.Run("a run that is rolled back is a 200 that says so", func(t *testing.T) {
		p := newPanel(t)
		p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			if strings.Contains(string(content), "8000") {
				log("Config reload failed: no")
			} else {
				log("Config reloaded revision=" + stack.RevisionOf(content).Short())
			}
			return true
		})
		r := decode[stack.Report](t, p.do("PATCH", "/api/v1/config", `{"risk":{"max_position_usd":8000}}`, "Content-Type", asPatch).want(t, 200))
		if r.Outcome != stack.RolledBack {
			t.Errorf("outcome %q, want rolled_back", r.Outcome)
		}
		p.wantFile(document)
	})
}

func TestAPIBackups(t *testing.T) {
	p := newPanel(t)
	r := decode[stack.Report](t, p.do("PATCH", "/api/v1/config", `{"risk":{"max_position_usd":8000}}`, "Content-Type", asPatch).want(t, 200))
	list := decode[[]struct {
		Name     string
		Revision stack.Revision
	}](t, p.get("/api/v1/backups").want(t, 200))
	if len(list) != 1 || list[0].Name != r.Backup || list[0].Revision != r.Revision.From {
		t.Fatalf("backups %+v, want the one of the run, %s", list, r.Backup)
	}
	t.Run("a backup is shown with its secrets masked, and restored with them", func(t *testing.T) {
		p.get("/api/v1/backups/"+r.Backup).want(t, 200).has(t, "********", "# kept")
		back := decode[stack.Report](t, p.do("POST", "/api/v1/backups/"+r.Backup+"/restore", "").want(t, 200))
		if back.Outcome != stack.Applied || back.Kind != stack.KindRestore || back.Source != r.Backup {
			t.Errorf("report %+v, want an applied restore of %s", back, r.Backup)
		}
		p.wantFile(document)
	})
	t.Run("a name that is no backup is not found, wherever it points", func(t *testing.T) {
		for _, name := range []string{"nothing", "config.toml", "..%2Fconfig.toml", "%2Fetc%2Fpasswd"} {
			wantProblem(t, p.get("/api/v1/backups/"+name), 404)
			wantProblem(t, p.do("POST", "/api/v1/backups/"+name+"/restore", ""), 404)
		}
	})
}

func TestAPITrading(t *testing.T) {
	p := newPanel(t)
	put := func(body string) answer { return p.do("PUT", "/api/v1/trading", body, "Content-Type", asJSON) }
	t.Run("a halt holds until somebody resumes", func(t *testing.T) {
		g := decode[schedule.GateState](t, put(`{"mode":"halted","reason":"news"}`).want(t, 200))
		if g.Mode != schedule.Halted || g.TradingEnabled || !strings.Contains(g.Reason, "news") {
			t.Errorf("gate %+v, want halted for news", g)
		}
		p.get("/").has(t, "Trading halted", "Resume schedule")
		g = decode[schedule.GateState](t, put(`{"mode":"schedule"}`).want(t, 200))
		if g.Mode != schedule.FollowSchedule {
			t.Errorf("gate %+v, want the schedule", g)
		}
	})
	t.Run("forced needs an end that lies ahead", func(t *testing.T) {
		wantProblem(t, put(`{"mode":"forced"}`), 422)
		wantProblem(t, put(`{"mode":"forced","until":"2001-01-01T00:00:00Z"}`), 422)
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		g := decode[schedule.GateState](t, put(`{"mode":"forced","until":"`+until+`"}`).want(t, 200))
		if g.Mode != schedule.Forced || !g.TradingEnabled {
			t.Errorf("gate %+v, want forced", g)
		}
	})
	t.Run("nonsense is refused", func(t *testing.T) {
		wantProblem(t, put(`{"mode":"sometimes"}`), 422)
		wantProblem(t, put(`{"mod":"halted"}`), 422)
		wantProblem(t, put(`{}{}`), 400)
		wantProblem(t, p.do("PUT", "/api/v1/trading", "mode=halted", "Content-Type", "text/plain"), 415)
	})
}

func TestAPIRest(t *testing.T) {
	p := newPanel(t)
	t.Run("the status has what DESIGN.md promises", func(t *testing.T) {
		v := decode[map[string]any](t, p.get("/api/v1/status").want(t, 200))
		for _, key := range []string{"trading", "services", "config", "run"} {
			if _, ok := v[key]; !ok {
				t.Errorf("the status lacks %q", key)
			}
		}
		if c, _ := v["config"].(map[string]any); c["valid"] != true || c["revision"] != string(stack.RevisionOf([]byte(document))) {
			t.Errorf("config %v", v["config"])
		}
	})
	t.Run("windows are listed in UTC, between dates of the schedule's zone", func(t *testing.T) {
		v := decode[struct {
			Timezone string
			Windows  []struct{ Open, Close string }
		}](t, p.get("/api/v1/windows?from=2026-03-06&to=2026-03-09").want(t, 200))
		if v.Timezone != "America/New_York" || len(v.Windows) != 2 || v.Windows[0].Open != "2026-03-06T14:30:00Z" || v.Windows[1].Open != "2026-03-09T13:30:00Z" {
			t.Errorf("windows %+v", v)
		}
		for _, q := range []string{"from=soon", "from=2026-03-02&to=2026-03-01", "from=1970-01-01&to=2026-01-01"} {
			wantProblem(t, p.get("/api/v1/windows?"+q), 422)
		}
	})
	t.Run("what is not there is a problem, not a page", func(t *testing.T) {
		wantProblem(t, p.get("/api/v1/nowhere"), 404)
		wantProblem(t, p.get("/api/v1/runs/nothing"), 404)
		wantProblem(t, p.get("/api/v1/runs/nothing/events"), 404)
		wantProblem(t, p.do("DELETE", "/api/v1/config", ""), http.StatusMethodNotAllowed)
	})
}
