package schedule

import (
	"slices"
	"time"

	"pitstop/schedule/calendar"
)

// A schedule is compiled to windows in three layers: what start and stop say (raw windows), cut to
// what the calendar and the closed dates permit, and merged where they touch. Each layer is asked
// for a range and answers with all windows that overlap it; edges outside of the range may be
// missing or be the edges of a part.

// windows are the trading windows that overlap [from, to), ordered, apart from one another. Only
// edges strictly inside the range are sure to be edges.
func (s *Schedule) windows(from, to time.Time) []Window {
	var raw []Window
	switch {
	case s.start.ofSession() || s.stop.ofSession():
		return merge(s.sessionWindows(from, to))
	case s.start.kind == cronEdge || s.stop.kind == cronEdge:
		raw = s.cronWindows(from, to)
	default:
		raw = s.wallWindows(from, to)
	}
	return merge(s.permitted(raw))
}

// wallWindows are those of two times of day: one for every local date that is a day of the schedule.
func (s *Schedule) wallWindows(from, to time.Time) []Window {
	var windows []Window
	first, last := calendar.DateOf(from.In(s.zone)).Number()-2, calendar.DateOf(to.In(s.zone)).Number()+1
	today := wallDayOf(calendar.DateNumber(first), s.zone)
	for n := first; n <= last; n++ {
		day := today
		today = wallDayOf(calendar.DateNumber(n+1), s.zone)
		if !s.begins(day.date) {
			continue
		}
		end := day
		if s.stop.minute <= s.start.minute {
			end = today // overnight
		}
		w := Window{Open: day.at(s.start.minute), Close: end.at(s.stop.minute)}
		if s.market == nil {
			s.closeEarly(&w, day)
			if end.date != day.date {
				s.closeEarly(&w, end)
			}
		}
		if w.overlaps(from, to) {
			windows = append(windows, w)
		}
	}
	return windows
}

// closeEarly ends a window at the early close of this date. An overnight window begins after the
// early close of its own evening, which does not concern it.
func (s *Schedule) closeEarly(w *Window, day wallDay) {
	minute, ok := s.early[day.date]
	if !ok || s.stop.minute <= s.start.minute && minute <= s.start.minute && !w.Open.Before(day.at(minute)) {
		return
	}
	if early := day.at(minute); early.Before(w.Close) {
		w.Close, w.Note = early, "early close: "+clock(minute)
	}
}

// begins reports whether a window may begin on this local date.
func (s *Schedule) begins(d calendar.Date) bool {
	return s.days.has(d.Weekday()) && (s.market != nil || !s.holidays[d])
}

// cronWindows begin at a start and end at the next stop. A start within a window changes nothing;
// where both come at the same minute, stop wins.
func (s *Schedule) cronWindows(from, to time.Time) []Window {
	var windows []Window
	starts, stops := s.start.times(), s.stop.times()
	at, ok := stops.last(from, s.zone)
	if !ok {
		at = from.AddDate(0, 0, -cronReach)
	}
	starting, stopping := starts.cursor(at, s.zone, s.begins), stops.cursor(at, s.zone, nil)
	for {
		open, date, ok := starting.after(at)
		if !ok || !open.Before(to) {
			return windows
		}
		stop, _, ok := stopping.after(open.Add(-time.Nanosecond))
		if !ok {
			stop = to.AddDate(0, 0, cronReach)
		}
		at = stop
		w := Window{Open: open, Close: stop}
		if s.market == nil && s.closeCronEarly(&w, date) {
			// The day's later starts come after its close too.
			at = maxTime(open, minTime(stop, date.AddDays(1).At(0, s.zone).Add(-time.Nanosecond)))
		}
		if w.overlaps(from, to) {
			windows = append(windows, w)
		}
	}
}

// closeCronEarly ends a window that begins on this local date at the date's early close, and one that goes
// into the next date at that one's, as closeEarly does. It reports whether the date had closed before.
func (s *Schedule) closeCronEarly(w *Window, date calendar.Date) (closed bool) {
	cut := func(minute int, at time.Time) {
		if at.Before(w.Close) {
			w.Close, w.Note = at, "early close: "+clock(minute)
		}
	}
	next := date.AddDays(1)
	end := calendar.DateOf(w.Close.In(s.zone))
	if minute, ok := s.early[date]; ok {
		at := date.At(minute, s.zone)
		if !at.After(w.Open) && end == date {
			w.Close = w.Open
			return true
		}
		if at.After(w.Open) {
			cut(minute, at)
		}
	}
	if minute, ok := s.early[next]; ok && end == next {
		if at := next.At(minute, s.zone); at.After(w.Open) {
			cut(minute, at)
		}
	}
	return false
}

