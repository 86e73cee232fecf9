package schedule

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

// table is a [schedule] table in a document.
type table map[string]any

func (t table) doc() map[string]any { return map[string]any{"schedule": map[string]any(t)} }

// with is the table and further keys.
func (t table) with(key string, value any) table {
	c := table{key: value}
	for k, v := range t {
		if k != key {
			c[k] = v
		}
	}
	return c
}

func mustParse(t testing.TB, tb table) *Schedule {
	t.Helper()
	s, problems := Parse(tb.doc(), time.UTC)
	if len(problems) > 0 {
		t.Fatalf("Parse(%v): problems %v", tb, problems)
	}
	return s
}

// localTime stands for what the TOML library makes of an unquoted time or date.
type localTime string

func (l localTime) String() string { return string(l) }

func TestParseProblems(t *testing.T) {
	good := table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}
	for _, c := range []struct {
		name    string
		table   table
		pointer string
		says    string
	}{
		{"start equal to stop", good.with("start", "16:00"), "/schedule/start", "both 16:00"},
		{"start equal to stop, at the other field too", good.with("start", "16:00"), "/schedule/stop", "both 16:00"},
		{"an hour that does not exist", good.with("start", "25:00"), "/schedule/start", "hours go from 00 to 23"},
		{"a minute that does not exist", good.with("stop", "16:60"), "/schedule/stop", "minutes from 00 to 59"},
		{"24:00", good.with("stop", "24:00"), "/schedule/stop", "00:00"},
		{"one digit", good.with("start", "9:30"), "/schedule/start", "write 09:30"},
		{"seconds", good.with("start", "09:30:10"), "/schedule/start", "kept to the minute"},
		{"seconds of 00, in quotes", good.with("start", "09:30:00"), "/schedule/start", "write 09:30"},
		{"nonsense", good.with("start", "noon"), "/schedule/start", "is not a time"},
		{"nothing", good.with("start", ""), "/schedule/start", "empty"},
		{"a number", good.with("start", int64(930)), "/schedule/start", "must be a string"},
		{"no start", table{"stop": "16:00"}, "/schedule/start", "missing"},
		{"no stop", table{"start": "09:30"}, "/schedule/stop", "missing"},
		{"a cron that never comes", good.with("start", "0 9 30 2 *"), "/schedule/start", "never comes"},
		{"a cron that never comes, as stop", good.with("stop", "0 9 31 4,6 *"), "/schedule/stop", "never comes"},
		{"a cron field that is only commas", good.with("stop", "0 9 , * *"), "/schedule/stop", "not a cron expression"},
		{"a cron out of range", good.with("start", "61 9 * * *"), "/schedule/start", "not a cron expression"},
		{"a cron of six fields", good.with("start", "0 0 9 * * *"), "/schedule/start", "not a cron expression"},
		{"a cron with a zone", good.with("start", "TZ=UTC 0 9 * * *"), "/schedule/start", "schedule.timezone"},
		{"a cron with a zone and nothing else", good.with("start", "@TZ="), "/schedule/start", "schedule.timezone"},
		{"@every", good.with("start", "@every 1h"), "/schedule/start", "no fixed times"},
		{"cron twice the same", table{"start": "@daily", "stop": "0 0 * * *"}, "/schedule/start", "never open"},
		{"a cron whose starts are all stops", table{"start": "0 9 * * 1", "stop": "0 9 * * *"}, "/schedule/stop", "never open"},
		{"a cron whose starts are on other days", table{"start": "0 9 * * 1", "stop": "0 17 * * *", "days": []any{"tue"}}, "/schedule/start", "never open"},
		{"an unknown zone", good.with("timezone", "Mars/Olympus"), "/schedule/timezone", "IANA"},
		{"a misspelt zone", good.with("timezone", "America/NewYork"), "/schedule/timezone", `"America/New_York"`},
		{"a city for a zone", good.with("timezone", "new york"), "/schedule/timezone", `"America/New_York"`},
		{"an abbreviation for a zone", good.with("timezone", "EDT"), "/schedule/timezone", `"America/New_York"`},
		{"Local as zone", good.with("timezone", "Local"), "/schedule/timezone", "means something else on each machine"},
		{"a zone that the machine sets", good.with("timezone", "localtime"), "/schedule/timezone", "means something else on each machine"},
		{"a zone of leap seconds", good.with("timezone", "right/Europe/Berlin"), "/schedule/timezone", "means something else on each machine"},
		{"a zone that is a path", good.with("timezone", "../etc/passwd"), "/schedule/timezone", "unknown"},
		{"an unknown calendar", good.with("calendar", "XNYX"), "/schedule/calendar", `did you mean "XNYS"`},
		{"open without a calendar", good.with("start", "open"), "/schedule/start", "needs a calendar"},
		{"close without a calendar", good.with("stop", "close-10m"), "/schedule/stop", "needs a calendar"},
		{"an offset without a unit", good.with("start", "open+5").with("calendar", "XNYS"), "/schedule/start", "open+5m"},
		{"an offset without a number", good.with("start", "open+").with("calendar", "XNYS"), "/schedule/start", "open+5m"},
		{"an offset too far", good.with("start", "open+999999999999999999h").with("calendar", "XNYS"), "/schedule/start", "too far"},
		{"open before open", table{"start": "open+10m", "stop": "open+5m", "calendar": "XNYS"}, "/schedule/start", "empty"},
		{"close to open", table{"start": "close", "stop": "open", "calendar": "XNYS"}, "/schedule/stop", "never open"},
		{"offsets that meet", table{"start": "open+4h", "stop": "close-3h", "calendar": "XNYS"}, "/schedule/stop", "never open"},
		{"open to a cron", table{"start": "open", "stop": "0 9 * * *", "calendar": "XNYS"}, "/schedule/stop", "cannot be combined"},
		{"an unknown day", good.with("days", []any{"mon", "tues"}), "/schedule/days/1", `"tues"`},
		{"no day", good.with("days", []any{}), "/schedule/days", "No day is chosen"},
		{"days that are no list", good.with("days", "mon"), "/schedule/days", "list"},
		{"a holiday that does not exist", good.with("holidays", []any{"2026-02-30"}), "/schedule/holidays/0", "2026-02-30"},
		{"a holiday that is a number", good.with("holidays", []any{int64(20261224)}), "/schedule/holidays/0", "20261224"},
		{"an early close at no time", good.with("early_closes", map[string]any{"2026-11-27": "1pm"}), "/schedule/early_closes/2026-11-27", "not a time"},
		{"an early close on no date", good.with("early_closes", map[string]any{"27/11": "13:00"}), "/schedule/early_closes/27~111", "not a date"},
		{"early closes that are no table", good.with("early_closes", []any{}), "/schedule/early_closes", "table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := Parse(c.table.doc(), time.UTC)
			if s != nil {
				t.Errorf("Parse gave a schedule beside its problems")
			}
			for _, p := range problems {
				if p.Pointer == c.pointer && strings.Contains(p.Message, c.says) {
					return
				}
			}
			t.Errorf("Parse: got %v, want a problem at %s that says %q", problems, c.pointer, c.says)
		})
	}
	t.Run("a schedule that is no table", func(t *testing.T) {
		if _, problems := Parse(map[string]any{"schedule": "09:30"}, time.UTC); len(problems) != 1 || problems[0].Pointer != "/schedule" {
			t.Errorf("got %v, want one problem at /schedule", problems)
		}
	})
	t.Run("every problem is told at once", func(t *testing.T) {
		_, problems := Parse(table{"start": "25:00", "stop": "x", "timezone": "y", "calendar": "z"}.doc(), time.UTC)
		if len(problems) != 4 {
			t.Errorf("got %d problems, want 4: %v", len(problems), problems)
		}
	})
}

