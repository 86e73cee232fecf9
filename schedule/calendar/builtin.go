package calendar

import "time"

// byRule are the calendars that need no data.
func byRule() []*Calendar {
	from, to := Date{2013, 1, 1}, Date{2035, 12, 31}
	return []*Calendar{
		{name: "24-5", title: "Around the clock, Monday to Friday", location: time.UTC, from: from, to: to, days: func(d Date) (Session, string, bool) {
			if weekend(d) {
				return Session{}, "weekend", false
			}
			return wholeDay(d), "", true
		}},
		{name: "24-7", title: "Around the clock, every day", location: time.UTC, from: from, to: to, days: func(d Date) (Session, string, bool) {
			return wholeDay(d), "", true
		}},
	}
}

func wholeDay(d Date) Session {
	return Session{Date: d, Open: d.At(0, time.UTC), Close: d.AddDays(1).At(0, time.UTC)}
}