// sessionWindows are those of the calendar's sessions, from "open" to "close" or so.
func (s *Schedule) sessionWindows(from, to time.Time) []Window {
	var windows []Window
	const reach = maxOffset + 24*time.Hour
	for _, session := range s.sessions(from.Add(-reach), to.Add(reach)) {
		if !s.days.has(session.Date.Weekday()) {
			continue
		}
		w, ok := s.sessionWindow(session)
		if !ok {
			continue
		}
		for _, part := range without(w, session.Breaks) {
			if part.overlaps(from, to) {
				windows = append(windows, part)
			}
		}
	}
	return windows
}

func (s *Schedule) sessionWindow(session calendar.Session) (Window, bool) {
	w := Window{Note: noteOf(session)}
	var ok bool
	switch s.stop.kind {
	case openEdge:
		w.Close = session.Open.Add(s.stop.offset)
	case closeEdge:
		w.Close = session.Close.Add(s.stop.offset)
	}
	switch s.start.kind {
	case openEdge:
		w.Open = session.Open.Add(s.start.offset)
	case closeEdge:
		w.Open = session.Close.Add(s.start.offset)
	default:
		if w.Open, ok = s.wallBefore(session, w.Close); !ok {
			return w, false
		}
	}
	if s.stop.kind == wallEdge {
		if w.Close, ok = s.wallAfter(session, w.Open); !ok {
			return w, false
		}
		if session.EarlyClose {
			w.Close = minTime(w.Close, session.Close)
		}
	}
	if s.start.kind == wallEdge && session.LateOpen {
		w.Open = maxTime(w.Open, session.Open)
	}
	return w, w.Open.Before(w.Close)
}

// wallBefore is the start's time of day, the last one before the window closes, on the session's
// date or else inside the session.
func (s *Schedule) wallBefore(session calendar.Session, end time.Time) (time.Time, bool) {
	for _, date := range []calendar.Date{session.Date.AddDays(1), session.Date, session.Date.AddDays(-1)} {
		if at := date.At(s.start.minute, s.zone); at.Before(end) {
			return at, date == session.Date || !at.Before(session.Open)
		}
	}
	return time.Time{}, false
}

// wallAfter is the stop's time of day, the first one after the window opens, likewise.
func (s *Schedule) wallAfter(session calendar.Session, start time.Time) (time.Time, bool) {
	for _, date := range []calendar.Date{session.Date.AddDays(-1), session.Date, session.Date.AddDays(1)} {
		if at := date.At(s.stop.minute, s.zone); at.After(start) {
			return at, date == session.Date || !at.After(session.Close)
		}
	}
	return time.Time{}, false
}

// sessions are the calendar's, with the schedule's own closed dates and early closes laid over them.
func (s *Schedule) sessions(from, to time.Time) []calendar.Session {
	sessions := s.market.Sessions(from, to)
	if len(s.holidays) == 0 && len(s.early) == 0 {
		return sessions
	}
	kept := make([]calendar.Session, 0, len(sessions))
	for _, session := range sessions {
		if s.holidays[session.Date] {
			continue
		}
		if minute, ok := s.early[session.Date]; ok {
			early := session.Date.At(minute, s.zone)
			if !early.After(session.Open) && calendar.DateOf(session.Open.In(s.zone)).Before(calendar.DateOf(session.Close.In(s.zone))) {
				// By the schedule's clocks the session goes on after midnight, and is closed then.
				early = session.Date.AddDays(1).At(minute, s.zone)
			}
			if early.Before(session.Close) {
				session.Close, session.EarlyClose, session.Note = early, true, clock(minute)
			}
		}
		if session.Open.Before(session.Close) {
			kept = append(kept, session)
		}
	}
	return kept
}

func noteOf(session calendar.Session) string {
	kind := ""
	switch {
	case session.EarlyClose && session.LateOpen:
		kind = "late open, early close"
	case session.EarlyClose:
		kind = "early close"
	case session.LateOpen:
		kind = "late open"
	}
	switch {
	case kind == "":
		return session.Note
	case session.Note == "":
		return kind
	}
	return kind + ": " + session.Note
}

// merge orders windows and joins those that touch or overlap.
func merge(windows []Window) []Window {
	byOpen := func(a, b Window) int { return a.Open.Compare(b.Open) }
	if !slices.IsSortedFunc(windows, byOpen) {
		slices.SortStableFunc(windows, byOpen)
	}
	merged := windows[:0]
	for _, w := range windows {
		if !w.Open.Before(w.Close) {
			continue
		}
		if n := len(merged); n > 0 && !w.Open.After(merged[n-1].Close) {
			last := &merged[n-1]
			last.Close = maxTime(last.Close, w.Close)
			last.Note = joinNotes(last.Note, w.Note)
			continue
		}
		merged = append(merged, w)
	}
	return merged
}

func (w Window) overlaps(from, to time.Time) bool {
	return w.Open.Before(w.Close) && w.Open.Before(to) && from.Before(w.Close)
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
