package schedule

import (
	"strings"
	"testing"
	"time"

	"pitstop/schedule/calendar"
)

func cal(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// utc reads "2006-01-02 15:04" in UTC.
func utc(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// local writes windows as the schedule's own clocks show them.
func local(s *Schedule, windows []Window) string {
	var b strings.Builder
	for _, w := range windows {
		b.WriteString(w.Open.In(s.zone).Format("Mon 01-02 15:04 MST") + " - " + w.Close.In(s.zone).Format("Mon 01-02 15:04 MST") + "\n")
	}
	return b.String()
}

func TestWindows(t *testing.T) {
	newYork := table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}
	lordHowe := table{"start": "09:30", "stop": "16:00", "timezone": "Australia/Lord_Howe"}
	for _, c := range []struct {
		name     string
		table    table
		from, to string // dates in the schedule's zone
		want     string
	}{
		{"New York on the day the clocks go forward", newYork, "2026-03-07", "2026-03-09", `
			Sat 03-07 09:30 EST - Sat 03-07 16:00 EST
			Sun 03-08 09:30 EDT - Sun 03-08 16:00 EDT`},
		{"New York on the day the clocks go back", newYork, "2026-10-31", "2026-11-02", `
			Sat 10-31 09:30 EDT - Sat 10-31 16:00 EDT
			Sun 11-01 09:30 EST - Sun 11-01 16:00 EST`},
		{"a start that the clocks skip opens after the gap", newYork.with("start", "02:30"), "2026-03-08", "2026-03-09", `
			Sun 03-08 03:00 EDT - Sun 03-08 16:00 EDT`},
		{"a window that the clocks skip is none", newYork.with("start", "02:10").with("stop", "02:50"), "2026-03-07", "2026-03-10", `
			Sat 03-07 02:10 EST - Sat 03-07 02:50 EST
			Mon 03-09 02:10 EDT - Mon 03-09 02:50 EDT`},
		{"a start that the clocks repeat opens at the first", newYork.with("start", "01:30"), "2026-11-01", "2026-11-02", `
			Sun 11-01 01:30 EDT - Sun 11-01 16:00 EST`},
		{"a stop that the clocks repeat closes at the first", newYork.with("start", "00:30").with("stop", "01:30"), "2026-11-01", "2026-11-02", `
			Sun 11-01 00:30 EDT - Sun 11-01 01:30 EDT`},
		{"Lord Howe goes forward by half an hour", lordHowe.with("start", "02:10"), "2026-10-03", "2026-10-05", `
			Sat 10-03 02:10 +1030 - Sat 10-03 16:00 +1030
			Sun 10-04 02:30 +11 - Sun 10-04 16:00 +11`},
		{"Lord Howe goes back by half an hour", lordHowe.with("start", "01:45"), "2026-04-05", "2026-04-06", `
			Sun 04-05 01:45 +11 - Sun 04-05 16:00 +1030`},
		{"Lord Howe, a stop in the repeated half hour", lordHowe.with("start", "00:00").with("stop", "01:45"), "2026-04-05", "2026-04-06", `
			Sun 04-05 00:00 +11 - Sun 04-05 01:45 +11`},
		{"overnight, over the clocks going forward", newYork.with("start", "22:00").with("stop", "04:00"), "2026-03-08", "2026-03-09", `
			Sat 03-07 22:00 EST - Sun 03-08 04:00 EDT
			Sun 03-08 22:00 EDT - Mon 03-09 04:00 EDT`},
		{"overnight, over the clocks going back", newYork.with("start", "22:00").with("stop", "04:00"), "2026-11-01", "2026-11-02", `
			Sat 10-31 22:00 EDT - Sun 11-01 04:00 EST
			Sun 11-01 22:00 EST - Mon 11-02 04:00 EST`},
		{"overnight counts for the day it starts on", newYork.with("start", "22:00").with("stop", "04:00").with("days", []any{"fri"}), "2026-11-26", "2026-12-03", `
			Fri 11-27 22:00 EST - Sat 11-28 04:00 EST`},
		{"overnight on Saturday wraps into the week", newYork.with("start", "22:00").with("stop", "04:00").with("days", []any{"sat", "sun"}), "2026-11-28", "2026-12-01", `
			Sat 11-28 22:00 EST - Sun 11-29 04:00 EST
			Sun 11-29 22:00 EST - Mon 11-30 04:00 EST`},
		{"no Saturday among the days", newYork.with("days", []any{"mon", "tue", "wed", "thu", "fri"}), "2026-11-20", "2026-11-24", `
			Fri 11-20 09:30 EST - Fri 11-20 16:00 EST
			Mon 11-23 09:30 EST - Mon 11-23 16:00 EST`},
		{"a day that Samoa left out", newYork.with("timezone", "Pacific/Apia"), "2011-12-29", "2012-01-01", `
			Thu 12-29 09:30 -10 - Thu 12-29 16:00 -10
			Sat 12-31 09:30 +14 - Sat 12-31 16:00 +14`},
		{"closed dates and early closes of the config", newYork.with("holidays", []any{"2026-12-24"}).with("early_closes", map[string]any{"2026-12-23": "13:00", "2026-12-22": "08:00", "2026-12-21": "18:00"}), "2026-12-21", "2026-12-26", `
			Mon 12-21 09:30 EST - Mon 12-21 16:00 EST
			Wed 12-23 09:30 EST - Wed 12-23 13:00 EST
			Fri 12-25 09:30 EST - Fri 12-25 16:00 EST`},
		{"an early close of an overnight window", newYork.with("start", "22:00").with("stop", "04:00").with("early_closes", map[string]any{"2026-12-22": "02:00", "2026-12-23": "23:30", "2026-12-24": "13:00"}), "2026-12-22", "2026-12-25", `
			Mon 12-21 22:00 EST - Tue 12-22 02:00 EST
			Tue 12-22 22:00 EST - Wed 12-23 04:00 EST
			Wed 12-23 22:00 EST - Wed 12-23 23:30 EST
			Thu 12-24 22:00 EST - Fri 12-25 04:00 EST`},
		{"an early close of an overnight window by cron", newYork.with("start", "0 22 * * *").with("stop", "0 4 * * *").with("early_closes", map[string]any{"2026-12-22": "02:00", "2026-12-23": "23:30", "2026-12-24": "13:00"}), "2026-12-22", "2026-12-25", `
			Mon 12-21 22:00 EST - Tue 12-22 02:00 EST
			Tue 12-22 22:00 EST - Wed 12-23 04:00 EST
			Wed 12-23 22:00 EST - Wed 12-23 23:30 EST
			Thu 12-24 22:00 EST - Fri 12-25 04:00 EST`},
		{"an early close of a session that crosses midnight by the schedule's clocks", newYork.with("start", "open").with("stop", "close").with("timezone", "Asia/Tokyo").with("calendar", "XNYS").with("early_closes", map[string]any{"2026-12-22": "03:00"}), "2026-12-22", "2026-12-24", `
			Mon 12-21 23:30 JST - Tue 12-22 06:00 JST
			Tue 12-22 23:30 JST - Wed 12-23 03:00 JST
			Wed 12-23 23:30 JST - Thu 12-24 06:00 JST`},
		{"nearly a day, longer than a day where the clocks go back", newYork.with("start", "15:45").with("stop", "15:30").with("holidays", []any{"2026-11-01"}), "2026-10-31", "2026-11-02", `
			Fri 10-30 15:45 EDT - Sat 10-31 15:30 EDT
			Sat 10-31 15:45 EDT - Sun 11-01 15:30 EST`},
		{"Thanksgiving with XNYS", newYork.with("calendar", "XNYS"), "2026-11-25", "2026-12-01", `
			Wed 11-25 09:30 EST - Wed 11-25 16:00 EST
			Fri 11-27 09:30 EST - Fri 11-27 13:00 EST
			Mon 11-30 09:30 EST - Mon 11-30 16:00 EST`},
		{"Thanksgiving from open to close", newYork.with("start", "open+5m").with("stop", "close-10m").with("calendar", "XNYS"), "2026-11-25", "2026-12-01", `
			Wed 11-25 09:35 EST - Wed 11-25 15:50 EST
			Fri 11-27 09:35 EST - Fri 11-27 12:50 EST
			Mon 11-30 09:35 EST - Mon 11-30 15:50 EST`},
		{"before and after hours are the schedule's own word", newYork.with("start", "04:00").with("stop", "20:00").with("calendar", "XNYS"), "2026-11-25", "2026-11-28", `
			Wed 11-25 04:00 EST - Wed 11-25 20:00 EST
			Fri 11-27 04:00 EST - Fri 11-27 13:00 EST`},
		{"only before hours", newYork.with("start", "04:00").with("stop", "09:00").with("calendar", "XNYS"), "2026-11-25", "2026-11-28", `
			Wed 11-25 04:00 EST - Wed 11-25 09:00 EST
			Fri 11-27 04:00 EST - Fri 11-27 09:00 EST`},
		{"from a wall time to the close", newYork.with("start", "15:00").with("stop", "close-10m").with("calendar", "XNYS"), "2026-11-25", "2026-12-01", `
			Wed 11-25 15:00 EST - Wed 11-25 15:50 EST
			Mon 11-30 15:00 EST - Mon 11-30 15:50 EST`},
		{"from the open to a wall time", newYork.with("start", "open+5m").with("stop", "15:00").with("calendar", "XNYS"), "2026-11-26", "2026-12-01", `
			Fri 11-27 09:35 EST - Fri 11-27 13:00 EST
			Mon 11-30 09:35 EST - Mon 11-30 15:00 EST`},
		{"the config's dates over the calendar's", newYork.with("start", "open").with("stop", "close").with("calendar", "XNYS").with("holidays", []any{"2026-11-30"}).with("early_closes", map[string]any{"2026-12-01": "12:00"}), "2026-11-30", "2026-12-03", `
			Tue 12-01 09:30 EST - Tue 12-01 12:00 EST
			Wed 12-02 09:30 EST - Wed 12-02 16:00 EST`},
		{"the calendar's holidays in another zone", table{"start": "23:30", "stop": "06:00", "timezone": "Asia/Tokyo", "calendar": "XNYS"}, "2026-11-25", "2026-11-29", `
			Tue 11-24 23:30 JST - Wed 11-25 06:00 JST
			Wed 11-25 23:30 JST - Thu 11-26 06:00 JST
			Fri 11-27 23:30 JST - Sat 11-28 03:00 JST`},
		{"Tokyo from open to close, without its lunch break", table{"start": "open+5m", "stop": "close-10m", "timezone": "Asia/Tokyo", "calendar": "XTKS"}, "2026-11-20", "2026-11-25", `
			Fri 11-20 09:05 JST - Fri 11-20 11:30 JST
			Fri 11-20 12:30 JST - Fri 11-20 15:20 JST
			Tue 11-24 09:05 JST - Tue 11-24 11:30 JST
			Tue 11-24 12:30 JST - Tue 11-24 15:20 JST`},
		{"Tokyo at times of day, without its lunch break", table{"start": "08:45", "stop": "16:00", "timezone": "Asia/Tokyo", "calendar": "XTKS"}, "2026-11-20", "2026-11-24", `
			Fri 11-20 08:45 JST - Fri 11-20 11:30 JST
			Fri 11-20 12:30 JST - Fri 11-20 16:00 JST`},
		{"Tokyo by cron, without its lunch break", table{"start": "0 9 * * *", "stop": "0 15 * * *", "timezone": "Asia/Tokyo", "calendar": "XTKS"}, "2026-11-20", "2026-11-24", `
			Fri 11-20 09:00 JST - Fri 11-20 11:30 JST
			Fri 11-20 12:30 JST - Fri 11-20 15:00 JST`},
		{"Chicago's futures, overnight, Thanksgiving week", table{"start": "open", "stop": "close", "timezone": "America/Chicago", "calendar": "CMES"}, "2026-11-24", "2026-11-30", `
			Mon 11-23 17:00 CST - Tue 11-24 16:00 CST
			Tue 11-24 17:00 CST - Wed 11-25 16:00 CST
			Wed 11-25 17:00 CST - Thu 11-26 12:00 CST
			Thu 11-26 17:00 CST - Fri 11-27 12:15 CST
			Sun 11-29 17:00 CST - Mon 11-30 16:00 CST`},
		{"Chicago's futures at times of day that are a night", table{"start": "18:00", "stop": "08:00", "timezone": "America/Chicago", "calendar": "CMES"}, "2026-11-26", "2026-11-30", `
			Wed 11-25 18:00 CST - Thu 11-26 08:00 CST
			Thu 11-26 18:00 CST - Fri 11-27 08:00 CST
			Sun 11-29 18:00 CST - Mon 11-30 08:00 CST`},
		{"Chicago's futures over the daily break", table{"start": "08:00", "stop": "20:00", "timezone": "America/Chicago", "calendar": "CMES"}, "2026-11-25", "2026-11-27", `
			Wed 11-25 08:00 CST - Wed 11-25 16:00 CST
			Wed 11-25 17:00 CST - Wed 11-25 20:00 CST
			Thu 11-26 08:00 CST - Thu 11-26 12:00 CST
			Thu 11-26 17:00 CST - Thu 11-26 20:00 CST`},
		{"cron on weekdays", newYork.with("start", "30 9 * * 1-5").with("stop", "0 16 * * *"), "2026-11-20", "2026-11-24", `
			Fri 11-20 09:30 EST - Fri 11-20 16:00 EST
			Mon 11-23 09:30 EST - Mon 11-23 16:00 EST`},
		{"cron from Sunday to Friday", newYork.with("start", "0 17 * * 0").with("stop", "0 16 * * 5"), "2026-11-25", "2026-12-05", `
			Sun 11-22 17:00 EST - Fri 11-27 16:00 EST
			Sun 11-29 17:00 EST - Fri 12-04 16:00 EST`},
		{"a closed date in a long cron window", newYork.with("start", "0 17 * * 0").with("stop", "0 16 * * 5").with("holidays", []any{"2026-11-26"}), "2026-11-23", "2026-11-28", `
			Sun 11-22 17:00 EST - Thu 11-26 00:00 EST
			Fri 11-27 00:00 EST - Fri 11-27 16:00 EST`},
		{"cron and a holiday of the calendar", newYork.with("start", "30 9 * * 1-5").with("stop", "0 16 * * *").with("calendar", "XNYS"), "2026-11-26", "2026-11-28", `
			Fri 11-27 09:30 EST - Fri 11-27 13:00 EST`},
		{"cron starts that skip and stops that repeat", newYork.with("start", "30 2 * * *").with("stop", "0 * * * *"), "2026-03-08", "2026-03-10", `
			Mon 03-09 02:30 EDT - Mon 03-09 03:00 EDT`},
		{"cron at an hour that repeats comes once", newYork.with("start", "15 1 * * *").with("stop", "45 1 * * *"), "2026-11-01", "2026-11-02", `
			Sun 11-01 01:15 EDT - Sun 11-01 01:45 EDT`},
		{"where cron starts and stops together, stop wins", table{"start": "0 */2 * * *", "stop": "0 */3 * * *"}, "2026-01-01", "2026-01-02", `
			Thu 01-01 02:00 UTC - Thu 01-01 03:00 UTC
			Thu 01-01 04:00 UTC - Thu 01-01 06:00 UTC
			Thu 01-01 08:00 UTC - Thu 01-01 09:00 UTC
			Thu 01-01 10:00 UTC - Thu 01-01 12:00 UTC
			Thu 01-01 14:00 UTC - Thu 01-01 15:00 UTC
			Thu 01-01 16:00 UTC - Thu 01-01 18:00 UTC
			Thu 01-01 20:00 UTC - Thu 01-01 21:00 UTC
			Thu 01-01 22:00 UTC - Fri 01-02 00:00 UTC`},
		{"@daily and a wall time", table{"start": "@daily", "stop": "01:00"}, "2026-01-01", "2026-01-02", `
			Thu 01-01 00:00 UTC - Thu 01-01 01:00 UTC`},
		{"29 February", table{"start": "0 9 29 2 *", "stop": "0 17 29 2 *"}, "2096-01-01", "2104-12-31", `
			Wed 02-29 09:00 UTC - Wed 02-29 17:00 UTC
			Fri 02-29 09:00 UTC - Fri 02-29 17:00 UTC`},
		{"Monday to Friday around the clock", table{"start": "open", "stop": "close", "calendar": "24-5"}, "2026-11-23", "2026-12-05", `
			Mon 11-23 00:00 UTC - Sat 11-28 00:00 UTC
			Mon 11-30 00:00 UTC - Sat 12-05 00:00 UTC`},
		{"around the clock is cut at the range", table{"start": "open", "stop": "close", "calendar": "24-7"}, "2026-11-23", "2026-12-05", `
			Mon 11-23 00:00 UTC - Sat 12-05 00:00 UTC`},
		{"around the clock but for a closed date", table{"start": "open", "stop": "close", "calendar": "24-7", "holidays": []any{"2026-12-25"}}, "2026-12-24", "2026-12-26", `
			Thu 12-24 00:00 UTC - Fri 12-25 00:00 UTC`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustParse(t, c.table)
			windows := s.Windows(cal(c.from).At(0, s.zone), cal(c.to).At(0, s.zone))
			got, want := local(s, windows), strings.ReplaceAll(strings.TrimPrefix(c.want, "\n"), "\t", "")+"\n"
			if c.name == "around the clock but for a closed date" && len(windows) == 1 {
				windows[0].Open = maxTime(windows[0].Open, cal(c.from).At(0, s.zone))
				got = local(s, windows)
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestAt(t *testing.T) {
	s := mustParse(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"})
	for _, c := range []struct {
		name, at     string
		open         bool
		since, until string
		says         string
	}{
		{"a minute before the bell", "2026-11-25 14:29", false, "2026-11-24 21:00", "2026-11-25 14:30", "next window opens Wed 2026-11-25 09:30 EST"},
		{"at the bell", "2026-11-25 14:30", true, "2026-11-25 14:30", "2026-11-25 21:00", "open until Wed 2026-11-25 16:00 EST"},
		{"at the closing bell", "2026-11-25 21:00", false, "2026-11-25 21:00", "2026-11-27 14:30", "Outside"},
		{"on Thanksgiving", "2026-11-26 17:00", false, "2026-11-25 21:00", "2026-11-27 14:30", "Closed today: Thanksgiving"},
		{"on the Friday after", "2026-11-27 17:00", true, "2026-11-27 14:30", "2026-11-27 18:00", "early close"},
		{"on the Friday after, at 13:00", "2026-11-27 18:00", false, "2026-11-27 18:00", "2026-11-30 14:30", "Mon 2026-11-30"},
		{"on Saturday", "2026-11-28 17:00", false, "2026-11-27 18:00", "2026-11-30 14:30", "weekend"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.At(utc(t, c.at))
			want := State{Open: c.open, Since: utc(t, c.since), Until: utc(t, c.until), Reason: got.Reason}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if !strings.Contains(got.Reason, c.says) {
				t.Errorf("got reason %q, want it to say %q", got.Reason, c.says)
			}
		})
	}
	t.Run("around the clock has no edges", func(t *testing.T) {
		s := mustParse(t, table{"start": "open", "stop": "close", "calendar": "24-7"})
		if got := s.At(utc(t, "2026-11-25 12:00")); !got.Open || !got.Since.IsZero() || !got.Until.IsZero() {
			t.Errorf("got %+v, want open without since and until", got)
		}
	})
	t.Run("after the last date that a calendar knows nothing opens", func(t *testing.T) {
		_, last := s.market.Known()
		got := s.At(last.AddDays(30).At(0, time.UTC))
		if got.Open || !got.Until.IsZero() || !strings.Contains(got.Reason, "ends on") {
			t.Errorf("got %+v, want closed, with no end, since the calendar ends", got)
		}
	})
}

func TestNext(t *testing.T) {
	s := mustParse(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"})
	got := s.Next(utc(t, "2026-11-25 14:30"), 4)
	want := []string{"2026-11-25 21:00", "2026-11-27 14:30", "2026-11-27 18:00", "2026-11-30 14:30"}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i, w := range want {
		if !got[i].At.Equal(utc(t, w)) || got[i].Open != (i%2 == 1) {
			t.Errorf("transition %d: got %+v, want %s", i, got[i], w)
		}
	}
	if got := s.Next(utc(t, "2026-01-01 00:00"), 100); len(got) != 100 {
		t.Errorf("got %d transitions, want 100", len(got))
	}
}

func TestDays(t *testing.T) {
	s := mustParse(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"})
	days := s.Days(cal("2026-11-25"), 7)
	if got := days[1].Closed; !strings.Contains(got, "Thanksgiving") {
		t.Errorf("Thursday: got closed %q, want Thanksgiving", got)
	}
	if got := days[2].EarlyClose; !strings.Contains(got, "early close") {
		t.Errorf("Friday: got early close %q, want one", got)
	}
	for i, want := range []int{1, 0, 1, 0, 0, 1, 1} {
		if got := len(days[i].Windows); got != want {
			t.Errorf("%v: got %d windows, want %d", days[i].Date, got, want)
		}
	}
	for date, want := range map[string]time.Duration{"2026-03-08": time.Hour, "2026-11-01": -time.Hour, "2026-11-02": 0} {
		day := s.Days(cal(date), 1)[0]
		if day.ClockShift != want || day.ShiftAt.IsZero() != (want == 0) || day.End.Sub(day.Start) != 24*time.Hour-want {
			t.Errorf("%s: got shift %v at %v in a day of %v, want shift %v", date, day.ClockShift, day.ShiftAt, day.End.Sub(day.Start), want)
		}
	}
}

func BenchmarkYear(b *testing.B) {
	for name, tb := range map[string]table{
		"times":    {"start": "09:30", "stop": "16:00", "timezone": "America/New_York"},
		"calendar": {"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"},
		"session":  {"start": "open+5m", "stop": "close", "timezone": "America/New_York", "calendar": "XNYS"},
		"cron":     {"start": "30 9 * * 1-5", "stop": "0 16 * * *", "timezone": "America/New_York"},
		"minutes":  {"start": "*/2 * * * *", "stop": "1-59/2 * * * *", "timezone": "America/New_York"},
	} {
		b.Run(name, func(b *testing.B) {
			s := mustParse(b, tb)
			from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				s.Windows(from, from.AddDate(1, 0, 0))
			}
		})
	}
}
