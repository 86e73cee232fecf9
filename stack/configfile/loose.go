package configfile

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// This file reads texts that need not be TOML, for who must hide the secrets in one: nothing that
// could be a secret's value may be taken for something else. Where the reading is lost, everything up
// to the next line that begins something new is rubble.

// StretchKind is what a Stretch seems to be.
type StretchKind uint8

const (
	LooseValue   StretchKind = iota // of a key; arrays and inline tables are given by their items
	LooseComment                    // from its # to the end of its line
	Rubble                          // nobody knows
)

// Stretch is a part of a text that may have to be hidden.
type Stretch struct {
	Start, End int
	Kind       StretchKind
	// Pointer is where a value is, and in which table a comment stands; empty: not known.
	Pointer string
	// Secret: the value is one; the comment stands beside one, or among several.
	Secret bool
}

// Reading is what a text is read as.
type Reading uint8

const (
	Broken Reading = iota // nothing in it is to be trusted
	Whole                 // it parses
	Remark                // it is commented out: lines that are plain words are most likely just that
)

// Loose finds the stretches of a text, in no order; they may overlap. table is where its first lines
// are. secret tells whether the key at a pointer is one; it is asked for every key on the way too.
func Loose(src []byte, as Reading, table string, secret func(ptr string) bool) []Stretch {
	l := &loose{src: src, end: len(src), table: table, secret: secret, lists: map[string]int{}, as: as, long: true, unsure: secret(table)}
	if bytes.HasPrefix(src, bom) {
		l.pos = len(bom)
	}
	l.lines()
	return l.out
}

type loose struct {
	src    []byte
	secret func(ptr string) bool
	out    []Stretch
	pos    int
	end    int  // no statement begins here or later
	long   bool // a text of several lines is believed to be one
	as     Reading

	table   string
	unsure  bool // the table's header could not be read: every value in it may be a secret
	lists   map[string]int
	beyond  []string // containers that were never closed: keys that follow may belong there
	vault   bool     // all that belongs there is secret
	carry   bool     // the last statement has no end yet: what follows without a key belongs to it
	fell    bool     // the last lines were rubble: nobody knows what a remark below them stood beside
	hush    bool     // the last statement is secret
	onLine  int      // first stretch of this line
	depth   int
	nested  bool     // it has an array or an inline table
	since   int      // first stretch of this statement
	place   string   // the container that is being read; empty: none
	escaped []string // the containers that are open where the reading got lost
}

func (l *loose) peekAny(chars string) bool {
	return l.pos < len(l.src) && bytes.IndexByte([]byte(chars), l.src[l.pos]) >= 0
}

func (l *loose) blanks() {
	for l.peekAny(" \t") {
		l.pos++
	}
}

// lineEnd is where the line of a place ends, its end excluded.
func (l *loose) lineEnd(at int) int {
	i := bytes.IndexByte(l.src[at:], '\n')
	if i < 0 {
		return len(l.src)
	}
	if at += i; at > 0 && l.src[at-1] == '\r' {
		return max(at-1, 0)
	}
	return at
}

func (l *loose) atLineEnd() bool { return l.pos >= l.lineEnd(min(l.pos, len(l.src))) }

func (l *loose) nextLine() {
	if i := bytes.IndexByte(l.src[l.pos:], '\n'); i >= 0 {
		l.pos += i + 1
	} else {
		l.pos = len(l.src)
	}
	l.onLine = len(l.out)
}

func (l *loose) add(s Stretch) {
	if s.Start < s.End {
		l.out = append(l.out, s)
	}
}

// comment takes the rest of the line, which begins with #.
func (l *loose) comment(secret bool) {
	secret = secret || l.secretSince(l.onLine)
	end := l.lineEnd(l.pos)
	l.add(Stretch{l.pos, end, LooseComment, cmp.Or(l.place, l.table), secret})
	l.pos = end
}

// secretSince says whether there is something secret among the newest stretches, or what may be.
func (l *loose) secretSince(first int) bool {
	return slices.ContainsFunc(l.out[min(first, len(l.out)):], func(s Stretch) bool { return s.Secret || s.Kind == Rubble })
}

