package handlers

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// fromText is the document that a text of the raw view stands for. reference is the version that was
// shown, base the file's: a mask stands for the secret that the same key has there. Keys in lists of
// tables are the same where the rest of their table is, or its name, before their place counts.
// Problems are masks that stand for nothing; lines are those of the text.
func (s *Server) fromText(text string, reference, base liveConfig) (content []byte, problems []stack.Problem) {
	content = s.sheetOf(reference.Content, s.secretsOf(base)).restore(text)
	typed, err := configfile.Parse([]byte(text))
	if err != nil {
		return content, nil // what is wrong with it is said by whoever parses it
	}
	var masks []string
	for _, ptr := range s.o.Schema.Secrets(typed.Value()) {
		if v, _ := typed.Get(ptr); v == schema.Mask {
			masks = append(masks, ptr)
		}
	}
	doc, err := configfile.Parse(content)
	if err != nil {
		// A line was taken for another that only looks the same: what was typed counts.
		return []byte(text), []stack.Problem{{Message: "The masked lines could not be told apart. Give the secrets themselves."}}
	}
	sources := []map[string]any{reference.Value, base.Value}
	for _, ptr := range masks {
		var secret any
		for _, from := range sources {
			if secret = s.sameKey(typed.Value(), from, ptr); secret != nil {
				break
			}
		}
		now, _ := doc.Get(ptr)
		if secret == nil && reference.Value == nil {
			// By place alone; a line that was paired with another's says that places changed.
			if secret = brokenSecret(reference.Content, ptr); now != schema.Mask && now != secret {
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

// sameKey is the value in from of the key at this pointer of doc; nil: there is none.
func (s *Server) sameKey(doc, from map[string]any, ptr string) any {
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
	if there == schema.Mask {
		return nil
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

// secretsOf are the secrets of a version that can be looked for in any text.
func (s *Server) secretsOf(l liveConfig) []string {
	doc, err := configfile.Parse(l.Content)
	if err != nil {
		return nil
	}
	return secretTexts(doc, s.o.Schema.Secrets(doc.Value()))
}

var (
	brokenTable = regexp.MustCompile(`^\s*(\[+)\s*([^\]]+?)\s*\]+`)
	brokenKey   = regexp.MustCompile(`^(\s*#*\s*)([A-Za-z0-9_."' -]+?)(\s*[=:]\s*)(.+?)(\s*)$`)
)

// maskBroken hides what may be secret in a text that does not parse, line by line: too much rather
// than too little. known are secrets of other versions.
func (s *Server) maskBroken(content []byte, known []string) []byte {
	var out bytes.Buffer
	until := "" // the end of a secret text of several lines
	eachBrokenLine(content, func(line []byte, ptr string) {
		body := bytes.TrimRight(line, "\r\n")
		end := line[len(body):]
		if until != "" {
			if bytes.Contains(body, []byte(until)) {
				until = ""
			}
			fmt.Fprintf(&out, "%s%s", schema.Mask, end)
			return
		}
		if m := brokenKey.FindSubmatch(body); m != nil && s.secretPlace(ptr, string(m[2])) {
			for _, quotes := range []string{`"""`, `'''`} {
				if bytes.Count(m[4], []byte(quotes)) == 1 {
					until = quotes
				}
			}
			fmt.Fprintf(&out, "%s%s%s%q%s%s", m[1], m[2], m[3], schema.Mask, m[5], end)
			return
		}
		for _, secret := range known {
			line = bytes.ReplaceAll(line, []byte(secret), []byte(schema.Mask))
		}
		out.Write(line)
	})
	return out.Bytes()
}

// secretPlace tells whether a key in a text that does not parse is secret.
func (s *Server) secretPlace(table, key string) bool {
	ptr := table
	for _, k := range strings.Split(key, ".") {
		k = strings.Trim(strings.TrimSpace(k), `"'`)
		ptr = configfile.JoinPointer(ptr, k)
		if s.o.Schema.At(configfile.JoinPointer("", k)).Secret {
			return true
		}
	}
	return s.o.Schema.At(ptr).Secret
}

// eachBrokenLine goes through a text that need not parse with the pointer of the table that each line
// is in.
func eachBrokenLine(content []byte, do func(line []byte, table string)) {
	table, lists := "", map[string]int{}
	for _, line := range rawLines(content) {
		if m := brokenTable.FindSubmatch(line); m != nil {
			table = ""
			keys := strings.Split(string(m[2]), ".")
			for i, k := range keys {
				table = configfile.JoinPointer(table, strings.Trim(strings.TrimSpace(k), `"'`))
				if i == len(keys)-1 && len(m[1]) > 1 {
					lists[table]++
				}
				if n := lists[table]; n > 0 {
					table = configfile.JoinPointer(table, strconv.Itoa(n-1))
				}
			}
		}
		do(line, table)
	}
}

// brokenSecret is the secret text at a pointer of a version that does not parse; nil: it is not found.
func brokenSecret(content []byte, ptr string) (secret any) {
	eachBrokenLine(content, func(line []byte, table string) {
		m := brokenKey.FindSubmatch(bytes.TrimRight(line, "\r\n"))
		if secret != nil || m == nil || bytes.Contains(m[1], []byte("#")) {
			return
		}
		at := table
		for _, k := range strings.Split(string(m[2]), ".") {
			at = configfile.JoinPointer(at, strings.Trim(strings.TrimSpace(k), `"'`))
		}
		if at != ptr {
			return
		}
		if doc, err := configfile.Parse(append([]byte("x = "), m[4]...)); err == nil {
			if v, ok := doc.Get("/x"); ok && v != schema.Mask {
				secret = v
			}
		}
	})
	return secret
}
