package schema

import (
	"slices"
	"sort"
	"strconv"
)

// editor writes down how one document becomes another.
type editor struct{ list []Edit }

func (w *editor) set(ptr string, v any) { w.list = append(w.list, Edit{Pointer: ptr, Value: v}) }
func (w *editor) remove(ptr string)     { w.list = append(w.list, Edit{Pointer: ptr, Remove: true}) }

// diff writes the edits from cur to next at an entry that the document has or had a place for.
func (w *editor) diff(e *entry, cur any, had bool, next any, has bool) {
	switch {
	case !has && had:
		w.remove(e.orig)
		return
	case !has, had && same(cur, next):
		return
	}
	switch e.shape {
	case isTable:
		from, ok1 := cur.(map[string]any)
		to, ok2 := next.(map[string]any)
		if ok2 && (ok1 || !had) {
			w.table(e, from, to)
			if !had && len(to) == 0 {
				w.set(e.orig, to)
			}
			return
		}
	case isList:
		if from, ok := cur.([]any); ok && len(from) > 0 && len(next.([]any)) > 0 {
			w.items(e, from, next.([]any))
			return
		}
	case isLines, isChecks, isTuple:
		from, ok1 := cur.([]any)
		to, ok2 := next.([]any)
		if ok1 && ok2 && w.fewItems(e.orig, from, to) {
			return
		}
	}
	w.set(e.orig, next)
}

func (w *editor) table(e *entry, from, to map[string]any) {
	seen := map[string]bool{}
	for _, child := range e.children {
		seen[child.key] = true
		cur, had := from[child.key]
		next, has := to[child.key]
		w.diff(child, cur, had, next, has)
	}
	for _, key := range sortedKeys(from) {
		if _, kept := to[key]; !kept && !seen[key] {
			w.remove(join(e.orig, key))
		}
	}
}

// items writes the edits of a list of groups: changes, removals from the last, additions, order.
func (w *editor) items(e *entry, from, to []any) {
	var kept, order []int
	added := len(from)
	for i, child := range e.children {
		n, _ := strconv.Atoi(e.tokens[i])
		if n < len(from) {
			w.diff(child, from[n], true, to[i], true)
			kept = append(kept, n)
			order = append(order, n)
		} else {
			order = append(order, added)
			added++
		}
	}
	sort.Ints(kept)
	for n := len(from) - 1; n >= 0; n-- {
		if _, ok := slices.BinarySearch(kept, n); !ok {
			w.remove(e.orig + "/" + strconv.Itoa(n))
		}
	}
	size := len(kept)
	for i := range e.children {
		if order[i] >= len(from) {
			w.set(e.orig+"/"+strconv.Itoa(size), to[i])
			order[i] = size
			size++
		} else {
			order[i], _ = slices.BinarySearch(kept, order[i])
		}
	}
	if !slices.IsSorted(order) {
		w.list = append(w.list, Edit{Pointer: e.orig, Order: order})
	}
}

// fewItems changes a list item by item, where that keeps more of the file than writing it anew:
// the same number of items, some more at the end, or some fewer.
func (w *editor) fewItems(ptr string, from, to []any) bool {
	at := func(i int) string { return ptr + "/" + strconv.Itoa(i) }
	if len(from) == 0 || len(to) == 0 {
		return false
	}
	if len(to) >= len(from) {
		changed := 0
		for i := range from {
			if !same(from[i], to[i]) {
				changed++
			}
		}
		if changed > 0 && (len(to) > len(from) || changed > len(from)/2+1) {
			return false
		}
		for i := range to {
			if i >= len(from) || !same(from[i], to[i]) {
				w.set(at(i), to[i])
			}
		}
		return true
	}
	var gone []int
	j := 0
	for i := range from {
		if j < len(to) && same(from[i], to[j]) {
			j++
		} else {
			gone = append(gone, i)
		}
	}
	if j < len(to) {
		return false
	}
	for _, i := range slices.Backward(gone) {
		w.remove(at(i))
	}
	return true
}

// same says whether two values would be written alike: unlike equal, 5 and 5.0 differ.
func same(a, b any) bool {
	if kindOf(a) != kindOf(b) {
		return false
	}
	switch a := a.(type) {
	case map[string]any:
		b := b.(map[string]any)
		if len(a) != len(b) {
			return false
		}
		for key := range a {
			if other, ok := b[key]; !ok || !same(a[key], other) {
				return false
			}
		}
		return true
	case []any:
		b := b.([]any)
		return slices.EqualFunc(a, b, same)
	}
	return equal(a, b)
}
