package handlers

import (
	"strings"
	"testing"
)

func TestTextBackToBytes(t *testing.T) {
	p := newPanel(t)
	crlf := strings.ReplaceAll(document, "\n", "\r\n")
	for name, content := range map[string]string{
		"as it is":                  document,
		"CRLF":                      crlf,
		"a byte order mark":         bom + document,
		"BOM, CRLF, no final line":  bom + strings.TrimRight(crlf, "\r\n"),
		"mixed line ends":           strings.Replace(document, "stop ", "\r\n\r\nstop ", 1),
		"no final newline":          strings.TrimRight(document, "\n"),
		"nothing":                   "",
		"blank lines":               "\n\n\na = 1\n\n",
		"a secret of several lines": "a = 1\npassword = '''\none\ntwo'''\nb = 2\n",
		"an old secret in a remark": "# api_key = \"older-secret\"\n[broker]\napi_key = \"new-secret-1\" # was older-secret\n",
		"it does not parse":         "a = = 1\n[broker]\napi_key = \"hidden-one\"\n",
		"invalid UTF-8":             "a = 1\n# \xff\nb = 2\n",
		"lone carriage returns":     "a = 1\n# x\ry\nb = 2\n",
	} {
		t.Run(name, func(t *testing.T) {
			sh := p.sheetOf([]byte(content))
			if got := string(sh.restore(sh.text())); got != content {
				t.Errorf("shown as\n%q\ncame back as\n%q\nwant\n%q", sh.text(), got, content)
			}
			for _, s := range []string{"older-secret", "new-secret-1", "hidden-one", "two'''", secret} {
				if strings.Contains(sh.text(), s) {
					t.Errorf("shows %q:\n%s", s, sh.text())
				}
			}
			// A line more, and every other byte stays.
			lines := strings.SplitAfter(sh.text(), "\n")
			typed := lines[0] + "# typed\n" + strings.Join(lines[1:], "")
			if len(lines) < 3 {
				return
			}
			got := string(sh.restore(typed))
			end := "\n"
			if strings.Contains(name, "CRLF") {
				end = "\r\n"
			}
			if want := strings.Replace(content, strings.SplitAfter(content, "\n")[0], strings.SplitAfter(content, "\n")[0]+"# typed"+end, 1); got != want {
				t.Errorf("with a line more:\n%q\nwant\n%q", got, want)
			}
		})
	}
}
