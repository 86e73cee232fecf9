package handlers

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// deskSchema has secrets in every place that a schema can put one, under names that do not sound like it.
const deskSchema = `{"type": "object", "properties": {
	"broker": {"properties": {"api_key": {"type": "string", "writeOnly": true}, "account": {"type": "string"}}},
	"keys":   {"type": "array", "items": {"type": "string", "writeOnly": true}},
	"pins":   {"type": "array", "items": {"type": "integer", "writeOnly": true}},
	"hosts":  {"type": "array", "items": {"properties": {"name": {"type": "string"}, "key": {"type": "string", "format": "password"}}}},
	"vault":  {"type": "object", "writeOnly": true},
	"map":    {"additionalProperties": {"properties": {"plain": {"writeOnly": true}, "note": {"type": "string"}}}},
	"note":   {"type": "string"}, "size": {"type": "integer"}, "words": {"type": "array", "items": {"type": "string"}}
}}`

// loadedSchema is a schema by its text.
func loadedSchema(t testing.TB, text string) *schema.Schema {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sch, err := schema.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return sch
}

// maskServer is as much of a panel as masking needs.
func maskServer(t testing.TB, schemaText string) *Server {
	sch := loadedSchema(t, schemaText)
	return &Server{o: Options{Schema: sch, Check: func(b []byte) []stack.Problem { return nil }, Remarks: func(old, content []byte) []string { return nil }}}
}

func TestATextThatDoesNotParseShowsNoSecret(t *testing.T) {
	s := maskServer(t, deskSchema)
	for name, c := range map[string]struct{ text, shows string }{
		"an inline table":                     {`creds = { token = "s3cret-1", user = "u" }` + "\na = = 1\n", `creds = { token = "********"`},
		"an array of secrets":                 {`keys = ["s3cret-1", 's3cret-2']` + "\na = = 1\n", `keys = ["********", "********"]`},
		"an array over several lines":         {"keys = [\n  \"s3cret-1\", # s3cret-0\n  # s3cret-9\n  's3cret-2'\n]\nsize = 7\na = = 1\n", "size = 7"},
		"an array without an end":             {"keys = [\n  \"s3cret-1\",\n  \"s3cret-2\"\nsize = 7\n[broker]\naccount = \"demo\"\n", "account = \"demo\""},
		"an array that ends too soon":         {"keys = [\"s3cret-1\"], \"s3cret-2\"]\nsize = 7\n", "size = 7"},
		"an array that ends a line too soon":  {"keys = [\"s3cret-1\"]\n \"s3cret-2\",\n 's3cret-3']\nsize = 7\n", "size = 7"},
		"numbers":                             {"pins = [ 73195, 73196 ]\npin_password = 73197\na = = 1\n", "pins = ["},
		"tables in an array":                  {`hosts = [{name = "a", key = "s3cret-1"}, {name = "b", key = 's3cret-2'}]` + "\na = = 1\n", `{name = "a", key = "********"}`},
		"a missing comma":                     {`hosts = [{name = "a" key = "s3cret-1"}]` + "\n", `hosts = [{name = `},
		"a missing quote":                     {`hosts = [{name = "a, key = "s3cret-1"}]` + "\n", `hosts = [`},
		"a quote too many":                    {`hosts = [{name = ""a", key = "s3cret-1"}]` + "\n", `hosts = [`},
		"tables over lines, one left open":    {"hosts = [\n  {name = \"a\", key = \"s3cret-1\",\n  {name = \"b\", key = \"s3cret-2\"},\n  key = \"s3cret-3\"\n]\nsize = 7\n", "hosts"},
		"a dotted key":                        {"map.y = { plain = \"s3cret-1\" }\nmap.z.plain = \"s3cret-2\"\nbroker . api_key = 's3cret-3'\na = = 1\n", "map.y = { plain ="},
		"a quoted key":                        {"\"broker\".'api_key' = \"s3cret-1\"\na = = 1\n", "api_key"},
		"all below a secret":                  {"[vault]\nx = 's3cret-1'\n[vault.deep]\ny = [\"s3cret-2\", 73195]\nz = { a = \"s3cret-3\" } # s3cret-4\n# s3cret-5\n[broker]\naccount = \"demo\"\na = = 1\n", `account = "demo"`},
		"texts of several lines":              {"[broker]\napi_key = \"\"\"\ns3cret-1\n[x]\na = 's3cret-2'\"\"\" # s3cret-3\naccount = \"demo\"\na = = 1\n", `account = "demo"`},
		"a text of several lines, no end":     {"size = 7\n[broker]\napi_key = '''\ns3cret-1\n[other]\nx = 's3cret-2'\n", "size = 7"},
		"quotes that turn all round":          {"note = \"\"\"\nkeys = [\n 's3cret-1'\n]\n[broker]\napi_key = \"\"\"\nx = 's3cret-2'\n\"\"\"\n", "note"},
		"a header that lacks its end":         {"[broker\napi_key = \"s3cret-1\"\naccount = \"demo\"\n", `account = "demo"`},
		"a header that cannot be read":        {"[map x]\nplain = \"s3cret-1\"\n[broker]\naccount = \"demo\"\n", `account = "demo"`},
		"no quotes":                           {"[broker]\napi_key = s3cret-1 s3cret-2\naccount = \"demo\"\n", `account = "demo"`},
		"two on a line":                       {"size = 1 broker.api_key = \"s3cret-1\"\n", "size = 1"},
		"what is commented out":               {"# broker.api_key = \"s3cret-1\"\n# keys = [\n#  's3cret-2',\n#  \"s3cret-3\",\n# ]\n# {name = \"a\", password = \"s3cret-4\"}\na = = 1\n# words\n", "# words"},
		"comments beside":                     {"hosts = [{key='s3cret-3'}] # s3cret-4\n[broker]\napi_key = \"s3cret-1\" # was s3cret-2\na = = 1 # fine\n", "# fine"},
		"a key with a space in it, no quotes": {"api key = s3cret-1\nsize = = 7\n", "size = = 7"},
		"an invalid byte":                     {"keys = [\"\xff\", \"s3cret-1\"]\n[broker]\napi_key = \"\xffs3cret-2\"\n", "keys"},
		"what is plain stays to be mended":    {"max_position = = 5000 # the most\nlevel = info loud\nnote = \"open\n", "max_position = = 5000 # the most\nlevel = info loud\nnote = \"open\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := configfile.Parse([]byte(c.text)); err == nil {
				t.Fatal("it parses")
			}
			got := string(s.maskBroken([]byte(c.text)))
			for _, hidden := range []string{"s3cret", "73195", "73196", "73197"} {
				if strings.Contains(got, hidden) {
					t.Errorf("shows %q:\n%s", hidden, got)
				}
			}
			if !strings.Contains(got, c.shows) {
				t.Errorf("hides %q:\n%s", c.shows, got)
			}
			sh := s.sheetOf([]byte(c.text))
			if back := sh.restore(sh.text()); !bytes.Equal(back, []byte(c.text)) {
				t.Errorf("came back as\n%q\nwant\n%q", back, c.text)
			}
		})
	}
}

