package schema

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// say puts one failure into words. Values are named only where they are numbers or short texts, and
// never if they are secret.
func (r *report) say(f failure) {
	v, _ := lookup(r.doc, f.ptr)
	at := f.at
	if at == nil {
		r.add(f.ptr, "is not valid")
		return
	}
	if strings.HasSuffix(strings.TrimSuffix(f.ve.KeywordLocation, "/"+f.keyword), "/propertyNames") {
		r.keyName(f)
		return
	}
	if v == "" && r.schema.elsewhere(f.ptr) {
		return // it comes from elsewhere
	}
	_, arg, _ := strings.Cut(f.keyword, "/")
	switch f.word() {
	case "":
		if at.Always != nil && !*at.Always {
			r.notAllowed(f.ptr, v)
			return
		}
		r.add(f.ptr, "is not valid")
	case "type":
		r.add(f.ptr, r.wrongType(at.Types, v, f.ptr))
	case "required":
		for _, key := range missing(at, v) {
			if !r.schema.elsewhere(join(f.ptr, key)) {
				r.add(join(f.ptr, key), "is required")
			}
		}
	case "dependentRequired", "dependencies":
		r.dependent(f, arg, v)
	case "additionalProperties":
		for _, key := range unknown(at, v) {
			r.unknownKey(f.ptr, key, v)
		}
	case "additionalItems":
		r.add(f.ptr, "has more items than it may have")
	case "enum":
		r.add(f.ptr, r.notOneOf(f.ptr, at.Enum))
	case "const":
		r.add(f.ptr, r.notOneOf(f.ptr, at.Constant))
	case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf":
		r.add(f.ptr, r.bound(f, v))
	case "minLength", "maxLength":
		r.add(f.ptr, r.length(f, v))
	case "pattern":
		r.add(f.ptr, r.pattern(f.ptr, at))
	case "format":
		r.add(f.ptr, "must be "+formatWords(at.Format)+r.itIs(f.ptr, v))
	case "minItems", "maxItems":
		items, _ := v.([]any)
		bound, words := at.MinItems, "at least"
		if f.word() == "maxItems" {
			bound, words = at.MaxItems, "at most"
		}
		r.add(f.ptr, fmt.Sprintf("must have %s %s; it has %d", words, count(bound, "item"), len(items)))
	case "uniqueItems":
		items, _ := v.([]any)
		if i, j := twins(items); j > 0 {
			r.add(f.ptr, fmt.Sprintf("must not have an item twice; items %d and %d are the same", i+1, j+1))
		} else {
			r.add(f.ptr, "must not have an item twice")
		}
	case "minProperties", "maxProperties":
		table, _ := v.(map[string]any)
		bound, words := at.MinProperties, "at least"
		if f.word() == "maxProperties" {
			bound, words = at.MaxProperties, "at most"
		}
		r.add(f.ptr, fmt.Sprintf("must have %s %s; it has %d", words, count(bound, "key"), len(table)))
	case "not":
		if keys := at.Not.Required; len(keys) > 1 {
			r.add(f.ptr, "must not have "+listWords(slices.Clone(keys), " and ")+" together")
		} else if len(keys) == 1 {
			r.add(join(f.ptr, keys[0]), "is not allowed here")
		} else if opts := slices.Concat(at.Not.Constant, at.Not.Enum); len(opts) > 0 && !r.hides(f.ptr) {
			r.add(f.ptr, "must not be "+optionWords(opts))
		} else {
			r.add(f.ptr, "is not allowed as it is")
		}
	case "oneOf":
		r.add(f.ptr, "fits more than one of its alternatives, and must fit exactly one")
	case "anyOf":
		r.add(f.ptr, "fits none of its alternatives")
	case "minContains", "contains", "maxContains":
		r.add(f.ptr, r.contains(f))
	case "contentEncoding":
		r.add(f.ptr, "must be encoded as "+at.ContentEncoding)
	case "contentMediaType", "contentSchema":
		r.add(f.ptr, "must be "+at.ContentMediaType)
	default:
		r.add(f.ptr, "is not valid")
	}
}

// keyName is for a key whose name is not right; what stands under it does not matter.
func (r *report) keyName(f failure) {
	name := last(f.ptr)
	named := report{schema: r.schema, doc: map[string]any{name: name}, said: map[Problem]bool{}}
	ptr := f.ptr
	f.ptr, f.ve = join("", name), &jsonschema.ValidationError{}
	named.say(f)
	for _, p := range named.problems {
		r.add(ptr, "has a name that does not fit: it "+p.Message)
	}
}

func (r *report) wrongType(types []string, v any, ptr string) string {
	is := kindWords(v)
	if f, ok := v.(float64); ok && !slices.Contains(types, "number") && slices.Contains(types, "integer") && !r.secret[ptr] {
		is = people(f)
	}
	return "must be " + typeWords(types) + "; it is " + is
}

// notAllowed is for a key whose schema is false.
func (r *report) notAllowed(ptr string, v any) {
	above, _ := lookup(r.doc, parent(ptr))
	if _, ok := above.(map[string]any); ok && ptr != "" && itemAt(r.doc, ptr) < 0 {
		r.unknownKey(parent(ptr), last(ptr), above)
		return
	}
	r.add(ptr, "is not allowed here")
}