func TestParseAccepts(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("no table", func(t *testing.T) {
		if s, problems := Parse(map[string]any{}, berlin); s != nil || problems != nil {
			t.Errorf("got %v, %v, want no schedule and no problem", s, problems)
		}
	})
	t.Run("no zone: the panel's own", func(t *testing.T) {
		s, problems := Parse(table{"start": "09:30", "stop": "16:00"}.doc(), berlin)
		if len(problems) > 0 || s.Location() != berlin || !s.Zoneless() {
			t.Errorf("got %v, %v, want Europe/Berlin", s, problems)
		}
	})
	t.Run("sessions need no zone", func(t *testing.T) {
		sessions := table{"start": "open", "stop": "close", "calendar": "XNYS"}
		if mustParse(t, sessions).Zoneless() || !mustParse(t, sessions.with("stop", "15:00")).Zoneless() {
			t.Error("open to close goes by the exchange's clocks, open to 15:00 by those of a zone")
		}
	})
	for name, tb := range map[string]table{
		"TOML's own times and dates": {"start": localTime("09:30:00"), "stop": localTime("16:00:00"),
			"holidays": []any{localTime("2026-12-24")}, "early_closes": map[string]any{"2026-11-27": localTime("13:00:00")}},
		"29 February":               {"start": "0 9 29 2 *", "stop": "0 17 29 2 *"},
		"29 February on a Monday":   {"start": "0 9 29 2 *", "stop": "0 17 * * *", "days": []any{"mon"}},
		"names in a cron":           {"start": "30 9 * jan-dec MON-FRI", "stop": "@hourly"},
		"open with spaces":          {"start": "open + 5m", "stop": "Close - 1h30m", "calendar": "XNYS"},
		"the last half hour":        {"start": "close-30m", "stop": "close", "calendar": "XNYS"},
		"a session and a wall time": {"start": "open+5m", "stop": "15:00", "timezone": "America/New_York", "calendar": "XNYS"},
		"empty zone and calendar":   {"start": "09:30", "stop": "16:00", "timezone": "", "calendar": ""},
	} {
		t.Run(name, func(t *testing.T) { mustParse(t, tb) })
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range [][5]string{
		{"09:30", "16:00", "America/New_York", "XNYS", "mon"},
		{"open+5m", "close-1h", "", "24-7", "sun"},
		{"0 9 * * 1-5", "@daily", "Australia/Lord_Howe", "", "2026-01-01"},
		{"*/7 */5 29 2 1", "0 0 31 12 *", "Pacific/Apia", "24-5", ""},
		{"TZ=", "@every 1s", "..", "?", "x"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	f.Fuzz(func(t *testing.T, start, stop, zone, market, extra string) {
		s, problems := Parse(table{
			"start": start, "stop": stop, "timezone": zone, "calendar": market,
			"holidays": []any{extra}, "early_closes": map[string]any{extra: start},
		}.doc(), time.UTC)
		if (s == nil) == (len(problems) == 0) {
			t.Fatalf("got schedule %v and problems %v", s, problems)
		}
		for _, p := range problems {
			if !strings.HasPrefix(p.Pointer, "/schedule/") || p.Message == "" {
				t.Errorf("a problem without place or words: %+v", p)
			}
		}
		if s == nil {
			s, _ = Parse(table{"start": start, "stop": stop, "timezone": zone, "calendar": market}.doc(), time.UTC)
		}
		if s == nil {
			return
		}
		now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
		if state := s.At(now); !state.Until.IsZero() && !state.Until.After(now) {
			t.Errorf("At(%v) is until %v", now, state.Until)
		}
		s.Next(now, 10)
		s.Days(cal("2026-11-25"), 14)
	})
}
