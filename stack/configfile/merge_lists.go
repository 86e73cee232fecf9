package configfile

import (
	"slices"
	"strconv"
)

// This file merges lists of tables, table by table.

// listPlan turns their list into the merged one: tables go, others come at its end, and all are put
// in order.
type listPlan struct {
	at    []string // in theirs
	gone  []int    // places in theirs
	left  []int    // likewise, of what stays
	come  []any
	order []int // of what stays and has come, as Document.Reorder takes it
}

// apply makes of the list in theirs, whose tables have their merged values already, the merged list.
func (l listPlan) apply(into *Document) error {
	if len(l.order) == 0 {
		return into.apply([]change{{keys: l.at, remove: true}})
	}
	changes := make([]change, 0, len(l.come)+len(l.gone)) // what comes first: the list is never empty
	for _, v := range l.come {
		changes = append(changes, change{keys: append(slices.Clone(l.at), "-"), value: v})
	}
	for _, i := range slices.Backward(l.gone) {
		changes = append(changes, change{keys: append(slices.Clone(l.at), strconv.Itoa(i)), remove: true})
	}
	if err := into.apply(changes); err != nil {
		return err
	}
	if err := into.Reorder(joinPointer(l.at), l.order); err != nil {
		// Their comments cannot move along; the values can.
		v, _ := lookUp(into.value, l.at)
		list := v.([]any)
		moved := make([]any, len(list))
		for to, from := range l.order {
			moved[to] = list[from]
		}
		return into.apply([]change{{keys: l.at, value: moved}})
	}
	return nil
}

// now is the place in the merged list of the table at a place in theirs.
func (l listPlan) now(at int) int {
	return max(slices.Index(l.order, slices.Index(l.left, at)), 0)
}

// entry is a table of the merged list: its place in theirs, in yours, or in both; -1: it is not there.
type entry struct{ theirs, yours int }

// list merges lists of tables. It is false, and nothing is done, where it cannot be told which table
// is which, where both sides changed the order, or where one took a table away that the other changed.
func (m *merger) list(at []string, base, theirs, yours []any) bool {
	byTheirs, byYours := pairTables(base, theirs), pairTables(base, yours)
	if !byTheirs.sure || !byYours.sure {
		return false
	}
	toTheirs, toYours := byTheirs.to(len(base)), byYours.to(len(base))
	for i, b := range base {
		t, y := toTheirs[i], toYours[i]
		switch {
		case m.blind && (t < 0) != (y < 0):
			return false
		case t < 0 && y >= 0 && !equal(b, yours[y]), y < 0 && t >= 0 && !equal(b, theirs[t]):
			return false
		}
	}
	kept := func(place int, other []int) bool { return place >= 0 && other[place] >= 0 }
	var theirOrder, yourOrder []int // of base's tables that both have
	for _, i := range byTheirs.from {
		if kept(i, toYours) {
			theirOrder = append(theirOrder, i)
		}
	}
	for _, i := range byYours.from {
		if kept(i, toTheirs) {
			yourOrder = append(yourOrder, i)
		}
	}
	youMoved := !slices.IsSorted(yourOrder)
	if same := slices.Equal(theirOrder, yourOrder); !same && youMoved && (m.blind || !slices.IsSorted(theirOrder)) {
		return false
	}
	both := newOnBothSides(theirs, yours, byTheirs, byYours)
	if m.blind && slices.Contains(byYours.from, -1) {
		return false
	}
	merged := m.compose(theirs, yours, byTheirs, byYours, toTheirs, toYours, both, youMoved)
	if doubled(merged, theirs, yours) {
		return false
	}
	for _, e := range merged {
		if e.theirs < 0 || e.yours < 0 {
			continue
		}
		here := append(slices.Clone(at), strconv.Itoa(e.theirs))
		t, y := side{theirs[e.theirs], true}, side{yours[e.yours], true}
		var b side
		if i := byTheirs.from[e.theirs]; i >= 0 {
			b = side{base[i], true}
		}
		guessed := byTheirs.guessed == e.theirs || byYours.guessed == e.yours
		if guessed && !t.equal(y) && (m.blind || !t.equal(b) && !y.equal(b)) {
			m.clash(here, b, t, y) // one side may have put another one in its place
			continue
		}
		m.values(here, b, t, y)
	}
	if !m.blind {
		m.plan(at, merged, theirs, yours)
	}
	return true
}

