// Package calendar knows when exchanges trade: the sessions of a market, to the minute, as its
// rules and its past had them.
//
// An exchange's rules (regular hours and when they changed, holidays, early closes, ad-hoc closures)
// are data that a person can read and correct: one file per calendar under data/*.toml. Calendars
// that need no data (24-7, 24-5) are rules in Go.
package calendar

import (
	"maps"
	"slices"
	"time"
)

// Interval is a stretch of time, From included, To not.
type Interval struct {
	From, To time.Time
}

// Session is one trading day of a market.
type Session struct {
	// Date names the session; an overnight session opens on the evening before its date.
	Date Date
	// Open and Close are instants in UTC; trading is possible from Open until just before Close.
	Open, Close time.Time
	// Breaks lie inside the session, ordered: trading is not possible in them.
	Breaks []Interval
	// EarlyClose and LateOpen mark a session that ends before or begins after the usual time.
	EarlyClose, LateOpen bool
	// Note says why in a few words, such as "day after Thanksgiving"; empty for a regular session.
	Note string
}

// Calendar is the trading calendar of one market. It is immutable and safe for concurrent use.
type Calendar struct {
	name     string
	title    string
	location *time.Location
	days     func(Date) (Session, string, bool)
	from, to Date
}

// Lookup finds a calendar by its name: an ISO 10383 market code such as "XNYS", or "24-7", "24-5".
func Lookup(name string) (*Calendar, bool) {
	c, ok := all()[name]
	return c, ok
}

// Names lists the calendars that Lookup finds, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(all()))
}

// Name is what Lookup found it by.
func (c *Calendar) Name() string { return c.name }

// Title is the market's name in words, such as "New York Stock Exchange".
func (c *Calendar) Title() string { return c.title }

// Location is the zone in which the market writes its hours.
func (c *Calendar) Location() *time.Location { return c.location }

// Known are the first and the last date that the calendar knows about. Outside of them it has no
// sessions.
func (c *Calendar) Known() (from, to Date) { return c.from, c.to }

// Sessions are those that overlap [from, to), ordered. They never overlap one another.
func (c *Calendar) Sessions(from, to time.Time) []Session {
	if !from.Before(to) {
		return nil
	}
	// A session lies within a day and a half of its date, so two days on either side are enough.
	first, last := DateOf(from.UTC()).AddDays(-2), DateOf(to.UTC()).AddDays(2)
	if first.Before(c.from) {
		first = c.from
	}
	if c.to.Before(last) {
		last = c.to
	}
	var sessions []Session
	for n, end := first.Number(), last.Number(); n <= end; n++ {
		s, _, ok := c.days(DateNumber(n))
		if ok && s.Open.Before(to) && from.Before(s.Close) {
			sessions = append(sessions, s)
		}
	}
	return sessions
}

// Closed reports whether the market has no session of this date, and why: the holiday's name, or
// "weekend", or that the date is outside of what is known.
func (c *Calendar) Closed(date Date) (reason string, closed bool) {
	if date.Before(c.from) || c.to.Before(date) {
		return "the calendar does not know this date", true
	}
	_, reason, open := c.days(date)
	return reason, !open
}
