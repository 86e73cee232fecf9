package schema

import (
	"reflect"
	"strings"
	"testing"
)

// TestTimesAsBrowsersHaveThem: a browser drops seconds that are zero, and shows and sends nothing where
// it does not understand what stands there.
func TestTimesAsBrowsersHaveThem(t *testing.T) {
	s := load(t, `{"type": "object", "properties": {"at": {"type": "string", "format": "time"}, "on": {"type": "string", "format": "date-time"}}}`)
	for _, c := range []struct {
		key, file, shown string
		control          Control
		sent, want       string // sent "": the same as shown
	}{
		{"at", "09:30", "09:30", Time, "10:15", "10:15"},
		{"at", "09:30:00", "09:30:00", Time, "09:30", "09:30:00"},
		{"at", "09:30:00", "09:30:00", Time, "10:15", "10:15:00"},
		{"at", "09:30:30", "09:30:30", Time, "09:30:31", "09:30:31"},
		{"at", "09:30Z", "09:30Z", Text, "10:15", "10:15"},
		{"at", "23:59:60", "23:59:60", Text, "", "23:59:60"},
		{"on", "2026-03-02T07:45:00", "2026-03-02T07:45", DateTime, "", "2026-03-02T07:45:00"},
		{"on", "2026-03-02 07:45:30.500", "2026-03-02T07:45:30.5", DateTime, "", "2026-03-02 07:45:30.500"},
		{"on", "2026-03-02 07:45:00", "2026-03-02T07:45", DateTime, "2026-03-03T08:00", "2026-03-03 08:00:00"},
		{"on", "2026-03-02T07:45", "2026-03-02T07:45", DateTime, "2026-03-03T08:00", "2026-03-03T08:00"},
		{"on", "2026-03-02T07:45:30.1234", "2026-03-02T07:45:30.1234", Text, "", "2026-03-02T07:45:30.1234"},
		{"on", "2026-03-02T07:45:00Z", "2026-03-02T07:45:00Z", Text, "", "2026-03-02T07:45:00Z"},
	} {
		doc := map[string]any{c.key: c.file}
		form := s.Form(doc)
		if f := find(form, c.key); f.Control != c.control || f.Value != c.shown {
			t.Errorf("%s: shown as %s %q, want %s %q", c.file, f.Control, f.Value, c.control, c.shown)
		}
		sent := submit(form)
		if c.sent != "" {
			sent.Set(c.key, c.sent)
		}
		edits, problems := s.Decode(sent, doc)
		after, err := Apply(doc, edits)
		if err != nil || len(problems) > 0 || after[c.key] != c.want {
			t.Errorf("%s, sent %q: got %v, %v, %v, want %s", c.file, sent.Get(c.key), after[c.key], problems, err, c.want)
		}
	}
}

func TestAConstIsNamedByItsValue(t *testing.T) {
	s := load(t, `{"type": "object", "properties": {"v": {"title": "Protocol", "const": 2}}}`)
	if got, want := find(s.Form(map[string]any{"v": int64(2)}), "v").Options, (Option{"2", "2", "", true}); len(got) != 2 || got[1] != want {
		t.Errorf("got %+v, want %+v at the end", got, want)
	}
}

func TestABoundThatIsNotAllowedItself(t *testing.T) {
	s := load(t, `{"type": "object", "properties": {
		"a": {"type": "number", "exclusiveMinimum": 0, "maximum": 9}, "b": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9},
		"c": {"type": "number", "exclusiveMaximum": 9, "minimum": 0}}}`)
	form := s.Form(nil)
	for name, want := range map[string]Field{"a": {Min: "0", Above: true, Max: "9"}, "b": {Min: "1", Max: "8"}, "c": {Min: "0", Max: "9", Below: true}} {
		if f := find(form, name); f.Min != want.Min || f.Max != want.Max || f.Above != want.Above || f.Below != want.Below {
			t.Errorf("%s: %q %v, %q %v", name, f.Min, f.Above, f.Max, f.Below)
		}
	}
}