// yoursOver is their list with your changes laid over it, where all that keeps the two from being
// merged is that one side took tables away that the other changed: you win there.
func yoursOver(base, theirs, yours []any) ([]any, bool) {
	if base == nil || theirs == nil || yours == nil {
		return nil, false
	}
	byTheirs, byYours := pairTables(base, theirs), pairTables(base, yours)
	toTheirs, toYours := byTheirs.to(len(base)), byYours.to(len(base))
	over, from, changed := slices.Clone(theirs), slices.Clone(byTheirs.from), false // theirs, without what is in your way
	for i, b := range base {
		t, y := toTheirs[i], toYours[i]
		switch {
		case y < 0 && t >= 0 && !equal(b, theirs[t]):
			over[slices.Index(from, i)], changed = b, true
		case t < 0 && y >= 0 && !equal(b, yours[y]):
			at := 0
			for k := i - 1; k >= 0 && at == 0; k-- {
				at = slices.Index(from, k) + 1
			}
			over, from, changed = slices.Insert(over, at, b), slices.Insert(from, at, i), true
		}
	}
	d, err := Parse(nil)
	if err != nil || !changed || d.apply([]change{{keys: []string{"list"}, value: over}}) != nil {
		return nil, false
	}
	var m merger
	if !m.list([]string{"list"}, base, over, yours) || len(m.clashes) > 0 || m.apply(d) != nil {
		return nil, false
	}
	list, ok := d.value["list"].([]any)
	return list, ok
}

// newOnBothSides pairs tables that both sides added, by place in yours: equal ones, and those of one
// name. -1: it is in yours alone.
func newOnBothSides(theirs, yours []any, byTheirs, byYours pairing) []int {
	out := make([]int, len(yours))
	taken := map[int]bool{}
	name := namer(theirs, yours)
	for y := range yours {
		out[y] = -1
		for t := 0; t < len(theirs) && byYours.from[y] < 0 && out[y] < 0; t++ {
			if byTheirs.from[t] >= 0 || taken[t] {
				continue
			}
			if name != "" && equal(theirs[t].(map[string]any)[name], yours[y].(map[string]any)[name]) || equal(theirs[t], yours[y]) {
				out[y], taken[t] = t, true
			}
		}
	}
	return out
}

// compose is the merged list in the order of the side that moved something, theirs if neither did.
// What the other one added follows what it stood behind there.
func (m *merger) compose(theirs, yours []any, byTheirs, byYours pairing, toTheirs, toYours, both []int, youLead bool) []entry {
	their := make([]entry, 0, len(theirs)) // what stays of theirs, in their order
	for t, b := range byTheirs.from {
		switch {
		case b >= 0 && toYours[b] >= 0:
			their = append(their, entry{t, toYours[b]})
		case b < 0:
			their = append(their, entry{t, slices.Index(both, t)})
		}
	}
	your := make([]entry, 0, len(yours))
	for y, b := range byYours.from {
		switch {
		case b >= 0 && toTheirs[b] >= 0:
			your = append(your, entry{toTheirs[b], y})
		case b < 0:
			your = append(your, entry{both[y], y})
		}
	}
	lead, other := their, your
	if youLead {
		lead, other = your, their
	}
	out := slices.Clone(lead)
	for i, e := range other {
		if e.theirs >= 0 && e.yours >= 0 {
			continue
		}
		at := 0
		for k := i - 1; k >= 0 && at == 0; k-- {
			at = slices.Index(out, other[k]) + 1
		}
		// Theirs before yours, where both added at one place.
		for !youLead && at < len(out) && out[at].yours < 0 {
			at++
		}
		out = slices.Insert(out, at, e)
	}
	return out
}

// doubled tells whether two tables of a merged list have a name that each side has once.
func doubled(merged []entry, theirs, yours []any) bool {
	name := namer(theirs)
	if name == "" || name != namer(yours) {
		return false
	}
	seen := map[any]bool{}
	for _, e := range merged {
		if e.theirs >= 0 && e.yours >= 0 {
			continue // one that both have; its name is merged like any other member
		}
		list, i := theirs, e.theirs
		if i < 0 {
			list, i = yours, e.yours
		}
		v := list[i].(map[string]any)[name]
		if seen[v] {
			return true
		}
		seen[v] = true
	}
	for _, e := range merged {
		if e.theirs >= 0 && e.yours >= 0 {
			for _, v := range []any{theirs[e.theirs].(map[string]any)[name], yours[e.yours].(map[string]any)[name]} {
				if seen[v] {
					return true
				}
			}
		}
	}
	return false
}

// plan writes down how their list becomes the merged one.
func (m *merger) plan(at []string, merged []entry, theirs, yours []any) {
	l := listPlan{at: at, left: places(len(theirs))}
	stays := map[int]bool{}
	for _, e := range merged {
		stays[e.theirs] = true
	}
	l.left = slices.DeleteFunc(l.left, func(t int) bool { return !stays[t] })
	place := make(map[int]int, len(l.left))
	for i, t := range l.left {
		place[t] = i
	}
	for t := range theirs {
		if !stays[t] {
			l.gone = append(l.gone, t)
		}
	}
	for _, e := range merged {
		if e.theirs >= 0 {
			l.order = append(l.order, place[e.theirs])
			continue
		}
		l.order = append(l.order, len(l.left)+len(l.come))
		l.come = append(l.come, yours[e.yours])
	}
	if len(l.gone) > 0 || len(l.come) > 0 || !slices.IsSorted(l.order) {
		m.lists = append(m.lists, l)
	}
}
