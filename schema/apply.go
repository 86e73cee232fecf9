package schema

import (
	"fmt"
	"slices"
	"strconv"
)

// Apply returns the document with these edits made, in their order. The argument stays as it is.
func Apply(current map[string]any, edits []Edit) (map[string]any, error) {
	doc := copyOf(anyTable(current))
	for _, edit := range edits {
		next, err := applyAt(doc, split(edit.Pointer), edit)
		if err != nil {
			return nil, fmt.Errorf("the change at %s cannot be made: %w", edit.Pointer, err)
		}
		doc = next
	}
	table, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document is no longer a table")
	}
	return table, nil
}

func applyAt(v any, keys []string, edit Edit) (any, error) {
	if len(keys) == 0 {
		switch {
		case edit.Order != nil:
			list, ok := v.([]any)
			if !ok || len(edit.Order) != len(list) {
				return nil, fmt.Errorf("it is not a list of %d items", len(edit.Order))
			}
			out := make([]any, len(list))
			used := make([]bool, len(list))
			for i, n := range edit.Order {
				if n < 0 || n >= len(list) || used[n] {
					return nil, fmt.Errorf("the order %v is not one of its %d items", edit.Order, len(list))
				}
				out[i], used[n] = list[n], true
			}
			return out, nil
		case edit.Remove:
			return nil, fmt.Errorf("it cannot be removed")
		}
		return copyOf(edit.Value), nil
	}
	key := keys[0]
	switch at := v.(type) {
	case nil:
		v = map[string]any{}
		return applyAt(v, keys, edit)
	case map[string]any:
		item, ok := at[key]
		if len(keys) == 1 && edit.Remove {
			if !ok {
				return nil, fmt.Errorf("there is no key %s", key)
			}
			delete(at, key)
			return at, nil
		}
		next, err := applyAt(item, keys[1:], edit)
		if err != nil {
			return nil, err
		}
		at[key] = next
		return at, nil
	case []any:
		n, err := strconv.Atoi(key)
		if err != nil || n < 0 || n > len(at) || n == len(at) && (edit.Remove || len(keys) > 1) {
			return nil, fmt.Errorf("there is no item %s", key)
		}
		if len(keys) == 1 && edit.Remove {
			return slices.Delete(at, n, n+1), nil
		}
		if n == len(at) {
			at = append(at, nil)
		}
		next, err := applyAt(at[n], keys[1:], edit)
		if err != nil {
			return nil, err
		}
		at[n] = next
		return at, nil
	}
	return nil, fmt.Errorf("there is a value where a table should be")
}
