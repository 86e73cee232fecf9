package schema

import (
	"net/url"
	"reflect"
	"testing"
)

const putBackSchema = `{"type": "object", "properties": {
	"t": {"title": "Broker", "type": "object", "properties": {
		"key": {"type": "string", "writeOnly": true}, "days": {"type": "array", "uniqueItems": true, "items": {"enum": ["mon", "tue"]}},
		"early": {"title": "Early closes", "type": "object", "additionalProperties": {"type": "string"}}}},
	"feeds": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}}`

// TestWhatWasTakenOutCanBePutBack: the form with what is left of it says what was taken out, and the
// button that it then has leaves the document as it was.
func TestWhatWasTakenOutCanBePutBack(t *testing.T) {
	s := load(t, putBackSchema)
	doc := map[string]any{
		"t":     map[string]any{"key": "k", "days": []any{"mon"}, "early": map[string]any{"a": "1", "b": "2", "c": "3"}},
		"feeds": []any{map[string]any{"name": "main"}, map[string]any{"name": "backup"}, map[string]any{"name": "legacy"}},
	}
	press := func(form url.Values, button, value string) url.Values {
		sent := url.Values{button: {value}}
		for name, v := range form {
			sent[name] = v
		}
		return sent
	}
	for _, c := range []struct {
		gone string
		back Button
	}{
		{"t.key", Button{":back", "t.key", "Put it back"}},
		{"t.days", Button{":back", "t.days", "Put it back"}},
		{"t.early", Button{":add", "t.early", "Put early closes back"}},
		{"t.early.b", Button{":back", "t.early.b", "Put b back"}},
		{"feeds.1", Button{":back", "feeds.1", "Put backup back"}},
	} {
		t.Run(c.gone, func(t *testing.T) {
			form := s.Form(doc)
			without := form.WithInput(press(submit(form), ":remove", c.gone))
			if edits, problems := s.Decode(submit(without), doc); len(edits) != 1 || !edits[0].Remove || len(problems) > 0 {
				t.Fatalf("edits %+v and problems %v, want one removal", edits, problems)
			}
			if !offers(without.Sections, c.back) {
				t.Fatalf("the form has no button %+v", c.back)
			}
			again := without.WithInput(press(submit(without), c.back.Name, c.back.Value))
			if edits, problems := s.Decode(submit(again), doc); len(edits) > 0 || len(problems) > 0 {
				t.Errorf("edits %+v and problems %v, want none", edits, problems)
			}
			if offers(again.Sections, c.back) {
				t.Error("it can be put back a second time")
			}
		})
	}
	t.Run("what the document never had cannot be", func(t *testing.T) {
		form := s.Form(doc)
		for _, name := range []string{"feeds.7", "feeds.x", "t.early.z", "", "nothing.at.all"} {
			if edits, problems := s.Decode(press(submit(form), ":back", name), doc); len(edits) > 0 || len(problems) > 0 {
				t.Errorf("%q: edits %+v and problems %v, want none", name, edits, problems)
			}
		}
	})
}

func offers(list []Section, want Button) bool {
	found := false
	for _, s := range list {
		for _, b := range s.Back {
			found = found || b == want
		}
		for _, f := range s.Fields {
			found = found || f.Back != nil && *f.Back == want
		}
		found = found || s.Add != nil && s.Add.Button == want || offers(s.Sections, want)
	}
	return found
}

func TestASecretSaysWhetherItIsSet(t *testing.T) {
	s := load(t, putBackSchema)
	for name, c := range map[string]struct {
		doc  map[string]any
		sent url.Values
		want Field
	}{
		"set":       {map[string]any{"key": "k"}, url.Values{}, Field{Present: true, Hint: "Set in the file. Leave blank to keep it as it is."}},
		"empty":     {map[string]any{"key": ""}, url.Values{}, Field{Present: true, Empty: true, Hint: "Empty in the file. Leave blank to keep it so."}},
		"not set":   {map[string]any{}, url.Values{}, Field{Hint: "Not set."}},
		"taken out": {map[string]any{"key": "k"}, url.Values{":remove": {"t.key"}}, Field{Removed: true, Hint: "It is taken out of the file when this is saved."}},
	} {
		f := find(s.Form(map[string]any{"t": c.doc}).WithInput(c.sent), "t.key")
		got := Field{Present: f.Present, Empty: f.Empty, Removed: f.Removed, Hint: f.Hint}
		if !reflect.DeepEqual(got, c.want) || f.Value != "" {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