func TestAFileIsMendedAroundItsMasks(t *testing.T) {
	s := maskServer(t, deskSchema)
	for name, c := range map[string]struct{ file, from, to, want string }{
		"a comma put in beside a secret": {
			"hosts = [{key = \"s3cret-1\" name = \"a\"}]\nkeys = [\"s3cret-2\",\n\"s3cret-3\"]\n", "\"********\" ********", `"********", name = "a"}]`,
			"hosts = [{key = \"s3cret-1\", name = \"a\"}]\nkeys = [\"s3cret-2\",\n\"s3cret-3\"]\n",
		},
		"a line elsewhere": {
			"keys = [\n\"s3cret-1\",\n\"s3cret-2\"]\nbroker.api_key = '''\ns3cret\n3''' # old\nsize = = 7\n", "= = 7", "= 8",
			"keys = [\n\"s3cret-1\",\n\"s3cret-2\"]\nbroker.api_key = '''\ns3cret\n3''' # old\nsize = 8\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			reference := s.understand([]byte(c.file), "")
			text := s.sheetOf([]byte(c.file)).text()
			if !strings.Contains(text, c.from) {
				t.Fatalf("the text has no %q:\n%s", c.from, text)
			}
			got, problems := s.fromText(strings.Replace(text, c.from, c.to, 1), reference, reference)
			if string(got) != c.want || len(problems) > 0 {
				t.Errorf("got\n%s\nwant\n%s\nproblems: %v", got, c.want, problems)
			}
		})
	}
}
