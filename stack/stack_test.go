package stack

import (
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	rev := RevisionOf([]byte("a = 1\n"))
	other := RevisionOf([]byte("a = 2\n"))
	plain := Reload{Confirm: "Config reloaded", Reject: "Config reload failed"}
	exact := Reload{Confirm: "Config reloaded revision={revision}"}
	for _, test := range []struct {
		name   string
		reload Reload
		line   string
		want   verdict
	}{
		{"another line", plain, "beat", verdictNone},
		{"a confirmation without a revision", plain, "INFO Config reloaded", verdictLoaded},
		{"a confirmation of this revision", plain, "Config reloaded revision=" + rev.Short() + " in 3 ms", verdictLoaded},
		{"a confirmation of the whole revision", plain, "Config reloaded revision=" + string(rev), verdictLoaded},
		{"a confirmation of another revision", plain, "Config reloaded revision=" + other.Short(), verdictNone},
		{"the pattern with this revision", exact, "Config reloaded revision=" + rev.Short(), verdictLoaded},
		{"the pattern with another revision", exact, "Config reloaded revision=" + other.Short(), verdictNone},
		{"the pattern without a revision", exact, "Config reloaded", verdictNone},
		{"a refusal", plain, "Config reload failed: max must be a number", verdictRefused},
		{"a refusal of another revision", plain, "Config reload failed: revision=" + other.Short(), verdictNone},
		{"no pattern confirms nothing", Reload{}, "Config reloaded", verdictNone},
		{"a refusal that contains the confirmation", Reload{Confirm: "Config", Reject: "Config reload failed"}, "Config reload failed", verdictRefused},
		{"a new life that began with this revision", exact, "Config loaded revision=" + rev.Short(), verdictLoaded},
		{"a new life that began with another", plain, "Config loaded revision=" + other.Short(), verdictNone},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.reload.verdict(test.line, rev); got != test.want {
				t.Errorf("%q: got %v, want %v", test.line, got, test.want)
			}
		})
	}
}

func TestParseObeyed(t *testing.T) {
	at := time.Unix(1, 0)
	for line, want := range map[string]*Obeyed{
		"trading_enabled=true reason=window open":                      {true, "window open", at, at},
		`2026-11-25 INFO trading_enabled=false reason="no \"word\"" x`: {false, `no "word"`, at, at},
		"trading_enabled=True":                                         {true, "", at, at},
		"trading_enabled=false by=ann reason=halted":                   {false, "halted", at, at},
		"trading_enabled=perhaps":                                      nil,
		"beat":                                                         nil,
	} {
		got, ok := parseObeyed(LogLine{at, line})
		if ok != (want != nil) || ok && got != *want {
			t.Errorf("%q: got %+v, %v; want %+v", line, got, ok, want)
		}
	}
}

func TestIDsSortByTimeAndAreUnique(t *testing.T) {
	at := time.Date(2026, 11, 25, 20, 30, 0, 0, time.UTC)
	a, b, c := newID(at), newID(at), newID(at.Add(time.Millisecond))
	if a == b || a >= c || b >= c {
		t.Errorf("got %s, %s, %s", a, b, c)
	}
}
