package calendar

import (
	"testing"
	"time"
)

// Beyond the changes that a zone's file lists, which for some files is now, a zone goes by a rule, and Go
// ends the years of a rule after 365 days. The last day of a leap year was searched for without end.
func TestTheEndsOfYears(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Europe/London", "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for year := 2024; year <= 2096; year++ {
			for d := (Date{year, 12, 30}); d.Year == year || d.Day < 3; d = d.AddDays(1) {
				for _, minute := range []int{0, 9*60 + 30, 23*60 + 59} {
					got := d.At(minute, zone)
					if want := time.Date(d.Year, d.Month, d.Day, 0, minute, 0, 0, zone); !got.Equal(want) {
						t.Fatalf("%s at minute %d in %s: got %v, want %v", d, minute, name, got, want)
					}
				}
			}
		}
	}
}
