package calendar

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
)

//go:embed data/*.toml
var files embed.FS

// all are the calendars by name. They are part of the program, so a mistake in a file is a mistake
// in the program; a test reads every one of them.
var all = sync.OnceValue(func() map[string]*Calendar {
	calendars := map[string]*Calendar{}
	for _, c := range byRule() {
		calendars[c.name] = c
	}
	names, err := fs.Glob(files, "data/*.toml")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		c, err := parse(content)
		if err != nil {
			panic(fmt.Errorf("%s: %w", path.Base(name), err))
		}
		calendars[c.name] = c
	}
	return calendars
})

// file is a calendar as data/README.md describes it.
type file struct {
	Name, Title, Zone string
	Known             struct{ From, To toml.LocalDate }
	Hours             []hours
	Holiday           []days
	Closed            []struct {
		Date toml.LocalDate
		Why  string
	}
	Short []struct {
		days
		Open, Close string
	}
}

// hours are the regular trading hours from a date on.
type hours struct {
	From        toml.LocalDate
	Open, Close string
	OpenDay     int `toml:"open_day"`
	Breaks      []string
}

// days are the dates of something that comes back every year.
type days struct {
	Name        string
	On          string
	Dates       []toml.LocalDate
	Weekend     string
	Back        bool
	From, Until int
	Except      []int
}

// span is a day's trading, in minutes since its midnight.
type span struct {
	open, close int // a negative one lies on the evening before
	breaks      [][2]int
}

// market is a file compiled to dates.
type market struct {
	hours    []dated[span] // by date, ascending
	holidays map[Date]string
	short    map[Date]short
	location *time.Location
}

type dated[T any] struct {
	from Date
	what T
}

// short are other hours than the regular ones; -1 is the regular end.
type short struct {
	open, close int
	name        string
}

func parse(content []byte) (*Calendar, error) {
	var f file
	decoder := toml.NewDecoder(strings.NewReader(string(content))).DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(f.Zone)
	if err != nil {
		return nil, err
	}
	m := &market{holidays: map[Date]string{}, short: map[Date]short{}, location: location}
	c := &Calendar{
		name: f.Name, title: f.Title, location: location, days: m.day,
		from: civil(f.Known.From), to: civil(f.Known.To),
	}
	return c, errors.Join(m.readHours(f), m.readHolidays(f, c.from.Year, c.to.Year), m.readShort(f, c.from.Year, c.to.Year))
}

func civil(d toml.LocalDate) Date { return Date{d.Year, time.Month(d.Month), d.Day} }

func (m *market) readHours(f file) error {
	for _, h := range f.Hours {
		open, err := minute(h.Open)
		if err != nil {
			return err
		}
		closing, err := minute(h.Close)
		if err != nil {
			return err
		}
		s := span{open: open + h.OpenDay*24*60, close: closing}
		for _, b := range h.Breaks {
			from, to, _ := strings.Cut(b, "-")
			start, err := minute(from)
			if err != nil {
				return err
			}
			end, err := minute(to)
			if err != nil {
				return err
			}
			s.breaks = append(s.breaks, [2]int{start, end})
		}
		m.hours = append(m.hours, dated[span]{civil(h.From), s})
	}
	return nil
}

// readHolidays takes the holidays in the order of the file: what moves to a free day moves behind
// those that stand before it.
func (m *market) readHolidays(f file, first, last int) error {
	for _, h := range f.Holiday {
		dates, err := h.between(first-1, last+1)
		if err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
		for _, d := range dates {
			moved, err := m.observed(d, h.Weekend)
			if err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			if _, taken := m.holidays[moved]; !taken {
				m.holidays[moved] = h.Name
			}
		}
	}
	for _, c := range f.Closed {
		m.holidays[civil(c.Date)] = c.Why
	}
	return nil
}

func (m *market) readShort(f file, first, last int) error {
	for _, s := range f.Short {
		other := short{open: -1, close: -1, name: s.Name}
		var err error
		if s.Open != "" {
			other.open, err = minute(s.Open)
		}
		if s.Close != "" && err == nil {
			other.close, err = minute(s.Close)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		dates, err := s.between(first, last)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		for _, d := range dates {
			if d, err = m.observed(d, s.Weekend); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			for s.Back && !m.trades(d) {
				d = d.AddDays(-1)
			}
			if _, taken := m.short[d]; !taken {
				m.short[d] = other
			}
		}
	}
	return nil
}

func (m *market) trades(d Date) bool { return !weekend(d) && m.holidays[d] == "" }

func weekend(d Date) bool { return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday }

// observed is the date on which a holiday is kept.
func (m *market) observed(d Date, rule string) (Date, error) {
	saturday, sunday := d.Weekday() == time.Saturday, d.Weekday() == time.Sunday
	free := func() Date {
		for !m.trades(d) {
			d = d.AddDays(1)
		}
		return d
	}
	switch {
	case rule != "" && rule != "sunday" && rule != "monday" && rule != "nearest" && rule != "free" && rule != "sunday free":
		return d, fmt.Errorf("weekend: %q is not a rule", rule)
	case !saturday && !sunday || rule == "":
		return d, nil
	case rule == "free", rule == "sunday free" && sunday:
		return free(), nil
	case sunday:
		return d.AddDays(1), nil
	case rule == "monday":
		return d.AddDays(2), nil
	case rule == "nearest":
		return d.AddDays(-1), nil
	}
	return d, nil // a Saturday that is not made up for
}

// day is the market's session of a date, or why there is none.
func (m *market) day(d Date) (Session, string, bool) {
	if weekend(d) {
		return Session{}, "weekend", false
	}
	if name := m.holidays[d]; name != "" {
		return Session{}, name, false
	}
	regular := m.regular(d)
	s := Session{Date: d}
	span := regular
	if other, ok := m.short[d]; ok {
		s.Note = other.name
		if other.open >= 0 {
			span.open, s.LateOpen = other.open, true
		}
		if other.close >= 0 {
			span.close, s.EarlyClose = other.close, true
		}
	}
	s.Open, s.Close = d.At(span.open, m.location), d.At(span.close, m.location)
	for _, b := range regular.breaks {
		// A break that a short day does not reach, or begins or ends with, is none.
		if b[0] > span.open && b[1] < span.close {
			s.Breaks = append(s.Breaks, Interval{d.At(b[0], m.location), d.At(b[1], m.location)})
		}
	}
	return s, "", true
}

// regular are the hours in force on a date.
func (m *market) regular(d Date) span {
	in := m.hours[0].what
	for _, h := range m.hours {
		if !d.Before(h.from) {
			in = h.what
		}
	}
	return in
}
