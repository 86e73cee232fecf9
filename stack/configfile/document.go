package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

var bom = []byte("\xef\xbb\xbf")

// SyntaxError says where and why bytes are not a TOML document. Line and Column count from 1, the
// column in characters.
type SyntaxError struct {
	Line, Column int
	Message      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Document is a parsed TOML file. Reading it from several goroutines is safe, editing is not.
type Document struct {
	*parsedSource

	fetch *sync.Once // of the index
	*index
}

// Parse reads a TOML document. Its error is a *SyntaxError. The bytes are copied.
func Parse(b []byte) (*Document, error) {
	t, ok := parsed.get(b)
	if !ok {
		t.of, t.bad = parseSource(bytes.Clone(b))
		parsed.put(t)
	}
	if t.bad != nil {
		bad := *t.bad
		return nil, &bad
	}
	return documentOf(t.of), nil
}

func documentOf(s *parsedSource) *Document { return &Document{parsedSource: s, fetch: new(sync.Once)} }

// parse is Parse for bytes that are nobody else's.
func parse(src []byte) (*Document, *SyntaxError) {
	t, ok := parsed.get(src)
	if !ok {
		t.of, t.bad = parseSource(src)
		parsed.put(t)
	}
	return documentOf(t.of), t.bad
}

// parseSource returns the bytes with what they hold, or with why they hold nothing.
func parseSource(src []byte) (*parsedSource, *SyntaxError) {
	d := &parsedSource{src: src, value: map[string]any{}}
	bad := d.decode()
	return d, bad
}

func (d *parsedSource) decode() *SyntaxError {
	src := d.src
	if i := invalidUTF8(src); i >= 0 {
		line, col := lineColumn(src, i)
		return &SyntaxError{line, col, "this is not valid UTF-8 text"}
	}
	_, s := scan(src, false)
	if s.over {
		return s.bad
	}
	body := bytes.TrimPrefix(src, bom)
	if err := toml.Unmarshal(body, &d.value); err != nil {
		return syntaxError(src, len(src)-len(body), err)
	}
	if s.bad == nil {
		s.bad = s.newer
	}
	return s.bad
}

// syntaxError is the decoder's error, with the column in characters.
func syntaxError(src []byte, skipped int, err error) *SyntaxError {
	var de *toml.DecodeError
	if !errors.As(err, &de) {
		return &SyntaxError{1, 1, strings.TrimPrefix(err.Error(), "toml: ")}
	}
	line, col := de.Position()
	offset := 0
	for n := 1; n < line; n++ {
		i := bytes.IndexByte(src[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	if line == 1 {
		offset += skipped
	}
	end := min(len(src), offset+max(col-1, 0))
	return &SyntaxError{line, utf8.RuneCount(src[offset:end]) + 1, strings.TrimPrefix(de.Error(), "toml: ")}
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func lineStarts(src []byte) []int {
	lines := []int{0}
	for i := 0; ; {
		n := bytes.IndexByte(src[i:], '\n')
		if n < 0 {
			return lines
		}
		i += n + 1
		lines = append(lines, i)
	}
}

// lineColumn is the place of an offset, for the few times that no line index is at hand.
func lineColumn(src []byte, offset int) (line, col int) {
	start := bytes.LastIndexByte(src[:offset], '\n') + 1
	return bytes.Count(src[:start], []byte("\n")) + 1, columnAt(src, start, offset)
}

func columnAt(src []byte, lineStart, offset int) int {
	if lineStart == 0 && bytes.HasPrefix(src, bom) && offset >= len(bom) {
		lineStart = len(bom)
	}
	return utf8.RuneCount(src[lineStart:offset]) + 1
}

// Bytes is the document as it is now. They must not be changed.
func (d *Document) Bytes() []byte { return d.src }

// Value is the document as Go values: map[string]any, []any, string, int64, float64, bool,
// time.Time, toml.LocalDate, toml.LocalTime and toml.LocalDateTime. It must not be changed.
func (d *Document) Value() map[string]any { return d.value }

// Get is the value at a pointer.
func (d *Document) Get(ptr string) (any, bool) {
	keys, err := splitPointer(ptr)
	if err != nil {
		return nil, false
	}
	return lookUp(d.value, keys)
}

func lookUp(v any, keys []string) (any, bool) {
	for _, k := range keys {
		switch t := v.(type) {
		case map[string]any:
			next, ok := t[k]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, ok := arrayIndex(k)
			if !ok || i >= len(t) {
				return nil, false
			}
			v = t[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// Position is the place of a key, or of an array's element; of its nearest parent if it is absent,
// which may be the document (1, 1). It is 0, 0 if ptr is not a pointer.
func (d *Document) Position(ptr string) (line, col int) {
	keys, err := splitPointer(ptr)
	if err != nil {
		return 0, 0
	}
	n, _ := d.find(keys)
	if n == d.root {
		return 1, 1
	}
	at := n.key.start
	i := sort.SearchInts(d.lines, at+1) - 1
	return i + 1, columnAt(d.src, d.lines[i], at)
}

// find walks as far as there is something, and returns what is left to walk.
func (d *Document) find(keys []string) (*node, []string) {
	d.fetch.Do(func() { d.index = d.located() })
	n := d.root
	for i, k := range keys {
		next := n.child(k)
		if next == nil {
			return n, keys[i:]
		}
		n = next
	}
	return n, nil
}
