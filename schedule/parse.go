package schedule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"pitstop/schedule/calendar"
)

// weekdays is a set of days of the week.
type weekdays uint8

func (w weekdays) has(d time.Weekday) bool { return w&(1<<d) != 0 }

const everyDay weekdays = 1<<7 - 1

// Parse reads the [schedule] table of a config document. A document without one has no schedule:
// nil and no problem. A table with problems has no schedule either. The zone local is the panel's
// own, for a table without a timezone.
func Parse(doc map[string]any, local *time.Location) (*Schedule, []Problem) {
	value, ok := doc["schedule"]
	if !ok {
		return nil, nil
	}
	table, ok := value.(map[string]any)
	if !ok {
		return nil, []Problem{{"/schedule", "schedule must be a table, [schedule], with start and stop."}}
	}
	p := parser{table: table, schedule: &Schedule{zone: local, days: everyDay}}
	p.zone()
	p.calendar()
	p.days()
	p.holidays()
	p.earlyCloses()
	start, startOK := p.edge("start")
	stop, stopOK := p.edge("stop")
	p.schedule.start, p.schedule.stop = start, stop
	if startOK && stopOK && len(p.problems) == 0 {
		p.together()
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return p.schedule, nil
}

// parser collects every problem of the table, not only the first.
type parser struct {
	table    map[string]any
	schedule *Schedule
	problems []Problem
}

func (p *parser) problem(key, format string, args ...any) {
	p.problems = append(p.problems, Problem{"/schedule/" + key, fmt.Sprintf(format, args...)})
}

// text is a string, or one of TOML's own dates and times as it is written.
func text(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case time.Time:
		return "", false // an instant, which is neither a date nor a time of day
	case fmt.Stringer:
		return v.String(), true
	}
	return "", false
}

func (p *parser) edge(key string) (edge, bool) {
	value, ok := p.table[key]
	if !ok {
		p.problem(key, `%s is missing: write a time such as "09:30".`, key)
		return edge{}, false
	}
	s, ok := text(value)
	if !ok {
		p.problem(key, `%s must be a string such as "09:30".`, key)
		return edge{}, false
	}
	read := parseEdge
	if _, quoted := value.(string); !quoted {
		read = parseLocalTime
	}
	e, err := read(s)
	if err != nil {
		p.problem(key, "%s: %v.", key, err)
		return edge{}, false
	}
	if e.ofSession() && p.schedule.market == nil {
		if _, named := p.table["calendar"]; !named {
			p.problem(key, `%s is %q, which needs a calendar: add calendar = "XNYS" or another exchange.`, key, s)
		}
		return edge{}, false
	}
	return e, true
}

func (p *parser) zone() {
	value, ok := p.table["timezone"]
	if !ok || value == "" {
		return
	}
	name, ok := value.(string)
	if !ok {
		p.problem("timezone", `timezone must be a string such as "America/New_York".`)
		return
	}
	zone, err := loadZone(name)
	if errors.Is(err, errMachineZone) {
		p.problem("timezone", "The time zone %q means something else on each machine: write an IANA name such as \"America/New_York\".", name)
		return
	}
	if err != nil {
		hint := `write an IANA name such as "America/New_York"`
		if s := suggestZone(name); s != "" {
			hint = fmt.Sprintf("did you mean %q?", s)
		}
		p.problem("timezone", "The time zone %q is unknown: %s", name, hint)
		return
	}
	p.schedule.zone, p.schedule.named = zone, true
}

func (p *parser) calendar() {
	value, ok := p.table["calendar"]
	if !ok || value == "" {
		return
	}
	name, ok := value.(string)
	if !ok {
		p.problem("calendar", `calendar must be a string such as "XNYS".`)
		return
	}
	market, ok := calendar.Lookup(name)
	if !ok {
		hint := "known are " + strings.Join(calendar.Names(), ", ") + "."
		if s := nearest(name, calendar.Names()); s != "" {
			hint = fmt.Sprintf("did you mean %q? Known are %s.", s, strings.Join(calendar.Names(), ", "))
		}
		p.problem("calendar", "The calendar %q is unknown: %s", name, hint)
		return
	}
	p.schedule.market = market
}

var dayNames = map[string]time.Weekday{
	"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday,
	"fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday,
}

func (p *parser) days() {
	value, ok := p.table["days"]
	if !ok {
		return
	}
	list, ok := value.([]any)
	if !ok {
		p.problem("days", `days must be a list such as ["mon", "tue"].`)
		return
	}
	if len(list) == 0 {
		p.problem("days", "No day is chosen, so trading would never open. Choose at least one; without the key days, it is every day.")
		return
	}
	var days weekdays
	for i, item := range list {
		name, _ := item.(string)
		day, ok := dayNames[name]
		if !ok {
			p.problem("days/"+strconv.Itoa(i), "%v is not a day: write mon, tue, wed, thu, fri, sat or sun.", quoted(item))
			continue
		}
		days |= 1 << day
	}
	p.schedule.days = days
}

func (p *parser) holidays() {
	value, ok := p.table["holidays"]
	if !ok {
		return
	}
	list, ok := value.([]any)
	if !ok {
		p.problem("holidays", `holidays must be a list of dates such as ["2026-12-24"].`)
		return
	}
	p.schedule.holidays = make(map[calendar.Date]bool, len(list))
	for i, item := range list {
		s, _ := text(item)
		date, err := parseDate(s)
		if err != nil {
			p.problem("holidays/"+strconv.Itoa(i), "%v is not a date: write it as YYYY-MM-DD; it must exist.", quoted(item))
			continue
		}
		p.schedule.holidays[date] = true
	}
}

func (p *parser) earlyCloses() {
	value, ok := p.table["early_closes"]
	if !ok {
		return
	}
	table, ok := value.(map[string]any)
	if !ok {
		p.problem("early_closes", `early_closes must be a table of dates and times such as { "2026-11-27" = "13:00" }.`)
		return
	}
	p.schedule.early = make(map[calendar.Date]int, len(table))
	for _, key := range slices.Sorted(maps.Keys(table)) {
		pointer := "early_closes/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		date, err := parseDate(key)
		if err != nil {
			p.problem(pointer, "%q is not a date: write it as YYYY-MM-DD; it must exist.", key)
			continue
		}
		s, ok := text(table[key])
		if !ok {
			p.problem(pointer, `The time at which %s closes must be a string such as "13:00".`, key)
			continue
		}
		if _, quoted := table[key].(string); !quoted {
			s = strings.TrimSuffix(s, ":00") // TOML's own times are written with seconds
		}
		minute, err := parseWall(s)
		if err != nil {
			p.problem(pointer, "The time at which %s closes: %v.", key, err)
			continue
		}
		p.schedule.early[date] = minute
	}
}

// parseDate reads YYYY-MM-DD of a year that every service's language has.
func parseDate(s string) (calendar.Date, error) {
	date, err := calendar.ParseDate(s)
	if err == nil && date.Year == 0 {
		err = fmt.Errorf("%q is of the year 0, which never was", s)
	}
	return date, err
}

// quoted writes a value of the document into a sentence.
func quoted(value any) string {
	if s, ok := value.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(value)
}