func (r *report) unknownKey(ptr, key string, table any) {
	parts, _ := r.schema.partsAt(ptr)
	known := r.schema.keysIn(parts)
	if slices.Contains(known, key) {
		r.add(join(ptr, key), "is not allowed here, with the other keys as they are")
		return
	}
	message := "is not a key that the schema knows"
	have, _ := table.(map[string]any)
	if near := meant(key, known, have); near != "" {
		message += "; did you mean " + near + "?"
	}
	r.add(join(ptr, key), message)
}

// partsAt lists all that may apply at a pointer.
func (s *Schema) partsAt(ptr string) ([]*jsonschema.Schema, bool) {
	parts := everything([]*jsonschema.Schema{s.root})
	for _, key := range split(ptr) {
		below, ok := forKey(parts, key)
		if i, err := strconv.Atoi(key); !ok && err == nil {
			below = forItem(parts, i)
			ok = len(below) > 0
		}
		if !ok {
			return nil, false
		}
		parts = everything(below)
	}
	return parts, true
}

func (r *report) dependent(f failure, arg string, v any) {
	key, _, _ := strings.Cut(arg, "/")
	key = last("/" + unescapeLocation(key))
	needs := f.at.DependentRequired[key]
	if list, ok := f.at.Dependencies[key].([]string); ok {
		needs = list
	}
	table, _ := v.(map[string]any)
	for _, need := range needs {
		if _, ok := table[need]; !ok && !r.schema.elsewhere(join(f.ptr, need)) {
			r.add(join(f.ptr, need), "is required when "+key+" is set")
		}
	}
}

// hides says whether the value at a pointer is a secret, holds one or lies in one: what a schema says
// of it may tell it then, as a const does.
func (r *report) hides(ptr string) bool {
	if r.secret[ptr] {
		return true
	}
	for secret := range r.secret {
		if secret == ptr || strings.HasPrefix(secret, ptr+"/") || strings.HasPrefix(ptr, secret+"/") {
			return true
		}
	}
	return false
}

func (r *report) notOneOf(ptr string, options []any) string {
	if r.hides(ptr) {
		return "is not one of the values that it may have"
	}
	if len(options) == 1 {
		return "must be " + optionWords(options)
	}
	return "is not one of: " + optionWords(options)
}

func (r *report) bound(f failure, v any) string {
	unit := r.unitAt(f.ptr)
	say := func(words string, b *big.Rat, v any) string {
		message := "must be " + words + " " + ratWords(b) + unit
		if !r.secret[f.ptr] {
			message += "; it is " + people(v)
		}
		return message
	}
	switch f.word() {
	case "minimum":
		return say("at least", f.at.Minimum, v)
	case "exclusiveMinimum":
		return say("more than", f.at.ExclusiveMinimum, v)
	case "maximum":
		return say("at most", f.at.Maximum, v)
	case "exclusiveMaximum":
		return say("less than", f.at.ExclusiveMaximum, v)
	}
	return say("a multiple of", f.at.MultipleOf, v)
}

func (r *report) unitAt(ptr string) string {
	if parts, ok := r.schema.partsAt(ptr); ok {
		if unit := firstText(parts, "x-unit"); unit == "%" {
			return " %"
		} else if unit != "" {
			return " " + unit
		}
	}
	return ""
}

func ratWords(b *big.Rat) string {
	if b.IsInt() {
		if b.Num().IsInt64() {
			return people(b.Num().Int64())
		}
		return b.Num().String()
	}
	f, _ := b.Float64()
	return people(f)
}

func (r *report) length(f failure, v any) string {
	text, _ := v.(string)
	n := utf8.RuneCountInString(text)
	it := ""
	if !r.secret[f.ptr] {
		it = fmt.Sprintf("; it has %d", n)
	}
	if f.word() == "minLength" {
		if n == 0 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %s%s", count(f.at.MinLength, "character"), it)
	}
	return fmt.Sprintf("must have at most %s%s", count(f.at.MaxLength, "character"), it)
}

func (r *report) pattern(ptr string, at *jsonschema.Schema) string {
	if text := textWord(at, "x-pattern-message"); text != "" {
		return text
	}
	if r.hides(ptr) {
		return "does not have the right form"
	}
	return "does not have the right form; the pattern is " + at.Pattern.String()
}

func (r *report) contains(f failure) string {
	what := "a certain item"
	if opts := slices.Concat(f.at.Contains.Constant, f.at.Contains.Enum); len(opts) > 0 && !r.hides(f.ptr) {
		what = optionWords(opts)
	} else if title := textWord(f.at.Contains, "title"); title != "" {
		what = title
	}
	if f.word() == "maxContains" {
		return fmt.Sprintf("must contain %s at most %s", what, count(f.at.MaxContains, "time"))
	}
	if f.at.MinContains > 1 {
		return fmt.Sprintf("must contain %s at least %s", what, count(f.at.MinContains, "time"))
	}
	return "must contain " + what
}
