package configfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// Clash is a key that both sides changed, each to something else; nil: absent on that side. Of a list
// from which one side took a table that the other changed, Yours has what theirs did to other tables.
type Clash struct {
	// Pointer is its place in the merged document, TheirsAt in theirs: they differ where you moved
	// the tables of a list.
	Pointer, TheirsAt   string
	Base, Theirs, Yours any
}

// Merged is what Merge makes.
type Merged struct {
	Content []byte
	Clashes []Clash
	// Unmerged tells that comments of yours, or how you wrote or ordered keys, could not be laid over
	// theirs: Content has your values, and these not.
	Unmerged bool
}

// Merge lays over theirs what yours changed since base. Where both changed a key to different
// values, the merged document has theirs, and a Clash names it. Tables of a list are followed by what
// they are, so that a change reaches its table wherever the other side put it; where that cannot be
// told, or both changed the order, the list is one clash. Any other array is one value.
//
// Comments, notation and order of yours are merged line by line, as far as the values come out as
// they do key by key and every comment stays with its key.
func Merge(base, theirs, yours []byte) (Merged, error) {
	v, err := parseSides(base, theirs, yours)
	if err != nil {
		return Merged{}, err
	}
	switch {
	case bytes.Equal(base, theirs):
		return Merged{Content: bytes.Clone(yours)}, nil
	case bytes.Equal(base, yours), bytes.Equal(theirs, yours):
		return Merged{Content: bytes.Clone(theirs)}, nil
	}
	var m merger
	m.tables(nil, v.base.value, v.theirs.value, v.yours.value)
	byKey := v.theirs.copy()
	if err := m.apply(byKey); err != nil {
		return Merged{}, fmt.Errorf("the versions cannot be merged: %w", err)
	}
	out := v.withNotes(&m, byKey)
	m.place()
	return Merged{Content: out.src, Clashes: m.clashes, Unmerged: v.lost(out)}, nil
}

// Clashes compares two versions without knowing what both began from: every key that differs is one.
func Clashes(theirs, yours []byte) ([]Clash, error) {
	v, err := parseSides(nil, theirs, yours)
	if err != nil {
		return nil, err
	}
	m := merger{blind: true}
	m.tables(nil, nil, v.theirs.value, v.yours.value)
	m.place()
	return m.clashes, nil
}

// versions are the three sides of a merge.
type versions struct{ base, theirs, yours *Document }

func parseSides(base, theirs, yours []byte) (v versions, err error) {
	for _, side := range []struct {
		name string
		src  []byte
		doc  **Document
	}{{"version that both started from", base, &v.base}, {"saved version", theirs, &v.theirs}, {"edited version", yours, &v.yours}} {
		if *side.doc, err = Parse(side.src); err != nil {
			return v, fmt.Errorf("the versions cannot be merged, because the %s is not valid: %w", side.name, err)
		}
	}
	return v, nil
}

// copy is a document that can be edited without changing this one.
func (d *Document) copy() *Document {
	d.find(nil) // so that both have the index
	c := *d
	return &c
}

// merger finds what is to be done to theirs. Places are those of theirs.
type merger struct {
	blind   bool // base is not known
	changes []change
	lists   []listPlan // lists in tables of lists before the lists around them
	clashes []Clash
}

func (m *merger) tables(at []string, base, theirs, yours map[string]any) {
	for _, k := range unionKeys(base, theirs, yours) {
		b, inBase := base[k]
		t, inTheirs := theirs[k]
		y, inYours := yours[k]
		m.values(append(slices.Clone(at), k), side{b, inBase}, side{t, inTheirs}, side{y, inYours})
	}
}

// side is a value, or that there is none.
type side struct {
	value any
	is    bool
}

func (s side) equal(o side) bool { return s.is == o.is && equal(s.value, o.value) }

func (m *merger) values(at []string, base, theirs, yours side) {
	if yours.equal(theirs) || yours.equal(base) && !m.blind {
		return
	}
	b, baseTable := base.value.(map[string]any)
	t, theirsTable := theirs.value.(map[string]any)
	y, yoursTable := yours.value.(map[string]any)
	emptied := len(y) == 0 && theirs.equal(base) // a table may be written only as part of its keys
	if theirsTable && yoursTable && (baseTable || !base.is) && !emptied {
		m.tables(at, b, t, y)
		return
	}
	bl, tl, yl := tablesOf(base.value), tablesOf(theirs.value), tablesOf(yours.value)
	if m.blind {
		bl = tl
	}
	if bl != nil && tl != nil && yl != nil && m.list(at, bl, tl, yl) {
		return
	}
	switch {
	case m.blind || !theirs.equal(base):
		if list, ok := yoursOver(bl, tl, yl); ok && !m.blind {
			yours.value = list
		}
		m.clash(at, base, theirs, yours)
	case yours.is:
		m.changes = append(m.changes, change{keys: at, value: yours.value})
	default:
		m.changes = append(m.changes, change{keys: at, remove: true})
	}
}

func (m *merger) clash(at []string, base, theirs, yours side) {
	if m.blind {
		base = side{}
	}
	m.clashes = append(m.clashes, Clash{TheirsAt: joinPointer(at), Base: base.value, Theirs: theirs.value, Yours: yours.value})
}

// apply makes of theirs what is merged key by key.
func (m *merger) apply(into *Document) error {
	if err := into.apply(m.changes); err != nil {
		return err
	}
	for _, l := range m.lists {
		if err := l.apply(into); err != nil {
			return err
		}
	}
	return nil
}

// Exchange is Set for a value that was made from the one at that pointer: tables of a list that moved
// take their comments along.
func (d *Document) Exchange(ptr string, value any) error {
	keys, err := splitPointer(ptr)
	if err != nil {
		return err
	}
	old, ok := lookUp(d.value, keys)
	normal, err := normalise(value, len(keys))
	if !ok || err != nil || len(keys) == 0 {
		return d.Set(ptr, value)
	}
	var m merger
	m.values(keys, side{old, true}, side{old, true}, side{normal, true})
	next := d.copy()
	if err := m.apply(next); err != nil {
		return d.Set(ptr, value)
	}
	if now, _ := lookUp(next.value, keys); !equal(now, normal) {
		return d.Set(ptr, value)
	}
	*d = *next
	return nil
}

// place finds the clashes of theirs in the merged document, in which tables may have moved.
func (m *merger) place() {
	moved := make(map[string]listPlan, len(m.lists))
	for _, l := range m.lists {
		moved[joinPointer(l.at)] = l
	}
	for i, c := range m.clashes {
		keys, _ := splitPointer(c.TheirsAt)
		now := slices.Clone(keys)
		for n := range keys {
			if l, ok := moved[joinPointer(keys[:n])]; ok {
				at, _ := strconv.Atoi(keys[n])
				now[n] = strconv.Itoa(l.now(at))
			}
		}
		m.clashes[i].Pointer = joinPointer(now)
	}
}
