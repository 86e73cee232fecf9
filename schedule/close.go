package schedule

import "time"

// NextClose is the first closing edge after an instant, zero if none comes within a year or so, and
// whether the schedule has trading on at that instant. What a person said of the gate does not count:
// a halt is no close. Known is false while there is no word of a schedule, as at the start with a
// config file that cannot be read; a config without one is known to have no close.
func (s Status) NextClose(t time.Time) (next time.Time, open, known bool) {
	if s.Schedule == nil {
		return time.Time{}, false, s.Problem == ""
	}
	for _, edge := range s.Schedule.Next(t, 2) { // opens and closes take turns
		if !edge.Open {
			next = edge.At
			break
		}
	}
	return next, s.Schedule.At(t).Open, true
}

// Zone is where people are told times: the zone of the schedule, or the panel's own without one.
func (s Status) Zone() *time.Location {
	if s.Schedule != nil {
		return s.Schedule.Location()
	}
	return LocalZone()
}
