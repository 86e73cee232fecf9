// Package schedule decides by the clock when trading is enabled. A Schedule is pure arithmetic: what
// [schedule] in the config file says, compiled to intervals of instants. A Gate is the
// trading_enabled flag as services read it, with a person's halt or leave above the schedule. A
// Scheduler makes the gate follow the schedule.
package schedule

import (
	"maps"
	"time"

	"pitstop/schedule/calendar"
)

// Problem is one thing that is wrong with the [schedule] table.
type Problem struct {
	Pointer string // JSON Pointer into the config document, such as "/schedule/start"
	Message string // a sentence for a person
}

// Window is a stretch of time in which trading is enabled: from Open until just before Close, both
// in UTC. Note says what is unusual about it, such as an early close; it is mostly empty.
type Window struct {
	Open  time.Time `json:"open"`
	Close time.Time `json:"close"`
	Note  string    `json:"note"`
}

// Transition is an instant at which trading opens or closes.
type Transition struct {
	At   time.Time
	Open bool
	Note string
}

// State is what a schedule says at an instant. Since is zero if nothing changed in the year or so
// before, Until if nothing changes in the year or so to come.
type State struct {
	Open         bool
	Since, Until time.Time
	Reason       string // a sentence for a person
}

// Schedule is a valid [schedule] table. It is immutable and safe for concurrent use.
type Schedule struct {
	start, stop edge
	zone        *time.Location
	named       bool     // the table names the zone
	days        weekdays // nothing: every day
	market      *calendar.Calendar
	holidays    map[calendar.Date]bool
	early       map[calendar.Date]int // minute of the day
}

// same reports whether two schedules say the same of every instant: they were written alike.
func (s *Schedule) same(o *Schedule) bool {
	if s == nil || o == nil {
		return s == o
	}
	market := func(s *Schedule) string {
		if s.market == nil {
			return ""
		}
		return s.market.Name()
	}
	return s.start.text == o.start.text && s.stop.text == o.stop.text && s.zone.String() == o.zone.String() &&
		s.named == o.named && s.days == o.days && market(s) == market(o) &&
		maps.Equal(s.holidays, o.holidays) && maps.Equal(s.early, o.early)
}

// Location is the zone in which the schedule's wall times are meant.
func (s *Schedule) Location() *time.Location { return s.zone }

// Zoneless reports that there are times of day by clocks that the table does not name: the panel takes
// its own. A service cannot know which they are, so it trades by the panel's gate alone.
func (s *Schedule) Zoneless() bool { return !s.named && !(s.start.ofSession() && s.stop.ofSession()) }

// Calendar is the exchange calendar it follows; nil: none.
func (s *Schedule) Calendar() *calendar.Calendar { return s.market }

// Start and Stop are as the config file has them.
func (s *Schedule) Start() string { return s.start.text }

// Stop is the other end of Start.
func (s *Schedule) Stop() string { return s.stop.text }
