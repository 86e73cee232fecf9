package configfile

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// This file scans keys and values.

func (s *scanner) entry(depth int) ([]keyPart, *raw) {
	key, parts := s.key(depth)
	s.expect("=")
	s.blanks()
	return key, s.value(depth + parts)
}

// key reads a dotted key, with the blanks around and behind it, and counts its parts.
func (s *scanner) key(depth int) (key []keyPart, parts int) {
	for s.bad == nil && !s.tooDeep(depth+parts) {
		s.blanks()
		at := span{start: s.pos}
		s.simpleKey()
		if s.bad != nil {
			break
		}
		at.end = s.pos
		parts++
		if s.keep {
			key = append(key, keyPart{at, keyName(string(s.src[at.start:at.end]))})
		}
		s.blanks()
		if s.pos >= len(s.src) || s.src[s.pos] != '.' {
			break
		}
		s.pos++
	}
	return key, parts
}

func (s *scanner) simpleKey() {
	start := s.pos
	if s.peek(`"`) || s.peek("'") {
		s.quoted()
		return
	}
	for s.pos < len(s.src) && isBareKey(s.src[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.fail("expected a key")
	}
}

// keyName is the key that text writes.
func keyName(text string) string {
	switch text[0] {
	case '"':
		return unescape(text[1 : len(text)-1])
	case '\'':
		return text[1 : len(text)-1]
	}
	return text
}

func isBareKey(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// quoted skips a string of any of the four kinds.
func (s *scanner) quoted() {
	q := s.src[s.pos]
	long := s.peek(string([]byte{q, q, q}))
	if long {
		s.pos += 3
	} else {
		s.pos++
	}
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '\\' && q == '"':
			s.newEscape()
			s.pos += 2
		case c == q && !long:
			s.pos++
			return
		case c == q && s.peek(string([]byte{q, q, q})):
			s.pos += 3
			for n := 0; n < 2 && s.pos < len(s.src) && s.src[s.pos] == q; n++ {
				s.pos++ // one or two quotes may end the content
			}
			return
		case c == '\n' && !long:
			s.fail("the string has no end on its line")
			return
		default:
			s.pos++
		}
	}
	s.pos = len(s.src)
	s.fail("the string has no end")
}

func (s *scanner) value(depth int) *raw {
	var v *raw
	if s.keep {
		v = &raw{span: span{start: s.pos}}
	}
	if s.bad != nil || s.tooDeep(depth) {
		return v
	}
	switch {
	case s.pos >= len(s.src):
		s.fail("expected a value")
	case s.src[s.pos] == '"' || s.src[s.pos] == '\'':
		s.quoted()
	case s.src[s.pos] == '[':
		s.items(v, rawArray, ']', depth)
	case s.src[s.pos] == '{':
		s.items(v, rawInline, '}', depth)
	default:
		s.word()
	}
	if v != nil {
		v.end = s.pos
	}
	return v
}

func (s *scanner) items(v *raw, kind rawKind, end byte, depth int) {
	if v != nil {
		v.kind = kind
	}
	s.pos++
	for n := 1; ; n++ {
		s.spacesIn(kind)
		if !s.keep && n > 1 {
			s.addThing()
		}
		if kind == rawInline && !s.keep {
			s.addWork(2 * n)
		}
		if s.bad != nil {
			return
		}
		if s.pos < len(s.src) && s.src[s.pos] == end {
			if kind == rawInline && n > 1 {
				s.tooNew(s.pos, "a comma stands before the closing brace", "leave it out")
			}
			s.pos++
			return
		}
		it := item{comma: -1}
		if kind == rawInline {
			it.key, it.val = s.entry(depth + 1)
		} else {
			it.val = s.value(depth + 1)
		}
		s.spacesIn(kind)
		if s.bad != nil {
			return
		}
		comma := s.pos < len(s.src) && s.src[s.pos] == ','
		if comma {
			it.comma = s.pos
			s.pos++
		} else if s.pos >= len(s.src) || s.src[s.pos] != end {
			s.fail("expected a comma or " + strconv.QuoteRune(rune(end)))
			return
		}
		if v != nil {
			v.items = append(v.items, it)
		}
		if !comma {
			s.pos++ // the end
			return
		}
	}
}

// word skips a number, a boolean or a date; a date may have a space before its time.
func (s *scanner) word() {
	start := s.pos
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; c {
		case '\t', '\n', '\r', ',', ']', '}', '#':
		case ' ':
			if s.pos-start != len("2006-01-02") || s.src[start+4] != '-' ||
				s.pos+1 >= len(s.src) || s.src[s.pos+1] < '0' || s.src[s.pos+1] > '9' {
				break
			}
			fallthrough
		default:
			s.pos++
			continue
		}
		break
	}
	if s.pos == start {
		s.fail("expected a value")
	}
	s.newTime(start)
}

// unescape resolves the escapes of a basic string on one line. What the decoder would refuse comes
// out as anything.
func unescape(text string) string {
	if !bytes.ContainsRune([]byte(text), '\\') {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			out = append(out, text[i])
			continue
		}
		i++
		digits := 0
		switch text[i] {
		case 'b':
			out = append(out, '\b')
		case 't':
			out = append(out, '\t')
		case 'n':
			out = append(out, '\n')
		case 'f':
			out = append(out, '\f')
		case 'r':
			out = append(out, '\r')
		case 'e':
			out = append(out, 0x1b)
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		default:
			out = append(out, text[i])
		}
		if digits > 0 && i+digits < len(text) {
			n, _ := strconv.ParseUint(text[i+1:i+1+digits], 16, 32)
			out = utf8.AppendRune(out, rune(n))
			i += digits
		}
	}
	return string(out)
}
