package schedule

import (
	"time"

	"pitstop/schedule/calendar"
)

// Day is one local day of a schedule, for drawing.
type Day struct {
	Date       calendar.Date
	Start, End time.Time     // the day's first instant, and the next day's: 23 to 25 hours apart
	Windows    []Window      // those that overlap the day, uncut
	Closed     string        // why no window begins on this date: a holiday's name, "weekend"; empty: one may
	EarlyClose string        // what is unusual about a window that ends on this date, such as an early close
	ClockShift time.Duration // by how much the clocks are set forward, or, negative, back on this day
	ShiftAt    time.Time     // when; zero: they are not
}

// maxDays bounds a drawing.
const maxDays = 400

// Days are n local days from this date, at most 400.
func (s *Schedule) Days(from calendar.Date, n int) []Day {
	n = min(n, maxDays)
	if n <= 0 {
		return nil
	}
	windows := s.Windows(from.At(0, s.zone), from.AddDays(n).At(0, s.zone))
	days := make([]Day, 0, n)
	for i := range n {
		d := from.AddDays(i)
		day := Day{Date: d, Start: d.At(0, s.zone), End: d.AddDays(1).At(0, s.zone), Closed: s.closed(d)}
		for _, w := range windows {
			if !w.overlaps(day.Start, day.End) {
				continue
			}
			day.Windows = append(day.Windows, w)
			if w.Note != "" && calendar.DateOf(w.Close.Add(-time.Nanosecond).In(s.zone)) == d {
				day.EarlyClose = w.Note
			}
		}
		day.ShiftAt, day.ClockShift = clockChange(day.Start, day.End, s.zone)
		days = append(days, day)
	}
	return days
}

// clockChange is the change of the clocks of a zone at or after from and before to, if there is one.
func clockChange(from, to time.Time, zone *time.Location) (time.Time, time.Duration) {
	before := from.Add(-time.Nanosecond).In(zone)
	_, at := calendar.ZoneBounds(before)
	if at.IsZero() || !at.Before(to) {
		return time.Time{}, 0
	}
	_, old := before.Zone()
	_, changed := at.Zone()
	if old == changed {
		return time.Time{}, 0 // only the zone's name changes
	}
	return at.UTC(), time.Duration(changed-old) * time.Second
}
