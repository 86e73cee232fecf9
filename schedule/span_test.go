package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	now := utc(t, "2026-11-25 03:00") // the evening before in New York
	for _, c := range []struct{ name, zone, from, to, wantFrom, wantTo string }{
		{"two dates, the last of them whole", "America/New_York", "2026-03-07", "2026-03-08", "2026-03-07 05:00", "2026-03-09 04:00"},
		{"two instants", "America/New_York", "2026-03-07T14:00:00Z", "2026-03-07T16:00:00+01:00", "2026-03-07 14:00", "2026-03-07 15:00"},
		{"nothing: two weeks that begin today", "America/New_York", "", "", "2026-11-24 05:00", "2026-12-08 05:00"},
		{"a beginning alone: two weeks", "UTC", "2026-12-24", "", "2026-12-24 00:00", "2027-01-07 00:00"},
		{"a day whose midnight the clocks skip", "America/Havana", "2026-03-08", "2026-03-08", "2026-03-08 05:00", "2026-03-09 04:00"},
		{"a day that a zone skips", "Pacific/Apia", "2011-12-29", "2011-12-30", "2011-12-29 10:00", "2011-12-30 10:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			must(t, err)
			got, err := ParseSpan(c.from, c.to, now, zone)
			must(t, err)
			if !got.From.Equal(utc(t, c.wantFrom)) || !got.To.Equal(utc(t, c.wantTo)) {
				t.Errorf("got %v to %v, want %s to %s", got.From.UTC(), got.To.UTC(), c.wantFrom, c.wantTo)
			}
		})
	}
	for _, c := range []struct{ name, from, to, says string }{
		{"no date", "someday", "", `from: "someday" is neither a date`},
		{"a date that does not exist", "2026-02-29", "", `from: "2026-02-29"`},
		{"an end before the beginning", "2026-03-02", "2026-03-01", "lies before from"},
		{"the same instant twice", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "lies before from"},
		{"more than 50 years", "2026-01-01", "2076-01-01", "ask for 50 years at most"},
		{"the end of all dates", "2026-01-01", "9999-12-31", "ask for 50 years at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseSpan(c.from, c.to, now, time.UTC); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestAListThatNobodyReadsIsRefused(t *testing.T) {
	s := mustParse(t, table{"start": "*/2 * * * *", "stop": "1-59/2 * * * *", "timezone": "UTC"})
	span, err := ParseSpan("2026-01-01", "2045-12-31", time.Time{}, s.zone)
	must(t, err)
	if _, err := s.List(span); err == nil || !strings.Contains(err.Error(), "ask for a shorter stretch") {
		t.Errorf("got %v, want a refusal", err)
	}
	if n := len(listed(t, s, "2026-01-01", "2026-01-01").Windows); n != 720 {
		t.Errorf("one day has %d windows, want 720", n)
	}
}
