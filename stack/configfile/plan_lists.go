package configfile

import (
	"bytes"
	"strings"
)

// This file plans edits inside arrays and inline tables, which may span lines and hold comments.

func (r *raw) itemSpan(i int) span { return span{r.items[i].start(), r.items[i].val.end} }

// ownLine tells whether nothing stands before an item on its line.
func (p *planner) ownLine(list *raw, i int) bool {
	start := list.items[i].start()
	line := p.d.lineStart(start)
	return line > list.start && isBlank(p.d.src[line:start])
}

// afterItem is the offset behind an item and its comma.
func (r *raw) afterItem(i int) int {
	if c := r.items[i].comma; c >= 0 {
		return c + 1
	}
	return r.items[i].val.end
}

// endsOwnLine tells whether nothing but a comment follows an item and its comma on its line.
func (p *planner) endsOwnLine(list *raw, i int) bool {
	after := list.afterItem(i)
	end := p.d.lineEnd(after)
	rest := p.d.src[after:end]
	return end < list.end && (isBlank(rest) || isComment(rest))
}

func (p *planner) removeItems(list *raw, gone []int) {
	d := p.d
	n := len(list.items)
	removed := make([]bool, n)
	for _, i := range gone {
		removed[i] = true
	}
	if len(gone) == n && !bytes.ContainsRune(d.outsideItems(list), '#') {
		p.splice(list.start+1, list.end-1, "")
		return
	}
	tail := n // from here on all go
	for tail > 0 && removed[tail-1] {
		tail--
	}
	for _, i := range gone {
		start, after := list.items[i].start(), list.afterItem(i)
		switch {
		case p.ownLine(list, i) && p.endsOwnLine(list, i):
			p.splice(d.lineStart(start), d.lineEnd(after), "")
		case i < tail && d.lineEnd(after) > list.items[i+1].start():
			p.splice(start, list.items[i+1].start(), "")
		case i > 0 && !p.ownLine(list, i):
			p.splice(list.afterItem(i-1), after, "")
		default:
			p.splice(start, after, "")
		}
	}
	// What is last now must not keep a comma that the last one had not.
	if tail > 0 && tail < n && list.items[n-1].comma < 0 {
		comma := list.items[tail-1].comma
		p.splice(comma, comma+1, "")
	}
}

// outsideItems is the text of a list between its items.
func (d *Document) outsideItems(list *raw) []byte {
	var out []byte
	at := list.start + 1
	for i := range list.items {
		out = append(out, d.src[at:list.items[i].start()]...)
		at = list.items[i].val.end
	}
	return append(out, d.src[at:list.end-1]...)
}

func (p *planner) insertItems(list *raw, at int, texts []string) {
	d := p.d
	n := len(list.items)
	switch {
	case n == 0:
		p.fillList(list, texts)
	case at < n && p.ownLine(list, at):
		line := d.lineStart(list.items[at].start())
		indent := d.text(span{line, list.items[at].start()})
		floor := list.start
		if at > 0 {
			floor = d.lineEnd(list.afterItem(at - 1))
		} else {
			floor = d.lineEnd(floor)
		}
		line = d.commentsAbove(line, min(floor, line))
		var b strings.Builder
		for _, t := range texts {
			b.WriteString(indent + t + "," + d.eolAt(line))
		}
		p.splice(line, line, b.String())
	case at < n:
		start := list.items[at].start()
		p.splice(start, start, strings.Join(texts, ","+d.gapBetween(list))+","+d.gapBetween(list))
	default:
		p.appendItems(list, texts)
	}
}

// fillList puts the first items into an empty list.
func (p *planner) fillList(list *raw, texts []string) {
	d := p.d
	inner := d.src[list.start+1 : list.end-1]
	joined := strings.Join(texts, ", ")
	if !bytes.ContainsAny(inner, "#\n") {
		at := list.start + 1
		switch {
		case len(inner) == 1:
			at++
			joined += string(inner)
		case len(inner) > 1: // the first before, the others behind
			at++
		case list.kind == rawInline:
			joined = " " + joined + " "
		}
		p.splice(at, at, joined)
		return
	}
	// There are lines, so that the closing bracket is on a line of its own.
	line := d.lineStart(list.end - 1)
	above := d.lineStart(line - 1)
	indent := d.text(span{line, list.end - 1}) + "  "
	if isComment(d.src[above:line]) && above > list.start {
		text := d.text(span{above, line})
		indent = text[:strings.IndexByte(text, '#')]
	}
	p.splice(line, line, indent+strings.Join(texts, ","+d.eolAt(line)+indent)+d.eolAt(line))
}

func (p *planner) appendItems(list *raw, texts []string) {
	d := p.d
	last := len(list.items) - 1
	end, comma := list.items[last].val.end, list.items[last].comma
	if p.ownLine(list, last) && p.endsOwnLine(list, last) {
		start := list.items[last].start()
		indent := d.text(span{d.lineStart(start), start})
		at := d.lineEnd(list.afterItem(last))
		var b strings.Builder
		for i, t := range texts {
			b.WriteString(indent + t)
			if comma >= 0 || i+1 < len(texts) {
				b.WriteByte(',')
			}
			b.WriteString(d.eolAt(at))
		}
		if comma < 0 {
			p.splice(end, end, ",")
		}
		p.splice(at, at, b.String())
		return
	}
	gap := d.gapBetween(list)
	joined := gap + strings.Join(texts, ","+gap)
	if comma >= 0 {
		p.splice(comma+1, comma+1, joined+",")
	} else {
		p.splice(end, end, ","+joined)
	}
}

// gapBetween is what the list writes behind a comma on a line.
func (d *Document) gapBetween(list *raw) string {
	if len(list.items) > 1 {
		gap := d.src[list.items[0].comma+1 : list.items[1].start()]
		if isBlank(gap) && !bytes.ContainsAny(gap, "\r\n") {
			return string(gap)
		}
	}
	return " "
}

// entryText writes an entry of an inline table like its other ones.
func (p *planner) entryText(list *raw, key string, v any) string {
	equals := " = "
	if n := len(list.items); n > 0 {
		it := &list.items[n-1]
		before, after := p.d.separator(it.key, it.val)
		equals = p.d.plain(before, true) + "=" + after
	}
	return key + equals + render(v)
}
