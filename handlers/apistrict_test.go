package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
)

func TestJSONIsReadStrictly(t *testing.T) {
	p := newPanel(t)
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"a bracket too many":         {`{"risk":{"max_order_usd":7}}]`, 400, "goes on after the value"},
		"a brace too many":           {`{"risk":{"max_order_usd":7}}}`, 400, "goes on after the value"},
		"a key given twice":          {`{"risk":{"max_order_usd":7,"max_order_usd":8}}`, 400, `"max_order_usd" twice`},
		"a table given twice":        {`{"risk":{"max_order_usd":7},"risk":{}}`, 400, `"risk" twice`},
		"half a character":           {`{"broker":{"account":"\ud800"}}`, 400, "half of a character"},
		"the other half":             {`{"broker":{"account":"\ud83d\ud83d\ude00"}}`, 400, "half of a character"},
		"bytes that are no text":     {"{\"broker\":{\"account\":\"\xff\"}}", 400, "not UTF-8"},
		"nested without end":         {strings.Repeat(`{"a":`, 1<<20), 400, "nested more than"},
		"nothing":                    {"  ", 400, "it is empty"},
		"an end that does not come":  {`{"risk":`, 400, "ends too soon"},
		"a list where an object is":  {`[]`, 422, "JSON object"},
		"an escaped backslash, u, d": {`{"risk":{"max_order_usd":"\\ud800"}}`, 422, "must be a number"},
	} {
		t.Run(name, func(t *testing.T) {
			v := wantProblem(t, p.do("PATCH", "/api/v1/config", c.body, "Content-Type", asPatch), c.status)
			if !strings.Contains(v.Detail, c.says) {
				t.Errorf("got  %s\nwant %s", v.Detail, c.says)
			}
		})
	}
	p.wantFile(document)
	t.Run("a whole pair is a character", func(t *testing.T) {
		p.do("PATCH", "/api/v1/config", `{"broker":{"account":"\ud83d\ude00"}}`, "Content-Type", asPatch).want(t, 200)
		p.wantFile(strings.Replace(document, `"demo"`, `"😀"`, 1))
	})
}

func TestTheGateIsToldWhatIsWrong(t *testing.T) {
	p := newPanel(t)
	for body, says := range map[string]string{
		`[]`:                                   "JSON object",
		`{"mode":5}`:                           `"mode" must not be a number`,
		`{"mode":"halted","why":"x"}`:          `no key "why"`,
		`{"mode":"forced","until":"tomorrow"}`: "An instant is written",
		`{"mode":"forced","until":5}`:          "An instant is written",
		`{"mode":"halted","until":"2030-01-01T00:00:00Z"}`: `"forced" only`,
	} {
		v := wantProblem(t, p.do("PUT", "/api/v1/trading", body, "Content-Type", asJSON), 422)
		if !strings.Contains(v.Detail, says) || strings.Contains(v.Detail, "struct") {
			t.Errorf("%s: got %s\nwant %s", body, v.Detail, says)
		}
	}
	if got := p.gate.State(); got.Mode != "schedule" {
		t.Errorf("mode %s, want it left at schedule", got.Mode)
	}
}

func TestIfMatch(t *testing.T) {
	p := newPanel(t)
	now := string(stack.RevisionOf([]byte(document)))
	for tag, status := range map[string]int{
		`"` + now + `"`: 200, `W/"` + now + `"`: 200, now: 200, `*`: 200,
		`"x", "` + now + `"`: 200, `W/"x" ,W/"` + now + `"`: 200,
		`""`: 412, `"x"`: 412, `"x", "y"`: 412, `"x", *`: 400, `"x",`: 400, `abc`: 400, `"`: 400, `W/`: 400, strings.ToUpper(now): 400,
	} {
		p.do("PATCH", "/api/v1/config", `{}`, "Content-Type", asPatch, "If-Match", tag).want(t, status)
	}
	wantProblem(t, p.do("PUT", "/api/v1/config", document+"# more\n", "Content-Type", asTOML, "If-Match", `""`), 412)
	p.wantFile(document)
}

func TestAccept(t *testing.T) {
	p := newPanel(t)
	for accept, want := range map[string]string{
		"": "application/toml", "*/*": "application/toml", "application/json": "application/json", "text/html, application/json;q=0.1": "application/json",
		"application/json;q=0": "application/toml", "application/json;q=0.5, application/toml": "application/toml", "application/toml;q=0.5,application/json": "application/json",
	} {
		if got := p.do("GET", "/api/v1/config", "", "Accept", accept).Header.Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("Accept %q: got %s, want %s", accept, got, want)
		}
	}
}

