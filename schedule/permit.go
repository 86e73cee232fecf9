package schedule

import (
	"strings"
	"time"

	"pitstop/schedule/calendar"
)

// permitted cuts windows that are written as times of day to what the calendar, or without one the
// schedule's own closed dates, leave of them.
func (s *Schedule) permitted(windows []Window) []Window {
	if len(windows) == 0 {
		return nil
	}
	if s.market == nil {
		return s.outsideClosedDates(windows)
	}
	// The windows are ordered by their openings, but the last to close need not be the last.
	from, to := windows[0].Open, windows[0].Close
	for _, w := range windows {
		to = maxTime(to, w.Close)
	}
	return intersect(windows, s.marketDays(from, to))
}

// marketDays are when a calendar lets a time of day stand: the whole date of each session, since
// trading before and after hours is the schedule's own word, but not the breaks, not what an early
// close or a late open takes away, and not a pause of up to four hours between two sessions.
func (s *Schedule) marketDays(from, to time.Time) []Window {
	const pause = 4 * time.Hour
	sessions := s.sessions(from.AddDate(0, 0, -3), to.AddDate(0, 0, 3))
	zone := s.market.Location()
	var days []Window
	for i, session := range sessions {
		midnight, next := session.Date.At(0, zone), session.Date.AddDays(1).At(0, zone)
		day := Window{Open: minTime(session.Open, midnight), Close: maxTime(session.Close, next), Note: noteOf(session)}
		if session.LateOpen || i > 0 && session.Open.Sub(sessions[i-1].Close) <= pause {
			day.Open = session.Open
		}
		if session.EarlyClose || i+1 < len(sessions) && sessions[i+1].Open.Sub(session.Close) <= pause {
			day.Close = session.Close
		}
		days = append(days, without(day, session.Breaks)...)
	}
	return days
}

// outsideClosedDates handles windows that last longer than a day, which only cron expressions have:
// a closed date or an early close in the middle of one holds too, not only on the date on which it
// begins.
func (s *Schedule) outsideClosedDates(windows []Window) []Window {
	if len(s.holidays) == 0 && len(s.early) == 0 {
		return windows
	}
	var kept []Window
	for _, w := range windows {
		if wallLength(w, s.zone) <= 24*time.Hour {
			kept = append(kept, w)
			continue
		}
		var closed []calendar.Interval
		first, last := calendar.DateOf(w.Open.In(s.zone)).Number(), calendar.DateOf(w.Close.In(s.zone)).Number()
		for n := first; n <= last; n++ {
			d := calendar.DateNumber(n)
			minute, early := s.early[d]
			if s.holidays[d] {
				minute, early = 0, true
			}
			if early {
				closed = append(closed, calendar.Interval{From: d.At(minute, s.zone), To: d.AddDays(1).At(0, s.zone)})
			}
		}
		kept = append(kept, without(w, closed)...)
	}
	return kept
}

// wallLength is how long a window is by the clocks on the wall: a night on which they change is no
// longer than any other.
func wallLength(w Window, zone *time.Location) time.Duration {
	_, before := w.Open.In(zone).Zone()
	_, after := w.Close.In(zone).Zone()
	return w.Close.Sub(w.Open) + time.Duration(after-before)*time.Second
}

// without is what intervals, ordered, leave of a window.
func without(w Window, intervals []calendar.Interval) []Window {
	var parts []Window
	for _, i := range intervals {
		if !i.From.Before(i.To) || !w.overlaps(i.From, i.To) {
			continue
		}
		if w.Open.Before(i.From) {
			parts = append(parts, Window{w.Open, i.From, w.Note})
		}
		w.Open = i.To
	}
	if w.Open.Before(w.Close) {
		parts = append(parts, w)
	}
	return parts
}

// intersect is what windows, ordered by their openings, have in common with days, ordered too.
func intersect(windows, days []Window) []Window {
	var common []Window
	first := 0
	for _, w := range windows {
		for first < len(days) && !days[first].Close.After(w.Open) {
			first++
		}
		for _, d := range days[first:] {
			if !d.Open.Before(w.Close) {
				break
			}
			part := Window{maxTime(w.Open, d.Open), minTime(w.Close, d.Close), joinNotes(w.Note, d.Note)}
			if part.Open.Before(part.Close) {
				common = append(common, part)
			}
		}
	}
	return common
}

func joinNotes(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	for _, known := range strings.Split(a, "; ") {
		if known == b {
			return a
		}
	}
	return a + "; " + b
}
