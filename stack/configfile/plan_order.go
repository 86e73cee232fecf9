package configfile

import (
	"slices"
	"strings"
)

// This file plans the reordering of arrays and arrays of tables.

// reorderItems moves the elements of an array. Where each has its lines, its comments go with it:
// those above, and the one behind. Otherwise only the values change places.
func (p *planner) reorderItems(list *raw, order []int) {
	d := p.d
	lines := true
	for i := range list.items {
		lines = lines && p.ownLine(list, i) && p.endsOwnLine(list, i)
	}
	if !lines {
		for i, from := range order {
			to := list.itemSpan(i)
			p.splice(to.start, to.end, d.text(list.itemSpan(from)))
		}
		return
	}
	// An item's lines: what is above it since the item before, itself, and what follows on its line.
	// The comma belongs to the place, not to the item.
	type piece struct{ lead, body, tail string }
	pieces := make([]piece, len(list.items))
	start := d.lineStart(list.items[0].start())
	start = d.commentsAbove(start, d.lineEnd(list.start))
	at := start
	for i := range list.items {
		s := list.itemSpan(i)
		after, end := list.afterItem(i), d.lineEnd(list.afterItem(i))
		pieces[i].lead = d.text(span{at, s.start})
		pieces[i].body = d.text(s)
		pieces[i].tail = strings.TrimRight(d.text(span{after, end}), "\r\n")
		if c := list.items[i].comma; c > s.end && strings.TrimSpace(d.text(span{s.end, c})) != "" {
			pieces[i].body += d.text(span{s.end, c}) // a comment before the comma
		}
		at = end
	}
	var b strings.Builder
	for i, from := range order {
		piece := pieces[from]
		b.WriteString(piece.lead + piece.body)
		if list.items[i].comma >= 0 {
			b.WriteByte(',')
		}
		b.WriteString(piece.tail + d.eolAt(d.lineEnd(list.afterItem(i))))
	}
	p.splice(start, at, b.String())
}

// reorderTables moves the elements of an array of tables with all sections in them and the comments
// that belong to those. Blank lines between sections stay where they are.
func (p *planner) reorderTables(n *node, order []int) {
	d := p.d
	places := make([][]span, len(n.kids))
	texts := make([]string, len(n.kids))
	for i, k := range n.kids {
		for _, s := range d.ownSections(k) {
			content := span{d.sectionStart(s), d.contentEnd(s)}
			if last := len(places[i]) - 1; last >= 0 && isBlank(d.src[places[i][last].end:content.start]) {
				places[i][last].end = content.end // with the blank lines between them
			} else {
				places[i] = append(places[i], content)
			}
		}
		var parts []string
		for _, s := range places[i] {
			text := d.text(s)
			if !strings.HasSuffix(text, "\n") {
				text += d.eolAt(s.end)
			}
			parts = append(parts, text)
		}
		texts[i] = strings.Join(parts, d.styleNear(k.section).gap)
	}
	for i, from := range order {
		for j, s := range places[i] {
			switch {
			case j > 0:
				p.splice(s.start, s.end, "")
			case !d.endsLine(s.end):
				p.splice(s.start, s.end, strings.TrimRight(texts[from], "\r\n"))
			default:
				p.splice(s.start, s.end, texts[from])
			}
		}
	}
}

// ownSections lists the sections of a node and of everything in it, in the order of the file.
func (d *Document) ownSections(n *node) []int {
	var out []int
	var walk func(*node)
	walk = func(n *node) {
		if n.section >= 0 {
			out = append(out, n.section)
		}
		for _, k := range n.kids {
			if k.kind == tableNode || k.kind == tablesNode {
				walk(k)
			}
		}
	}
	walk(n)
	slices.Sort(out)
	return out
}
