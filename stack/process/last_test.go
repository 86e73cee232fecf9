package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLastLine(t *testing.T) {
	hide := func(text string) string { return strings.ReplaceAll(text, "s3cret", "********") }
	for name, c := range map[string]struct{ output, want string }{
		"nothing":                {"", ""},
		"empty lines":            {"\n\n", ""},
		"one line":               {"ModuleNotFoundError: no schedule\n", "ModuleNotFoundError: no schedule"},
		"a line without its end": {"Traceback\n  panic: here", "panic: here"},
		"a line before blanks":   {"first\nlast\r\n\n \n", "last"},
		"bytes that are no text": {"a\xffb\n", "a\uFFFDb"},
		"a long line":            {strings.Repeat("é", lastTold+1), strings.Repeat("é", lastTold) + "…"},
		"a long output":          {strings.Repeat("x\n", lastRead) + "end\n", "end"},
		"a line without end":     {strings.Repeat("x", lastRead+1), "a line of more than 64 kB"},
		"a log line":             {"2026-11-30T19:33:22.168Z ERROR the port is taken\n", "the port is taken"},
		"a secret":               {"bad key s3cret\n", "bad key ********"},
		"a secret at the cut":    {strings.Repeat("x", lastTold-3) + "s3cret\n", strings.Repeat("x", lastTold-3) + "***…"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.log")
			if err := os.WriteFile(path, []byte(c.output), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := lastLine(path, hide); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := lastLine(filepath.Join(t.TempDir(), "absent"), hide); got != "" {
		t.Errorf("of no file: got %q", got)
	}
}
