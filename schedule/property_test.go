package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pitstop/schedule/calendar"
)

// zones are chosen for their clocks: changes by an hour, by half an hour, at midnight, twice in a
// month, across the date line, in southern summers, never.
var zones = []string{
	"UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "America/Santiago",
	"Africa/Casablanca", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham", "Asia/Beirut", "Antarctica/Troll",
}

var crons = []string{
	"@hourly", "@daily", "@weekly", "@monthly", "30 9 * * 1-5", "0 16 * * *", "0 17 * * 0", "*/30 * * * *", "15,45 */2 * * *",
	"30 1 * * *", "30 2 * * *", "0 0 1 * *", "0 12 13 * 5", "59 23 31 12 *", "0 9 29 2 *",
}

// anySchedule draws a valid schedule.
func anySchedule(t *rapid.T) *Schedule {
	wall := rapid.Custom(func(t *rapid.T) string { return clock(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) })
	session := rapid.Custom(func(t *rapid.T) string {
		offset := rapid.IntRange(-90, 90).Draw(t, "offset")
		return fmt.Sprintf("%s%+dm", rapid.SampledFrom([]string{"open", "close"}).Draw(t, "end"), offset)
	})
	edges := rapid.OneOf(wall, wall, rapid.SampledFrom(crons))
	tb := table{"timezone": rapid.SampledFrom(zones).Draw(t, "zone")}
	if rapid.Bool().Draw(t, "with a calendar") {
		tb["calendar"] = rapid.SampledFrom(calendar.Names()).Draw(t, "calendar")
		edges = rapid.OneOf(wall, wall, session, rapid.SampledFrom(crons))
	}
	tb["start"], tb["stop"] = edges.Draw(t, "start"), edges.Draw(t, "stop")
	if rapid.Bool().Draw(t, "with days") {
		tb["days"] = rapid.SampledFrom([]any{[]any{"mon", "tue", "wed", "thu", "fri"}, []any{"sun"}, []any{"fri", "sat"}}).Draw(t, "days")
	}
	dates := rapid.Custom(func(t *rapid.T) string {
		return cal("2026-01-01").AddDays(rapid.IntRange(0, 364).Draw(t, "date")).String()
	})
	var holidays []any
	for _, d := range rapid.SliceOfN(dates, 0, 20).Draw(t, "holidays") {
		holidays = append(holidays, d)
	}
	early := map[string]any{}
	for _, d := range rapid.SliceOfN(dates, 0, 20).Draw(t, "early closes") {
		early[d] = wall.Draw(t, "early close")
	}
	tb["holidays"], tb["early_closes"] = holidays, early
	if holidays == nil {
		delete(tb, "holidays")
	}
	s, problems := Parse(tb.doc(), time.UTC)
	if len(problems) > 0 {
		t.Skip("not a valid schedule") // such as start equal to stop: another draw
	}
	return s
}

// anyInstant draws an instant of 2026, often near a change of the zone's clocks.
func anyInstant(t *rapid.T, zone *time.Location) time.Time {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 365*86400).Draw(t, "second")) * time.Second)
	if _, change := at.In(zone).ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "near a change") {
		at = change.Add(time.Duration(rapid.IntRange(-2*86400, 2*86400).Draw(t, "seconds from it")) * time.Second)
	}
	return at.UTC()
}

