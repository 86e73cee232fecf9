package schedule

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestListing(t *testing.T) {
	s := mustParse(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"})
	list := listed(t, s, "2026-11-26", "2026-11-30")
	list.Windows[0].Note = "early close: x" // the calendar's own words are not this test's
	var text, json strings.Builder
	must(t, list.WriteText(&text))
	must(t, list.WriteJSON(&json))
	wantText := "2026-11-27T14:30:00Z  2026-11-27T18:00:00Z  early close: x\n2026-11-30T14:30:00Z  2026-11-30T21:00:00Z\n"
	if text.String() != wantText {
		t.Errorf("text: got\n%swant\n%s", text.String(), wantText)
	}
	wantJSON := `{
  "timezone": "America/New_York",
  "windows": [
    {
      "open": "2026-11-27T14:30:00Z",
      "close": "2026-11-27T18:00:00Z",
      "note": "early close: x"
    },
    {
      "open": "2026-11-30T14:30:00Z",
      "close": "2026-11-30T21:00:00Z",
      "note": ""
    }
  ]
}
`
	if json.String() != wantJSON {
		t.Errorf("JSON: got\n%swant\n%s", json.String(), wantJSON)
	}
	json.Reset()
	must(t, listed(t, s, "2026-11-28", "2026-11-28").WriteJSON(&json))
	if !strings.Contains(json.String(), `"windows": []`) {
		t.Errorf("no windows: got %s, want an empty list", json.String())
	}
}

// listed are the windows from the start of one day to the end of another.
func listed(t *testing.T, s *Schedule, from, to string) Listing {
	t.Helper()
	span, err := ParseSpan(from, to, time.Time{}, s.zone)
	must(t, err)
	list, err := s.List(span)
	must(t, err)
	return list
}

// TestYearPrintsQuickly holds the promise of 50 ms with a wide margin: it takes about one. The best
// of several counts, since the machine may be busy.
func TestYearPrintsQuickly(t *testing.T) {
	for _, tb := range []table{
		{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"},
		{"start": "open+5m", "stop": "close-10m", "timezone": "Asia/Tokyo", "calendar": "XTKS"},
		{"start": "30 9 * * 1-5", "stop": "0 16 * * *", "timezone": "Australia/Lord_Howe"},
	} {
		s := mustParse(t, tb)
		best := time.Hour
		for range 20 {
			began := time.Now()
			must(t, listed(t, s, "2026-01-01", "2026-12-31").WriteText(io.Discard))
			best = min(best, time.Since(began))
		}
		t.Logf("%v: a year in %v", tb["start"], best)
		if best > 50*time.Millisecond {
			t.Errorf("%v: a year took %v at best, want less than 50 ms", tb, best)
		}
	}
}
