package configfile

import (
	"slices"
	"strings"
)

// This file plans edits of lines and sections.

func (p *planner) remove(n *node) { p.removeKids([]*node{n}) }

// removeKids removes what the nodes say, wherever it is written. They have one parent.
func (p *planner) removeKids(kids []*node) {
	var items []int
	var list *raw
	var gone []span
	for _, n := range kids {
		if n.list != nil {
			list = n.list
			items = n.appendItems(items)
		} else {
			gone = p.d.appendLines(gone, n)
		}
	}
	if list != nil {
		slices.Sort(items)
		p.removeItems(list, items)
	}
	p.cut(gone)
}

func (n *node) appendItems(items []int) []int {
	if n.raw != nil {
		return append(items, n.item)
	}
	for _, k := range n.kids {
		items = k.appendItems(items)
	}
	return items
}

// appendLines lists the lines and sections in which a node is written.
func (d *Document) appendLines(gone []span, n *node) []span {
	switch {
	case n.raw != nil:
		return append(gone, d.stmts[n.stmt].line)
	case n.section >= 0:
		return d.appendSections(gone, n)
	}
	for _, k := range n.kids {
		gone = d.appendLines(gone, k)
	}
	return gone
}

func (d *Document) appendSections(gone []span, n *node) []span {
	if n.section >= 0 {
		s := span{d.sectionStart(n.section), d.contentEnd(n.section)}
		if top := d.lineStart(0); s.start <= top || isBlank(d.src[d.lineStart(s.start-1):s.start]) {
			// One of the blank lines before and behind stays, so that comments of others do not
			// come to stand right below a section that they are not about.
			s.end = d.blanksEnd(s.end, d.sectionLimit(n.section))
		}
		gone = append(gone, s)
	}
	for _, k := range n.kids {
		if k.kind == tableNode || k.kind == tablesNode {
			gone = d.appendSections(gone, k)
		}
	}
	return gone
}

// cut removes spans, and the blank lines before a section that was the end of the file.
func (p *planner) cut(gone []span) {
	d := p.d
	slices.SortFunc(gone, func(a, b span) int { return a.start - b.start })
	gone = slices.Compact(gone)
	first := len(gone) - 1 // of those that reach the end of the file one after the other
	for first > 0 && gone[first-1].end == gone[first].start {
		first--
	}
	if first >= 0 && gone[len(gone)-1].end == len(d.src) && d.startsSection(gone[first].start) {
		start := &gone[first].start
		for *start > 0 {
			above := d.lineStart(*start - 1)
			if above >= *start || !isBlank(d.src[above:*start]) {
				break
			}
			*start = above
		}
	}
	for _, s := range gone {
		p.splice(s.start, s.end, "")
	}
}

// startsSection tells whether a header, or comments that end at one, stand at pos.
func (d *Document) startsSection(pos int) bool {
	for pos < len(d.src) {
		next := d.lineEnd(pos)
		if !isComment(d.src[pos:next]) {
			return strings.HasPrefix(strings.TrimLeft(string(d.src[pos:next]), " \t"), "[")
		}
		pos = next
	}
	return false
}

// insertLine adds a key at the end of a section's own lines.
func (p *planner) insertLine(section int, key string, v any) {
	d := p.d
	first, end := d.entries(section)
	if first < end {
		st := &d.stmts[end-1]
		var above *statement
		if end-1 > first {
			above = &d.stmts[end-2]
		}
		p.insertAfter(st.line.end, d.entryLine(st, above, key, render(v)))
		return
	}
	s := d.styleNear(section)
	if section > 0 {
		p.insertAfter(d.stmts[d.sections[section].first].line.end, s.body+key+s.equals+render(v))
		return
	}
	if len(d.sections) == 1 {
		p.insertAfter(len(d.src), key+s.equals+render(v))
		return
	}
	// The document has sections, but no keys above them: one blank line comes between.
	at := d.sectionStart(1)
	p.splice(at, at, key+s.equals+render(v)+s.eol)
	gap := splice{span: span{at, at}, text: s.gap, late: true}
	if !slices.Contains(p.splices, gap) {
		p.splices = append(p.splices, gap)
	}
}

// insertAfter adds a line behind the one that ends at end.
func (p *planner) insertAfter(end int, line string) {
	if eol := p.d.eolAt(end); p.d.endsLine(end) {
		p.splice(end, end, line+eol)
	} else {
		p.splice(end, end, eol+line)
	}
}

