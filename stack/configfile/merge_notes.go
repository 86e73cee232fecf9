package configfile

import (
	"bytes"
	"slices"
	"strings"
)

// This file holds that a merge keeps what is not a value: comments, each with its key, and notation.

// withNotes is the merged document with as much of what is not a value as there is a safe way to
// take along. byKey is what the merge key by key made of theirs: its values are those of the result.
func (v versions) withNotes(m *merger, byKey *Document) *Document {
	old := splitLines(v.base.src)
	theirs, yours := see(old, splitLines(v.theirs.src)), see(old, splitLines(v.yours.src))
	// All lines; where the two meet, theirs, with the values that you gave put in.
	text, clean := mergeLines(old, theirs, yours)
	if d, err := Parse([]byte(text)); err == nil {
		same := equal(d.value, byKey.value)
		if !same && alike(d.value, byKey.value) {
			same = d.apply([]change{{value: byKey.value}}) == nil
			clean = false
		}
		if same && v.notesStay(v.theirs, v.yours, d) && (!clean || v.notesStay(v.yours, v.theirs, d)) && v.inPlace(d) {
			return d
		}
	}
	// Only comments, and the values key by key.
	text, _ = mergeLines(old, theirs, yours.onlyNotes(old))
	if d, err := Parse([]byte(text)); err == nil && equal(d.value, v.theirs.value) {
		if m.apply(d) == nil && equal(d.value, byKey.value) && v.notesStay(v.theirs, v.yours, d) && v.inPlace(d) {
			return d
		}
	}
	return byKey
}

// notes are what a document has beside its values.
type notes struct {
	at    map[string][]string // comments by the key that they stand at or above; "": at the end
	all   map[string]int      // how often each comment is there
	order []string            // of keys and headers
	raw   map[string]string   // numbers, texts and the like as they are written
}

// notes finds a document's comments, and how its keys are written.
func (d *Document) notes() notes {
	d.find(nil)
	owners := make([]string, len(d.stmts))
	var walk func(n *node, at string)
	walk = func(n *node, at string) {
		if n.section > 0 {
			owners[d.sections[n.section].first] = at
		}
		if n.stmt >= 0 && n.list == nil {
			owners[n.stmt] = at
			return
		}
		for _, k := range n.kids {
			walk(k, JoinPointer(at, k.name))
		}
	}
	walk(d.root, "")
	out := notes{at: map[string][]string{}, all: map[string]int{}, order: owners, raw: map[string]string{}}
	for i, st := range d.stmts {
		if st.kind == keyValue && st.val.kind == rawScalar {
			out.raw[owners[i]] = d.text(st.val.span)
		}
	}
	i := 0
	for _, s := range comments(d.src) {
		for i < len(d.stmts) && d.stmts[i].line.end <= s.start {
			i++
		}
		owner := ""
		if i < len(d.stmts) {
			owner = owners[i]
		}
		text := strings.TrimSpace(d.text(s))
		out.at[owner] = append(out.at[owner], text)
		out.all[text]++
	}
	return out
}

// comments are where the comments of a valid document stand.
func comments(src []byte) []span {
	var out []span
	for i := 0; i < len(src); {
		switch c := src[i]; c {
		case '#':
			start := i
			for i < len(src) && src[i] != '\n' {
				i++
			}
			out = append(out, span{start, i})
		case '"', '\'':
			quotes := []byte{c, c, c}
			if !bytes.HasPrefix(src[i:], quotes) {
				quotes = quotes[:1]
			}
			i = textEnd(src, i+len(quotes), quotes)
		default:
			i++
		}
	}
	return out
}

// textEnd is behind the quotes that end a text.
func textEnd(src []byte, i int, quotes []byte) int {
	for i < len(src) && !bytes.HasPrefix(src[i:], quotes) {
		if src[i] == '\\' && quotes[0] == '"' {
			i++
		}
		i++
	}
	i += len(quotes)
	for len(quotes) == 3 && i < len(src) && src[i] == quotes[0] { // """a"""" ends in a quote of its own
		i++
	}
	return i
}

