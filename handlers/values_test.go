package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

// The values of pages, tested without HTML.

var newYork = func() *time.Location {
	l, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return l
}()

func instantAt(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTradingBanner(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z") // Monday, 10:00 in New York
	until := now.Add(time.Hour)
	for _, c := range []struct {
		name                 string
		gate                 schedule.GateState
		word                 string
		tone                 views.Tone
		halt, resume, force  bool
		wantSince, wantUntil string
		services             []stack.ServiceStatus
		disobeyed            string
	}{
		{
			name: "open by the schedule", word: "Trading on", tone: views.Good, halt: true, force: true,
			gate:      schedule.GateState{TradingEnabled: true, Mode: schedule.FollowSchedule, Since: now.Add(-30 * time.Minute), Until: &until, By: "schedule"},
			wantSince: "09:30", // until when, its reason says
		},
		{
			name: "closed by the schedule", word: "Trading off", tone: views.Quiet, halt: true, force: true,
			gate: schedule.GateState{Mode: schedule.FollowSchedule, Since: now.Add(-48 * time.Hour)}, wantSince: "Sat 10:00",
		},
		{
			name: "halted, which only a person lifts", word: "Trading halted", tone: views.Bad, resume: true,
			gate: schedule.GateState{Mode: schedule.Halted, Since: now, By: "127.0.0.1"}, wantSince: "10:00",
		},
		{
			name: "forced, which can be ended or halted", word: "Trading on, by hand", tone: views.Caution, halt: true, resume: true,
			gate: schedule.GateState{TradingEnabled: true, Mode: schedule.Forced, Since: now, Until: &until}, wantSince: "10:00", wantUntil: "11:00",
		},
		{
			name: "halted, and a service says that it still trades", word: "Trading halted", tone: views.Bad, resume: true,
			gate: schedule.GateState{Mode: schedule.Halted, Since: now.Add(-time.Minute)}, wantSince: "09:59",
			services:  []stack.ServiceStatus{{Name: "python-orchestrator", Obeys: &stack.Obeyed{TradingEnabled: true, Reason: "within hours"}}},
			disobeyed: "python-orchestrator says that it still trades: within hours",
		},
		{
			name: "a service has a moment to obey", word: "Trading halted", tone: views.Bad, resume: true,
			gate: schedule.GateState{Mode: schedule.Halted, Since: now.Add(-time.Second)}, wantSince: "09:59:59",
			services: []stack.ServiceStatus{{Name: "python-orchestrator", Obeys: &stack.Obeyed{TradingEnabled: true}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := tradingBanner(c.gate, weekdays(t, now), stack.Status{Services: c.services, At: now}, now, newYork)
			if b.Badge.Word != c.word || b.Badge.Tone != c.tone {
				t.Errorf("badge %+v, want %q in %q", b.Badge, c.word, c.tone)
			}
			if b.CanHalt != c.halt || b.CanResume != c.resume || b.CanForce != c.force {
				t.Errorf("buttons halt=%v resume=%v force=%v, want %v %v %v", b.CanHalt, b.CanResume, b.CanForce, c.halt, c.resume, c.force)
			}
			if b.Since.Text != c.wantSince || b.Until.Text != c.wantUntil {
				t.Errorf("since %q until %q, want %q and %q", b.Since.Text, b.Until.Text, c.wantSince, c.wantUntil)
			}
			got := ""
			for _, d := range b.Disobeyed {
				got += d.Sentence
			}
			if got != c.disobeyed {
				t.Errorf("disobeyed %q, want %q", got, c.disobeyed)
			}
			if b.By == "schedule" {
				t.Error("the schedule is named as if it were a person")
			}
		})
	}
}

func TestToast(t *testing.T) {
	for _, c := range []struct {
		report stack.Report
		want   views.Toast
	}{
		{stack.Report{ID: "7"}, views.Toast{}},
		{stack.Report{ID: "7", Outcome: stack.Applied}, views.Toast{Run: "7", Status: "Configuration applied"}},
		{stack.Report{Outcome: stack.RolledBack, Message: "go-scanner refused it."}, views.Toast{Alert: "Failed to apply configuration: go-scanner refused it."}},
		{stack.Report{Outcome: stack.RolledBack, Message: `go-scanner refused it: a.b is "1.2.3.4"; see config.toml! The old config is back in place: go-scanner confirmed it.`},
			views.Toast{Alert: `Failed to apply configuration: go-scanner refused it: a.b is "1.2.3.4"; see config.toml!`}},
		{stack.Report{Outcome: stack.Failed, Message: strings.Repeat("ä", longestToast+1)}, views.Toast{Alert: "Failed to apply configuration: " + strings.Repeat("ä", longestToast) + "…"}},
		{stack.Report{Outcome: stack.Failed}, views.Toast{Alert: "Failed to apply configuration: failed"}},
		{stack.Report{Outcome: stack.Applied, Unconfirmed: []string{"go-scanner"}}, views.Toast{Status: "Configuration applied, but not by go-scanner: see why"}},
		{stack.Report{Kind: stack.KindReload, Outcome: stack.Applied}, views.Toast{Status: "Configuration reloaded"}},
		{stack.Report{Kind: stack.KindReload, Outcome: stack.Failed, Message: "No."}, views.Toast{Alert: "Failed to reload configuration: No."}},
	} {
		if got := toast(c.report, true); got != c.want {
			t.Errorf("toast of %q = %+v, want %+v", c.report.Outcome, got, c.want)
		}
	}
}

func TestAToastOfSomebodyElsesRunSaysWhose(t *testing.T) {
	if got, want := toast(stack.Report{Outcome: stack.Applied, By: "10.0.0.7"}, false), (views.Toast{Status: "Configuration applied", By: "10.0.0.7"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestServiceSaysWhichConfigItLoaded(t *testing.T) {
	file := stack.RevisionOf([]byte("a = 1\n"))
	now := instantAt(t, "2026-03-02T15:00:00Z")
	if v := service(stack.ServiceStatus{Loaded: stack.Revision(file.Short())}, file, now, time.UTC); v.Behind {
		t.Error("the file's own revision counts as another")
	}
	if v := service(stack.ServiceStatus{Loaded: "0123456789ab"}, file, now, time.UTC); !v.Behind {
		t.Error("another revision counts as the file's")
	}
	if v := service(stack.ServiceStatus{}, file, now, time.UTC); v.Behind {
		t.Error("a service that has not said counts as behind")
	}
}

func TestRefusals(t *testing.T) {
	secret := errors.New("dial unix /run/secret.sock")
	for _, c := range []struct {
		name   string
		err    error
		status int
	}{
		{"a conflict", fmt.Errorf("save: %w", stack.ErrConflict), 412},
		{"a backend that is away", fmt.Errorf("docker: %w: %w", stack.ErrUnavailable, secret), 502},
		{"a shutdown", stack.ErrShutdown, 503},
		{"a body that is too large", &http.MaxBytesError{Limit: 1 << 20}, 413},
		{"an unknown address", echo.ErrNotFound, 404},
		{"an error nobody expected", secret, 500},
	} {
		t.Run(c.name+" has its status and keeps the cause to itself", func(t *testing.T) {
			r := asRefusal(c.err)
			if r.status != c.status {
				t.Errorf("status %d, want %d", r.status, c.status)
			}
			if strings.Contains(r.public, "secret") || r.public == "" {
				t.Errorf("public text %q", r.public)
			}
		})
	}
	for _, c := range []struct {
		outcome stack.Outcome
		cause   stack.Cause
		status  int
	}{
		{stack.Rejected, stack.CauseInvalid, 422}, {stack.Rejected, stack.CauseConflict, 412}, {stack.Rejected, stack.CauseBusy, 409},
		{stack.Rejected, stack.CauseBackend, 502}, {stack.Rejected, stack.CauseConfig, 503},
		{stack.Failed, stack.CauseBackend, 502}, {stack.Failed, "", 500},
	} {
		if got := runRefusal(stack.Report{Outcome: c.outcome, Cause: c.cause}); got == nil || got.status != c.status {
			t.Errorf("%s for %q gives %+v, want status %d", c.outcome, c.cause, got, c.status)
		}
	}
	for _, o := range []stack.Outcome{stack.Applied, stack.Unchanged, stack.RolledBack} {
		if got := runRefusal(stack.Report{Outcome: o}); got != nil {
			t.Errorf("%s is refused with %d, want 200", o, got.status)
		}
	}
}

func TestSafeBack(t *testing.T) {
	for path, want := range map[string]string{
		"/config?run=1": "/config?run=1", "": "/", "//evil.example": "/", `/\evil.example`: "/", "https://evil.example": "/", "javascript:alert(1)": "/",
	} {
		if got := safeBack(path); got != want {
			t.Errorf("safeBack(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestNextWallTime(t *testing.T) {
	now := instantAt(t, "2026-03-02T15:00:00Z") // 10:00 in New York
	for text, want := range map[string]string{"16:30": "2026-03-02T16:30:00-05:00", "09:59": "2026-03-03T09:59:00-05:00", "10:00": "2026-03-03T10:00:00-05:00"} {
		got, err := nextWallTime(text, now, newYork)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("nextWallTime(%q) = %s, %v, want %s", text, got.Format(time.RFC3339), err, want)
		}
	}
	for _, text := range []string{"", "25:00", "soon"} {
		if _, err := nextWallTime(text, now, newYork); asRefusal(err).status != 422 {
			t.Errorf("nextWallTime(%q) gives %v, want a refusal with 422", text, err)
		}
	}
}

func TestMs(t *testing.T) {
	for v, want := range map[float64]string{0.123: "0.12 ms", 12.34: "12.3 ms", 456.7: "457 ms", 1234: "1.23 s", 12345: "12.3 s"} {
		if got := ms(v); got != want {
			t.Errorf("ms(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestDotted(t *testing.T) {
	for ptr, want := range map[string]string{"": "", "/risk/max": "risk.max", "/a~1b/c~0d/0": "a/b.c~d.0"} {
		if got := schema.Dotted(ptr); got != want {
			t.Errorf("schema.Dotted(%q) = %q, want %q", ptr, got, want)
		}
	}
}
