package handlers

import (
	"net/url"
	"strings"
	"testing"
)

// What no browser sends, somebody does: it works or is refused with a sentence, and nothing is lost.
func TestBadForms(t *testing.T) {
	p := newPanel(t)
	for name, change := range map[string]func(url.Values){
		"a field that the schema does not know": func(f url.Values) { f.Set("__proto__.polluted", "1"); f.Set("<script>", "x") },
		"a NUL byte in a text":                  func(f url.Values) { f.Set("broker.account", "a\x00b") },
		"invalid UTF-8 in a text":               func(f url.Values) { f.Set("broker.account", "a\xff\xfeb") },
		"a number beyond 64 bits":               func(f url.Values) { f.Set("risk.max_order_usd", "99999999999999999999") },
		"a number that is none":                 func(f url.Values) { f.Set("risk.stop_loss_pct", "NaN") },
		"an option that there is not":           func(f url.Values) { f.Set("scanner.universe", "penny-stocks") },
		"a field twice":                         func(f url.Values) { f.Add("risk.max_order_usd", "2"); f.Add("risk.max_order_usd", "3") },
		"a revision that is none":               func(f url.Values) { f.Set(inRevision, "<script>alert(1)</script>") },
	} {
		t.Run(name, func(t *testing.T) {
			form := p.form()
			form.Set(inCheck, "1") // nothing of this is to be applied
			change(form)
			a := p.post("/config/run", form)
			if a.StatusCode >= 500 {
				t.Errorf("status %d\n%s", a.StatusCode, a.body)
			}
			if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<script>=") {
				t.Error("what was sent came back as markup")
			}
			p.wantFile(document)
		})
	}
	t.Run("a form that is not one", func(t *testing.T) {
		p.do("POST", "/config/run", "%zz=%", "Content-Type", "application/x-www-form-urlencoded").want(t, 400)
	})
}

func TestBadDocuments(t *testing.T) {
	p := newPanel(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing at all":          {"", 422},
		"a NUL byte":              {document + "x = \"a\x00b\"\n", 422},
		"invalid UTF-8":           {document + "x = \"\xff\"\n", 422},
		"a number beyond 64 bits": {document + "x = 99999999999999999999\n", 422},
		"a key twice":             {document + "[risk]\n", 422},
	} {
		t.Run(name, func(t *testing.T) {
			v := wantProblem(t, p.do("PUT", "/api/v1/config", c.body, "Content-Type", asTOML), c.status)
			if len(v.Errors) == 0 {
				t.Errorf("no place is named: %+v", v)
			}
			p.wantFile(document)
		})
	}
}