// notesStay tells whether the comments of a side stand in the result at the keys that they stand at
// there, but for those that the other side took away from a key that it has.
func (v versions) notesStay(side, other, result *Document) bool {
	was, is, its, now := v.base.notes(), side.notes(), other.notes(), result.notes()
	back, across := follower{from: side.value, to: v.base.value}, follower{from: side.value, to: other.value, both: v.base.value}
	on := follower{from: side.value, to: result.value, both: v.base.value}
	for owner, texts := range is.at {
		at, ok := on.pointer(owner)
		if _, there := result.Get(at); !ok || !there {
			continue // the key is gone, or its table cannot be told from others
		}
		from, inBase := back.pointer(owner)
		there, inOther := across.pointer(owner)
		if _, is := other.Get(there); !is {
			inOther = false
		}
		for _, text := range texts {
			taken := inBase && inOther && slices.Contains(was.at[from], text) && !slices.Contains(its.at[there], text)
			if !taken && !slices.Contains(now.at[at], text) {
				return false
			}
		}
	}
	return true
}

// inPlace tells whether no comment of yours came to stand at another key than you wrote it at.
func (v versions) inPlace(result *Document) bool {
	yours, theirs, now := v.yours.notes(), v.theirs.notes(), result.notes()
	on := follower{from: v.yours.value, to: result.value, both: v.base.value}
	for owner, texts := range yours.at {
		at, ok := on.pointer(owner)
		for _, text := range texts {
			if now.all[text] > theirs.all[text] && !(ok && slices.Contains(now.at[at], text)) {
				return false
			}
		}
	}
	return true
}

// lost tells whether something that you wrote beside the values is not in the result: a comment, one
// that you took away, another notation of the same value, another order of keys.
func (v versions) lost(result *Document) bool {
	base, theirs, yours, now := v.base.notes(), v.theirs.notes(), v.yours.notes(), result.notes()
	for text, n := range yours.all {
		if came := n - base.all[text]; came > 0 && now.all[text] < min(n, theirs.all[text]+came) {
			return true
		}
	}
	for text, n := range base.all {
		if went := n - yours.all[text]; went > 0 && now.all[text] > max(0, theirs.all[text]-went) {
			return true
		}
	}
	back, on := follower{from: v.yours.value, to: v.base.value}, follower{from: v.yours.value, to: result.value, both: v.base.value}
	for ptr, text := range yours.raw {
		from, ok := back.pointer(ptr)
		to, still := on.pointer(ptr)
		if !ok || !still || base.raw[from] == "" || base.raw[from] == text || now.raw[to] == text {
			continue
		}
		was, _ := v.base.Get(from)
		mine, _ := v.yours.Get(ptr)
		if is, _ := result.Get(to); equal(was, mine) && equal(is, mine) {
			return true
		}
	}
	return v.orderLost(base, yours, now, &back, &on)
}

// orderLost tells whether keys that you moved are not in your order.
func (v versions) orderLost(base, yours, now notes, back, on *follower) bool {
	was, is := ranks(base.order), ranks(now.order)
	moved, lost := false, false
	lastWas, lastIs := -1, -1
	for _, ptr := range yours.order {
		from, ok := back.pointer(ptr)
		to, still := on.pointer(ptr)
		a, inBase := was[from]
		b, inResult := is[to]
		if !ok || !still || !inBase || !inResult {
			continue
		}
		moved, lost = moved || a < lastWas, lost || b < lastIs
		lastWas, lastIs = a, b
	}
	return moved && lost
}

func ranks(order []string) map[string]int {
	out := make(map[string]int, len(order))
	for i, ptr := range order {
		out[ptr] = i
	}
	return out
}

// pointer is follow for pointers.
func (f *follower) pointer(ptr string) (string, bool) {
	keys, _ := splitPointer(ptr)
	out, ok := f.follow(keys)
	return joinPointer(out), ok
}

// alike tells whether two values have the same tables at the same places of their lists, so that one
// becomes the other without anything having to move.
func alike(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		for k := range x {
			if _, both := y[k]; ok && both && !alike(x[k], y[k]) {
				return false
			}
		}
	case []any:
		y, ok := b.([]any)
		if !ok || tablesOf(x) == nil || tablesOf(y) == nil {
			return true
		}
		p := pairTables(x, y)
		if len(x) != len(y) || !p.sure || p.guessed >= 0 || !slices.IsSorted(p.from) || slices.Contains(p.from, -1) {
			return false
		}
		for i := range x {
			if !alike(x[i], y[i]) {
				return false
			}
		}
	}
	return true
}
