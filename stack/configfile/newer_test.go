package configfile

import (
	"strings"
	"testing"
)

// What only TOML 1.1 has is refused at its place, with the way to write it.
func TestTOML11IsRefusedWithAWayToWriteIt(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a = 1\nb = { x = 1,\n  y = 2 }\n", "line 2, column 13: the inline table does not end on its line: only TOML 1.1 has that, and the services read TOML 1.0; write it on one line, or as a [table] of its own"},
		{"b = { # c\n x = 1 }\n", "line 1, column 7: the inline table does not end"},
		{"b = [{ x = 1, y = { z = 2, } }]\n", "line 1, column 28: a comma stands before the closing brace: only TOML 1.1 has that, and the services read TOML 1.0; leave it out"},
		{`a = "ü\x33"`, `line 1, column 7: the text has the escape \x: only TOML 1.1 has that, and the services read TOML 1.0; write \u0033`},
		{"a = \"\"\"\n\\e[1m\"\"\"\n", `line 2, column 1: the text has the escape \e: only TOML 1.1 has that, and the services read TOML 1.0; write \u001b`},
		{`"\x41" = 1`, `line 1, column 2: the text has the escape \x`},
		{"a = 07:32\n", "line 1, column 5: the time has no seconds: only TOML 1.1 has that, and the services read TOML 1.0; write 07:32:00"},
		{"a = 2026-01-02 07:32-05:00 # x\n", "line 1, column 16: the time has no seconds: only TOML 1.1 has that, and the services read TOML 1.0; write 07:32:00-05:00"},
		{"a = 2026-01-02T07:32Z\n", "write 07:32:00Z"},
	} {
		_, err := Parse([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.in, err, c.want)
		}
	}
	for _, in := range []string{
		`a = "\\x33 \\e"`, `a = '\x33 \e'`, "a = '''\n\\e'''", "a = { b = [\n1,\n], c = \"\"\"\n\"\"\" }", "a = [1, ]", "a = 07:32:00", "a = 2026-01-02", "a = 2026-01-02T07:32:00.5-05:00", "a = {}", "a = { }",
		"\"07:32\" = \"07:32\" # 07:32", "a = \"\"\"\\\n  x\"\"\"",
	} {
		if _, err := Parse([]byte(in)); err != nil {
			t.Errorf("%q: %v", in, err)
		}
	}
}
