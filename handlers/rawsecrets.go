package handlers

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// fromText is the document that a text of the raw view stands for. reference is the version that was
// shown, base the file's: a mask stands for the secret that the same key has there. Keys in lists of
// tables are the same where the rest of their table is, or its name, before their place counts.
// Problems are masks that stand for nothing; lines are those of the text. Masks of secrets that are
// gone stay: those of these pointers, and those that the version that was shown has itself.
func (s *Server) fromText(text string, reference, base liveConfig, gone ...string) (content []byte, problems []stack.Problem) {
	sh := s.sheetOf(reference.Content, base.Content)
	content = sh.restore(text)
	if text == sh.text() && len(gone) == 0 {
		return content, nil
	}
	typed, err := configfile.Parse([]byte(text))
	if err != nil {
		return content, nil // what is wrong with it is said by whoever parses it
	}
	var masks []string
	places := s.o.Schema.Secrets(typed.Value())
	if reference.Value == nil {
		places = stringsIn(typed.Value(), "") // more than what is secret was masked
	}
	for _, ptr := range places {
		if v, _ := typed.Get(ptr); v == schema.Mask {
			masks = append(masks, ptr)
		}
	}
	doc, err := configfile.Parse(content)
	if err != nil && reference.Value == nil {
		p := stack.Problem{Message: "What is masked here is not valid TOML itself. Give the secrets themselves, and type comments that are masked anew."}
		if syntax := new(configfile.SyntaxError); errors.As(err, &syntax) {
			p.Line, p.Column = syntax.Line, syntax.Column
		}
		return content, []stack.Problem{p}
	}
	if err != nil {
		// A line was taken for another that only looks the same: what was typed counts.
		return []byte(text), []stack.Problem{{Message: "The masked lines could not be told apart. Give the secrets themselves."}}
	}
	sources := []map[string]any{reference.Value, base.Value}
	for _, ptr := range masks {
		if slices.Contains(gone, ptr) || reference.Value != nil && s.atSameKey(typed.Value(), reference.Value, ptr) == schema.Mask {
			_ = doc.Set(ptr, schema.Mask) // it is a text there already
			continue
		}
		var secret any
		for _, from := range sources {
			if secret = s.sameKey(typed.Value(), from, ptr); secret != nil {
				break
			}
		}
		now, _ := doc.Get(ptr)
		if secret == nil && reference.Value == nil {
			// By place alone; a line that was paired with another's says that places changed.
			if secret = s.brokenSecret(reference.Content, ptr); now != schema.Mask && now != secret {
				secret = nil
			}
		}
		if secret == nil {
			line, col := typed.Position(ptr)
			problems = append(problems, stack.Problem{Pointer: ptr, Line: line, Column: col, Message: "Give the secret itself, or leave the key out: the file has none here that " + strconv.Quote(schema.Mask) + " could stand for."})
			continue
		}
		if now == secret {
			continue
		}
		if err := doc.Set(ptr, secret); err != nil {
			line, col := typed.Position(ptr)
			problems = append(problems, stack.Problem{Pointer: ptr, Line: line, Column: col, Message: sentence(err)})
		}
	}
	return doc.Bytes(), problems
}

// stringsIn are the pointers of all texts in a value.
func stringsIn(v any, ptr string) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{ptr}
	case map[string]any:
		for key, e := range v {
			out = append(out, stringsIn(e, configfile.JoinPointer(ptr, key))...)
		}
	case []any:
		for i, e := range v {
			out = append(out, stringsIn(e, configfile.JoinPointer(ptr, strconv.Itoa(i)))...)
		}
	}
	slices.Sort(out)
	return out
}

// sameKey is the secret in from of the key at this pointer of doc; nil: there is none.
func (s *Server) sameKey(doc, from map[string]any, ptr string) any {
	if v := s.atSameKey(doc, from, ptr); v != schema.Mask {
		return v
	}
	return nil
}

// atSameKey is the value there, be it a mask.
func (s *Server) atSameKey(doc, from map[string]any, ptr string) any {
	if from == nil {
		return nil
	}
	hidden := map[string]bool{}
	for _, v := range []map[string]any{doc, from} {
		for _, p := range s.o.Schema.Secrets(v) {
			hidden[lastName(p)] = true
		}
	}
	var here, there any = doc, from
	for _, part := range pointerParts(ptr) {
		switch h := here.(type) {
		case map[string]any:
			t, ok := there.(map[string]any)
			if !ok {
				return nil
			}
			here, there = h[part], t[part]
		case []any:
			t, ok := there.([]any)
			i, err := strconv.Atoi(part)
			if !ok || err != nil || i >= len(h) {
				return nil
			}
			j := sameItem(h, t, i, hidden)
			if j < 0 {
				return nil
			}
			here, there = h[i], t[j]
		default:
			return nil
		}
	}
	return there
}

// sameItem is the place in a list's earlier version of its item i; -1: it is new. In a list that is as
// long as it was, one item that is left over on both sides is the same one, under another name.
func sameItem(list, earlier []any, i int, hidden map[string]bool) int {
	j := likeItem(list, earlier, i, hidden)
	if j >= 0 || len(list) != len(earlier) {
		return j
	}
	left := make(map[int]bool, len(earlier))
	for k := range earlier {
		left[k] = true
	}
	for k := range list {
		if k == i {
			continue
		}
		at := likeItem(list, earlier, k, hidden)
		if !left[at] {
			return -1 // another one is new as well, or two are like the same one
		}
		delete(left, at)
	}
	for j := range left {
		return j
	}
	return -1
}

// likeItem is sameItem by what can be seen of the item itself.
func likeItem(list, earlier []any, i int, hidden map[string]bool) int {
	item, ok := list[i].(map[string]any)
	if !ok {
		if i < len(earlier) && len(list) == len(earlier) {
			return i
		}
		return -1
	}
	found, count := -1, 0
	for j, e := range earlier {
		if reflect.DeepEqual(openPart(list[i], hidden), openPart(e, hidden)) {
			if j == i {
				return i
			}
			found, count = j, count+1
		}
	}
	if count == 1 {
		return found
	}
	for _, name := range []string{"id", "name", "key", "host", "account", "user", "title"} {
		v, ok := item[name]
		if !ok || hidden[name] {
			continue
		}
		for j, e := range earlier {
			if t, ok := e.(map[string]any); ok && reflect.DeepEqual(t[name], v) {
				return j
			}
		}
		return -1 // it has a name, and nobody had it
	}
	if i < len(earlier) && len(list) == len(earlier) {
		return i
	}
	return -1
}

// openPart is a value without what is hidden in it.
func openPart(v any, hidden map[string]bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if !hidden[k] {
				out[k] = openPart(e, hidden)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = openPart(e, hidden)
		}
		return out
	}
	return v
}

func pointerParts(ptr string) []string {
	if ptr == "" {
		return nil
	}
	parts := strings.Split(ptr[1:], "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}
