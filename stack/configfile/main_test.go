package configfile

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain makes the property tests draw the same documents in every run, so that a change is judged
// by what it changed and not by luck. New ones are found by fuzzing, and by -rapid.seed=0.
func TestMain(m *testing.M) {
	if path := os.Getenv(saveFor); path != "" {
		fmt.Print(saveAsSomebody(path))
		os.Exit(0)
	}
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
