package schema

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// join adds a key to a JSON Pointer.
func join(ptr, key string) string { return ptr + "/" + escaper.Replace(key) }

// split takes a JSON Pointer apart; "" has no parts.
func split(ptr string) []string {
	if ptr == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(ptr, "/"), "/")
	for i, p := range parts {
		parts[i] = unescaper.Replace(p)
	}
	return parts
}

// Dotted is a JSON Pointer for people: its keys, as they are, joined by dots.
func Dotted(ptr string) string { return strings.Join(split(ptr), ".") }

// parent drops the last part of a JSON Pointer.
func parent(ptr string) string {
	return ptr[:max(strings.LastIndexByte(ptr, '/'), 0)]
}

// last is the last key of a JSON Pointer.
func last(ptr string) string {
	parts := split(ptr)
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

// The library's locations are JSON Pointers escaped once more for URLs.
func escapeLocation(key string) string { return url.PathEscape(escaper.Replace(key)) }

func unescapeLocation(loc string) string {
	if ptr, err := url.PathUnescape(loc); err == nil {
		return ptr
	}
	return loc
}

// Name returns the name of the input for the key at this pointer: its keys joined by dots, as in
// "schedule.start". In a key, every byte but ASCII letters, digits, "_" and "-" is written %XX; the
// empty key is a lone "%". So two places never share a name, and no name begins with ":", which
// marks a form's bookkeeping. A list's item is named by the index that it has, or (new ones) would
// have, in the document that the form was drawn from, wherever it has been moved to since.
func Name(ptr string) string {
	var b strings.Builder
	for i, key := range split(ptr) {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(nameKey(key))
	}
	return b.String()
}

func nameKey(key string) string {
	if key == "" {
		return "%"
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// keyOfName is the inverse of nameKey; false if nothing has this name.
func keyOfName(name string) (string, bool) {
	if name == "%" {
		return "", true
	}
	key, err := url.PathUnescape(name)
	return key, err == nil && nameKey(key) == name
}

// nameBelow is the name of a key in the table or list called name.
func nameBelow(name, key string) string {
	if name == "" {
		return nameKey(key)
	}
	return name + "." + nameKey(key)
}

// lineOf counts lines and columns (in characters) from 1.
func lineOf(b []byte, offset int) (line, col int) {
	before := b[:min(max(offset, 0), len(b))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, len([]rune(string(before[start:]))) + 1
}

// placeInJSON finds where the value at a pointer ends its first token; 0, 0 if it is not there.
func placeInJSON(b []byte, ptr string) (line, col int) {
	d := json.NewDecoder(bytes.NewReader(b))
	want := split(ptr)
	depth := 0
	for {
		before := int(d.InputOffset())
		tok, err := d.Token()
		if err != nil {
			return 0, 0
		}
		if depth == len(want) {
			// InputOffset stands before the separator and the spaces in front of the token.
			for before < len(b) && strings.IndexByte(" \t\r\n:,", b[before]) >= 0 {
				before++
			}
			return lineOf(b, before)
		}
		delim, ok := tok.(json.Delim)
		if !ok {
			return 0, 0
		}
		found := false
		for i := 0; d.More() && !found; i++ {
			key := strconv.Itoa(i)
			if delim == '{' {
				t, err := d.Token()
				if err != nil {
					return 0, 0
				}
				key, _ = t.(string)
			}
			if found = key == want[depth]; !found {
				var skip json.RawMessage
				if d.Decode(&skip) != nil {
					return 0, 0
				}
			}
		}
		if !found {
			return 0, 0
		}
		depth++
	}
}
