package calendar

import "time"

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
		start, end := t.ZoneBounds()
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
