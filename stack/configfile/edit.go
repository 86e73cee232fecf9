package configfile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Edit sets the value at a pointer or, with Remove, takes what is there away.
type Edit struct {
	Pointer string
	Value   any
	Remove  bool
}

// Set puts a value at a pointer. A key that is absent is added at the end of its table, with the
// tables it needs; "-" or the length of an array as the last part of the pointer appends. Setting
// the value that is there changes nothing. After an error the document is what it was.
func (d *Document) Set(ptr string, value any) error {
	return d.Apply(Edit{Pointer: ptr, Value: value})
}

// Remove takes a key with its line, a table with its section or an element away. A table that is
// written only as part of its keys' names goes with its last key.
func (d *Document) Remove(ptr string) error {
	return d.Apply(Edit{Pointer: ptr, Remove: true})
}

// Apply makes all edits, one after the other, or none. Many edits at once cost little more than one.
func (d *Document) Apply(edits ...Edit) error {
	changes := make([]change, 0, len(edits))
	for _, e := range edits {
		keys, err := splitPointer(e.Pointer)
		if err != nil {
			return err
		}
		c := change{keys: keys, remove: e.Remove}
		if !e.Remove {
			if c.value, err = normalise(e.Value, len(keys)); err != nil {
				return fmt.Errorf("%s cannot be set: %w", place(keys), err)
			}
			if _, ok := c.value.(map[string]any); len(keys) == 0 && !ok {
				return errors.New("the document itself can only be set to a table")
			}
		} else if len(keys) == 0 {
			return errors.New("the document itself cannot be removed")
		}
		changes = append(changes, c)
	}
	return d.apply(changes)
}

// MergePatch applies a merge patch (RFC 7396): nil removes a key, a table is merged, anything else
// is set. Whole numbers and dates, which JSON does not know, are written as the file writes them.
func (d *Document) MergePatch(patch map[string]any) error {
	changes, err := patchChanges(nil, nil, d.value, patch)
	if err != nil {
		return err
	}
	return d.apply(changes)
}

func patchChanges(out []change, at []string, existing, patch map[string]any) ([]change, error) {
	if len(at) >= maxDepth {
		return nil, fmt.Errorf("the patch is nested more than %d levels deep", maxDepth)
	}
	for _, k := range sortedKeys(patch) {
		keys := append(slices.Clone(at), k)
		old, exists := existing[k]
		if patch[k] == nil {
			if exists {
				out = append(out, change{keys: keys, remove: true})
			}
			continue
		}
		v := patch[k]
		if table, ok := v.(map[string]any); ok {
			if oldTable, ok := old.(map[string]any); ok {
				var err error
				if out, err = patchChanges(out, keys, oldTable, table); err != nil {
					return nil, err
				}
				continue
			}
			v = withoutNulls(table, len(keys))
		}
		v, err := normalise(v, len(keys))
		if err == nil {
			v, err = fitJSON(v, old)
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be set: %w", place(keys), err)
		}
		out = append(out, change{keys: keys, value: v})
	}
	return out, nil
}

func withoutNulls(table map[string]any, depth int) map[string]any {
	out := map[string]any{}
	for k, v := range table {
		if inner, ok := v.(map[string]any); ok && depth <= maxDepth {
			v = withoutNulls(inner, depth+1)
		}
		if v != nil {
			out[k] = v
		}
	}
	return out
}

// change is an Edit that is ready to be planned.
type change struct {
	keys   []string
	value  any
	remove bool
}

// place names a pointer in a sentence.
func place(keys []string) string {
	if len(keys) == 0 {
		return "the document"
	}
	return joinPointer(keys)
}

// apply makes all changes or none. It plans as many as it can against one index; where changes get
// in each other's way, the check fails and they are made in smaller parts.
func (d *Document) apply(changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	next, err := d.edited(changes, 0)
	if err != nil {
		return err
	}
	*d = *next
	return nil
}

// maxRounds is how often a change may need to be continued on what it made so far.
const maxRounds = 6

func (d *Document) edited(changes []change, round int) (*Document, error) {
	next, err := d.editedAtOnce(changes, round)
	if err == nil {
		return next, nil
	}
	if len(changes) == 1 {
		if next, ok := d.editedFiner(changes[0], round); ok {
			return next, nil
		}
		return nil, err
	}
	half := len(changes) / 2
	first, err := d.edited(changes[:half], round)
	if err != nil {
		return nil, err
	}
	return first.edited(changes[half:], round)
}

// editedFiner replaces a table or an array key by key, where it could not be replaced at once.
func (d *Document) editedFiner(c change, round int) (*Document, bool) {
	old, ok := lookUp(d.value, c.keys)
	if c.remove || !ok || round >= maxRounds {
		return nil, false
	}
	var parts []change
	part := func(key string, value any, remove bool) {
		parts = append(parts, change{keys: append(slices.Clone(c.keys), key), value: value, remove: remove})
	}
	switch v := c.value.(type) {
	case map[string]any:
		table, ok := old.(map[string]any)
		if !ok {
			return nil, false
		}
		for _, k := range unionKeys(table, v) {
			if value, stays := v[k]; !stays {
				part(k, nil, true)
			} else if was, is := table[k]; !is || !equal(was, value) {
				part(k, value, false)
			}
		}
	case []any:
		list, ok := old.([]any)
		if !ok || len(v) == 0 {
			return nil, false
		}
		for i := len(list) - 1; i >= len(v); i-- {
			part(strconv.Itoa(i), nil, true)
		}
		for i, value := range v {
			if i >= len(list) || !equal(list[i], value) {
				part(strconv.Itoa(i), value, false)
			}
		}
	}
	if len(parts) == 0 {
		return nil, false
	}
	next, err := d.edited(parts, round+1)
	if err != nil {
		return nil, false
	}
	got, _ := lookUp(next.value, c.keys)
	return next, equal(got, c.value)
}

