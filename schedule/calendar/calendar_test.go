package calendar

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func calendarNamed(t *testing.T, name string) *Calendar {
	t.Helper()
	c, ok := Lookup(name)
	if !ok {
		t.Fatalf("there is no calendar %s; there are %v", name, Names())
	}
	return c
}

// year are the sessions whose date lies in a year; they may open in the year before.
func year(c *Calendar, y int) []Session {
	var in []Session
	from := time.Date(y-1, 12, 28, 0, 0, 0, 0, time.UTC)
	for _, s := range c.Sessions(from, from.AddDate(1, 0, 10)) {
		if s.Date.Year == y {
			in = append(in, s)
		}
	}
	return in
}

// The exchanges publish how many sessions a year had.
func TestEachYearHasAsManySessionsAsTheExchangeCounted(t *testing.T) {
	for name, counts := range map[string][]int{ // from 2013
		"XNYS": {252, 252, 252, 252, 251, 251, 252, 253, 252, 251, 250, 252, 250},
		"XNAS": {252, 252, 252, 252, 251, 251, 252, 253, 252, 251, 250, 252, 250},
		"XTKS": {245, 244, 244, 245, 247, 245, 241, 242, 245, 244, 246, 245, 243},
		"XLON": {253, 253, 253, 253, 252, 253, 253, 254, 253, 250, 251, 254},
		"XETR": {253, 252, 253, 255, 252, 251, 251, 254, 255, 257, 255, 254},
		"XHKG": {244, 247, 247, 245, 246, 246, 246, 248, 247, 246, 243, 246},
	} {
		c := calendarNamed(t, name)
		for i, want := range counts {
			if got := len(year(c, 2013+i)); got != want {
				t.Errorf("%s %d: got %d sessions, want %d", name, 2013+i, got, want)
			}
		}
	}
}

