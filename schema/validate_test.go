package schema

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := toml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("the test's own TOML: %v", err)
	}
	return v
}

func TestTheReferenceConfigIsValid(t *testing.T) {
	b, err := os.ReadFile("../deploy/config.toml")
	if err != nil {
		t.Fatalf("reading deploy/config.toml: %v", err)
	}
	value := parse(t, string(b))
	for _, p := range Default().Validate(value, nil) {
		t.Errorf("%s %s", p.Pointer, p.Message)
	}
	for _, table := range []string{"schedule", "risk", "orchestrator", "scanner", "broker"} {
		for key := range value[table].(map[string]any) {
			if ptr := "/" + table + "/" + key; !Default().At(ptr).Known {
				t.Errorf("the default schema does not describe %s", ptr)
			}
		}
	}
}

func TestProblemsAreSentences(t *testing.T) {
	s := load(t, `{"type":"object","additionalProperties":false,"required":["must"],"properties":{
		"must":{"type":"string"},
		"usd":{"type":"number","minimum":1,"maximum":100000,"x-unit":"USD"},
		"more":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1},
		"even":{"type":"integer","multipleOf":2},
		"level":{"type":"string","enum":["debug","info","warning"]},
		"only":{"const":"paper"},
		"flag":{"type":"boolean"},
		"mic":{"type":"string","pattern":"^[A-Z]{4}$","x-pattern-message":"must be four capitals"},
		"code":{"type":"string","pattern":"^[a-z]+$","minLength":2,"maxLength":4},
		"day":{"type":"string","format":"date"},
		"time":{"type":"string","format":"time"},
		"stamp":{"type":"string","format":"date-time"},
		"span":{"type":"string","format":"duration"},
		"url":{"type":"string","format":"uri"},
		"mail":{"type":"string","format":"email"},
		"host":{"type":"string","format":"hostname"},
		"ip":{"type":"string","format":"ipv4"},
		"key":{"type":"string","writeOnly":true,"minLength":20,"pattern":"^sk-"},
		"pin":{"type":"integer","writeOnly":true,"maximum":9999},
		"list":{"type":"array","minItems":1,"maxItems":3,"uniqueItems":true,"items":{"type":"string"}},
		"has":{"type":"array","contains":{"const":"x"}},
		"map":{"type":"object","propertyNames":{"format":"date"},"minProperties":1},
		"dep":{"type":"object","dependentRequired":{"a":["b"]}},
		"either":{"oneOf":[{"type":"string"},{"type":"integer","minimum":0}]},
		"side":{"oneOf":[{"const":"buy"},{"const":"sell"}]},
		"store":{"oneOf":[
			{"type":"object","properties":{"kind":{"const":"dir"},"path":{"type":"string"}},"required":["kind","path"],"additionalProperties":false},
			{"type":"object","properties":{"kind":{"const":"s3"},"bucket":{"type":"string"}},"required":["kind","bucket"],"additionalProperties":false}]},
		"pick":{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}]},
		"not":{"type":"object","not":{"required":["a","b"]}},
		"cond":{"type":"object","if":{"properties":{"mode":{"const":"x"}},"required":["mode"]},"then":{"required":["depth"]}},
		"tuple":{"type":"array","prefixItems":[{"type":"string"}],"items":false}}}`)
	for _, c := range []struct{ toml, want string }{
		{"", "/must is required"},
		{"usd=250000", "/usd must be at most 100 000 USD; it is 250 000"},
		{"usd=0.5", "/usd must be at least 1 USD; it is 0.5"},
		{"usd='much'", "/usd must be a number; it is text"},
		{"usd=nan", "/usd must be a finite number"},
		{"usd=-inf", "/usd must be a finite number"},
		{"more=0", "/more must be more than 0; it is 0"},
		{"more=1.0", "/more must be less than 1; it is 1"},
		{"even=7", "/even must be a multiple of 2; it is 7"},
		{"even=2.5", "/even must be a whole number; it is 2.5"},
		{"even='2'", "/even must be a whole number; it is text"},
		{"even=9223372036854775807", "/even must be a multiple of 2; it is 9 223 372 036 854 775 807"},
		{"level='loud'", "/level is not one of: debug, info, warning"},
		{"only='real'", `/only must be "paper"`},
		{"flag=1", "/flag must be true or false; it is a number"},
		{"mic='xnys'", "/mic must be four capitals"},
		{"code='A'", "/code does not have the right form; the pattern is ^[a-z]+$|/code must have at least 2 characters; it has 1"},
		{"code='abcde'", "/code must have at most 4 characters; it has 5"},
		{"day='2026-13-01'", `/day must be a date, such as 2026-12-24; it is "2026-13-01"`},
		{"day=2026-12-24", ""},
		{"day=09:30:00", `/day must be a date, such as 2026-12-24; it is "09:30:00"`},
		{"time=09:30:00", ""},
		{"time='09:30'", ""},
		{"time='9.30'", `/time must be a time of day, such as 09:30; it is "9.30"`},
		{"stamp=2026-12-24T09:30:00Z", ""},
		{"stamp=2026-12-24T09:30:00", ""},
		{"stamp=2026-12-24", `/stamp must be a date and time, such as 2026-12-24T09:30:00Z; it is "2026-12-24"`},
		{"span='10 s'", `/span must be a duration in ISO 8601, such as PT30S or P1D; it is "10 s"`},
		{"url='nowhere'", `/url must be a URL, such as https://example.com/path; it is "nowhere"`},
		{"mail='me'", `/mail must be an e-mail address; it is "me"`},
		{"host='-'", `/host must be a host name; it is "-"`},
		{"ip='256.1.1.1'", `/ip must be an IPv4 address, such as 192.168.0.10; it is "256.1.1.1"`},
		{"key='hush'", "/key does not have the right form|/key must have at least 20 characters"},
		{"pin=12345", "/pin must be at most 9 999"},
		{"list=[]", "/list must have at least 1 item; it has 0"},
		{"list=['a','b','a','c']", "/list must have at most 3 items; it has 4|/list must not have an item twice; items 1 and 3 are the same"},
		{"list=['a',2]", "/list/1 must be text; it is a number"},
		{"list='a'", "/list must be a list; it is text"},
		{"has=['a']", `/has must contain "x"`},
		{"map={tomorrow=1}", `/map/tomorrow has a name that does not fit: it must be a date, such as 2026-12-24; it is "tomorrow"`},
		{"map={}", "/map must have at least 1 key; it has 0"},
		{"dep={a=1}", "/dep/b is required when a is set"},
		{"either=-1", "/either must be at least 0; it is -1"},
		{"either=true", "/either must be text or a whole number; it is true"},
		{"side='hold'", "/side is not one of: buy, sell"},
		{"store={kind='s3'}", "/store/bucket is required"},
		{"store={kind='s3',bucket=1}", "/store/bucket must be text; it is a number"},
		{"store={kind='dir',path='/',bukket='b'}", "/store/bukket is not a key that the schema knows; did you mean bucket?"},
		{"store=5", "/store must be a table; it is a number"},
		{"pick={}", "/pick needs a or b"},
		{"not={a=1,b=2}", "/not must not have a and b together"},
		{"cond={mode='x'}", "/cond/depth is required"},
		{"tuple=['a','b']", "/tuple/1 is not allowed here"},
		{"usdd=1", "/usdd is not a key that the schema knows; did you mean usd?"},
		{"completely_different=1", "/completely_different is not a key that the schema knows"},
		{"'<script>'=1", "/<script> is not a key that the schema knows"},
	} {
		t.Run(c.toml, func(t *testing.T) {
			text := c.toml + "\n"
			if c.toml != "" {
				text += "must='x'\n"
			}
			var got []string
			for _, p := range s.Validate(parse(t, text), nil) {
				got = append(got, p.Pointer+" "+p.Message)
			}
			if strings.Join(got, "|") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), c.want)
			}
		})
	}
}

