package calendar

import "time"

// ZoneBounds is t.ZoneBounds, but for a mistake of that: where a zone goes by a rule, beyond the changes
// that its file lists, the end of a year is taken to be 365 days after its beginning, and so lies before
// the last day of a leap year.
func ZoneBounds(t time.Time) (start, end time.Time) {
	start, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		end = time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
	}
	return start, end
}

// At is the instant, in UTC, at which the clocks of loc show this minute of the day on date d. A wall
// time that the clocks skip is the first instant after the gap; one that they repeat is its first
// occurrence. The answer never decreases as the wall time grows, so an interval of wall times
// becomes an interval of instants, at worst an empty one. Minutes may exceed a day.
func (d Date) At(minute int, loc *time.Location) time.Time {
	wall := int64(d.Number())*86400 + int64(minute)*60
	// No zone is further than 16 hours from UTC, so the zone in force at that many hours before is
	// the earliest that can have shown this wall time. From there the zones are tried in order.
	t := time.Unix(wall-16*3600, 0).In(loc)
	for {
		_, offset := t.Zone()
		start, end := ZoneBounds(t)
		instant := wall - int64(offset)
		switch {
		case !start.IsZero() && instant < start.Unix():
			return start.UTC() // the zone before ended before this wall time, this one began after it
		case end.IsZero() || instant < end.Unix():
			return time.Unix(instant, 0).UTC()
		}
		t = end
	}
}