func TestHEADIsGETWithoutTheBody(t *testing.T) {
	p := newPanel(t)
	for _, path := range []string{"/", "/config", "/healthz", "/api/v1/status", "/api/v1/config", "/api/v1/runs", "/api/v1/events"} {
		get := ""
		if path != "/api/v1/events" {
			get = p.get(path).Header.Get("Content-Type")
		}
		a := p.do("HEAD", path, "").want(t, 200) // a stream ends, or this does not
		if got := a.Header.Get("Content-Type"); a.body != "" || get != "" && got != get {
			t.Errorf("HEAD %s: %q with %d bytes, want %q with none", path, got, len(a.body), get)
		}
	}
	wantStatus := p.do("HEAD", "/api/v1/runs/none", "")
	wantStatus.want(t, 404)
}

func TestABrokenSchemaIsSaid(t *testing.T) {
	p := newPanel(t)
	p.o.Broken = "The schema cannot be used."
	if a := p.get("/readyz").want(t, 503); !strings.Contains(a.body, "schema") {
		t.Errorf("readyz: got %s", a.body)
	}
	if got := decode[apiState](t, p.get("/api/v1/status").want(t, 200)).Config.Problem; got != p.o.Broken {
		t.Errorf("config.problem: got %q", got)
	}
	wantProblem(t, p.do("PATCH", "/api/v1/config", `{"risk":{"max_order_usd":7}}`, "Content-Type", asPatch), 503)
	p.do("PUT", "/api/v1/trading", `{"mode":"halted"}`, "Content-Type", asJSON).want(t, 200)
}

// A schema with one mistake in it says of no key any more whether it is secret.
func TestABrokenSchemaHidesEveryValue(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.json")
	if err := os.WriteFile(own, []byte(`{"type": "objekt", "properties": {"desk": {"properties": {"plain_name": {"writeOnly": true}}}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p := newPanelUnder(t, dir, own)
	const hidden = "s3cr3t-by-a-plain-name"
	if err := os.WriteFile(p.file, []byte("[desk]\nplain_name = \""+hidden+"\"\nsize = 918273645\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"/config": "every value is hidden", "/config?view=raw": "every value is hidden", "/api/v1/config": schema.Mask, "/": "not checked", "/history": "",
	} {
		a := p.get(path).want(t, 200).has(t, says)
		if strings.Contains(a.body, hidden) || strings.Contains(a.body, "918273645") {
			t.Errorf("%s shows a value:\n%s", path, a.body)
		}
	}
}

func TestABodyThatStopsComing(t *testing.T) {
	s := newPanel(t).Server
	e := echo.New()
	e.HTTPErrorHandler = s.fail
	e.PUT("/api/v1/config", func(c echo.Context) error {
		c.Request().Body = patient{c.Request().Body, http.NewResponseController(c.Response()), 50 * time.Millisecond}
		_, err := io.ReadAll(c.Request().Body)
		return err
	})
	server := httptest.NewServer(e)
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "PUT /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
	_ = c.SetReadDeadline(time.Now().Add(generous))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(line, "408") {
		t.Errorf("got %q, %v; want a 408 while the client still holds on", line, err)
	}
}

func TestTheStateIsMadeOncePerChange(t *testing.T) {
	var told toldState
	made := 0
	state := func() apiState { made++; return apiState{} }
	first, second := make(chan struct{}), make(chan struct{})
	for _, c := range []struct {
		since <-chan struct{}
		want  int
	}{{first, 1}, {first, 1}, {second, 2}, {second, 2}, {first, 3}} {
		if _, err := told.as(c.since, state); err != nil || made != c.want {
			t.Errorf("made %d times (%v), want %d", made, err, c.want)
		}
	}
	told.forget()
	if _, err := told.as(first, state); err != nil || made != 4 {
		t.Errorf("after a forgetting: made %d times, want 4", made)
	}
}

func TestAClientThatHangsUpIsNoFailureOfOurs(t *testing.T) {
	for _, err := range []error{io.ErrUnexpectedEOF, fmt.Errorf("read tcp: %w", net.ErrClosed)} {
		if got := asRefusal(err).status; got != 499 {
			t.Errorf("%v: status %d, want 499", err, got)
		}
	}
}

func TestEveryCallIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("handlers.go") // the route table
	if err != nil {
		t.Fatal(err)
	}
	calls := regexp.MustCompile(`v1\.([A-Z]+)\("([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(calls) < 15 {
		t.Fatalf("found %d calls in the route table; is it written otherwise now?", len(calls))
	}
	for _, call := range calls {
		want := "`" + call[1] + " " + regexp.MustCompile(`:(\w+)`).ReplaceAllString(call[2], "{$1}")
		if !strings.Contains(string(doc), want) {
			t.Errorf("docs/API.md has no %s`", want)
		}
	}
}