func TestWindowsOrderedApartAndAgreeingWithAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t)
		from := anyInstant(t, s.zone)
		to := from.Add(time.Duration(rapid.IntRange(1, 20*86400).Draw(t, "length")) * time.Second)
		windows := s.Windows(from, to)
		for i, w := range windows {
			if !w.overlaps(from, to) {
				t.Fatalf("window %v is empty or outside of the range", w)
			}
			if i > 0 && !windows[i-1].Close.Before(w.Open) {
				t.Fatalf("windows %v and %v are not apart", windows[i-1], w)
			}
		}
		listed := func(at time.Time) bool {
			return slices.ContainsFunc(windows, func(w Window) bool { return !at.Before(w.Open) && at.Before(w.Close) })
		}
		for range 20 {
			at := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from)/time.Second)-1).Draw(t, "at")) * time.Second)
			state := s.At(at)
			if state.Open != listed(at) {
				t.Fatalf("At(%v) is %+v, and the windows are %v", at, state, windows)
			}
			if !state.Since.IsZero() && state.Since.After(at) || !state.Until.IsZero() && !state.Until.After(at) {
				t.Fatalf("At(%v) is %+v: the instant is not between its edges", at, state)
			}
		}
		// Any other range lists the same windows, its own edges aside.
		half := from.Add(to.Sub(from) / 2)
		for _, w := range s.Windows(from, half) {
			if w.Open.After(from) && w.Close.Before(half) && !slices.ContainsFunc(windows, func(o Window) bool { return o.Open.Equal(w.Open) && o.Close.Equal(w.Close) }) {
				t.Fatalf("window %v of the first half is not one of the whole: %v", w, windows)
			}
		}
	})
}

func TestNextIsTheFirstChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t)
		at := anyInstant(t, s.zone)
		state := s.At(at)
		transitions := s.Next(at, 5)
		if len(transitions) > 0 != !state.Until.IsZero() || len(transitions) > 0 && !transitions[0].At.Equal(state.Until) {
			t.Fatalf("Next(%v) is %v, and At is until %v", at, transitions, state.Until)
		}
		open, from := state.Open, at
		for _, next := range transitions {
			if next.Open == open {
				t.Fatalf("Next(%v): transition %v changes nothing", at, next)
			}
			if !next.At.After(from) {
				t.Fatalf("Next(%v): transition %v is not after %v", at, next, from)
			}
			for _, before := range []time.Time{from, next.At.Add(-time.Nanosecond), from.Add(next.At.Sub(from) / 3)} {
				if s.At(before).Open != open {
					t.Fatalf("Next(%v): open changed at or before %v, earlier than %v", at, before, next)
				}
			}
			if s.At(next.At).Open == open {
				t.Fatalf("Next(%v): at %v open does not change", at, next)
			}
			open, from = next.Open, next.At
		}
	})
}

// TestSecondBySecond walks over days on which something is unusual: every change of open is announced, and nothing else is.
func TestSecondBySecond(t *testing.T) {
	for _, c := range []struct {
		day   string
		hours int // from the day's first instant
		table table
	}{
		{"2026-03-08", 24, table{"start": "02:30", "stop": "16:00", "timezone": "America/New_York"}},
		{"2026-11-01", 24, table{"start": "15 1 * * *", "stop": "45 1 * * *", "timezone": "America/New_York"}},
		{"2026-10-04", 6, table{"start": "@hourly", "stop": "20 * * * *", "timezone": "Australia/Lord_Howe"}},
		{"2026-04-05", 24, table{"start": "22:00", "stop": "01:45", "timezone": "Australia/Lord_Howe"}},
		{"2026-11-27", 24, table{"start": "open+5m", "stop": "close-10m", "calendar": "XNYS"}},
		{"2026-12-25", 6, table{"start": "03:00", "stop": "02:00", "timezone": "Pacific/Apia", "calendar": "24-5", "holidays": []any{"2026-12-25"}}},
	} {
		t.Run(c.day+" "+c.table["start"].(string), func(t *testing.T) {
			t.Parallel()
			s := mustParse(t, c.table)
			from := cal(c.day).At(0, s.zone)
			secondBySecond(t, s, from, from.Add(time.Duration(c.hours)*time.Hour))
		})
	}
}

// TestSecondBySecondNearTransitions does the same for any schedule, around one of its own transitions.
func TestSecondBySecondNearTransitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t)
		at := anyInstant(t, s.zone)
		if next := s.Next(at, 1); len(next) > 0 {
			at = next[0].At
		}
		at = at.Add(-time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds before")) * time.Second)
		secondBySecond(t, s, at, at.Add(2*time.Minute))
	})
}

