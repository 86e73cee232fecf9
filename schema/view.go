package schema

import (
	"errors"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// view is what the schema says of one place of one document: references followed, allOf merged,
// conditions decided and alternatives chosen by the value that is there.
type view struct {
	parts   []*jsonschema.Schema // all that applies, the most specific first
	dormant []*jsonschema.Schema // branches of conditions that do not hold now
	kinds   []string             // JSON Schema types that the value may have, without null; empty: any
	options []fixed              // the only values allowed; nil: not limited
	choice  *choice
}

// fixed is one allowed value.
type fixed struct {
	value              any
	title, description string
}

// choice is a oneOf or anyOf whose alternatives differ in shape.
type choice struct {
	alts   []*jsonschema.Schema
	titles []string
	picked int // index of the one that holds; -1: none
	found  int // the same by the document alone, whatever the form says
}

var scalarKinds = []string{"string", "integer", "number", "boolean"}

// viewer decides conditions and alternatives for one drawing.
type viewer struct {
	schema *Schema
	picks  func(name string) (index int, ok bool) // what a form chose; -1: nothing
}

// see draws the view of a place called name.
func (w viewer) see(name string, list []*jsonschema.Schema, v any, present bool) view {
	var out view
	var groups [][]*jsonschema.Schema
	seen := map[*jsonschema.Schema]bool{}
	doc := sync.OnceValue(func() any { return plainJSON(v) }) // few places have conditions
	var add func(s *jsonschema.Schema, active bool)
	add = func(s *jsonschema.Schema, active bool) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if active {
			out.parts = append(out.parts, s)
		} else {
			out.dormant = append(out.dormant, s)
		}
		for _, sub := range []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.DynamicRef} {
			add(sub, active)
		}
		for _, sub := range s.AllOf {
			add(sub, active)
		}
		if s.If != nil {
			holds := holds(s.If, doc, present)
			add(s.Then, active && holds)
			add(s.Else, active && !holds)
		}
		table, _ := v.(map[string]any)
		for _, key := range sortedKeys(s.DependentSchemas) {
			_, has := table[key]
			add(s.DependentSchemas[key], active && has)
		}
		for _, key := range sortedKeys(s.Dependencies) {
			if sub, ok := s.Dependencies[key].(*jsonschema.Schema); ok {
				_, has := table[key]
				add(sub, active && has)
			}
		}
		if active {
			for _, group := range [][]*jsonschema.Schema{s.OneOf, s.AnyOf} {
				if len(group) > 0 {
					groups = append(groups, group)
				}
			}
		}
	}
	for _, s := range list {
		add(s, true)
	}
	var union []string
	for len(groups) > 0 {
		group := groups[0]
		groups = groups[1:]
		alts := slices.DeleteFunc(slices.Clone(group), onlyNull)
		if len(alts) == 1 {
			add(alts[0], true)
			continue
		}
		switch kinds, options, shape := classify(alts); shape {
		case allFixed:
			out.options = append(out.options, options...)
		case allScalar:
			union = kinds
		case allDistinct:
			at, found := -1, -1
			if present {
				found = bestMatch(w.schema, alts, doc())
				at = found
			}
			if out.choice == nil {
				if i, ok := w.picks(name); ok && i < len(alts) {
					at = i
				}
				out.choice = &choice{alts: alts, titles: altTitles(w.schema, alts), picked: at, found: found}
			} else if at < 0 {
				at = 0
			}
			if at >= 0 {
				add(alts[at], true)
			}
		}
	}
	for _, p := range out.parts {
		var own []fixed
		for _, o := range p.Enum {
			if o != nil {
				own = append(own, fixed{value: fromJSON(o)})
			}
		}
		for _, o := range p.Constant {
			if o == nil {
				continue
			}
			own = append(own, fixed{value: fromJSON(o)}) // its title, if any, is the key's
		}
		if len(own) > 0 && (out.options == nil || len(own) < len(out.options)) {
			out.options = own
		}
	}
	out.kinds = kindsOf(out.parts, union, out.options)
	return out
}

func holds(s *jsonschema.Schema, doc func() any, present bool) bool {
	if !present {
		return s.Validate(map[string]any{}) == nil
	}
	return s.Validate(doc()) == nil
}

func onlyNull(s *jsonschema.Schema) bool {
	return len(s.Types) == 1 && s.Types[0] == "null" || len(s.Constant) == 1 && s.Constant[0] == nil
}

