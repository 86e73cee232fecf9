package schedule

import (
	"time"

	"pitstop/schedule/calendar"
)

// together finds what is wrong with start and stop only in each other's company: windows that would
// always be empty.
func (p *parser) together() {
	start, stop := p.schedule.start, p.schedule.stop
	switch {
	case start.kind == wallEdge && stop.kind == wallEdge:
		if start.minute == stop.minute {
			p.both("start and stop are both %s: the window would be empty. For trading around the clock use calendar = \"24-7\" with \"open\" and \"close\".", clock(start.minute))
		}
	case start.ofSession() && stop.kind == cronEdge, stop.ofSession() && start.kind == cronEdge:
		p.both("start is %q and stop is %q: a cron expression and a time of a session cannot be combined.", start.text, stop.text)
	case start.kind == stop.kind && start.ofSession() && start.offset >= stop.offset:
		p.both("start (%s) is not before stop (%s): the window would be empty.", start.text, stop.text)
	case start.ofSession() || stop.ofSession():
		p.someSession()
	default:
		p.someCron()
	}
}

func (p *parser) both(format string, args ...any) {
	p.problem("start", format, args...)
	p.problem("stop", format, args...)
}

// someSession asks for one window in the last year and a bit that the calendar knows.
func (p *parser) someSession() {
	s := *p.schedule
	s.holidays, s.early = nil, nil
	_, last := s.market.Known()
	to := last.At(0, time.UTC)
	if len(s.windows(to.AddDate(0, 0, -reachDays), to)) == 0 {
		p.both("start (%s) never comes before stop (%s) in a session of %s: trading would never open.", s.start.text, s.stop.text, s.market.Name())
	}
}

// someCron looks for a date on which a window can begin: one on which start comes at a minute at
// which stop does not. A weekday and 29 February meet once in 28 or 40 years.
func (p *parser) someCron() {
	start, stop := p.schedule.start.times(), p.schedule.stop.times()
	stops := make(map[int]bool, len(stop.minutes))
	for _, m := range stop.minutes {
		stops[m] = true
	}
	alone := false
	for _, m := range start.minutes {
		alone = alone || !stops[m]
	}
	first := calendar.Date{Year: 2024, Month: 1, Day: 1}.Number()
	for n := range 41 * 366 {
		d := calendar.DateNumber(first + n)
		if start.on(d) && p.schedule.days.has(d.Weekday()) && (alone || !stop.on(d)) {
			return
		}
	}
	p.both("start (%s) never comes without stop (%s) at the same minute: trading would never open.", p.schedule.start.text, p.schedule.stop.text)
}
