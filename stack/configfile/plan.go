package configfile

import (
	"errors"
	"fmt"
	"slices"
)

// planner turns changes into splices against one document. Plans may be wrong where changes get in
// each other's way; the check after splicing finds that.
type planner struct {
	d       *Document
	splices []splice
	again   []change // what is left to do on the document that the splices make
}

func (p *planner) splice(start, end int, text string) {
	p.splices = append(p.splices, splice{span: span{start, end}, text: text})
}

// plan adds a change's splices. For a removal it returns what vanishes, which may be more than was
// asked for: a table that is written only as part of its keys' names goes with its last key.
func (p *planner) plan(c change) (vanishes []string, err error) {
	n, rest := p.d.find(c.keys)
	if c.remove {
		if len(rest) > 0 {
			return nil, errors.New("there is nothing of that name")
		}
		keys := c.keys
		for n.parent.vanishesWith(n) {
			n, keys = n.parent, keys[:len(keys)-1]
		}
		p.remove(n)
		return keys, nil
	}
	if len(rest) == 0 {
		return nil, p.replace(n, c.keys, c.value)
	}
	v := c.value
	for i := len(rest) - 1; i > 0; i-- {
		v = map[string]any{rest[i]: v}
	}
	return nil, p.add(n, rest[0], v)
}

// vanishesWith tells whether nothing of n would be written without its kid.
func (n *node) vanishesWith(kid *node) bool {
	return len(n.kids) == 1 && n.parent != nil && (n.isHeadless() || n.kind == tablesNode)
}

func (p *planner) value(n *node) any {
	v, _ := lookUp(p.d.value, n.path())
	return v
}

func (n *node) path() []string {
	var keys []string
	for ; n.parent != nil; n = n.parent {
		keys = append(keys, n.name)
	}
	slices.Reverse(keys)
	return keys
}

// replace makes n hold v, changing as little as it can.
func (p *planner) replace(n *node, keys []string, v any) error {
	return p.replaceValue(n, keys, p.value(n), v)
}

func (p *planner) replaceValue(n *node, keys []string, old, v any) error {
	if equal(old, v) {
		return nil
	}
	table, isTable := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case isTable && (n.kind == tableNode || n.kind == inlineNode):
		return p.replaceTable(n, keys, old.(map[string]any), table)
	case isList && (n.kind == arrayNode || n.kind == tablesNode && allTables(list)):
		return p.replaceList(n, keys, old.([]any), list)
	case n.raw != nil:
		text := p.d.text(n.raw.span)
		p.splice(n.raw.start, n.raw.end, restyle(text, v))
		return nil
	}
	if n.parent != nil && n.parent.kind == tablesNode { // sections cannot hold anything but tables
		list := slices.Clone(p.value(n.parent).([]any))
		list[slices.Index(n.parent.kids, n)] = v
		n, keys, v = n.parent, keys[:len(keys)-1], list
	}
	p.remove(n)
	p.again = append(p.again, change{keys: keys, value: v})
	return nil
}

func (p *planner) replaceTable(n *node, keys []string, old, v map[string]any) error {
	var gone []*node
	for _, k := range n.kids {
		if _, ok := v[k.name]; !ok {
			gone = append(gone, k)
		}
	}
	if len(gone) > 0 && len(gone) == len(n.kids) && n.parent != nil && n.isHeadless() {
		p.remove(n)
		p.again = append(p.again, change{keys: keys, value: v})
		return nil
	}
	p.removeKids(gone)
	mark := len(p.again)
	var come []string
	for _, name := range sortedKeys(v) {
		k := n.child(name)
		if k == nil {
			come = append(come, name)
			continue
		}
		if err := p.replaceValue(k, append(slices.Clone(keys), name), old[name], v[name]); err != nil {
			return err
		}
	}
	if len(come) > 0 && (len(gone) > 0 || len(p.again) > mark) { // what comes could meet what goes
		p.again = append(p.again[:mark], change{keys: keys, value: v})
		return nil
	}
	if n.inline() != nil {
		p.addEntries(n, come, v)
		return nil
	}
	for i, name := range come {
		if i > 0 && n.isHeadless() && n.dotted(p.d) < 0 { // the first one may have given n a header
			p.again = append(p.again, change{keys: keys, value: v})
			return nil
		}
		if err := p.add(n, name, v[name]); err != nil {
			return err
		}
	}
	return nil
}

// addEntries puts new keys into a table that is written in an inline table.
func (p *planner) addEntries(n *node, names []string, v map[string]any) {
	if len(names) == 0 {
		return
	}
	list, at, prefix := n.raw, 0, ""
	if n.kind == inlineNode {
		at = len(list.items)
	} else {
		list, at = n.lastItem()
		at, prefix = at+1, p.prefix(n, list.items[n.item].key)
	}
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = p.entryText(list, prefix+renderKey(name), v[name])
	}
	p.insertItems(list, at, texts)
}