// kindsOf intersects what the parts allow; where none says, it is read off their other words.
func kindsOf(parts []*jsonschema.Schema, union []string, options []fixed) []string {
	var kinds []string
	limited := false
	limit := func(types []string) {
		types = slices.DeleteFunc(slices.Clone(types), func(t string) bool { return t == "null" })
		if !limited {
			kinds, limited = types, true
			return
		}
		kinds = slices.DeleteFunc(kinds, func(t string) bool {
			return !slices.Contains(types, t) && !(t == "integer" && slices.Contains(types, "number"))
		})
	}
	for _, p := range parts {
		if len(p.Types) > 0 {
			limit(p.Types)
		}
	}
	if union != nil {
		limit(union)
	}
	if limited {
		return kinds
	}
	add := func(kind string) {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	for _, o := range options {
		add(kindOf(o.value))
	}
	if len(kinds) > 0 {
		return kinds
	}
	for _, p := range parts {
		switch {
		case len(p.Properties) > 0, len(p.PatternProperties) > 0, p.AdditionalProperties != nil, len(p.Required) > 0, p.PropertyNames != nil:
			add("object")
		case p.Items != nil, p.Items2020 != nil, len(p.PrefixItems) > 0, p.MinItems >= 0, p.MaxItems >= 0, p.UniqueItems:
			add("array")
		case p.Pattern != nil, p.Format != "", p.MinLength >= 0, p.MaxLength >= 0:
			add("string")
		case p.Minimum != nil, p.Maximum != nil, p.ExclusiveMinimum != nil, p.ExclusiveMaximum != nil, p.MultipleOf != nil:
			add("number")
		}
	}
	return kinds
}

type altShape int

const (
	allFixed    altShape = iota // each is one or several fixed scalars
	allScalar                   // each is a scalar of some kind
	allDistinct                 // tables, lists, or a mixture: one has to be chosen
	noShape                     // nothing but constraints, such as required: nothing to draw
)

// classify says how the alternatives of a oneOf or anyOf are to be offered.
func classify(alts []*jsonschema.Schema) (kinds []string, options []fixed, shape altShape) {
	fixedOnly, scalarOnly, empty := true, true, true
	for _, alt := range alts {
		parts := inPlace(alt)
		own := kindsOf(parts, nil, nil)
		var values []fixed
		for _, p := range parts {
			for _, o := range p.Constant {
				values = append(values, fixed{fromJSON(o), firstText(parts, "title"), firstText(parts, "description")})
			}
			for _, o := range p.Enum {
				values = append(values, fixed{value: fromJSON(o)})
			}
		}
		if len(own) == 0 {
			for _, o := range values {
				own = append(own, kindOf(o.value))
			}
		}
		fixedOnly = fixedOnly && len(values) > 0
		options = append(options, values...)
		for _, o := range values {
			if k := kindOf(o.value); k == "object" || k == "array" {
				fixedOnly = false
			}
		}
		if len(own) == 0 {
			scalarOnly = false
			for _, p := range parts {
				if len(p.AnyOf)+len(p.OneOf) > 0 {
					empty = false
				}
			}
			continue
		}
		for _, k := range own {
			if !slices.Contains(scalarKinds, k) && k != "null" {
				scalarOnly = false
			}
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		if onlyConstrains(parts) {
			scalarOnly = false
			continue
		}
		empty = false
	}
	switch {
	case fixedOnly:
		return kinds, options, allFixed
	case scalarOnly:
		return kinds, nil, allScalar
	case empty:
		return nil, nil, noShape
	}
	return nil, nil, allDistinct
}

// onlyConstrains says whether these schemas ask for keys without describing any.
func onlyConstrains(parts []*jsonschema.Schema) bool {
	for _, p := range parts {
		if len(p.Types)+len(p.Properties)+len(p.PatternProperties)+len(p.PrefixItems)+len(p.Enum)+len(p.Constant) > 0 ||
			p.AdditionalProperties != nil || p.Items != nil || p.Items2020 != nil || len(p.Required) == 0 && p.Ref == nil {
			return false
		}
	}
	return true
}

// inPlace lists a schema with its references and allOf.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	var parts []*jsonschema.Schema
	var add func(s *jsonschema.Schema)
	add = func(s *jsonschema.Schema) {
		if s == nil || slices.Contains(parts, s) {
			return
		}
		parts = append(parts, s)
		add(s.Ref)
		add(s.RecursiveRef)
		add(s.DynamicRef)
		for _, sub := range s.AllOf {
			add(sub)
		}
	}
	add(s)
	return parts
}

// bestMatch is the alternative that fits the value, or fits it best.
func bestMatch(s *Schema, alts []*jsonschema.Schema, doc any) int {
	best, bestScore := 0, int(^uint(0)>>1)
	r := report{schema: s, doc: doc}
	for i, alt := range alts {
		err := alt.Validate(doc)
		if err == nil {
			return i
		}
		if ve := new(jsonschema.ValidationError); errors.As(err, &ve) {
			if score, _, _ := r.distance(ve, ""); score < bestScore {
				best, bestScore = i, score
			}
		}
	}
	return best
}

// altTitles names the alternatives: by their title, by the fixed value that tells them apart, or by
// their kind.
func altTitles(s *Schema, alts []*jsonschema.Schema) []string {
	titles := make([]string, len(alts))
	used := map[string]int{}
	for i, alt := range alts {
		parts := inPlace(alt)
		title := firstText(parts, "title")
		for _, key := range s.keysIn(parts) {
			if title != "" {
				break
			}
			list, _ := forKey(parts, key)
			for _, sub := range list {
				if len(sub.Constant) == 1 {
					title = key + ": " + optionText(fromJSON(sub.Constant[0]))
				} else if len(sub.Enum) == 1 {
					title = key + ": " + optionText(fromJSON(sub.Enum[0]))
				}
			}
		}
		if title == "" {
			for _, p := range parts {
				for _, c := range p.Constant {
					title = optionText(fromJSON(c))
				}
			}
		}
		if title == "" {
			title = typeWords(kindsOf(parts, nil, nil))
			var needs []string
			for _, p := range parts {
				needs = append(needs, p.Required...)
			}
			if len(needs) > 0 {
				title += " with " + listWords(needs, " and ")
			}
			if len(kindsOf(parts, nil, nil)) == 0 {
				title = "another form"
			}
		}
		titles[i] = title
		used[title]++
	}
	seen := map[string]int{}
	for i, t := range titles {
		if used[t] > 1 {
			seen[t]++
			titles[i] = t + " (" + people(int64(seen[t])) + ")"
		}
	}
	return titles
}

func optionText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return notation(v, false)
}

func (v view) allows(kind string) bool {
	return len(v.kinds) == 0 || slices.Contains(v.kinds, kind) || kind == "integer" && slices.Contains(v.kinds, "number")
}

// scalar says whether the place can hold a scalar only.
func (v view) scalar() bool {
	return len(v.kinds) > 0 && !slices.Contains(v.kinds, "object") && !slices.Contains(v.kinds, "array")
}
