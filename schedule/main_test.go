package schedule

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes the property tests draw the same schedules and instants in every run, so that a
// change is judged by what it changed and not by luck. -rapid.seed=0 draws new ones.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.seed" })
	if !given {
		if err := flag.Set("rapid.seed", "20261125"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
