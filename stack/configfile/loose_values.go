package configfile

import (
	"bytes"
	"slices"
	"strconv"
)

// This file reads the values of texts that need not be TOML.

// value reads one value. It says no where it is lost; what was read until then is found nevertheless.
func (l *loose) value(ptrs []string, secret bool) bool {
	l.blanks()
	start := l.pos
	switch {
	case l.depth > maxDepth || l.atLineEnd() || l.peekAny("#"):
		return false
	case l.peekAny(`"'`):
		return l.text(ptrs, secret)
	case l.peekAny("["):
		return l.container(ptrs, secret, ']')
	case l.peekAny("{"):
		return l.container(ptrs, secret, '}')
	}
	for l.pos < len(l.src) && !l.peekAny(",]}# \t\r\n") {
		if l.peekAny("\"'[{=") {
			l.pos = start
			return false
		}
		l.pos++
	}
	if l.pos == start {
		return false
	}
	l.clockTime(start)
	l.add(Stretch{start, l.pos, LooseValue, ptrs[0], secret})
	return true
}

// clockTime goes on to the time behind a date and a space.
func (l *loose) clockTime(start int) {
	rest := l.src[l.pos:l.lineEnd(l.pos)]
	if l.pos-start == len("2006-01-02") && l.src[start+4] == '-' && len(rest) > 1 && rest[0] == ' ' && rest[1] >= '0' && rest[1] <= '9' {
		for l.pos++; l.pos < len(l.src) && !l.peekAny(",]}# \t\r\n"); l.pos++ {
		}
	}
}

// text reads a quoted text.
func (l *loose) text(ptrs []string, secret bool) bool {
	start := l.pos
	q := l.src[start]
	if quotes := []byte{q, q, q}; bytes.HasPrefix(l.src[start:], quotes) && (l.long || secret) {
		end := endOfLong(l.src, start+3, q)
		switch {
		case end > 0:
			l.add(Stretch{start, end, LooseValue, ptrs[0], secret})
			l.pos = end
			if !secret && l.as == Broken && bytes.IndexByte(l.src[start:end], '\n') >= 0 && bytes.ContainsAny(l.src[start+3:end-3], "=\"'") {
				l.mistaken(ptrs, start+3, end)
			}
			return true
		case secret:
			l.add(Stretch{start, len(l.src), LooseValue, "", true})
			l.pos = len(l.src)
			return true
		}
		// It has no end: the lines that follow are read as what they look like.
		return l.openText(start, start+3)
	}
	for l.pos++; l.pos < len(l.src) && l.src[l.pos] != '\n'; l.pos++ {
		switch c := l.src[l.pos]; {
		case c == q:
			l.pos++
			l.add(Stretch{start, l.pos, LooseValue, ptrs[0], secret})
			if secret && l.pos-start == 2 && l.as == Broken && l.depth == 0 {
				l.halfOpened(q)
			}
			return true
		case c == '\\' && q == '"' && l.pos+1 < len(l.src) && l.src[l.pos+1] != '\n':
			l.pos++
		}
	}
	if secret {
		l.pos = start
		return false
	}
	return l.openText(start, start+1)
}

// halfOpened hides the lines behind an empty secret that go on like one of several lines, which has
// lost a quote where it begins.
func (l *loose) halfOpened(q byte) {
	behind := l.pos
	defer func() { l.pos = behind }()
	if l.blanks(); !l.atLineEnd() {
		return
	}
	line := l.lineEnd(l.pos)
	if i := bytes.IndexByte(l.src[line:], '\n'); i >= 0 {
		line += i + 1
	}
	l.pos = line
	if l.blanks(); l.atLineEnd() || l.peekAny("#[") {
		return
	}
	if _, ok := l.assigned(); ok {
		return
	}
	if end := endOfLong(l.src, line, q); end > 0 {
		l.add(Stretch{Start: line, End: end, Kind: Rubble, Secret: true})
		behind = end
	}
}

// openText is a text that does not end on its line, and begins at from. What could be something else
// that its missing end made part of it is not shown.
func (l *loose) openText(start, from int) bool {
	end := l.lineEnd(start)
	if l.depth > 0 || bytes.ContainsAny(l.src[min(from, end):end], "\"'#=[]{}") {
		l.pos = start
		return false
	}
	l.pos = end
	return true
}

// endOfLong is where a text of several lines ends; 0: nowhere.
func endOfLong(src []byte, at int, q byte) int {
	for ; at < len(src); at++ {
		switch {
		case src[at] == '\\' && q == '"':
			at++
		case bytes.HasPrefix(src[at:], []byte{q, q, q}):
			at += 3
			for n := 0; n < 2 && at < len(src) && src[at] == q; n++ {
				at++
			}
			return at
		}
	}
	return 0
}