func (d *Document) editedAtOnce(changes []change, round int) (*Document, error) {
	var want any = clone(d.value)
	p := &planner{d: d}
	for _, c := range changes {
		vanishes, err := p.plan(c)
		if err == nil && c.remove {
			want, err = without(want, vanishes)
		} else if err == nil {
			want, err = with(want, c.keys, clone(c.value))
		}
		if err != nil {
			return nil, fmt.Errorf("%s cannot be %s: %w", place(c.keys), c.verb(), err)
		}
	}
	first := changes[0]
	src, err := spliced(d.src, p.splices)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be %s: %w", place(first.keys), first.verb(), err)
	}
	next, bad := parse(src)
	if bad != nil {
		return nil, fmt.Errorf("%s cannot be %s without damage to the document (%s), so nothing was changed",
			place(first.keys), first.verb(), bad.Message)
	}
	if len(p.again) > 0 {
		if round == maxRounds {
			return nil, fmt.Errorf("%s cannot be %s: the edit does not come to an end, so nothing was changed",
				place(first.keys), first.verb())
		}
		if next, err = next.edited(p.again, round+1); err != nil {
			return nil, err
		}
	}
	if !equal(next.value, want) {
		return nil, fmt.Errorf("%s cannot be %s without a change elsewhere in the document, so nothing was changed",
			place(first.keys), first.verb())
	}
	return next, nil
}

func (c change) verb() string {
	if c.remove {
		return "removed"
	}
	return "set"
}

// with is the value that a Set at keys leaves. It changes v and uses value.
func with(v any, keys []string, value any) (any, error) {
	if len(keys) == 0 {
		return value, nil
	}
	switch t := v.(type) {
	case nil:
		inner, err := with(nil, keys[1:], value)
		return map[string]any{keys[0]: inner}, err
	case map[string]any:
		inner, err := with(t[keys[0]], keys[1:], value)
		if err != nil {
			return nil, err
		}
		t[keys[0]] = inner
		return t, nil
	case []any:
		i, ok := arrayIndex(keys[0])
		if keys[0] == "-" {
			i, ok = len(t), true
		}
		if !ok || i > len(t) {
			return nil, fmt.Errorf("the array has %d elements, none at %q", len(t), keys[0])
		}
		if i == len(t) {
			inner, err := with(nil, keys[1:], value)
			return append(t, inner), err
		}
		inner, err := with(t[i], keys[1:], value)
		if err != nil {
			return nil, err
		}
		t[i] = inner
		return t, nil
	}
	return nil, fmt.Errorf("%s is not a table, so that there is no %q in it", kindOf(v), keys[0])
}

// without is the value that a Remove at keys leaves. It changes v.
func without(v any, keys []string) (any, error) {
	switch t := v.(type) {
	case map[string]any:
		if len(keys) == 1 {
			if _, ok := t[keys[0]]; !ok {
				return nil, errors.New("there is nothing of that name")
			}
			delete(t, keys[0])
			return t, nil
		}
		inner, err := without(t[keys[0]], keys[1:])
		if err == nil {
			t[keys[0]] = inner
		}
		return t, err
	case []any:
		i, ok := arrayIndex(keys[0])
		if !ok || i >= len(t) {
			return nil, fmt.Errorf("the array has %d elements, none at %q", len(t), keys[0])
		}
		if len(keys) == 1 {
			return slices.Delete(t, i, i+1), nil
		}
		inner, err := without(t[i], keys[1:])
		if err == nil {
			t[i] = inner
		}
		return t, err
	}
	return nil, errors.New("there is nothing of that name")
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case bool:
		return "a yes or no"
	case int64, float64:
		return "a number"
	case []any:
		return "an array"
	}
	return "a date or time"
}

// Reorder moves the elements of an array with their comments: the element that was order[i]-th
// comes i-th. order must name each index once.
func (d *Document) Reorder(ptr string, order []int) error {
	keys, err := splitPointer(ptr)
	if err != nil {
		return err
	}
	n, rest := d.find(keys)
	v, _ := lookUp(d.value, keys)
	list, ok := v.([]any)
	if len(rest) > 0 || !ok {
		return fmt.Errorf("%s cannot be reordered: it is not an array", place(keys))
	}
	seen := make([]bool, len(list))
	for _, i := range order {
		if i < 0 || i >= len(list) || seen[i] {
			return fmt.Errorf("%s cannot be reordered: the order does not name each of its %s elements once",
				place(keys), strconv.Itoa(len(list)))
		}
		seen[i] = true
	}
	if len(order) != len(list) {
		return fmt.Errorf("%s cannot be reordered: it has %d elements, and the order names %d", place(keys), len(list), len(order))
	}
	if slices.IsSorted(order) {
		return nil
	}
	p := &planner{d: d}
	if n.kind == tablesNode {
		p.reorderTables(n, order)
	} else {
		p.reorderItems(n.raw, order)
	}
	moved := make([]any, len(list))
	for i, from := range order {
		moved[i] = list[from]
	}
	want, err := with(clone(d.value), keys, moved)
	if err != nil {
		return err
	}
	src, err := spliced(d.src, p.splices)
	if err != nil {
		return fmt.Errorf("%s cannot be reordered: %w", place(keys), err)
	}
	next, bad := parse(src)
	if bad != nil || !equal(next.value, want) {
		return fmt.Errorf("%s cannot be reordered without damage to the rest, so nothing was changed", place(keys))
	}
	*d = *next
	return nil
}
