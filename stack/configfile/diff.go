package configfile

import (
	"cmp"
	"slices"
	"strconv"
)

// ChangeKind says what happened to a key.
type ChangeKind string

const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// Change is one key that differs between two versions of a document.
type Change struct {
	Pointer  string     `json:"pointer"`
	Kind     ChangeKind `json:"kind"`
	Old, New any        // nil where the key is absent
}

// Diff lists the keys that differ, ordered by name. Tables and arrays of tables are walked into; any
// other array is one value.
func Diff(old, new map[string]any) []Change {
	return diffTables(nil, "", old, new)
}

// Compare is Diff in the order of the new document, with what was removed where it stood in the old.
func Compare(old, new *Document) []Change {
	type placed struct {
		Change
		line, col int
	}
	var list []placed
	for _, c := range Diff(old.value, new.value) {
		d := new
		if c.Kind == Removed {
			d = old
		}
		line, col := d.Position(c.Pointer)
		list = append(list, placed{c, line, col})
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col))
	})
	var changes []Change
	for _, c := range list {
		changes = append(changes, c.Change)
	}
	return changes
}

// Pointers lists the keys that differ; [""], the whole document, if either does not parse.
func Pointers(old, new []byte) []string {
	o, err := Parse(old)
	if err != nil {
		return []string{""}
	}
	n, err := Parse(new)
	if err != nil {
		return []string{""}
	}
	var out []string
	for _, c := range Compare(o, n) {
		out = append(out, c.Pointer)
	}
	return out
}

func diffTables(out []Change, at string, old, new map[string]any) []Change {
	for _, k := range unionKeys(old, new) {
		o, inOld := old[k]
		n, inNew := new[k]
		out = diffValues(out, JoinPointer(at, k), o, n, inOld, inNew)
	}
	return out
}

func diffValues(out []Change, at string, old, new any, inOld, inNew bool) []Change {
	if inOld && inNew && equal(old, new) {
		return out
	}
	oldTable, isOld := old.(map[string]any)
	newTable, isNew := new.(map[string]any)
	oldList, newList := tablesOf(old), tablesOf(new)
	switch {
	case (isOld || !inOld) && (isNew || !inNew) && len(oldTable)+len(newTable) > 0:
		return diffTables(out, at, oldTable, newTable)
	case (oldList != nil || !inOld) && (newList != nil || !inNew) && len(oldList)+len(newList) > 0:
		for i := range max(len(oldList), len(newList)) {
			var o, n any
			if i < len(oldList) {
				o = oldList[i]
			}
			if i < len(newList) {
				n = newList[i]
			}
			out = diffValues(out, JoinPointer(at, strconv.Itoa(i)), o, n, i < len(oldList), i < len(newList))
		}
		return out
	case !inOld:
		return append(out, Change{Pointer: at, Kind: Added, New: new})
	case !inNew:
		return append(out, Change{Pointer: at, Kind: Removed, Old: old})
	}
	return append(out, Change{Pointer: at, Kind: Changed, Old: old, New: new})
}

// tablesOf is v if it is an array of tables and nothing else.
func tablesOf(v any) []any {
	if list, ok := v.([]any); ok && allTables(list) {
		return list
	}
	return nil
}

func unionKeys(tables ...map[string]any) []string {
	union := map[string]any{}
	for _, t := range tables {
		for k := range t {
			union[k] = nil
		}
	}
	return sortedKeys(union)
}