// lines reads statements until the end.
func (l *loose) lines() {
	l.onLine = len(l.out)
	for l.pos < l.end {
		l.blanks()
		start := l.pos
		switch {
		case l.atLineEnd():
		case l.peekAny("#"):
			l.comment(l.belongs() || l.unsure || l.fell)
		case l.peekAny("[") && l.header():
		default:
			l.pos = start
			if keys, ok := l.assigned(); ok {
				if l.vault { // what looks like a key may be an item
					l.add(Stretch{Start: start, End: l.pos, Kind: Rubble, Secret: true})
				}
				l.statement(keys)
			} else {
				l.pos = start
				l.rubble()
			}
		}
		l.nextLine()
	}
}

// header reads a [table] or [[table]] line, one that lacks its end too. It says no where the line is
// something else.
func (l *loose) header() bool {
	start, brackets := l.pos, 0
	for l.peekAny("[") && brackets < 2 {
		l.pos++
		brackets++
	}
	keys, ok := l.key()
	closed := 0
	for l.peekAny("]") && closed < 2 {
		l.pos++
		closed++
	}
	l.blanks()
	quoted := bytes.ContainsAny(l.src[start:l.pos], `"'`)
	if !ok || !l.atLineEnd() && !l.peekAny("#") || closed > brackets || quoted && l.hush || isWordValue(keys) {
		l.pos = start
		l.unsure = l.unsure || l.as != Remark
		return false
	}
	l.table, l.unsure, l.beyond, l.vault, l.carry, l.fell, l.hush = "", false, nil, false, false, false, false
	for i, key := range keys {
		l.table = JoinPointer(l.table, key)
		if i == len(keys)-1 && brackets == 2 {
			l.lists[l.table]++
		}
		if n := l.lists[l.table]; n > 0 {
			l.table = JoinPointer(l.table, strconv.Itoa(n-1))
		}
		if l.secret(l.table) {
			l.unsure = true // all of it is
		}
	}
	if l.peekAny("#") {
		l.comment(l.unsure)
	}
	return true
}

// isWordValue says whether what looks like a header is rather an item of a list of lists.
func isWordValue(keys []string) bool {
	if len(keys) == 0 || keys[0] == "" {
		return true
	}
	c := keys[0][0]
	return len(keys) == 1 && (slices.Contains([]string{"true", "false", "inf", "nan"}, keys[0]) || c == '-' || c >= '0' && c <= '9')
}

// key reads a dotted key.
func (l *loose) key() (keys []string, ok bool) {
	for {
		l.blanks()
		start := l.pos
		if l.peekAny(`"'`) {
			q := l.src[l.pos]
			for l.pos++; l.pos < len(l.src) && l.src[l.pos] != q && l.src[l.pos] != '\n'; l.pos++ {
				if q == '"' && l.src[l.pos] == '\\' && l.pos+1 < len(l.src) && l.src[l.pos+1] != '\n' {
					l.pos++
				}
			}
			if l.pos >= len(l.src) || l.src[l.pos] != q {
				return nil, false
			}
			l.pos++
		}
		for l.pos == start || l.src[start] != '"' && l.src[start] != '\'' {
			if l.pos >= len(l.src) || !isBareKey(l.src[l.pos]) {
				break
			}
			l.pos++
		}
		if l.pos == start {
			return nil, false
		}
		keys = append(keys, keyName(string(l.src[start:l.pos])))
		l.blanks()
		if !l.peekAny(".") {
			return keys, true
		}
		l.pos++
	}
}

// assigned reads a key and the = behind it.
func (l *loose) assigned() (keys []string, ok bool) {
	if keys, ok = l.key(); !ok || !l.peekAny("=") {
		return nil, false
	}
	l.pos++
	return keys, true
}

// below are the places that a key may have in one of several, and whether one of them is secret.
func (l *loose) below(places, keys []string) (ptrs []string, secret bool) {
	for _, ptr := range places {
		for _, key := range keys {
			ptr = JoinPointer(ptr, key)
			secret = secret || l.secret(ptr)
		}
		secret = secret || l.secret(JoinPointer(ptr, "0")) // an array of secrets is one
		ptrs = append(ptrs, ptr)
	}
	for _, key := range keys {
		secret = secret || l.secret(JoinPointer("", key))
	}
	return ptrs, secret
}

func (l *loose) statement(keys []string) {
	ptrs, secret := l.below(append([]string{l.table}, l.beyond...), keys)
	l.assignment(ptrs, secret || l.unsure || l.vault)
}

