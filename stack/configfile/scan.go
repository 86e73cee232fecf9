package configfile

import (
	"bytes"
	"strconv"
)

// The scanner finds where everything is written. It is not a validator, the decoder is. It runs
// twice: without keeping anything, before the decoder, so that documents nested beyond reason are
// refused before anything recurses over them; and for the index, when somebody asks for a place.

// maxDepth bounds how deep tables and values may nest, keys of a dotted path included.
const maxDepth = 256

// maxWork bounds what the decoder's search for duplicate keys costs, which is the square of the
// number of keys in a table: seconds for 40 000 keys, an hour for the million that fit 10 MB.
const maxWork = 1_000_000_000

// maxThings bounds how many keys, tables and elements a document has: each costs memory and time many
// times over, on every page that shows it. Nobody edits such a file in a form.
const maxThings = 100_000

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

	newer *SyntaxError // the first thing that only TOML 1.1 has (newer.go)

	work    int // squares of the keys of the tables so far
	entries int // key = value lines in this section
	things  int // keys, tables and elements so far
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
	s.addThing()
}

func (s *scanner) addThing() {
	if s.things++; s.things > maxThings {
		s.fail("the document has more than 100 000 keys, tables and elements, which is more than a config file may have")
		s.over = true
	}
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
