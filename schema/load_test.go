package schema

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadSaysWhatIsWrong(t *testing.T) {
	var fetched bool
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched = true }))
	defer server.Close()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"no JSON", "{\n  \"type\": \"object\",\n  oops\n}", []string{"is not JSON", "line 3"}},
		{"an unfinished file", `{"type": "object"`, []string{"is not JSON"}},
		{"an empty file", "", []string{"is not JSON"}},
		{"not an object", `[1]`, []string{"must be an object"}},
		{"an unknown type", "{\n \"properties\": {\n  \"a\": {\"type\": \"strng\"}}}", []string{"not a valid JSON Schema", "/properties/a/type", "line 3, column 17"}},
		{"a bound that is no number", `{"properties":{"a":{"minimum":"5"}}}`, []string{"/properties/a/minimum"}},
		{"a pattern of another language", `{"properties":{"a":{"pattern":"(?=x)"}}}`, []string{"/properties/a/pattern", "look-around"}},
		{"a reference to nothing", `{"properties":{"a":{"$ref":"#/$defs/gone"}}}`, []string{"not a valid JSON Schema", "gone"}},
		{"a reference to itself", `{"$ref":"#"}`, []string{"not a valid JSON Schema"}},
		{"a reference to a network", `{"properties":{"a":{"$ref":"` + server.URL + `/s.json"}}}`, []string{server.URL, "never fetched"}},
		{"a reference to a file elsewhere", `{"properties":{"a":{"$ref":"../other.json"}}}`, []string{"not beside it"}},
		{"a reference to a file that is not there", `{"properties":{"a":{"$ref":"other.json"}}}`, []string{"other.json", "no such file"}},
		{"a draft of another world", `{"$schema":"https://example.com/draft"}`, []string{"example.com/draft", "2020-12"}},
		{"a draft that is no text", `{"$schema":5}`, []string{"not a valid JSON Schema"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mine.json")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil {
				t.Fatal("it loaded")
			}
			for _, part := range append(c.want, path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want it to contain %q", err, part)
				}
			}
		})
	}
	if fetched {
		t.Error("a schema was fetched from a network")
	}
	t.Run("a file that is not there", func(t *testing.T) {
		_, err := Load(filepath.Join(t.TempDir(), "gone.json"))
		if err == nil || !strings.Contains(err.Error(), "no such file") || !strings.Contains(err.Error(), "setting schema") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a socket", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := Load(path); err == nil {
			t.Error("it loaded")
		}
	})
}

func TestSchemasInFilesBesideAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.json":        "\ufeff" + `{"type":"object","properties":{"b":{"$ref":"parts/risk.json#/definitions/risk"},"a":{"type":"string"}}}`,
		"parts/risk.json":  `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"risk":{"type":"object","properties":{"z":{"$ref":"money.json"},"y":{"type":"integer"}}}}}`,
		"parts/money.json": `{"type":"number","minimum":0,"x-unit":"USD"}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(filepath.Join(dir, "main.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.At("/b/z").Unit; got != "USD" {
		t.Errorf("the unit of /b/z is %q, want USD", got)
	}
	form := s.Form(map[string]any{})
	b := findSection(form.Sections, "b")
	if b == nil || len(b.Fields) != 2 || b.Fields[0].Key != "z" || b.Fields[1].Key != "y" {
		t.Errorf("the fields of b are not z, y as in the file: %+v", b)
	}
	problems := s.Validate(map[string]any{"b": map[string]any{"z": int64(-1)}}, nil)
	if len(problems) != 1 || problems[0].Message != "must be at least 0 USD; it is -1" {
		t.Errorf("got %v", problems)
	}
}

func TestAt(t *testing.T) {
	s := Default()
	for ptr, want := range map[string]Info{
		"/risk/max_open_positions": {Known: true, Title: "Open positions", Reload: "live", Default: int64(5), HasDefault: true},
		"/scanner/listen":          {Known: true, Title: "Listens on", Reload: "live", Default: "127.0.0.1:7070", HasDefault: true},
		"/broker/api_key":          {Known: true, Title: "API key", Reload: "live", Secret: true},
		"/scanner/symbols/3":       {Known: true, Title: "3", Reload: "live"},
		"/scanner/unknown_key":     {Title: "Unknown key", Reload: "live"},
		"/nowhere/at/api_secret":   {Title: "Api secret", Secret: true},
		"":                         {Known: true, Title: "Trading stack"},
	} {
		got := s.At(ptr)
		got.Description = ""
		if got != want {
			t.Errorf("At(%q):\n got %+v\nwant %+v", ptr, got, want)
		}
	}
	if got := s.At("/risk/max_position_usd"); got.Unit != "USD" || got.Danger == "" || got.Description == "" {
		t.Errorf("the largest position lacks its unit, danger or description: %+v", got)
	}
}

func TestNamesAreUnambiguous(t *testing.T) {
	for ptr, want := range map[string]string{
		"/schedule/start": "schedule.start", "/a.b/c": "a%2Eb.c", "/a/b/c": "a.b.c", "/": "%", "": "", "/%2E": "%252E", "/:items:": "%3Aitems%3A",
		"/<script>": "%3Cscript%3E", "/a~1b/m~0n": "a%2Fb.m%7En", "/é": "%C3%A9", "/__proto__": "__proto__",
	} {
		if got := Name(ptr); got != want {
			t.Errorf("Name(%q) = %q, want %q", ptr, got, want)
		}
		for i, part := range strings.Split(Name(ptr), ".") {
			if key, ok := keyOfName(part); ptr != "" && (!ok || key != split(ptr)[i]) {
				t.Errorf("%q of %q reads back as %q", part, ptr, key)
			}
		}
	}
}
