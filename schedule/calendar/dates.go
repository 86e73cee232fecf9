package calendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// between are the dates in these years, both included, that the file names.
func (d days) between(first, last int) ([]Date, error) {
	var dates []Date
	for _, date := range d.Dates {
		dates = append(dates, civil(date))
	}
	if d.On == "" {
		return dates, nil
	}
	if d.From != 0 {
		first = max(first, d.From)
	}
	if d.Until != 0 {
		last = min(last, d.Until)
	}
	for year := first; year <= last; year++ {
		if slices.Contains(d.Except, year) {
			continue
		}
		date, err := dateIn(year, d.On)
		if err != nil {
			return nil, err
		}
		dates = append(dates, date)
	}
	return dates, nil
}

// dateIn is the date in a year that words such as "12-25", "easter-2", "3rd mon in 01",
// "4th thu in 11 +1" or "mon on or before 05-24" mean.
func dateIn(year int, words string) (Date, error) {
	unknown := fmt.Errorf("%q is not a rule for a date; see data/README.md", words)
	if offset, ok := strings.CutPrefix(words, "easter"); ok {
		days, err := offsetDays(offset)
		if err != nil {
			return Date{}, unknown
		}
		return easter(year).AddDays(days), nil
	}
	f := strings.Fields(words)
	switch {
	case len(f) == 1:
		return monthDay(year, f[0])
	case len(f) == 5 && f[1] == "on" && f[2] == "or" && f[3] == "before":
		d, err := monthDay(year, f[4])
		weekday, ok := weekdays[f[0]]
		if err != nil || !ok {
			return Date{}, unknown
		}
		return d.AddDays(-(int(d.Weekday()-weekday) + 7) % 7), nil
	case (len(f) == 4 || len(f) == 5) && f[2] == "in":
		n, month := ordinals[f[0]], 0
		weekday, ok := weekdays[f[1]]
		month, err := strconv.Atoi(f[3])
		if err != nil || !ok || n == 0 || month < 1 || month > 12 {
			return Date{}, unknown
		}
		d := nth(year, time.Month(month), weekday, n)
		if len(f) == 4 {
			return d, nil
		}
		days, err := offsetDays(f[4])
		if err != nil {
			return Date{}, unknown
		}
		return d.AddDays(days), nil
	}
	return Date{}, unknown
}

var (
	ordinals = map[string]int{"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1}
	weekdays = map[string]time.Weekday{
		"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
		"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
	}
)

// nth is the n-th such weekday of a month, or its last one if n is -1.
func nth(year int, month time.Month, weekday time.Weekday, n int) Date {
	if n < 0 {
		next := DateOf(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)).AddDays(-1)
		return next.AddDays(-(int(next.Weekday()-weekday) + 7) % 7)
	}
	first := Date{year, month, 1}
	return first.AddDays((int(weekday-first.Weekday())+7)%7 + 7*(n-1))
}

func monthDay(year int, s string) (Date, error) {
	t, err := time.Parse("2006-01-02", fmt.Sprintf("%04d-%s", year, s))
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a month and a day such as 12-25", s)
	}
	return DateOf(t), nil
}

func offsetDays(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, fmt.Errorf("%q is not an offset such as +1", s)
	}
	return strconv.Atoi(s)
}

// easter is Easter Sunday in the Gregorian calendar, after the anonymous algorithm of 1876.
func easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Date{year, time.Month(n / 31), n%31 + 1}
}

// minute reads HH:MM as minutes since midnight.
func minute(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time such as 09:30", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}
