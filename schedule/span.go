package schedule

import (
	"errors"
	"fmt"
	"time"

	"pitstop/schedule/calendar"
)

// Span is a stretch of time that somebody asks about: [From, To).
type Span struct{ From, To time.Time }

// How much is listed at once, so that neither a century nor a schedule that opens every other minute
// takes the memory of the machine.
const (
	longestSpan = 50 // years
	mostWindows = 200_000
)

// ParseSpan reads the two ends of a stretch. Each is an instant (RFC 3339) or a date in the zone, and a
// date as the end is the last day meant. Without a beginning it is today, without an end two weeks.
func ParseSpan(from, to string, now time.Time, zone *time.Location) (Span, error) {
	var s Span
	var err error
	if from == "" {
		from = calendar.DateOf(now.In(zone)).String()
	}
	if s.From, err = parseEnd(from, 0, zone); err != nil {
		return s, fmt.Errorf("from: %w", err)
	}
	if to == "" {
		s.To = calendar.DateOf(s.From.In(zone)).AddDays(14).At(0, zone)
	} else if s.To, err = parseEnd(to, 1, zone); err != nil {
		return s, fmt.Errorf("to: %w", err)
	}
	switch {
	case !s.From.Before(s.To):
		return s, errors.New("to: it lies before from")
	case s.To.After(s.From.AddDate(longestSpan, 0, 0)):
		return s, fmt.Errorf("to: ask for %d years at most", longestSpan)
	}
	return s, nil
}

func parseEnd(text string, days int, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	date, err := calendar.ParseDate(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date such as 2026-11-25 nor an instant such as 2026-11-25T14:30:00Z", text)
	}
	return date.AddDays(days).At(0, zone), nil
}

// List are the windows that overlap a stretch. It refuses a stretch with more of them than anybody reads.
func (s *Schedule) List(span Span) (Listing, error) {
	l := Listing{Timezone: s.zone.String(), Windows: []Window{}} // an empty list, not null
	if month := span.From.AddDate(0, 0, 31); month.Before(span.To) {
		sample := len(s.Windows(span.From, month))
		if about := int64(sample) * int64(span.To.Sub(span.From)/time.Hour) / (31 * 24); about > mostWindows {
			return l, fmt.Errorf("to: that would be about %d windows; ask for a shorter stretch", about)
		}
	}
	l.Windows = append(l.Windows, s.Windows(span.From, span.To)...)
	return l, nil
}
