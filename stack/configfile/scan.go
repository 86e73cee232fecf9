package configfile

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// The scanner finds where everything is written. It is not a validator, the decoder is. It runs
// twice: without keeping anything, before the decoder, so that documents nested beyond reason are
// refused before anything recurses over them; and for the index, when somebody asks for a place.

// maxDepth bounds how deep tables and values may nest, keys of a dotted path included.
const maxDepth = 256

// maxWork bounds what the decoder's search for duplicate keys costs, which is the square of the
// number of keys in a table: seconds for 40 000 keys, an hour for the million that fit 10 MB.
const maxWork = 1_000_000_000

type span struct{ start, end int }

// keyPart is one part of a dotted key.
type keyPart struct {
	span
	name string
}

type rawKind uint8

const (
	rawScalar rawKind = iota
	rawArray
	rawInline
)

// raw is a value as it is written. Arrays and inline tables have items.
type raw struct {
	span
	kind  rawKind
	items []item
}

// item is an element of an array, or an entry of an inline table, which has a key.
type item struct {
	key   []keyPart
	val   *raw
	comma int // where the comma after it is; -1: none
}

func (it *item) start() int {
	if len(it.key) > 0 {
		return it.key[0].start
	}
	return it.val.start
}

type statementKind uint8

const (
	keyValue statementKind = iota
	tableHeader
	elementHeader // [[name]]
)

// statement is a line that says something: key = value, [table] or [[table]].
type statement struct {
	kind statementKind
	line span // from the start of its line to the start of the next statement's earliest line
	key  []keyPart
	val  *raw
	end  int // after the value or the header's last bracket
}

type scanner struct {
	keep bool // what is found
	src  []byte
	pos  int
	bad  *SyntaxError
	over bool // bad because a bound is exceeded

	work    int // squares of the keys of the tables so far
	entries int // key = value lines in this section
	headers map[string]struct{}
}

// scan lists the statements of a document, if they are to be kept. Its error is good enough only
// where the decoder finds none.
func scan(src []byte, keep bool) ([]statement, *scanner) {
	s := &scanner{src: src, keep: keep}
	if bytes.HasPrefix(src, bom) {
		s.pos = len(bom)
	}
	var out []statement
	for s.bad == nil {
		lineStart := s.pos
		s.blanks()
		if s.pos >= len(src) {
			break
		}
		switch c := src[s.pos]; {
		case c == '\n' || c == '\r':
			s.lineEnd()
		case c == '#':
			s.comment()
			s.lineEnd()
		default:
			st := s.statement()
			if s.bad != nil {
				break
			}
			st.end = s.pos
			s.blanks()
			s.comment()
			s.lineEnd()
			st.line = span{lineStart, s.pos}
			if keep {
				out = append(out, st)
			} else {
				s.count(st.kind, lineStart)
			}
		}
	}
	return out, s
}

func (s *scanner) fail(message string) {
	if s.bad == nil {
		line, col := lineColumn(s.src, min(s.pos, len(s.src)))
		s.bad = &SyntaxError{Line: line, Column: col, Message: message}
	}
}

// count adds a statement to the work that the decoder will have.
func (s *scanner) count(kind statementKind, lineStart int) {
	n := 0
	if kind == keyValue {
		s.entries++
		n = s.entries
	} else {
		s.entries = 0
		if s.headers == nil {
			s.headers = map[string]struct{}{}
		}
		s.headers[string(s.src[lineStart:s.pos])] = struct{}{}
		n = len(s.headers)
	}
	s.addWork(2 * n) // the squares of 1 to n, one after the other
}

func (s *scanner) addWork(n int) {
	if s.work += n; s.work > maxWork {
		s.fail("one table has more keys than can be checked in reasonable time (about 30 000)")
		s.over = true
	}
}

func (s *scanner) tooDeep(depth int) bool {
	if depth > maxDepth {
		s.over = true
		s.fail("tables and values are nested more than " + strconv.Itoa(maxDepth) + " levels deep")
		return true
	}
	return false
}

func (s *scanner) peek(text string) bool {
	return bytes.HasPrefix(s.src[s.pos:], []byte(text))
}

func (s *scanner) blanks() {
	for s.pos < len(s.src) && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t') {
		s.pos++
	}
}

func (s *scanner) comment() {
	if s.pos < len(s.src) && s.src[s.pos] == '#' {
		if i := bytes.IndexByte(s.src[s.pos:], '\n'); i < 0 {
			s.pos = len(s.src)
		} else {
			s.pos += i
			if s.src[s.pos-1] == '\r' {
				s.pos--
			}
		}
	}
}

func (s *scanner) lineEnd() {
	switch {
	case s.pos >= len(s.src):
	case s.src[s.pos] == '\n':
		s.pos++
	case s.peek("\r\n"):
		s.pos += 2
	default:
		s.fail("expected the end of the line")
	}
}

// spaces skips what may stand between the items of an array or inline table.
func (s *scanner) spaces() {
	for s.bad == nil {
		s.blanks()
		if s.pos >= len(s.src) {
			return
		}
		switch s.src[s.pos] {
		case '#':
			s.comment()
		case '\n', '\r':
			s.lineEnd()
		default:
			return
		}
	}
}

func (s *scanner) statement() statement {
	st := statement{kind: keyValue}
	switch {
	case s.peek("[["):
		st.kind = elementHeader
		s.pos += 2
		st.key, _ = s.key(0)
		s.expect("]]")
	case s.peek("["):
		st.kind = tableHeader
		s.pos++
		st.key, _ = s.key(0)
		s.expect("]")
	default:
		st.key, st.val = s.entry(0)
	}
	return st
}

func (s *scanner) expect(text string) {
	if !s.peek(text) {
		s.fail("expected " + strconv.Quote(text))
		return
	}
	s.pos += len(text)
}

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
		s.spaces()
		if kind == rawInline && !s.keep {
			s.addWork(2 * n)
		}
		if s.bad != nil {
			return
		}
		if s.pos < len(s.src) && s.src[s.pos] == end {
			s.pos++
			return
		}
		it := item{comma: -1}
		if kind == rawInline {
			it.key, it.val = s.entry(depth + 1)
		} else {
			it.val = s.value(depth + 1)
		}
		s.spaces()
		if s.bad != nil {
			return
		}
		if s.pos < len(s.src) && s.src[s.pos] == ',' {
			it.comma = s.pos
			s.pos++
		} else if s.pos >= len(s.src) || s.src[s.pos] != end {
			s.fail("expected a comma or " + strconv.QuoteRune(rune(end)))
			return
		}
		if v != nil {
			v.items = append(v.items, it)
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
