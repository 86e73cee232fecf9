package configfile

import "strconv"

// index knows the places of everything in a document.
type index struct {
	stmts    []statement
	sections []section
	root     *node
	lines    []int // offsets of line starts
}

// newIndex is made when somebody asks for a place, which most documents are never asked.
func newIndex(src []byte) *index {
	stmts, _ := scan(src, true)
	ix := &index{stmts: stmts, lines: lineStarts(src)}
	var ok bool
	if ix.root, ix.sections, ok = buildIndex(stmts); !ok {
		// The decoder accepted what the index does not understand: nothing has a place, and edits
		// fail their check.
		ix.stmts, ix.sections = nil, []section{{first: 0, last: -1}}
		ix.root = &node{kind: tableNode, section: 0, stmt: -1}
		ix.sections[0].node = ix.root
	}
	return ix
}

type nodeKind uint8

const (
	tableNode  nodeKind = iota // the document, [table], super-table, dotted table, element of tables
	tablesNode                 // array of tables
	valueNode                  // scalar
	arrayNode                  // [ … ]
	inlineNode                 // { … }
)

// node is a key or an element, with the places where it is written.
type node struct {
	kind   nodeKind
	name   string // key, or the element's index
	parent *node
	kids   []*node
	byName map[string]*node // of tables with many kids

	key     span // where its name is written first; of elements: the value or the header
	section int  // its header, an index into the sections; 0 is the document's own; -1 none
	stmt    int  // the key = value statement that holds its value; -1 none
	list    *raw // the array or inline table that it, or the first of its dotted keys, is an item of
	item    int  // index into list.items
	raw     *raw // its value as written, unless it is a table that is spread over lines
}

// section is a header with the key = value lines under it; the first one has no header.
type section struct {
	node        *node
	first, last int // statements; first is the header. Without any: last < first
}

func (n *node) child(name string) *node {
	if n.kind == arrayNode || n.kind == tablesNode {
		i, ok := arrayIndex(name)
		if !ok || i >= len(n.kids) {
			return nil
		}
		return n.kids[i]
	}
	return n.named(name)
}

func (n *node) named(name string) *node {
	if n.byName != nil {
		return n.byName[name]
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// manyKids is from where on kids are found by a map.
const manyKids = 8

func (n *node) add(name string, kind nodeKind, at span) *node {
	k := &node{kind: kind, name: name, parent: n, key: at, section: -1, stmt: -1}
	n.kids = append(n.kids, k)
	if n.kind != tableNode && n.kind != inlineNode {
		return k
	}
	switch {
	case n.byName != nil:
		n.byName[name] = k
	case len(n.kids) >= manyKids:
		n.byName = make(map[string]*node, 2*manyKids)
		for _, k := range n.kids {
			n.byName[k.name] = k
		}
	}
	return k
}

// isHeadless tells a table that exists only through what is in it: a super-table or a dotted one.
func (n *node) isHeadless() bool { return n.kind == tableNode && n.section < 0 }

// buildIndex makes the tree of a document that the decoder accepted; false if the two disagree
// about what a valid document is.
func buildIndex(stmts []statement) (root *node, sections []section, ok bool) {
	root = &node{kind: tableNode, section: 0, stmt: -1}
	sections = []section{{node: root, first: 0, last: -1}}
	here := root
	for i := range stmts {
		st := &stmts[i]
		if st.kind == keyValue {
			if !addEntry(here, st.key, st.val, i, nil, 0) {
				return nil, nil, false
			}
			sections[len(sections)-1].last = i
			continue
		}
		if here = addHeader(root, st); here == nil {
			return nil, nil, false
		}
		here.section = len(sections)
		sections = append(sections, section{node: here, first: i, last: i})
	}
	return root, sections, true
}

func addHeader(root *node, st *statement) *node {
	n, last := root, len(st.key)-1
	for i, part := range st.key {
		k := n.named(part.name)
		switch {
		case k == nil && i == last && st.kind == elementHeader:
			k = n.add(part.name, tablesNode, part.span)
		case k == nil:
			k = n.add(part.name, tableNode, part.span)
		}
		n = k
		if i < last && n.kind == tablesNode {
			n = n.kids[len(n.kids)-1]
		}
		if n.kind != tableNode && !(i == last && n.kind == tablesNode) {
			return nil
		}
	}
	at := st.key[last].span
	if st.kind == elementHeader {
		if n.kind != tablesNode {
			return nil
		}
		return n.add(strconv.Itoa(len(n.kids)), tableNode, at)
	}
	if n.kind != tableNode || n.section >= 0 {
		return nil
	}
	n.key = at
	return n
}

func addEntry(n *node, key []keyPart, val *raw, stmt int, list *raw, item int) bool {
	last := len(key) - 1
	for i, part := range key {
		k := n.named(part.name)
		if i == last {
			if k != nil {
				return false
			}
			addValue(n.add(part.name, valueNode, part.span), val, stmt, list, item)
			return true
		}
		if k == nil {
			k = n.add(part.name, tableNode, part.span)
			k.list, k.item = list, item
		}
		if k.kind != tableNode {
			return false
		}
		n = k
	}
	return false
}

func addValue(n *node, val *raw, stmt int, list *raw, item int) {
	n.raw, n.stmt, n.list, n.item = val, stmt, list, item
	switch val.kind {
	case rawArray:
		n.kind = arrayNode
		for i := range val.items {
			v := val.items[i].val
			addValue(n.add(strconv.Itoa(i), valueNode, v.span), v, stmt, val, i)
		}
	case rawInline:
		n.kind = inlineNode
		for i := range val.items {
			addEntry(n, val.items[i].key, val.items[i].val, stmt, val, i)
		}
	}
}