// assignment reads the value of a statement, and what follows on its line.
func (l *loose) assignment(ptrs []string, secret bool) {
	l.carry, l.fell, l.hush, l.since, l.nested = false, false, secret, len(l.out), false
	ok := l.value(ptrs, secret)
	l.place = ""
	whole := ok
	if ok {
		l.blanks()
		if l.peekAny("#") {
			l.comment(secret || l.secretSince(l.since))
			return
		}
		if ok = l.atLineEnd(); ok {
			return
		}
	}
	l.lost(secret, whole)
}

// lost hides the rest of a line, behind a whole value or not, and has the next lines without a key
// belong to it.
func (l *loose) lost(secret, whole bool) {
	open := l.escaped
	l.escaped, l.depth, l.place = nil, 0, ""
	l.carry = l.as != Remark || len(open) > 0
	if len(open) > 0 {
		l.beyond, l.vault = open[:min(len(open), 8)], secret
	}
	l.blanks()
	if !l.nested && !secret && l.plain(whole) {
		return
	}
	l.hush = l.hush || l.nested && l.secretSince(l.since)
	for i, s := range l.out[l.since:] {
		// With a bracket too many, a value is elsewhere than it seemed; with a quote too many, what
		// seemed to be a text was what stands between two; with a line break too many, a remark stands
		// beside something else than it did.
		switch {
		case s.Secret:
		case s.Kind == LooseComment && l.nested:
			l.out[l.since+i].Secret = true
		case s.Kind == LooseValue && (l.nested || bytes.ContainsAny(l.src[s.Start+1:max(s.Start+1, s.End-1)], "\"'=")):
			l.out[l.since+i] = Stretch{Start: s.Start, End: s.End, Kind: Rubble, Secret: true}
		}
	}
	l.add(Stretch{Start: l.pos, End: l.lineEnd(l.pos), Kind: Rubble, Secret: secret || len(open) > 0})
}

// plain says whether the rest of a line can be but part of the value before it, or of no value at
// all: bare words, none of which is the name of a secret.
func (l *loose) plain(whole bool) bool {
	end := l.lineEnd(l.pos)
	rest := l.src[l.pos:end]
	if l.secretSince(min(l.since, l.onLine)) {
		return false // it may be a remark on that
	}
	text, remark, comment := bytes.Cut(rest, []byte("#"))
	if !whole {
		text = bytes.TrimLeft(text, "= \t")
	}
	if bytes.ContainsAny(text, "\"'[]{}=\x00") || !whole && bytes.ContainsAny(remark, "\"'[]{}") {
		return false
	}
	if l.named(text) {
		l.hush = true
		return false
	}
	if comment {
		l.pos += bytes.IndexByte(rest, '#')
		l.comment(false)
	}
	return true
}

// named says whether the name of a secret is among these words.
func (l *loose) named(text []byte) bool {
	for _, word := range bytes.FieldsFunc(text, func(r rune) bool { return r >= 0x80 || !isBareKey(byte(r)) }) {
		if _, secret := l.below(append([]string{l.table}, l.beyond...), []string{string(word)}); secret {
			return true
		}
	}
	return false
}

// belongs says whether a line that has no key may be part of a secret, or stand beside one, in a
// statement that has no end.
func (l *loose) belongs() bool { return l.carry && (l.hush || len(l.beyond) > 0) }

// rubble is a line that neither assigns to a key nor is a header.
func (l *loose) rubble() {
	belongs := l.belongs()
	if !belongs && l.as == Remark {
		return
	}
	c := l.src[l.pos]
	word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
	if !belongs && !l.unsure && !l.hush && word && l.plain(true) {
		return
	}
	l.carry = true
	end := l.lineEnd(l.pos)
	if name, _, ok := bytes.Cut(l.src[l.pos:end], []byte("=")); ok && l.as != Remark && l.named(name) {
		l.add(Stretch{Start: l.pos, End: l.pos + len(name), Kind: Rubble, Secret: true})
		l.pos += len(name) + 1
		l.assignment([]string{""}, true)
		return
	}
	l.unsure = l.unsure || l.as != Remark && bytes.IndexByte(l.src[l.pos:end], '[') >= 0 // it may have been a header
	if name, _, ok := bytes.Cut(l.src[l.pos:end], []byte("=")); ok && !l.hush && len(bytes.Trim(name, nameChars)) == 0 {
		l.pos += len(name) + 1 // a key that is no key yet may be shown
		l.blanks()
	}
	l.add(Stretch{Start: l.pos, End: end, Kind: Rubble, Secret: l.hush || belongs})
	l.fell = l.as == Broken
}

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_- ."