// insertDotted adds a key to a table that is written as dotted keys.
func (p *planner) insertDotted(n *node, name string, v any) {
	st := &p.d.stmts[n.dotted(p.d)]
	var above *statement
	if i := n.dotted(p.d); i > 0 && p.d.stmts[i-1].kind == keyValue {
		above = &p.d.stmts[i-1]
	}
	key := p.prefix(n, st.key) + renderKey(name)
	p.insertAfter(st.line.end, p.d.entryLine(st, above, key, render(v)))
}

// prefix is how a dotted key in n begins, as key, which is one, writes it.
func (p *planner) prefix(n *node, key []keyPart) string {
	depth := 0
	for ; n.isHeadless(); n = n.parent {
		depth++
	}
	return p.d.text(span{key[0].start, key[depth-1].end}) + "."
}

// insertHeader gives a super-table a section of its own, for a key that must stand in one.
func (p *planner) insertHeader(n *node, name string, v any) {
	first := n.firstSection()
	s := p.d.styleNear(first)
	at := p.d.sectionStart(first)
	p.splices = append(p.splices, splice{span: span{at, at}, late: true, text: s.header + "[" + p.d.pathText(n) + "]" + s.eol +
		s.body + renderKey(name) + s.equals + render(v) + s.eol + s.gap})
}

// appendSection adds a table or tables behind the last section of their parent.
func (p *planner) appendSection(n *node, name string, v any) {
	near := n.lastSection()
	w := sectionWriter{style: p.d.styleNear(near)}
	path := renderKey(name)
	if n.parent != nil {
		path = p.d.pathText(n) + "." + path
	} else {
		near = len(p.d.sections) - 1
	}
	w.value(path, v)
	at := len(p.d.src)
	if n.parent != nil {
		at = p.d.contentEnd(near)
	}
	p.insertSections(at, w)
}

// insertTable puts a further element into an array of tables, before the one at that index.
func (p *planner) insertTable(n *node, at int, v map[string]any) {
	if at < len(n.kids) {
		next := n.kids[at].section
		w := sectionWriter{style: p.d.styleNear(next)}
		w.table(p.d.pathText(n), v, true)
		start := p.d.sectionStart(next)
		p.splices = append(p.splices, splice{span: span{start, start}, text: w.text.String() + w.gap, late: true})
		return
	}
	w := sectionWriter{style: p.d.styleNear(n.kids[len(n.kids)-1].section)}
	w.table(p.d.pathText(n), v, true)
	p.insertSections(p.d.contentEnd(n.lastSection()), w)
}

func (p *planner) insertSections(at int, w sectionWriter) {
	text := w.text.String()
	switch d := p.d; {
	case !d.endsLine(at):
		text = w.eol + w.gap + strings.TrimSuffix(text, w.eol)
	case at > d.lineStart(0) && !isBlank(d.src[d.lineStart(at-1):at]):
		text = w.gap + text
	case p.continues(at):
		text = w.gap + text
	}
	p.splices = append(p.splices, splice{span: span{at, at}, text: text, late: true})
}

// continues tells whether a section is already planned at this place.
func (p *planner) continues(at int) bool {
	for i := len(p.splices) - 1; i >= 0; i-- {
		if s := p.splices[i]; s.start == at && s.end == at {
			return true
		}
	}
	return false
}

// sectionWriter writes new tables as sections.
type sectionWriter struct {
	style
	text strings.Builder
}

func (w *sectionWriter) value(path string, v any) {
	switch t := v.(type) {
	case map[string]any:
		w.table(path, t, false)
	case []any:
		for _, e := range t {
			w.table(path, e.(map[string]any), true)
		}
	}
}

func (w *sectionWriter) table(path string, t map[string]any, element bool) {
	var plain, nested []string
	for _, k := range sortedKeys(t) {
		switch v := t[k].(type) {
		case map[string]any:
			nested = append(nested, k)
		case []any:
			if allTables(v) {
				nested = append(nested, k)
			} else {
				plain = append(plain, k)
			}
		default:
			plain = append(plain, k)
		}
	}
	if element || len(plain) > 0 || len(nested) == 0 {
		if w.text.Len() > 0 {
			w.text.WriteString(w.gap)
		}
		open, shut := "[", "]"
		if element {
			open, shut = "[[", "]]"
		}
		w.text.WriteString(w.header + open + path + shut + w.eol)
	}
	for _, k := range plain {
		w.text.WriteString(w.body + renderKey(k) + w.equals + render(t[k]) + w.eol)
	}
	for _, k := range nested {
		w.value(path+"."+renderKey(k), t[k])
	}
}
