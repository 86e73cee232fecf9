package calendar

import (
	"fmt"
	"time"
)

// Date is a day of the civil calendar, in no time zone. It is comparable, and a map key.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the date that t shows in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date: it must be written YYYY-MM-DD and exist", s)
	}
	return DateOf(t), nil
}

// String is YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// Number counts days from 1970-01-01, which is 0.
func (d Date) Number() int {
	// The year is taken to begin in March, so that the leap day is its last one.
	y, m := d.Year, int(d.Month)
	if m <= 2 {
		y, m = y-1, m+12
	}
	era := floorDiv(y, 400)
	ofEra := y - era*400
	ofYear := (153*(m-3)+2)/5 + d.Day - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

// DateNumber is the date with this number.
func DateNumber(n int) Date {
	n += 719468
	era := floorDiv(n, 146097)
	ofEra := n - era*146097
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*ofYear + 2) / 153
	d := Date{Year: yearOfEra + era*400, Month: time.Month(m + 3), Day: ofYear - (153*m+2)/5 + 1}
	if d.Month > 12 {
		d.Month -= 12
		d.Year++
	}
	return d
}

// AddDays is the date n days later.
func (d Date) AddDays(n int) Date { return DateNumber(d.Number() + n) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday {
	// 1970-01-01 was a Thursday.
	return time.Weekday(((d.Number()+4)%7 + 7) % 7)
}

// Compare is -1, 0 or 1 as d is before, equal to or after o.
func (d Date) Compare(o Date) int {
	a, b := d.Number(), o.Number()
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Before reports whether d is before o.
func (d Date) Before(o Date) bool { return d.Compare(o) < 0 }

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