func TestProblemsAreInTheOrderOfTheFile(t *testing.T) {
	s := load(t, trading)
	at := map[string][2]int{"/risk/max": {9, 1}, "/risk": {8, 2}, "/level": {3, 1}, "/name": {2, 5}, "/port": {2, 1}}
	problems := s.Validate(parse(t, "level='x'\nname=1\nport=true\n[risk]\nmax='x'"), func(ptr string) (int, int) { return at[ptr][0], at[ptr][1] })
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Pointer))
	}
	if want := "2:1 /port, 2:5 /name, 3:1 /level, 9:1 /risk/max"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestScheduleIsRequiredOnlyIfItIsThere(t *testing.T) {
	if got := Default().Validate(map[string]any{}, nil); len(got) > 0 {
		t.Errorf("an empty document has problems: %v", got)
	}
	got := Default().Validate(parse(t, "[schedule]\ntimezone='UTC'"), nil)
	if len(got) != 2 || got[0].Pointer != "/schedule/start" || got[1].Message != "is required" {
		t.Errorf("got %v, want start and stop required", got)
	}
	got = Default().Validate(parse(t, "[schedule]\nstart='09:30'\nstop='16:00'\nearly_closes={'2026-11-27'='1pm'}\ndays=['monday']"), nil)
	if len(got) != 2 || got[0].Message != "is not one of: mon, tue, wed, thu, fri, sat, sun" || got[1].Message != "must be a time as HH:MM" {
		t.Errorf("got %v", got)
	}
}

func TestSecrets(t *testing.T) {
	for _, g := range goldens(t) {
		if g.name != "bot" && g.name != "agent" && g.name != "rules" {
			continue
		}
		want := map[string]string{
			"bot":   "/exchange/key /exchange/secret /telegram/token /unheard_of/api_secret",
			"agent": "/outputs/influxdb_v2/0/token /secretstores/0/password",
			"rules": "/storage/secret_key",
		}[g.name]
		if got := strings.Join(g.schema.Secrets(g.value), " "); got != want {
			t.Errorf("%s: got %s, want %s", g.name, got, want)
		}
	}
}

func TestAHugeDocumentIsAnsweredAtOnce(t *testing.T) {
	value := map[string]any{}
	labels := map[string]any{}
	rules := []any{}
	for i := range 10000 {
		key := "key" + strconv.Itoa(i)
		value[key] = int64(i)
		labels[key] = "x"
		rules = append(rules, map[string]any{"name": key, "size": "wrong"})
	}
	value["labels"], value["rules"] = labels, rules
	value["name"] = strings.Repeat("long ", 2<<20)
	s := load(t, trading)
	form := submit(s.Form(value))
	edits, problems := s.Decode(form, value)
	if len(edits)+len(problems) > 0 {
		t.Errorf("untouched, it has %d edits and %d problems", len(edits), len(problems))
	}
	if got := len(s.Validate(value, nil)); got != 10000 {
		t.Errorf("got %d problems, want 10 000", got)
	}
	s.Form(value).WithInput(form).WithProblems(s.Validate(value, nil))
}

func TestADeepDocumentIsShown(t *testing.T) {
	s := load(t, trading)
	deep := map[string]any{"v": int64(1)}
	for range 1000 {
		deep = map[string]any{"v": int64(1), "next": deep}
	}
	untouched(t, s, map[string]any{"node": deep})
}
