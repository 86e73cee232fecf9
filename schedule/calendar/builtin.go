package calendar

import "time"

// builtin are the calendars by rule.
func builtin() []*Calendar {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		newYork = time.UTC
	}
	known := func(c Calendar) *Calendar {
		c.from, c.to = Date{2013, 1, 1}, Date{2035, 12, 31}
		return &c
	}
	return []*Calendar{
		known(Calendar{name: "24-5", title: "Around the clock, Monday to Friday", location: time.UTC, days: func(d Date) (Session, string, bool) {
			if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
				return Session{}, "weekend", false
			}
			return wholeDay(d), "", true
		}}),
		known(Calendar{name: "24-7", title: "Around the clock, every day", location: time.UTC, days: func(d Date) (Session, string, bool) {
			return wholeDay(d), "", true
		}}),
		known(Calendar{name: "XNYS", title: "New York Stock Exchange", location: newYork, days: func(d Date) (Session, string, bool) {
			return newYork2026(d, newYork)
		}}),
	}
}

func wholeDay(d Date) Session {
	return Session{Date: d, Open: d.At(0, time.UTC), Close: d.AddDays(1).At(0, time.UTC)}
}

// newYork2026 has the holidays of 2026 only; the data file takes its place.
func newYork2026(d Date, loc *time.Location) (Session, string, bool) {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return Session{}, "weekend", false
	}
	holidays := map[string]string{
		"2026-01-01": "New Year's Day", "2026-01-19": "Martin Luther King Jr. Day", "2026-02-16": "Washington's Birthday",
		"2026-04-03": "Good Friday", "2026-05-25": "Memorial Day", "2026-06-19": "Juneteenth", "2026-07-03": "Independence Day",
		"2026-09-07": "Labor Day", "2026-11-26": "Thanksgiving Day", "2026-12-25": "Christmas Day",
	}
	if name, closed := holidays[d.String()]; closed {
		return Session{}, name, false
	}
	s := Session{Date: d, Open: d.At(9*60+30, loc), Close: d.At(16*60, loc)}
	switch d.String() {
	case "2026-11-27":
		s.Note = "day after Thanksgiving"
	case "2026-12-24":
		s.Note = "Christmas Eve"
	default:
		return s, "", true
	}
	s.Close, s.EarlyClose = d.At(13*60, loc), true
	return s, "", true
}
