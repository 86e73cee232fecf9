package configfile

import (
	"bytes"
	"fmt"
)

// What is written here is read by the services, and theirs is TOML 1.0: Python's tomllib knows no
// other. The decoder takes what TOML 1.1 added too, so that such a document would be saved, refused
// by a service and rolled back. The scanner finds these four things, and Parse refuses them.

func (s *scanner) tooNew(at int, what, instead string) {
	if s.newer == nil {
		line, col := lineColumn(s.src, at)
		s.newer = &SyntaxError{Line: line, Column: col, Message: what + ": only TOML 1.1 has that, and the services read TOML 1.0; " + instead}
	}
}

// spacesIn is spaces between the items of an array or an inline table, which has one line.
func (s *scanner) spacesIn(kind rawKind) {
	start := s.pos
	s.spaces()
	if kind != rawInline {
		return
	}
	if i := bytes.IndexAny(s.src[start:s.pos], "#\r\n"); i >= 0 {
		s.tooNew(start+i, "the inline table does not end on its line", "write it on one line, or as a [table] of its own")
	}
}

// newEscape looks at the escape that begins here.
func (s *scanner) newEscape() {
	rest := s.src[s.pos+1:]
	switch {
	case len(rest) > 0 && rest[0] == 'e':
		s.tooNew(s.pos, `the text has the escape \e`, `write \u001b`)
	case len(rest) > 2 && rest[0] == 'x':
		s.tooNew(s.pos, `the text has the escape \x`, fmt.Sprintf(`write \u00%s`, rest[1:3]))
	}
}

// newTime looks at a word that may be a time, or end in one.
func (s *scanner) newTime(start int) {
	word := s.src[start:s.pos]
	if len(word) > len("2006-01-02T") && word[4] == '-' && word[7] == '-' {
		start += len("2006-01-02T")
		word = s.src[start:s.pos]
	}
	if len(word) < 5 || word[2] != ':' || len(word) > 5 && word[5] == ':' {
		return
	}
	s.tooNew(start, "the time has no seconds", fmt.Sprintf("write %s:00%s", word[:5], word[5:]))
}