// replaceList keeps the elements that stay, with their comments. What must go goes first, what must
// come comes in a second round: both at once could meet at one comma.
func (p *planner) replaceList(n *node, keys []string, old, v []any) error {
	pairs, gone, come := align(old, v)
	mark := len(p.again)
	for _, pair := range pairs {
		k := n.kids[pair.old]
		if err := p.replaceValue(k, append(slices.Clone(keys), k.name), old[pair.old], v[pair.new]); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		if len(gone) == len(n.kids) && n.kind == tablesNode {
			p.remove(n)
		} else {
			kids := make([]*node, len(gone))
			for i, g := range gone {
				kids[i] = n.kids[g]
			}
			p.removeKids(kids)
		}
	}
	if len(gone) > 0 && len(come) > 0 || len(gone)+len(come) > 0 && len(p.again) > mark {
		// An element that must be continued must not get another index meanwhile.
		p.again = append(p.again[:mark], change{keys: keys, value: v})
		return nil
	}
	for len(come) > 0 { // one insertion per place
		at, run := come[0].old, 1
		for run < len(come) && come[run].old == at {
			run++
		}
		values := make([]any, run)
		for i := range values {
			values[i] = v[come[i].new]
		}
		if err := p.insertElements(n, at, values); err != nil {
			return err
		}
		come = come[run:]
	}
	return nil
}

func (p *planner) insertElements(n *node, at int, values []any) error {
	if n.kind == tablesNode {
		for _, v := range values {
			p.insertTable(n, at, v.(map[string]any))
		}
		return nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = render(v)
	}
	p.insertItems(n.raw, at, texts)
	return nil
}

// add puts a new key into a table, or a new element behind a list's last one.
func (p *planner) add(n *node, name string, v any) error {
	switch n.kind {
	case valueNode:
		return fmt.Errorf("%s is not a table, so that there is no %q in it", kindOf(p.value(n)), name)
	case arrayNode, tablesNode:
		if i, ok := arrayIndex(name); name != "-" && (!ok || i < len(n.kids)) {
			return fmt.Errorf("the array has %d elements, none at %q", len(n.kids), name)
		}
		if _, ok := v.(map[string]any); !ok && n.kind == tablesNode {
			return errors.New("an array of tables can only take a further table")
		}
		return p.insertElements(n, len(n.kids), []any{v})
	}
	switch {
	case n.inline() != nil:
		p.addEntries(n, []string{name}, map[string]any{name: v})
	case p.asSections(n, v):
		p.appendSection(n, name, v)
	case n.section >= 0:
		p.insertLine(n.section, renderKey(name), v)
	case n.dotted(p.d) >= 0:
		p.insertDotted(n, name, v)
	default:
		p.insertHeader(n, name, v)
	}
	return nil
}

// inline is the inline table that the table n is written in, if it is.
func (n *node) inline() *raw {
	switch {
	case n.kind == inlineNode:
		return n.raw
	case n.kind == tableNode:
		return n.list
	}
	return nil
}

// lastItem is the last entry of an inline table that speaks of the dotted table n.
func (n *node) lastItem() (*raw, int) {
	last := n.item
	for _, k := range n.kids {
		i := k.item
		if k.kind == tableNode {
			_, i = k.lastItem()
		}
		last = max(last, i)
	}
	return n.list, last
}

// dotted is the last key = value line that speaks of the dotted table n; -1: there is none, so that
// n is a super-table.
func (n *node) dotted(d *Document) int {
	last := -1
	for _, k := range n.kids {
		switch {
		case k.stmt >= 0:
			last = max(last, k.stmt)
		case k.isHeadless():
			last = max(last, k.dotted(d))
		}
	}
	return last
}

// asSections tells whether a new key of n is written as [table] or [[table]] sections.
func (p *planner) asSections(n *node, v any) bool {
	if list, ok := v.([]any); ok && !allTables(list) {
		return false
	} else if _, table := v.(map[string]any); !ok && !table {
		return false
	}
	if n.isHeadless() && n.dotted(p.d) >= 0 {
		return false
	}
	inlines, headers := 0, 0
	for _, k := range n.kids {
		switch {
		case k.kind == inlineNode:
			inlines++
		case k.kind == tablesNode, k.kind == tableNode && k.dotted(p.d) < 0:
			headers++
		}
	}
	return inlines == 0 || headers > 0
}

func (d *Document) text(s span) string { return string(d.src[s.start:s.end]) }
