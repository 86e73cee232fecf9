package handlers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pitstop/stack"
)

// oldSecrets is the document with what people leave in comments beside and above a secret.
var oldSecrets = strings.Replace(document, secret+`"`, secret+`" # was older-password-0`, 1) +
	"# token = \"tok-old-99999\"\n# secrets = [\n#   \"tok-old-88888\",\n# ]\n[feed]\nsecrets = [\n  \"tok-now-1\", # tok-old-77777\n  # tok-old-66666\n  \"tok-now-2\",\n]\npassword = '''\nfirst-line-of-it\nsecond-line-of-it''' # was first-line\n"

func TestTheAPIMasksWhatIsRemarkedToo(t *testing.T) {
	for name, content := range map[string]string{
		"as it is": oldSecrets, "CRLF and a BOM": bom + strings.ReplaceAll(oldSecrets, "\n", "\r\n"), "no final newline": strings.TrimRight(oldSecrets, "\n"),
		"mixed line ends": strings.Replace(oldSecrets, "\n", "\r\n", 7),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPanel(t)
			p.write(content)
			a := p.get("/api/v1/config").want(t, 200)
			for _, hidden := range []string{"older-password-0", "tok-", "-line"} {
				if strings.Contains(a.body, hidden) {
					t.Errorf("it shows %q:\n%s", hidden, a.body)
				}
			}
			if got, want := a.Header.Get("ETag"), `"`+string(stack.RevisionOf([]byte(content)))+`"`; got != want {
				t.Errorf("ETag %s, want %s", got, want)
			}
			r := decode[stack.Report](t, p.do("PUT", "/api/v1/config", a.body, "Content-Type", asTOML, "If-Match", a.Header.Get("ETag")).want(t, 200))
			if r.Outcome != stack.Unchanged {
				t.Errorf("sent back as it came, it is %s", r.Outcome)
			}
			p.wantFile(content)
			p.do("PUT", "/api/v1/config", strings.Replace(a.body, "= 5000 ", "= 6000 ", 1), "Content-Type", asTOML).want(t, 200)
			changed := strings.Replace(content, "= 5000 ", "= 6000 ", 1)
			p.wantFile(changed)
			p.do("PATCH", "/api/v1/config", `{"risk":{"max_position_usd":5000},"broker":{"api_key":"********"}}`, "Content-Type", asPatch).want(t, 200)
			p.wantFile(content)
		})
	}
	t.Run("a document without a mask is taken as it is", func(t *testing.T) {
		p := newPanel(t)
		p.write(strings.ReplaceAll(oldSecrets, "\n", "\r\n"))
		whole := strings.Replace(oldSecrets, "= 5000 ", "= 6000 ", 1)
		p.do("PUT", "/api/v1/config", whole, "Content-Type", asTOML).want(t, 200)
		p.wantFile(whole)
	})
}

func TestABrokenSchemaHidesCommentsToo(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.json")
	if err := os.WriteFile(own, []byte(`{"type": "objekt"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p := newPanelUnder(t, dir, own)
	p.write("# size was 918273645\n[desk]\n# plain_name = \"hidden-one\"\nsize = 1 # hidden-two\nnames = [\n  # hidden-three\n  \"x\",\n]\n")
	for _, content := range []string{string(p.content()), string(p.content()) + "broken = = 1\n"} {
		p.write(content)
		for _, path := range []string{"/config", "/config?view=raw", "/api/v1/config", "/", "/history"} {
			if a := p.get(path); strings.Contains(a.body, "hidden-") || strings.Contains(a.body, "918273645") {
				t.Errorf("%s shows a value in a comment:\n%s", path, a.body)
			}
		}
	}
}