// Dates and hours as the exchanges announced them, in the market's own wall time.
func TestDatesThatTheExchangesAnnounced(t *testing.T) {
	for _, line := range []string{
		"XNYS 2013-07-03 09:30-13:00", "XNYS 2018-12-05 closed", "XNYS 2025-01-09 closed",
		"XNYS 2021-06-18 09:30-16:00", "XNYS 2022-06-20 closed", "XNYS 2021-12-31 09:30-16:00",
		"XNYS 2021-12-24 closed", "XNYS 2026-11-26 closed", "XNYS 2026-11-27 09:30-13:00",
		"XNYS 2023-01-02 closed", "XNYS 2026-07-03 closed", "XNYS 2026-07-02 09:30-16:00",
		"CMES 2026-11-26 -17:00-12:00", "CMES 2026-11-27 -17:00-12:15", "CMES 2015-09-18 -17:00-16:15",
		"CMES 2015-09-21 -17:00-16:00", "CMES 2021-06-25 -17:00-16:00", "CMES 2026-12-25 closed",
		"CMES 2021-04-02 -17:00-08:15", "CMES 2022-04-15 closed", "CMES 2018-12-05 -17:00-08:30",
		"CMES 2013-07-03 -17:00-12:15", "CMES 2013-07-04 -17:00-10:30", "CMES 2013-11-28 -17:00-10:30", "CMES 2013-11-29 -17:00-12:15",
		"CMES 2014-02-17 -17:00-10:30", "CMES 2014-05-26 -17:00-12:00", "CMES 2015-01-19 -17:00-12:00", "CMES 2014-12-24 -17:00-12:15",
		"CMES 2025-01-09 -17:00-08:30", "CMES 2021-12-24 closed", "CMES 2023-01-02 closed", "CMES 2034-04-07 -17:00-08:15",
		"XLON 2020-05-04 08:00-16:30", "XLON 2020-05-08 closed", "XLON 2022-06-02 closed", "XLON 2022-06-03 closed",
		"XLON 2022-09-19 closed", "XLON 2023-05-08 closed", "XLON 2016-12-23 08:00-12:30", "XLON 2022-12-27 closed",
		"XLON 2021-12-28 closed", "XLON 2020-12-28 closed", "XLON 2021-12-24 08:00-12:30",
		"XETR 2013-12-30 09:00-14:00", "XETR 2018-12-28 09:00-14:00", "XETR 2017-10-31 closed",
		"XETR 2021-10-04 09:00-17:30", "XETR 2019-10-03 closed", "XETR 2022-06-06 09:00-17:30", "XETR 2018-05-21 closed",
		"XPAR 2024-12-24 09:00-14:05", "XPAR 2024-12-31 09:00-14:05", "XPAR 2016-12-23 09:00-17:30", "XAMS 2025-05-01 closed",
		"XSWX 2024-05-09 closed", "XSWX 2025-08-01 closed", "XSWX 2024-01-02 closed",
		"XTSE 2017-07-03 closed", "XTSE 2024-05-20 closed", "XTSE 2021-12-24 09:30-13:00", "XTSE 2021-12-28 closed", "XTSE 2022-01-03 closed",
		"XTKS 2024-11-01 09:00-15:00", "XTKS 2024-11-05 09:00-15:30", "XTKS 2020-10-01 closed", "XTKS 2019-04-30 closed",
		"XTKS 2019-05-06 closed", "XTKS 2020-07-24 closed", "XTKS 2021-07-22 closed", "XTKS 2021-10-11 09:00-15:00",
		"XTKS 2025-02-24 closed", "XTKS 2015-09-22 closed", "XTKS 2026-05-06 closed",
		"XHKG 2024-02-09 09:30-12:00", "XHKG 2023-09-01 closed", "XHKG 2023-09-08 closed", "XHKG 2022-09-12 closed",
		"XHKG 2022-12-27 closed", "XHKG 2021-12-27 closed", "XHKG 2021-12-28 09:30-16:00", "XHKG 2015-09-03 closed",
		"XHKG 2013-05-22 13:00-16:00", "XHKG 2022-11-02 09:30-13:55", "XHKG 2023-10-09 14:00-16:00",
		"XHKG 2019-07-31 09:30-13:55", "XHKG 2019-08-01 09:30-16:00", "XHKG 2020-08-19 13:30-16:00", "XHKG 2021-06-28 13:30-16:00",
		"XHKG 2025-09-23 09:30-16:00", "XHKG 2026-04-07 closed", "XHKG 2033-10-03 closed",
		"XASX 2022-09-22 closed", "XASX 2021-12-24 10:00-14:10", "XASX 2022-12-23 10:00-16:00", "XASX 2016-12-30 10:00-14:10",
		"XASX 2021-04-26 10:00-16:00", "XASX 2022-01-03 closed", "XASX 2026-06-08 closed", "XASX 2026-04-27 10:00-16:00",
		"24-5 2026-11-28 closed", "24-7 2026-11-28 00:00-00:00",
	} {
		f := strings.Fields(line)
		c := calendarNamed(t, f[0])
		date, err := ParseDate(f[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(c, date); got != f[2] {
			reason, _ := c.Closed(date)
			t.Errorf("%s %s: got %s (%s), want %s", f[0], date, got, reason, f[2])
		}
	}
}

// shown is a date's session as OPEN-CLOSE in the market's wall time; a leading - is the evening before.
func shown(c *Calendar, date Date) string {
	if _, closed := c.Closed(date); closed {
		return "closed"
	}
	for _, s := range year(c, date.Year) {
		if s.Date != date {
			continue
		}
		open, before := s.Open.In(c.Location()), ""
		if DateOf(open) != date {
			before = "-"
		}
		return fmt.Sprintf("%s%s-%s", before, open.Format("15:04"), s.Close.In(c.Location()).Format("15:04"))
	}
	return "no session"
}

func TestSessionsAreOrderedAndTheirBreaksLieInside(t *testing.T) {
	for _, name := range Names() {
		c := calendarNamed(t, name)
		from, to := c.Known()
		sessions := c.Sessions(from.At(0, time.UTC), to.AddDays(1).At(0, time.UTC))
		if len(sessions) < 5000 {
			t.Errorf("%s: got only %d sessions", name, len(sessions))
		}
		var last Session
		for _, s := range sessions {
			at := s.Open
			for _, b := range append(s.Breaks, Interval{s.Close, s.Close}) {
				if !at.Before(b.From) && !b.From.Equal(s.Close) || b.To.Before(b.From) {
					t.Errorf("%s %s: %v does not lie inside", name, s.Date, b)
				}
				at = b.To
			}
			if !s.Open.Before(s.Close) || s.Open.Before(last.Close) {
				t.Errorf("%s %s: opens %s, closes %s, after %s", name, s.Date, s.Open, s.Close, last.Close)
			}
			last = s
		}
	}
}

func TestBreaks(t *testing.T) {
	for line, want := range map[string]string{
		"XTKS 2026-11-25": "11:30-12:30", "XHKG 2026-11-25": "12:00-13:00", "XHKG 2024-12-24": "",
		"XHKG 2019-07-31": "12:00-13:00", "XHKG 2020-08-19": "",
		"CMES 2021-06-25": "15:15-15:30", "CMES 2021-06-28": "", "CMES 2020-11-26": "",
	} {
		f := strings.Fields(line)
		c := calendarNamed(t, f[0])
		date, _ := ParseDate(f[1])
		var got []string
		for _, s := range year(c, date.Year) {
			if s.Date == date {
				for _, b := range s.Breaks {
					got = append(got, b.From.In(c.Location()).Format("15:04")+"-"+b.To.In(c.Location()).Format("15:04"))
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", line, got, want)
		}
	}
}

// A date that a calendar does not speak for must not pass for a session, nor for a holiday.
func TestOutsideOfWhatIsKnownThereAreNoSessionsAndItSaysSo(t *testing.T) {
	for _, name := range Names() {
		c := calendarNamed(t, name)
		from, to := c.Known()
		for _, date := range []Date{from.AddDays(-1), to.AddDays(1), {2012, 6, 6}, {2036, 6, 4}} {
			reason, closed := c.Closed(date)
			if !closed || reason != "the calendar does not know this date" {
				t.Errorf("%s %s: got closed %t (%s)", name, date, closed, reason)
			}
			for _, s := range c.Sessions(date.AddDays(-3).At(0, time.UTC), date.AddDays(4).At(0, time.UTC)) {
				if s.Date == date {
					t.Errorf("%s %s: got a session from %s to %s", name, date, s.Open, s.Close)
				}
			}
		}
	}
}

func TestAFileThatIsWrongSaysWhere(t *testing.T) {
	good, err := os.ReadFile("data/XNYS.toml")
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"3rd mon in 01"`: `"3rd moon in 01"`, `"easter-2"`: `"easter two"`, `"12-24"`: `"13-24"`,
		`"nearest"`: `"somehow"`, `"13:00"`: `"1 pm"`, `"America/New_York"`: `"America/Gotham"`, `name = "Memorial Day"`: `nam = "Memorial Day"`,
	} {
		broken := strings.ReplaceAll(string(good), from, to)
		if broken == string(good) {
			t.Fatalf("%s is not in the file", from)
		}
		if _, err := parse([]byte(broken)); err == nil {
			t.Errorf("%s: got no error", to)
		}
	}
}

func TestEaster(t *testing.T) {
	for y, want := range map[int]string{2013: "2013-03-31", 2014: "2014-04-20", 2016: "2016-03-27", 2019: "2019-04-21", 2024: "2024-03-31", 2025: "2025-04-20", 2026: "2026-04-05", 2035: "2035-03-25"} {
		if got := easter(y).String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