// secondBySecond walks over a stretch: open changes at the instants that were told before, and at no
// others.
func secondBySecond(t interface{ Fatalf(string, ...any) }, s *Schedule, from, to time.Time) {
	open, _ := s.find(from)
	for at := from; at.Before(to); at = at.Add(time.Second) {
		state, _ := s.find(at)
		if told := !open.Until.IsZero() && !at.Before(open.Until); told != (state.Open != open.Open) {
			t.Fatalf("at %v: got %+v, and before it %+v", at, state, open)
		}
		if state.Open != open.Open && (!state.Since.Equal(at) || !open.Until.Equal(at)) {
			t.Fatalf("open changes at %v, told %+v before and %+v after", at, open, state)
		}
		open = state
	}
}

// TestCronAndTimesOfDayMeanTheSame: 09:30 and "30 9 * * *" are two ways to say one thing, early closes and
// overnight windows included.
func TestCronAndTimesOfDayMeanTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, stop := rapid.IntRange(0, 1439).Draw(t, "start"), rapid.IntRange(0, 1439).Draw(t, "stop")
		if start == stop {
			t.Skip("no schedule")
		}
		first := cal("2026-03-01")
		early := map[string]any{}
		for range rapid.IntRange(0, 8).Draw(t, "early closes") {
			date := first.AddDays(rapid.IntRange(0, 14).Draw(t, "date")).String()
			early[date] = clock(rapid.IntRange(0, 1439).Draw(t, "early close"))
		}
		tb := table{"timezone": rapid.SampledFrom(zones).Draw(t, "zone"), "days": []any{"mon", "tue", "fri", "sun"}, "early_closes": early}
		parse := func(start, stop string) []Window {
			s, problems := Parse(tb.with("start", start).with("stop", stop).doc(), time.UTC)
			if len(problems) > 0 {
				t.Fatalf("%v: %v", tb, problems)
			}
			return s.Windows(first.At(0, s.zone), first.AddDays(14).At(0, s.zone))
		}
		cron := func(minute int) string { return fmt.Sprintf("%d %d * * *", minute%60, minute/60) }
		wall, crons := parse(clock(start), clock(stop)), parse(cron(start), cron(stop))
		if !slices.EqualFunc(wall, crons, func(a, b Window) bool { return a.Open.Equal(b.Open) && a.Close.Equal(b.Close) }) {
			t.Fatalf("%s to %s with %v in %v:\ntimes of day %v\ncron         %v", clock(start), clock(stop), early, tb["timezone"], wall, crons)
		}
	})
}

// TestPlainDays compares with what a person does: look at the clock on the wall. Clock changes are
// left out, where that is not enough.
func TestPlainDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		start, stop := rapid.IntRange(0, 1439).Draw(t, "start"), rapid.IntRange(0, 1439).Draw(t, "stop")
		at := anyInstant(t, zone)
		_, shift := clockChange(at.Add(-49*time.Hour), at.Add(time.Hour), zone)
		if start == stop || shift != 0 {
			t.Skip("no schedule, or a clock change near")
		}
		s := &Schedule{zone: zone, days: 1<<time.Monday | 1<<time.Wednesday | 1<<time.Saturday}
		s.start.minute, s.stop.minute = start, stop
		wall := at.In(zone)
		minute, today, yesterday := wall.Hour()*60+wall.Minute(), s.days.has(wall.Weekday()), s.days.has((wall.Weekday()+6)%7)
		want := today && start <= minute && minute < stop
		if stop < start {
			want = today && minute >= start || yesterday && minute < stop
		}
		if got := s.At(at).Open; got != want {
			t.Fatalf("%s to %s on Monday, Wednesday, Saturday at %v: got open %v, want %v", clock(start), clock(stop), wall, got, want)
		}
	})
}

func BenchmarkAt(b *testing.B) {
	s := mustParse(b, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"})
	at := time.Date(2026, 11, 25, 15, 0, 0, 0, time.UTC)
	for b.Loop() {
		s.At(at)
	}
}
