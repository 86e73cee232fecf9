package schema

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// notation writes a value on one line as TOML would; masked hides what may be secret.
func notation(v any, masked bool) string {
	var b strings.Builder
	write(&b, v, "", masked)
	return b.String()
}

func write(b *strings.Builder, v any, key string, masked bool) {
	if masked && soundsSecret(key) {
		b.WriteString(strconv.Quote(Mask))
		return
	}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		b.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(" " + keyNotation(k) + " = ")
			write(b, v[k], k, masked)
		}
		if len(keys) > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			write(b, item, "", masked)
		}
		b.WriteByte(']')
	case string:
		b.WriteString(quoteTOML(v))
	case float64:
		text := floatText(v)
		if !strings.ContainsAny(text, ".eni") {
			text += ".0"
		}
		b.WriteString(text)
	case bool, int64:
		fmt.Fprint(b, v)
	default:
		b.WriteString(dateText(v))
	}
}

func keyNotation(key string) string {
	for i := range len(key) {
		c := key[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return quoteTOML(key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// quoteTOML writes a basic string.
func quoteTOML(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// typeable says whether a text survives an HTML input as it is.
func typeable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return false
		}
	}
	return true
}
