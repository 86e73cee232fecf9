package schema

import (
	"slices"
	"sort"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Unfamiliar tells of the keys that a document may have but its schema does not describe, in tables
// of which it describes others: one of them may be a slip of the pen. Of a table that is unfamiliar
// itself nothing below it is told. Meant is the key of the schema that is nearest, if one is near
// enough; the document does not have it.
type Unfamiliar struct {
	Pointer string
	Meant   string
}

// Unfamiliar lists such keys, sorted by their pointers.
func (s *Schema) Unfamiliar(value map[string]any) []Unfamiliar {
	var found []Unfamiliar
	var walk func(v any, ptr string, list []*jsonschema.Schema)
	walk = func(v any, ptr string, list []*jsonschema.Schema) {
		parts := everything(list)
		switch v := v.(type) {
		case map[string]any:
			known := s.keysIn(parts)
			for key, item := range v {
				below, ok := forKey(parts, key)
				switch {
				case ok:
					walk(item, join(ptr, key), below)
				case len(known) > 0:
					found = append(found, Unfamiliar{join(ptr, key), meant(key, known, v)})
				}
			}
		case []any:
			for i, item := range v {
				if below := forItem(parts, i); len(below) > 0 {
					walk(item, ptr+"/"+strconv.Itoa(i), below)
				}
			}
		}
	}
	walk(value, "", []*jsonschema.Schema{s.root})
	sort.Slice(found, func(i, j int) bool { return found[i].Pointer < found[j].Pointer })
	return found
}

// meant is the known key that this one was probably to be, in a table that has these already; "" if
// none is near.
func meant(key string, known []string, have map[string]any) string {
	missing := slices.DeleteFunc(slices.Clone(known), func(name string) bool {
		_, taken := have[name]
		return taken
	})
	return nearest(key, missing)
}