// TestWhatHasNoBlankIsReset: a box or a list says nothing when it is empty, so that a button takes the
// key out; what is chosen after that counts.
func TestWhatHasNoBlankIsReset(t *testing.T) {
	s := load(t, `{"type": "object", "properties": {
		"on": {"type": "boolean", "default": true},
		"days": {"type": "array", "uniqueItems": true, "items": {"enum": ["mon", "tue"]}, "default": ["mon"]},
		"names": {"type": "array", "items": {"type": "string"}}}}`)
	if find(s.Form(parse(t, "on = true")), "on").Remove != nil {
		t.Error("a default can be reset to itself")
	}
	doc := parse(t, "on = false\ndays = [\"tue\"]\nnames = [\"a\"]\n")
	for name, c := range map[string]struct {
		label, fill string
		want        any
	}{
		"on":    {"Reset to default", "true", nil}, // as the default is
		"days":  {"Reset to default", "mon", []any{"mon"}},
		"names": {"Remove from the file", "b", []any{"b"}},
	} {
		if b := find(s.Form(doc), name).Remove; b == nil || b.Label != c.label {
			t.Fatalf("%s: the button is %+v", name, b)
		}
		form := submit(s.Form(doc))
		form.Set(":remove", name)
		reset := s.Form(doc).WithInput(form)
		if find(reset, name).Remove != nil {
			t.Errorf("%s can be reset twice", name)
		}
		edits, problems := s.Decode(submit(reset), doc)
		if want := []Edit{{Pointer: "/" + name, Remove: true}}; !reflect.DeepEqual(edits, want) || len(problems) > 0 {
			t.Errorf("%s reset: %+v, %v", name, edits, problems)
		}
		form = submit(reset)
		form.Set(name, c.fill)
		edits, problems = s.Decode(form, doc)
		after, err := Apply(doc, edits)
		if err != nil || len(problems) > 0 || !reflect.DeepEqual(after[name], c.want) {
			t.Errorf("%s reset and filled in: %+v, %v, %v", name, after[name], problems, err)
		}
	}
}

// TestWhatAConditionAsksForShowsWhatItBrings: one sees the keys of the other branch before saving.
func TestWhatAConditionAsksForShowsWhatItBrings(t *testing.T) {
	s := load(t, `{"type": "object", "properties": {"mode": {"enum": ["live", "paper"]}, "other": {"type": "string"}},
		"if": {"properties": {"mode": {"const": "live"}}, "required": ["mode"]},
		"then": {"properties": {"account": {"type": "string"}}}, "else": {"properties": {"seed": {"type": "integer"}}}}`)
	doc := parse(t, "mode = \"live\"\n")
	form := s.Form(doc)
	if find(form, "other").Show != nil || find(form, "mode").Show == nil {
		t.Fatal("not the condition's key alone can be shown")
	}
	sent := submit(form)
	sent.Set("mode", "paper")
	sent.Set(find(form, "mode").Show.Name, find(form, "mode").Show.Value)
	form = form.WithInput(sent)
	if find(form, "seed") == nil || find(form, "account") != nil {
		t.Error("the other branch is not shown")
	}
}

// TestEnterInTheNameOfANewEntryAddsIt, and a form without one is as it was sent.
func TestEnterInTheNameOfANewEntryAddsIt(t *testing.T) {
	s := load(t, trading)
	doc := parse(t, tradingDoc)
	form := submit(s.Form(doc))
	if Enter(form); Pressed(form) {
		t.Error("nothing was named, and something is added")
	}
	form.Set(":key:labels", "b")
	if Enter(form); find(s.Form(doc).WithInput(form), "labels.b") == nil {
		t.Error("what was named is not added")
	}
}

// TestANameThatDoesNotFitIsRefusedAtOnce, not when all is filled in and saved.
func TestANameThatDoesNotFitIsRefusedAtOnce(t *testing.T) {
	for names, want := range map[string]string{
		`{"pattern": "^[A-Z]+$", "x-pattern-message": "must be in capitals"}`: "the name must be in capitals",
		`{"pattern": "^[A-Z]+$"}`: "the pattern is ^[A-Z]+$",
		`{"format": "date"}`:      "the name must be a date",
		`{"maxLength": 2}`:        "not allowed",
	} {
		s := load(t, `{"type": "object", "properties": {"m": {"type": "object", "propertyNames": `+names+`, "additionalProperties": {"type": "integer"}}}}`)
		doc := parse(t, "[m]\n")
		form := submit(s.Form(doc))
		form.Set(":add", "m")
		form.Set(":key:m", "gold")
		add := findSection(s.Form(doc).WithInput(form).Sections, "m").Add
		if !strings.Contains(add.Problem, want) || add.KeyValue != "gold" {
			t.Errorf("%s: got %q beside %q", names, add.Problem, add.KeyValue)
		}
	}
}

// TestAKindThatFitsNoAlternativeIsShown: what the choice cannot say has to be mended in a field.
func TestAKindThatFitsNoAlternativeIsShown(t *testing.T) {
	s := load(t, trading)
	f := find(s.Form(parse(t, "[risk]\nmax = 1\n[store]\nkind = \"ftp\"\n")), "store.kind")
	if f == nil || !strings.Contains(f.Options[0].Label, "not allowed") && !strings.Contains(f.Options[1].Label, "not allowed") {
		t.Errorf("got %+v", f)
	}
}
