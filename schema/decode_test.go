package schema

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// load compiles a schema that a test writes down.
func load(t testing.TB, text string) *Schema {
	t.Helper()
	path := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const trading = `{"type":"object","properties":{
	"risk":{"type":"object","properties":{
		"max":{"type":"number","maximum":100000,"x-unit":"USD"},
		"count":{"type":"integer"},
		"stop":{"type":"boolean","default":true},
		"soft":{"type":"boolean"}},"required":["max"]},
	"name":{"type":"string"},
	"level":{"enum":["debug","info"],"default":"info"},
	"key":{"type":"string","writeOnly":true},
	"at":{"type":"string","format":"time"},
	"day":{"type":"string","format":"date"},
	"fixed":{"type":"string","readOnly":true},
	"port":{"type":["integer","string"]},
	"symbols":{"type":"array","items":{"type":"string"}},
	"days":{"type":"array","uniqueItems":true,"items":{"enum":["mon","tue","wed"]}},
	"labels":{"type":"object","additionalProperties":{"type":"string"}},
	"rules":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"size":{"type":"integer"},"on":{"type":"boolean"}},"required":["name"]}},
	"store":{"oneOf":[
		{"title":"Folder","type":"object","properties":{"kind":{"const":"dir"},"path":{"type":"string"}},"required":["kind"]},
		{"title":"Bucket","type":"object","properties":{"kind":{"const":"s3"},"bucket":{"type":"string"}},"required":["kind"]}]},
	"node":{"$ref":"#/$defs/node"}},
	"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/node"}}}}}`

const tradingDoc = `
name = "one"
level = "info"
key = "hush"
at = "09:30:00"
day = 2026-12-24
fixed = "stone"
port = "80"
symbols = ["A", "B", "C"]
days = ["tue"]
mystery = 5
[risk]
max = 5000.0
count = 3
[labels]
a = "1"
[[rules]]
name = "r0"
[[rules]]
name = "r1"
size = 1
[[rules]]
name = "r2"
[store]
kind = "dir"
path = "/tmp"
extra = 1
`

func TestDecode(t *testing.T) {
	s := load(t, trading)
	doc := parse(t, tradingDoc)
	set := func(pairs ...string) func(url.Values) {
		return func(f url.Values) {
			for i := 0; i < len(pairs); i += 2 {
				f.Set(pairs[i], pairs[i+1])
			}
		}
	}
	add := func(name, value string) func(url.Values) { return func(f url.Values) { f.Add(name, value) } }
	for _, c := range []struct {
		name    string
		fill    func(url.Values)
		edits   []Edit
		problem string // "pointer: part of the message"
	}{
		{name: "a number changes as a number of its kind", fill: set("risk.max", "8000"), edits: []Edit{{Pointer: "/risk/max", Value: 8000.0}}},
		{name: "spaces between digits are fine", fill: set("risk.count", "8 000"), edits: []Edit{{Pointer: "/risk/count", Value: int64(8000)}}},
		{name: "the same number in another notation changes nothing", fill: set("risk.max", "5e3")},
		{name: "a blank optional number is removed", fill: set("risk.count", ""), edits: []Edit{{Pointer: "/risk/count", Remove: true}}},
		{name: "a blank required number is a problem", fill: set("risk.max", " "), problem: "/risk/max: is required"},
		{name: "a word is no number", fill: set("risk.count", "many"), problem: "/risk/count: must be a whole number"},
		{name: "a fraction is no whole number", fill: set("risk.count", "1.5"), problem: "/risk/count: must be a whole number"},
		{name: "a comma is no point", fill: set("risk.max", "1,5"), problem: "/risk/max: write a decimal point"},
		{name: "a number beyond int64", fill: set("risk.count", "9223372036854775808"), problem: "/risk/count: must be between -9 223"},
		{name: "not a number", fill: set("risk.max", "NaN"), problem: "/risk/max: must be a finite number"},
		{name: "infinity", fill: set("risk.max", "-inf"), problem: "/risk/max: must be a finite number"},
		{name: "too large a number", fill: set("risk.max", "1e999"), problem: "/risk/max: is too large"},
		{name: "a box that shows its default is left alone", fill: set("risk.stop", "true")},
		{name: "a box unchecked", fill: set("risk.stop", "false"), edits: []Edit{{Pointer: "/risk/stop", Value: false}}},
		{name: "a box with its hidden twin", fill: func(f url.Values) { f["risk.stop"] = []string{"false", "on"} }},
		{name: "a switch without default is set", fill: set("risk.soft", "false"), edits: []Edit{{Pointer: "/risk/soft", Value: false}}},
		{name: "a text", fill: set("name", "two"), edits: []Edit{{Pointer: "/name", Value: "two"}}},
		{name: "a blank optional text is removed", fill: set("name", ""), edits: []Edit{{Pointer: "/name", Remove: true}}},
		{name: "two quotes are the empty text", fill: set("name", `""`), edits: []Edit{{Pointer: "/name", Value: ""}}},
		{name: "a choice", fill: set("level", "debug"), edits: []Edit{{Pointer: "/level", Value: "debug"}}},
		{name: "a choice taken back", fill: set("level", ""), edits: []Edit{{Pointer: "/level", Remove: true}}},
		{name: "no such choice", fill: set("level", "loud"), problem: "/level: is not one of: debug, info"},
		{name: "a secret typed", fill: set("key", "new"), edits: []Edit{{Pointer: "/key", Value: "new"}}},
		{name: "a secret removed", fill: set(":remove", "key"), edits: []Edit{{Pointer: "/key", Remove: true}}},
		{name: "a time without its seconds is the same time", fill: set("at", "09:30")},
		{name: "another time has seconds too", fill: set("at", "10:00"), edits: []Edit{{Pointer: "/at", Value: "10:00:00"}}},
		{name: "a TOML date stays one", fill: set("day", "2026-12-25"), edits: []Edit{{Pointer: "/day", Value: toml.LocalDate{Year: 2026, Month: 12, Day: 25}}}},
		{name: "no such date", fill: set("day", "2026-13-01"), problem: "/day: must be a date"},
		{name: "a read-only key", fill: set("fixed", "sand"), problem: "/fixed: cannot be changed"},
		{name: "text or number: a number", fill: set("port", "81"), edits: []Edit{{Pointer: "/port", Value: int64(81)}}},
		{name: "text or number: a quoted number is text", fill: set("port", `"81"`), edits: []Edit{{Pointer: "/port", Value: "81"}}},
		{name: "text or number: text", fill: set("port", "http"), edits: []Edit{{Pointer: "/port", Value: "http"}}},
		{name: "a line more", fill: set("symbols", "A\r\nB\r\nC\r\nD\r\n"), edits: []Edit{{Pointer: "/symbols/3", Value: "D"}}},
		{name: "a line less", fill: set("symbols", "A\nC"), edits: []Edit{{Pointer: "/symbols/1", Remove: true}}},
		{name: "a line changed", fill: set("symbols", "A\nX\nC"), edits: []Edit{{Pointer: "/symbols/1", Value: "X"}}},
		{name: "lines in another order", fill: set("symbols", "C\nB\nA"), edits: []Edit{{Pointer: "/symbols/0", Value: "C"}, {Pointer: "/symbols/2", Value: "A"}}},
		{name: "no lines", fill: set("symbols", ""), edits: []Edit{{Pointer: "/symbols", Value: []any{}}}},
		{name: "boxes keep what was there first", fill: func(f url.Values) { f["days"] = []string{"", "mon", "tue"} }, edits: []Edit{{Pointer: "/days/1", Value: "mon"}}},
		{name: "no such box", fill: add("days", "sun"), problem: `/days: "sun" is not one of`},
		{name: "an entry changed", fill: set("labels.a", "2"), edits: []Edit{{Pointer: "/labels/a", Value: "2"}}},
		{name: "an entry added", fill: set(":add", "labels", ":key:labels", "b.c", "labels.b%2Ec", "x"), edits: []Edit{{Pointer: "/labels/b.c", Value: "x"}}},
		{name: "an entry removed", fill: set(":remove", "labels.a"), edits: []Edit{{Pointer: "/labels/a", Remove: true}}},
		{name: "a group added", fill: set(":add", "rules"), edits: []Edit{{Pointer: "/rules/3", Value: map[string]any{}}}},
		{name: "a group filled in", fill: set(":items:rules", "0 1 2 3", "rules.3.name", "r3", "rules.3.size", ""), edits: []Edit{{Pointer: "/rules/3", Value: map[string]any{"name": "r3"}}}},
		{name: "a group removed", fill: set(":remove", "rules.1"), edits: []Edit{{Pointer: "/rules/1", Remove: true}}},
		{name: "all groups removed", fill: set(":items:rules", ""), edits: []Edit{{Pointer: "/rules", Remove: true}}},
		{name: "a group moved", fill: set(":move", "up rules.2"), edits: []Edit{{Pointer: "/rules", Order: []int{0, 2, 1}}}},
		{name: "a group moved, one changed, one removed, one added", fill: set(":items:rules", "2 5 0", "rules.0.name", "R0", "rules.5.name", "new"),
			edits: []Edit{{Pointer: "/rules/0/name", Value: "R0"}, {Pointer: "/rules/1", Remove: true}, {Pointer: "/rules/2", Value: map[string]any{"name": "new"}}, {Pointer: "/rules", Order: []int{1, 2, 0}}}},
		{name: "a move beyond the end", fill: set(":move", "down rules.2")},
		{name: "another alternative", fill: set(":pick:store", "1"), edits: []Edit{{Pointer: "/store/kind", Value: "s3"}, {Pointer: "/store/path", Remove: true}}},
		{name: "another alternative, filled in", fill: set(":pick:store", "1", "store.bucket", "b", "store.kind", "s3"), edits: []Edit{{Pointer: "/store/kind", Value: "s3"}, {Pointer: "/store/bucket", Value: "b"}, {Pointer: "/store/path", Remove: true}}},
		{name: "no alternative", fill: set(":pick:store", ""), edits: []Edit{{Pointer: "/store", Remove: true}}},
		{name: "a table that is not there gets its first key", fill: set("node.v", "1"), edits: []Edit{{Pointer: "/node/v", Value: int64(1)}}},
		{name: "a table asked for", fill: set(":add", "node.next", "node.next.v", "2"), edits: []Edit{{Pointer: "/node/next/v", Value: int64(2)}}},
		{name: "an unknown field", fill: set("<script>", "1"), problem: `: the form has a field "<script>"`},
		{name: "a key of JavaScript's own", fill: set("__proto__", "1"), problem: `: the form has a field "__proto__"`},
		{name: "an element that there is not cannot be filled in", fill: set("rules.7.size", "6"), problem: `/rules: has no element that the field "rules.7.size" could belong to`},
		{name: "nor one that has no number", fill: set("rules.x", "6"), problem: `/rules: has no element`},
		{name: "a key that the schema does not know cannot be set", fill: set("mystery", "6"), problem: `: the form has a field "mystery"`},
		{name: "a field twice", fill: add("name", "x"), problem: "/name: was sent more than once"},
		{name: "a NUL", fill: set("name", "a\x00b"), problem: "/name: holds a NUL"},
		{name: "invalid UTF-8", fill: set("name", "a\xffb"), problem: "/name: holds bytes that are not text"},
		{name: "a name of invalid UTF-8", fill: set("\xff", "1"), problem: ": the form has a field"},
		{name: "bookkeeping of others is ignored", fill: set(":csrf", "1", ":revision", "")},
		{name: "nonsense in the bookkeeping is ignored", fill: set(":add", "nothing", ":remove", "", ":move", "sideways rules.0", ":pick:store", "99")},
		{name: "a part of the form leaves the rest alone", fill: func(f url.Values) {
			clear(f)
			f.Set("name", "two")
		}, edits: []Edit{{Pointer: "/name", Value: "two"}}},
		{name: "an empty form changes nothing", fill: func(f url.Values) { clear(f) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := submit(s.Form(doc))
			c.fill(form)
			edits, problems := s.Decode(form, doc)
			if !reflect.DeepEqual(edits, c.edits) {
				t.Errorf("edits:\n got %#v\nwant %#v", edits, c.edits)
			}
			if _, err := Apply(doc, edits); err != nil {
				t.Errorf("applying the edits: %v", err)
			}
			if c.problem == "" {
				for _, p := range problems {
					t.Errorf("a problem at %q: %s", p.Pointer, p.Message)
				}
				return
			}
			ptr, part, _ := strings.Cut(c.problem, ": ")
			if len(problems) != 1 || problems[0].Pointer != ptr || !strings.Contains(problems[0].Message, part) {
				t.Errorf("problems: got %v, want one at %q with %q", problems, ptr, part)
			}
		})
	}
}

func TestAFormKeepsWhatWasTyped(t *testing.T) {
	s := load(t, trading)
	doc := parse(t, tradingDoc)
	form := submit(s.Form(doc))
	form.Set("risk.count", "many")
	form.Set("name", "  spaced ")
	form.Set("key", "typed-secret")
	form.Set("symbols", "A\r\nB")
	form["days"] = []string{"", "wed"}
	f := s.Form(doc).WithInput(form)
	for name, want := range map[string]string{"risk.count": "many", "name": "  spaced ", "key": "", "symbols": "A\nB"} {
		if got := find(f, name).Value; got != want {
			t.Errorf("%s shows %q, want %q", name, got, want)
		}
	}
	if hint := find(f, "key").Hint; !strings.Contains(hint, "Type it again") {
		t.Errorf("the hint at the secret is %q, want it to ask for the secret again", hint)
	}
	if got := find(f, "days").Options; got[0].Selected || got[1].Selected || !got[2].Selected {
		t.Errorf("the days chosen are %v, want wed alone", got)
	}
	_, problems := s.Decode(form, doc)
	f = f.WithProblems(problems)
	if got := find(f, "risk.count").Problems; len(got) != 1 || got[0] != "must be a whole number" {
		t.Errorf("the problems at risk.count are %q", got)
	}
}

func TestButtonsChangeTheShapeOfAForm(t *testing.T) {
	s := load(t, trading)
	doc := parse(t, tradingDoc)
	press := func(t *testing.T, form url.Values, button, value string) Form {
		t.Helper()
		form.Set(button, value)
		if !Pressed(form) {
			t.Errorf("Pressed does not know %s", button)
		}
		return s.Form(doc).WithInput(form)
	}
	t.Run("a group is added, filled in, moved up and sent", func(t *testing.T) {
		f := press(t, submit(s.Form(doc)), ":add", "rules")
		form := submit(f)
		if find(f, "rules.3.name") == nil {
			t.Fatal("there is no input for the new group")
		}
		form.Set("rules.3.name", "r3")
		f = press(t, form, ":move", "up rules.3")
		if got := findSection(f.Sections, "rules").Sections[2]; got.Name != "rules.3" || got.Fields[0].Value != "r3" || got.Pointer != "/rules/2" {
			t.Errorf("the third group is %s at %s with %q, want rules.3 at /rules/2 with r3", got.Name, got.Pointer, got.Fields[0].Value)
		}
		edits, problems := s.Decode(submit(f), doc)
		want := []Edit{{Pointer: "/rules/3", Value: map[string]any{"name": "r3"}}, {Pointer: "/rules", Order: []int{0, 1, 3, 2}}}
		if !reflect.DeepEqual(edits, want) || problems != nil {
			t.Errorf("edits:\n got %#v, problems %v\nwant %#v", edits, problems, want)
		}
	})
	t.Run("a removed group is gone and the others keep what was typed", func(t *testing.T) {
		form := submit(s.Form(doc))
		form.Set("rules.2.name", "typed")
		f := press(t, form, ":remove", "rules.0")
		groups := findSection(f.Sections, "rules").Sections
		if len(groups) != 2 || groups[1].Fields[0].Value != "typed" || groups[1].Fields[0].Pointer != "/rules/1/name" {
			t.Errorf("the groups are now %v", groups)
		}
		edits, _ := s.Decode(submit(f), doc)
		want := []Edit{{Pointer: "/rules/2/name", Value: "typed"}, {Pointer: "/rules/0", Remove: true}}
		if !reflect.DeepEqual(edits, want) {
			t.Errorf("edits: got %#v, want %#v", edits, want)
		}
	})
	t.Run("problems of the new document stand at the groups where they now are", func(t *testing.T) {
		f := press(t, submit(s.Form(doc)), ":move", "up rules.1").WithProblems([]Problem{{Pointer: "/rules/0/size", Message: "is odd"}})
		if got := find(f, "rules.1.size").Problems; len(got) != 1 {
			t.Errorf("the problem is not at the group that moved to the top: %v", got)
		}
	})
	t.Run("a map's new entry needs a name that is free", func(t *testing.T) {
		for key, want := range map[string]string{"": "give the new key a name", "a": "already", "x\x00": "characters"} {
			form := submit(s.Form(doc))
			form.Set(":key:labels", key)
			f := press(t, form, ":add", "labels")
			add := findSection(f.Sections, "labels").Add
			if !strings.Contains(add.Problem, want) {
				t.Errorf("the key %q: got %q, want %q", key, add.Problem, want)
			}
		}
	})
	t.Run("another alternative shows its own fields, and going back shows the old ones", func(t *testing.T) {
		form := submit(s.Form(doc))
		form.Set(":pick:store", "1")
		f := press(t, form, ":show", "store")
		if find(f, "store.bucket") == nil || find(f, "store.path") != nil {
			t.Error("the bucket's fields are not shown, or the folder's still are")
		}
		if find(f, "store.kind") != nil {
			t.Error("what the choice says is asked for once more")
		}
		form = submit(f)
		form.Set(":pick:store", "0")
		f = press(t, form, ":show", "store")
		if edits, problems := s.Decode(submit(f), doc); len(edits)+len(problems) > 0 {
			t.Errorf("going back leaves edits %v, problems %v", edits, problems)
		}
	})
	t.Run("a recursive table is added a step at a time", func(t *testing.T) {
		f := press(t, submit(s.Form(doc)), ":add", "node.next")
		if find(f, "node.next.v") == nil || find(f, "node.next.next.v") != nil {
			t.Error("want the fields of node.next and none below")
		}
	})
	t.Run("a table taken out can be brought back", func(t *testing.T) {
		deep := parse(t, "[node]\nv=1\n[node.next]\nv=2")
		form := submit(s.Form(deep))
		form.Set(":remove", "node.next")
		f := s.Form(deep).WithInput(form)
		edits, _ := s.Decode(submit(f), deep)
		if want := []Edit{{Pointer: "/node/next", Remove: true}}; !reflect.DeepEqual(edits, want) {
			t.Errorf("edits: got %#v, want %#v", edits, want)
		}
		form = submit(f)
		form.Set(":add", "node.next")
		if edits, _ := s.Decode(submit(s.Form(deep).WithInput(form)), deep); len(edits) > 0 {
			t.Errorf("brought back, it still has edits %v", edits)
		}
	})
}

func TestApplyLeavesItsArgumentAlone(t *testing.T) {
	doc := map[string]any{"a": map[string]any{"b": int64(1)}, "l": []any{"x"}}
	got, err := Apply(doc, []Edit{{Pointer: "/a/b", Value: int64(2)}, {Pointer: "/l/1", Value: "y"}, {Pointer: "/n/m", Value: true}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": map[string]any{"b": int64(2)}, "l": []any{"x", "y"}, "n": map[string]any{"m": true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if doc["a"].(map[string]any)["b"] != int64(1) || len(doc["l"].([]any)) != 1 {
		t.Errorf("the argument is now %v", doc)
	}
	for _, bad := range []Edit{{Pointer: "/a/z", Remove: true}, {Pointer: "/l/7", Value: 1}, {Pointer: "/a/b/c", Value: 1}, {Pointer: "/l", Order: []int{0, 0}}} {
		if _, err := Apply(doc, []Edit{bad}); err == nil || !strings.Contains(err.Error(), bad.Pointer) {
			t.Errorf("%v: got error %v, want one that names the place", bad, err)
		}
	}
}
