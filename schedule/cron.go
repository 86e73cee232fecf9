package schedule

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"pitstop/schedule/calendar"
)

// cronTimes are the wall times of a cron expression: some minutes of the day, on some dates.
type cronTimes struct {
	minutes         []int // of the day, ascending
	dom, month, dow uint64
	anyDom, anyDow  bool
}

// The fields of a cron expression are bit sets, with this bit for a star.
const cronStar = 1 << 63

// everyDayAt is one time on every date.
func everyDayAt(minute int) cronTimes {
	return cronTimes{minutes: []int{minute}, dom: ^uint64(0), month: ^uint64(0), dow: ^uint64(0), anyDom: true, anyDow: true}
}

const cronPiece = `([*?]|(\d{1,2}|[a-z]{3})(-(\d{1,2}|[a-z]{3}))?)(/\d{1,3})?`

// cronField is what a field may be. The library takes more, such as "*-5" and ",", by accident.
var cronField = regexp.MustCompile(`(?i)^` + cronPiece + `(,` + cronPiece + `)*$`)

// parseCron reads a five-field expression, or @daily and the like. Only the fields are left to the
// library: its arithmetic skips and repeats times when the clocks change.
func parseCron(text string) (cronTimes, error) {
	if strings.Contains(text, "=") {
		return cronTimes{}, fmt.Errorf("%q names a time zone: it belongs into schedule.timezone", text)
	}
	if strings.HasPrefix(text, "@every") {
		return cronTimes{}, fmt.Errorf("%q has no fixed times: write a five-field cron expression", text)
	}
	if !strings.HasPrefix(text, "@") {
		for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
			if !cronField.MatchString(piece) {
				return cronTimes{}, fmt.Errorf("%q is not a cron expression (minute, hour, day of month, month, day of week): %q is none of its fields", text, piece)
			}
		}
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return cronTimes{}, fmt.Errorf("%q is not a cron expression (minute, hour, day of month, month, day of week): %w", text, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return cronTimes{}, fmt.Errorf("%q has no fixed times: write a five-field cron expression", text)
	}
	c := cronTimes{dom: spec.Dom, month: spec.Month, dow: spec.Dow, anyDom: spec.Dom&cronStar != 0, anyDow: spec.Dow&cronStar != 0}
	for hour := range 24 {
		for minute := range 60 {
			if spec.Hour&(1<<hour) != 0 && spec.Minute&(1<<minute) != 0 {
				c.minutes = append(c.minutes, hour*60+minute)
			}
		}
	}
	if !c.everFires() {
		return cronTimes{}, fmt.Errorf("%q never comes: no date matches it", text)
	}
	return c, nil
}

// everFires looks at a leap year, whose dates are all that there are.
func (c cronTimes) everFires() bool {
	if len(c.minutes) == 0 {
		return false
	}
	for n, first := 0, (calendar.Date{Year: 2024, Month: 1, Day: 1}).Number(); n < 366; n++ {
		d := calendar.DateNumber(first + n)
		if c.month&(1<<d.Month) == 0 {
			continue
		}
		// The same date falls on every weekday in one year or another.
		dom, dow := c.dom&(1<<d.Day) != 0, c.dow&0x7f != 0
		if (c.anyDom || c.anyDow) && dom && dow || !c.anyDom && !c.anyDow && (dom || dow) {
			return true
		}
	}
	return false
}

// on reports whether the expression has times on this date. As with cron, a day of the month and a
// day of the week that are both restricted are alternatives.
func (c cronTimes) on(d calendar.Date) bool {
	if c.month&(1<<d.Month) == 0 {
		return false
	}
	dom, dow := c.dom&(1<<d.Day) != 0, c.dow&(1<<d.Weekday()) != 0
	if c.anyDom || c.anyDow {
		return dom && dow
	}
	return dom || dow
}

// cronReach bounds every search for a cron time: from one 29 February to the next it can be 8 years.
const cronReach = 9 * 366

// cursor walks forward through the times of a cron expression.
type cursor struct {
	times cronTimes
	zone  *time.Location
	keep  func(calendar.Date) bool // dates to stop at; nil: all
	day   wallDay                  // the date that it stands on
	next  int                      // the index of the minute to look at
	left  int                      // how many dates it may still look at
}

// cursor begins at the times after t.
func (c cronTimes) cursor(t time.Time, zone *time.Location, keep func(calendar.Date) bool) *cursor {
	// The day before, since a time that the clocks skip may come on the day after its date.
	first := calendar.DateOf(t.In(zone)).AddDays(-1)
	return &cursor{times: c, zone: zone, keep: keep, day: wallDay{date: first.AddDays(-1)}, next: len(c.minutes)}
}

// after moves to the first time later than t, and tells its date. The t of one call must not be
// before the t of the last one.
func (c *cursor) after(t time.Time) (time.Time, calendar.Date, bool) {
	for c.left = cronReach; ; {
		for ; c.next < len(c.times.minutes); c.next++ {
			if at := c.day.at(c.times.minutes[c.next]); at.After(t) {
				return at, c.day.date, true
			}
		}
		if !c.nextDay() {
			return time.Time{}, calendar.Date{}, false
		}
	}
}

func (c *cursor) nextDay() bool {
	for n := c.day.date.Number() + 1; c.left > 0; n++ {
		c.left--
		d := calendar.DateNumber(n)
		if c.times.on(d) && (c.keep == nil || c.keep(d)) {
			c.day, c.next = wallDayOf(d, c.zone), 0
			return true
		}
	}
	return false
}

// last finds the last time not later than t.
func (c cronTimes) last(t time.Time, zone *time.Location) (time.Time, bool) {
	// The day after, since an hour that the clocks repeat around midnight comes again after it.
	first := calendar.DateOf(t.In(zone)).Number() + 1
	for n := first; n > first-cronReach; n-- {
		d := calendar.DateNumber(n)
		if !c.on(d) {
			continue
		}
		day := wallDayOf(d, zone)
		for i := len(c.minutes) - 1; i >= 0; i-- {
			if at := day.at(c.minutes[i]); !at.After(t) {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// wallDay is calendar.Date.At for many minutes of one date: most days have no clock change, and
// their minutes are a sum.
type wallDay struct {
	date     calendar.Date
	zone     *time.Location
	midnight int64
	plain    bool
}

func wallDayOf(d calendar.Date, zone *time.Location) wallDay {
	start := d.At(0, zone).In(zone)
	_, offset := start.Zone()
	_, change := calendar.ZoneBounds(start)
	unix := start.Unix()
	return wallDay{
		date: d, zone: zone, midnight: unix,
		plain: unix+int64(offset) == int64(d.Number())*86400 && (change.IsZero() || change.Unix() >= unix+86400),
	}
}

// at is the instant of this minute of the day.
func (w wallDay) at(minute int) time.Time {
	if w.plain && minute < 24*60 {
		return time.Unix(w.midnight+int64(minute)*60, 0).UTC()
	}
	return w.date.At(minute, w.zone)
}
