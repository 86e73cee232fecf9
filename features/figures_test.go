package features

import (
	"fmt"
	"os"
	"testing"
)

// figure tells what was measured: in the test's log, and to whoever runs all tests, in the file that
// PITSTOP_FIGURES names. .ci/test prints that at its end, for `go test` hides what a test that passes says.
func figure(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	name := os.Getenv("PITSTOP_FIGURES")
	if name == "" {
		return
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	must(t, err)
	_, err = fmt.Fprintf(file, format+"\n", args...)
	must(t, err)
	must(t, file.Close())
}
