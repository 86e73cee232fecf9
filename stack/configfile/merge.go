package configfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// Clash is a key that both sides changed, each to something else; nil: absent on that side.
type Clash struct {
	Pointer             string
	Base, Theirs, Yours any
}

// Merge applies to theirs what yours changed since base, key by key, so that comments and order are
// theirs. Where both changed a key to different values, merged has theirs, and clashes names it.
// Arrays are one value each, except arrays of tables of the same length on all sides.
func Merge(base, theirs, yours []byte) (merged []byte, clashes []Clash, err error) {
	var docs [3]*Document
	for i, side := range []struct {
		name string
		src  []byte
	}{{"version that both started from", base}, {"saved version", theirs}, {"edited version", yours}} {
		if docs[i], err = Parse(side.src); err != nil {
			return nil, nil, fmt.Errorf("the versions cannot be merged, because the %s is not valid: %w", side.name, err)
		}
	}
	switch {
	case bytes.Equal(base, theirs):
		return bytes.Clone(yours), nil, nil
	case bytes.Equal(base, yours):
		return bytes.Clone(theirs), nil, nil
	}
	var m merger
	m.tables(nil, docs[0].value, docs[1].value, docs[2].value)
	into := docs[1]
	if err := into.apply(m.changes); err != nil {
		return nil, nil, fmt.Errorf("the versions cannot be merged: %w", err)
	}
	return into.src, m.clashes, nil
}

type merger struct {
	changes []change
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
	if yours.equal(base) || yours.equal(theirs) {
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
	if n := len(bl); n > 0 && n == len(tl) && n == len(yl) {
		for i := range bl {
			m.values(append(slices.Clone(at), strconv.Itoa(i)), side{bl[i], true}, side{tl[i], true}, side{yl[i], true})
		}
		return
	}
	switch {
	case !theirs.equal(base):
		m.clashes = append(m.clashes, Clash{joinPointer(at), base.value, theirs.value, yours.value})
	case yours.is:
		m.changes = append(m.changes, change{keys: at, value: yours.value})
	default:
		m.changes = append(m.changes, change{keys: at, remove: true})
	}
}
