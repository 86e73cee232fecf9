package schedule

import (
	"fmt"
	"time"

	"pitstop/schedule/calendar"
)

// reachDays bounds how far from an instant an edge is looked for.
const reachDays = 400

// reaches are the distances to look in one after the other: most edges are near.
var reaches = [...]time.Duration{30 * time.Hour, 5 * 24 * time.Hour, 40 * 24 * time.Hour, reachDays * 24 * time.Hour}

// At is what the schedule says at t. It depends on nothing else.
func (s *Schedule) At(t time.Time) State {
	state, note := s.find(t)
	state.Reason = s.reason(t, state, note)
	return state
}

// find is At without words, and the note of the window that is open or opens next.
func (s *Schedule) find(t time.Time) (state State, note string) {
	for _, reach := range reaches {
		from, to := t.Add(-reach), t.Add(reach)
		state, note = State{}, ""
		for _, w := range s.windows(from, to) {
			for _, e := range []Transition{{w.Open, true, w.Note}, {w.Close, false, w.Note}} {
				switch {
				case !e.At.After(from) || !e.At.Before(to):
					// It may be the edge of a part, beyond which trading goes on.
				case !e.At.After(t):
					state.Since = e.At
				case state.Until.IsZero():
					state.Until = e.At
				}
			}
			if !w.Open.After(t) && t.Before(w.Close) {
				state.Open, note = true, w.Note
			} else if w.Open.Equal(state.Until) {
				note = w.Note
			}
		}
		if !state.Since.IsZero() && !state.Until.IsZero() {
			break
		}
	}
	return state, note
}

// Windows are those that overlap [from, to), ordered, each with its own open and close, which may
// lie outside of the range. Where trading goes on for more than a year beyond it, the window is cut
// at the range. A range of more than 50 years is cut to 50 years.
func (s *Schedule) Windows(from, to time.Time) []Window {
	if !from.Before(to) {
		return nil
	}
	to = minTime(to, from.AddDate(50, 0, 0))
	windows := s.windows(from, to)
	kept := windows[:0]
	for _, w := range windows {
		if !w.overlaps(from, to) {
			continue
		}
		if !w.Open.After(from) {
			w.Open = from.UTC()
			if state, _ := s.find(from); !state.Since.IsZero() {
				w.Open = state.Since
			}
		}
		if !w.Close.Before(to) {
			w.Close = to.UTC()
			if state, _ := s.find(to.Add(-time.Nanosecond)); !state.Until.IsZero() {
				w.Close = state.Until
			}
		}
		kept = append(kept, w)
	}
	return kept
}

// Next are the first n transitions after t, fewer if there are fewer within a year or so.
func (s *Schedule) Next(t time.Time, n int) []Transition {
	var next []Transition
	for _, reach := range reaches {
		from, to := t.Add(-time.Hour), t.Add(reach)
		next = next[:0]
		for _, w := range s.windows(from, to) {
			for _, e := range []Transition{{w.Open, true, w.Note}, {w.Close, false, w.Note}} {
				if e.At.After(t) && e.At.Before(to) && len(next) < n {
					next = append(next, e)
				}
			}
		}
		if len(next) >= n {
			break
		}
	}
	return next
}

// reason says why trading is open or not, and until when.
func (s *Schedule) reason(t time.Time, state State, note string) string {
	if note != "" {
		note = " (" + note + ")"
	}
	switch {
	case state.Open && state.Until.IsZero():
		return "The schedule is open around the clock."
	case state.Open:
		return fmt.Sprintf("The window is open until %s%s.", s.instant(state.Until), note)
	}
	why := "Outside of the trading window"
	if closed := s.closedOn(t); closed != "" {
		why = "Closed today: " + closed
	}
	if state.Until.IsZero() {
		if s.market != nil {
			if _, known := s.market.Known(); known.Number() < calendar.DateOf(t.UTC()).Number()+reachDays {
				return fmt.Sprintf("%s; no further window is known: the calendar %s ends on %s.", why, s.market.Name(), known)
			}
		}
		return why + "; no window opens within the next year."
	}
	return fmt.Sprintf("%s; the next window opens %s%s.", why, s.instant(state.Until), note)
}

// closedOn is why no window begins on the local date of t; empty if one may.
func (s *Schedule) closedOn(t time.Time) string {
	d := calendar.DateOf(t.In(s.zone))
	if s.market != nil {
		d = calendar.DateOf(t.In(s.market.Location()))
	}
	return s.closed(d)
}

// closed is why no window begins on this date; empty if one may.
func (s *Schedule) closed(d calendar.Date) string {
	if s.holidays[d] {
		return "a closed date of the config file"
	}
	if s.market != nil {
		if reason, closed := s.market.Closed(d); closed {
			return reason
		}
	}
	if !s.days.has(d.Weekday()) {
		return "no trading on " + d.Weekday().String()
	}
	return ""
}

// instant writes an instant as the schedule's own clocks show it.
func (s *Schedule) instant(t time.Time) string {
	return t.In(s.zone).Format("Mon 2006-01-02 15:04 MST")
}
