package configfile

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// This file answers how the document is laid out: where lines, sections and their comments begin
// and end, and in which style neighbours are written.

// lineStart is the offset of the first byte of the line that pos is in, behind a byte order mark.
func (d *Document) lineStart(pos int) int {
	i := bytes.LastIndexByte(d.src[:pos], '\n') + 1
	if i == 0 && bytes.HasPrefix(d.src, bom) {
		return min(len(bom), pos)
	}
	return i
}

// lineEnd is the offset behind the line end of the line that pos is in.
func (d *Document) lineEnd(pos int) int {
	if i := bytes.IndexByte(d.src[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(d.src)
}

func isBlank(b []byte) bool { return len(bytes.Trim(b, " \t\r\n")) == 0 }

func isComment(line []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("#")) }

// eolAt is the line end that the line ending at end has, or else the document's.
func (d *Document) eolAt(end int) string {
	if end > 0 && d.src[end-1] == '\n' {
		if end > 1 && d.src[end-2] == '\r' {
			return "\r\n"
		}
		return "\n"
	}
	if len(d.lines) > 1 {
		return d.eolAt(d.lines[1])
	}
	return "\n"
}

// endsLine tells whether something can be inserted at end as a line of its own.
func (d *Document) endsLine(end int) bool {
	return end == 0 || d.src[end-1] == '\n' || end == len(bom) && bytes.HasPrefix(d.src, bom)
}

// commentsAbove is where the comment lines right above a line begin, not going above floor.
func (d *Document) commentsAbove(lineStart, floor int) int {
	for lineStart > floor {
		above := d.lineStart(lineStart - 1)
		if above < floor || !isComment(d.src[above:lineStart]) {
			break
		}
		lineStart = above
	}
	return lineStart
}

// sectionStart is where a section begins with the comments right above its header. Comments at the
// very top of the file are the file's.
func (d *Document) sectionStart(i int) int {
	sec := d.sections[i]
	if i == 0 {
		return 0
	}
	header := d.stmts[sec.first].line.start
	floor := 0
	if sec.first > 0 {
		floor = d.stmts[sec.first-1].line.end
	}
	start := d.commentsAbove(header, floor)
	if start <= d.lineStart(0) || start == len(bom) && bytes.HasPrefix(d.src, bom) {
		return header
	}
	return start
}

// sectionLimit is where the next section begins.
func (d *Document) sectionLimit(i int) int {
	if i+1 < len(d.sections) {
		return d.sectionStart(i + 1)
	}
	return len(d.src)
}

// contentEnd is where a section ends, with the comment lines right below its last line.
func (d *Document) contentEnd(i int) int {
	sec, limit := d.sections[i], d.sectionLimit(i)
	if sec.last < sec.first {
		return d.lineStart(0)
	}
	end := d.stmts[sec.last].line.end
	for end < limit {
		next := d.lineEnd(end)
		if !isComment(d.src[end:next]) {
			break
		}
		end = next
	}
	return end
}

// blanksEnd skips blank lines.
func (d *Document) blanksEnd(pos, limit int) int {
	for pos < limit {
		next := d.lineEnd(pos)
		if !isBlank(d.src[pos:next]) {
			break
		}
		pos = next
	}
	return pos
}

// lastSection is the last section of a node or of anything in it; -1: none.
func (n *node) lastSection() int {
	last := n.section
	for _, k := range n.kids {
		if k.kind == tableNode || k.kind == tablesNode {
			last = max(last, k.lastSection())
		}
	}
	return last
}

// firstSection is the first section of anything in a node; -1: none.
func (n *node) firstSection() int {
	first := n.section
	for _, k := range n.kids {
		if k.kind == tableNode || k.kind == tablesNode {
			if f := k.firstSection(); f >= 0 && (first < 0 || f < first) {
				first = f
			}
		}
	}
	return first
}

// pathText is a table's name as its header writes it, quotes and all.
func (d *Document) pathText(n *node) string {
	var parts []string
	for ; n.parent != nil; n = n.parent {
		if n.parent.kind != tablesNode {
			parts = append([]string{d.text(n.key)}, parts...)
		}
	}
	return strings.Join(parts, ".")
}

// lines of a section that hold values: first (included) and last (excluded).
func (d *Document) entries(i int) (first, end int) {
	sec := d.sections[i]
	if i == 0 {
		return sec.first, sec.last + 1
	}
	return sec.first + 1, sec.last + 1
}

func (d *Document) indent(st *statement) string {
	start := st.key[0].start
	if st.kind != keyValue {
		start = st.line.start + bytes.IndexByte(d.src[st.line.start:], '[')
	}
	return d.text(span{st.line.start, start})
}

// separator is what stands between a key and its value, as in before + "=" + after.
func (d *Document) separator(key []keyPart, val *raw) (before, after string) {
	before, after, _ = strings.Cut(d.text(span{key[len(key)-1].end, val.start}), "=")
	return before, after
}

// equalsColumn is how many characters a line has between its indentation and its "=".
func (d *Document) equalsColumn(st *statement) int {
	before, _ := d.separator(st.key, st.val)
	return utf8.RuneCount(d.src[st.key[0].start:st.key[len(st.key)-1].end]) + utf8.RuneCountInString(before)
}

// entryLine writes key and value like the line st, whose neighbour above, if any, shows whether the
// equals signs stand in a column.
func (d *Document) entryLine(st, above *statement, key, value string) string {
	before, after := d.separator(st.key, st.val)
	if above != nil && d.equalsColumn(st) == d.equalsColumn(above) {
		other, _ := d.separator(above.key, above.val)
		if len(before) > 1 || len(other) > 1 {
			before = strings.Repeat(" ", max(1, d.equalsColumn(st)-utf8.RuneCountInString(key)))
		}
	}
	return d.indent(st) + key + d.plain(before, above == nil) + "=" + after + value
}

// plain drops padding that nothing else is aligned with.
func (d *Document) plain(before string, alone bool) string {
	if alone && len(before) > 1 {
		return " "
	}
	return before
}

// style is how new sections are written.
type style struct {
	eol          string
	header, body string // indentation
	equals       string
	gap          string // between sections: a blank line, or nothing
}

// styleNear is the style of the sections around i.
func (d *Document) styleNear(i int) style {
	s := style{eol: d.eolAt(len(d.src)), equals: " = ", gap: "\n"}
	if len(d.lines) > 1 {
		s.eol = d.eolAt(d.lines[1])
	}
	for k := range d.stmts {
		if st := &d.stmts[k]; st.kind == keyValue {
			before, after := d.separator(st.key, st.val)
			s.equals = d.plain(before, true) + "=" + after
			break
		}
	}
	if i > 0 {
		s.header = d.indent(&d.stmts[d.sections[i].first])
	}
	s.body = s.header + d.bodyIndent(i)
	if d.isCompact() {
		s.gap = ""
	} else {
		s.gap = s.eol
	}
	return s
}

// bodyIndent is how far keys stand to the right of their header, in the nearest section with keys.
func (d *Document) bodyIndent(i int) string {
	for _, step := range []int{-1, 1} {
		for k := i; k > 0 && k < len(d.sections); k += step {
			first, end := d.entries(k)
			if first == end {
				continue
			}
			header := d.indent(&d.stmts[d.sections[k].first])
			if rest, ok := strings.CutPrefix(d.indent(&d.stmts[first]), header); ok {
				return rest
			}
			return ""
		}
	}
	return ""
}

// isCompact tells whether sections follow each other without blank lines.
func (d *Document) isCompact() bool {
	compact := false
	for i := 1; i < len(d.sections) && i < 20; i++ {
		start := d.sectionStart(i)
		if d.sections[i].first == 0 || start == 0 {
			continue
		}
		if isBlank(d.src[d.lineStart(start-1):start]) {
			return false
		}
		compact = true
	}
	return compact
}