// mistaken reads the lines of a text of several lines once more as what they may be, should its first
// quotes or its last not belong to it.
func (l *loose) mistaken(ptrs []string, start, end int) {
	in := &loose{src: l.src, secret: l.secret, as: l.as, pos: start, end: end, table: l.table, unsure: l.unsure, lists: map[string]int{}, carry: true, beyond: append(ptrs, l.beyond...)}
	for k, n := range l.lists {
		in.lists[k] = n
	}
	if first := in.lineEnd(start); bytes.ContainsAny(in.src[start:first], "=\"'") {
		in.add(Stretch{Start: start, End: first, Kind: Rubble})
	}
	in.nextLine()
	in.lines()
	l.out = append(l.out, in.out...)
}

// container reads an array or an inline table.
func (l *loose) container(ptrs []string, secret bool, end byte) bool {
	above := l.place
	l.nested = true
	l.depth++
	l.pos++
	for i := 0; ; i++ {
		l.place = ptrs[0]
		remarks := secret
		if end == ']' {
			l.place = JoinPointer(l.place, strconv.Itoa(i))
			remarks = remarks || l.secret(l.place)
		}
		if !l.spaces(remarks, end) {
			return l.escape(ptrs)
		}
		if l.src[l.pos] == end {
			l.pos++
			l.depth--
			l.place = above
			return true
		}
		below, hidden := ptrs, secret
		if end == '}' {
			start := l.pos
			keys, ok := l.assigned()
			if !ok {
				l.pos = start
				return l.escape(ptrs)
			}
			var s bool
			below, s = l.below(within(ptrs), keys)
			_, t := l.below([]string{l.table}, keys) // should the brace that opened this not belong here
			hidden = hidden || s || t
		} else {
			below = nil
			for _, ptr := range ptrs {
				item := JoinPointer(ptr, strconv.Itoa(i))
				below = append(below, item)
				hidden = hidden || l.secret(item)
			}
			below = few(append(below, ptrs...)) // should this bracket be one too many
		}
		first := len(l.out)
		if !l.value(below, hidden) {
			l.hush = l.hush || hidden
			return l.escape(ptrs)
		}
		l.onLine = min(l.onLine, first) // of an item of several lines, a remark behind its end stands beside all
		if !l.spaces(remarks, end) {
			return l.escape(ptrs)
		}
		switch l.src[l.pos] {
		case ',':
			l.pos++
		case end:
		default:
			l.hush = l.hush || hidden
			return l.escape(ptrs)
		}
	}
}

// within are the places that a table may have: where it seems to be, or in a list that has lost its
// bracket.
func within(ptrs []string) []string {
	out := slices.Clone(ptrs)
	for _, ptr := range ptrs {
		out = append(out, JoinPointer(ptr, "0"))
	}
	return few(out)
}

// few bounds how many places a value may have; the likeliest come first.
func few(ptrs []string) []string { return ptrs[:min(len(ptrs), 8)] }

// escape notes that the reading got lost in this container.
func (l *loose) escape(ptrs []string) bool {
	l.escaped = append(l.escaped, ptrs...)
	return false
}

// spaces skips what may stand between items, remarks that are secret or not too. It says no at the end of the text, and before a line
// that begins something new: the container has no end then.
func (l *loose) spaces(secret bool, end byte) bool {
	for {
		l.blanks()
		switch {
		case l.pos >= len(l.src):
			return false
		case l.peekAny("#"):
			l.comment(secret)
		case l.atLineEnd():
			last := l.pos
			l.nextLine()
			if l.begins(end) {
				l.pos = last
				return false
			}
		default:
			return true
		}
	}
}

// begins says whether a new statement begins at this line rather than one more item.
func (l *loose) begins(end byte) bool {
	start := l.pos
	defer func() { l.pos = start }()
	l.blanks()
	if !l.peekAny("[") {
		_, ok := l.assigned()
		return ok && end == ']'
	}
	brackets := 0
	for l.peekAny("[") && brackets < 2 {
		l.pos++
		brackets++
	}
	from := l.pos
	keys, ok := l.key()
	if !ok || isWordValue(keys) || bytes.ContainsAny(l.src[from:l.pos], `"'`) || !l.peekAny("]") {
		return false
	}
	for l.peekAny("]") {
		l.pos++
	}
	l.blanks()
	return l.atLineEnd() || l.peekAny("#")
}
