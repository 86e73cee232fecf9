package stack

import "testing"

func TestALogLineIsToldWithoutItsTimeAndLevel(t *testing.T) {
	for line, want := range map[string]string{
		`2026-11-30T18:35:20.140Z ERROR Config reload failed: the scanner's port is too high`: `Config reload failed: the scanner's port is too high`,
		`2026-11-30 18:35:20,140 - ERROR - Config reload failed`:                              `Config reload failed`,
		`[2026-11-30 18:35:20 +0000] [error] no such file`:                                    `no such file`,
		`2026/11/30 18:35:20 no such file`:                                                    `no such file`,
		`time=2026-11-30T18:35:20.140+01:00 level=ERROR msg="Config reload failed"`:           `msg="Config reload failed"`,
		`ERROR: no such file`:                                  `no such file`,
		`Error reading config.toml: no such file`:              `Error reading config.toml: no such file`,
		`Config reload failed: it is 2026-11-30T18:35:20Z now`: `Config reload failed: it is 2026-11-30T18:35:20Z now`,
		`ERRORS were found`:                                    `ERRORS were found`,
		`2026-11-30T18:35:20.140Z ERROR`:                       `2026-11-30T18:35:20.140Z ERROR`,
		``:                                                     ``,
	} {
		if got := WithoutLogPrefix(line); got != want {
			t.Errorf("%q is told as %q, want %q", line, got, want)
		}
	}
}
