package schema

import (
	"errors"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Validate tells what is wrong with a document, one problem for each cause, in the order of its
// lines. position finds the line and column of a pointer or its nearest parent; it may be nil.
func (s *Schema) Validate(value map[string]any, position func(ptr string) (line, col int)) []Problem {
	odd := map[string]bool{}
	doc := toJSON(value, "", func(ptr string) {
		if s.At(ptr).Known {
			odd[ptr] = true
		}
	})
	r := report{schema: s, doc: doc, value: value, secret: map[string]bool{}, said: map[Problem]bool{}}
	for _, ptr := range s.Secrets(value) {
		r.secret[ptr] = true
	}
	err := s.root.Validate(doc)
	if ve := new(jsonschema.ValidationError); errors.As(err, &ve) {
		r.collect(ve)
	} else if err != nil {
		r.add("", "cannot be checked: the schema refers to itself without end")
	}
	// A number that is none stood in as 0: nothing else that was said of it counts.
	r.problems = slices.DeleteFunc(r.problems, func(p Problem) bool { return odd[p.Pointer] })
	for ptr := range odd {
		r.add(ptr, "must be a finite number")
	}
	return r.sorted(position)
}

// report gathers the problems of one document.
type report struct {
	schema   *Schema
	doc      any            // as validated
	value    map[string]any // as decoded
	secret   map[string]bool
	said     map[Problem]bool
	problems []Problem
}

func (r *report) add(ptr, message string) {
	p := Problem{Pointer: ptr, Message: message}
	if !r.said[p] {
		r.said[p] = true
		r.problems = append(r.problems, p)
	}
}

func (r *report) sorted(position func(ptr string) (line, col int)) []Problem {
	if position != nil {
		for i := range r.problems {
			r.problems[i].Line, r.problems[i].Column = position(r.problems[i].Pointer)
		}
	}
	sort.Slice(r.problems, func(i, j int) bool {
		a, b := r.problems[i], r.problems[j]
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		if a.Column != b.Column {
			return a.Column < b.Column
		}
		if a.Pointer != b.Pointer {
			return a.Pointer < b.Pointer
		}
		return a.Message < b.Message
	})
	return r.problems
}

// failure is one keyword that a value does not satisfy.
type failure struct {
	ptr     string
	at      *jsonschema.Schema
	keyword string
	ve      *jsonschema.ValidationError
}

// place finds which keyword of which subschema failed.
func (r *report) place(ve *jsonschema.ValidationError) failure {
	f := failure{ptr: unescapeLocation(ve.InstanceLocation), ve: ve}
	loc := ve.AbsoluteKeywordLocation
	for f.at = r.schema.byLocation[loc]; f.at == nil; f.at = r.schema.byLocation[loc] {
		i := strings.LastIndexByte(loc, '/')
		if i < 0 {
			return f
		}
		f.keyword = strings.TrimSuffix(loc[i+1:]+"/"+f.keyword, "/")
		loc = loc[:i]
	}
	if above := r.schema.byLocation[parent(loc)]; f.keyword == "" && above != nil && above.Not == f.at && strings.HasSuffix(loc, "/not") {
		f.at, f.keyword = above, "not" // its failure bears the location of the schema that it denies
	}
	return f
}

// word is the keyword without what follows it: "allOf" of "allOf/2".
func (f failure) word() string {
	w, _, _ := strings.Cut(f.keyword, "/")
	return w
}

// collect goes down to the causes of a failure and says each.
func (r *report) collect(ve *jsonschema.ValidationError) {
	if len(ve.Causes) == 0 {
		r.say(r.place(ve))
		return
	}
	f := r.place(ve)
	switch f.word() {
	case "oneOf", "anyOf":
		r.alternatives(f)
	case "minContains":
		r.say(f)
	default:
		for _, cause := range ve.Causes {
			r.collect(cause)
		}
	}
}

// alternatives reduces the failures of every alternative to those of the one that was meant.
func (r *report) alternatives(f failure) {
	best, bestScore, tied := f.ve.Causes[0], int(^uint(0)>>1), false
	kinds := true // every alternative failed for the kind of the value
	var allowed []any
	for _, cause := range f.ve.Causes {
		score, mismatch, options := r.distance(cause, f.ptr)
		kinds = kinds && mismatch
		if options == nil || allowed == nil && cause != f.ve.Causes[0] {
			allowed = nil
		} else {
			allowed = append(allowed, options...)
		}
		if score == bestScore {
			tied = true
		}
		if score < bestScore {
			best, bestScore, tied = cause, score, false
		}
	}
	v, _ := lookup(r.doc, f.ptr)
	switch {
	case len(allowed) > 0 && r.allOptions(f):
		r.add(f.ptr, r.notOneOf(f.ptr, allowed))
	case kinds:
		var types []string
		for _, cause := range f.ve.Causes {
			for _, leaf := range leaves(cause) {
				if l := r.place(leaf); l.at != nil && l.word() == "type" && l.ptr == f.ptr {
					for _, t := range l.at.Types {
						if !slices.Contains(types, t) {
							types = append(types, t)
						}
					}
				}
			}
		}
		r.add(f.ptr, "must be "+typeWords(types)+"; it is "+kindWords(v))
	case tied && onlyMissing(r, f):
		r.add(f.ptr, "needs "+missingWords(r, f))
	default:
		r.collect(best)
	}
}

// allOptions says whether each alternative is nothing but a fixed value.
func (r *report) allOptions(f failure) bool {
	for _, cause := range f.ve.Causes {
		for _, leaf := range leaves(cause) {
			if l := r.place(leaf); l.ptr != f.ptr || l.word() != "const" && l.word() != "enum" {
				return false
			}
		}
	}
	return true
}

// onlyMissing says whether every alternative merely asks for a key that is not there.
func onlyMissing(r *report, f failure) bool {
	for _, cause := range f.ve.Causes {
		for _, leaf := range leaves(cause) {
			if l := r.place(leaf); l.word() != "required" || l.ptr != f.ptr {
				return false
			}
		}
	}
	return true
}

func missingWords(r *report, f failure) string {
	var ways []string
	table, _ := lookup(r.doc, f.ptr)
	for _, cause := range f.ve.Causes {
		var keys []string
		for _, leaf := range leaves(cause) {
			keys = append(keys, missing(r.place(leaf).at, table)...)
		}
		if way := strings.Join(keys, " and "); !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return listWords(ways, " or ")
}

// distance says how far a value is from an alternative. A wrong kind is furthest, then a fixed value
// that tells alternatives apart, then the number of things wrong. mismatch: the value is of a wrong
// kind as a whole. options: the values that the alternative would have allowed at this very place.
func (r *report) distance(ve *jsonschema.ValidationError, ptr string) (score int, mismatch bool, options []any) {
	for _, leaf := range leaves(ve) {
		l := r.place(leaf)
		depth := strings.Count(l.ptr, "/") - strings.Count(ptr, "/")
		switch w := l.word(); {
		case w == "type" && depth == 0:
			score += 10000
			mismatch = true
		case (w == "const" || w == "enum") && depth <= 1:
			score += 1000
			if depth == 0 && l.at != nil {
				options = append(options, l.at.Constant...)
				options = append(options, l.at.Enum...)
			}
		case w == "required" && depth == 0:
			table, _ := lookup(r.doc, l.ptr)
			score += 30 * len(missing(l.at, table))
		case w == "additionalProperties":
			table, _ := lookup(r.doc, l.ptr)
			score += 20 * len(unknown(l.at, table))
		case w == "type":
			score += 15
		default:
			score += 10
		}
	}
	return score, mismatch, options
}

func leaves(ve *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(ve.Causes) == 0 {
		return []*jsonschema.ValidationError{ve}
	}
	var list []*jsonschema.ValidationError
	for _, cause := range ve.Causes {
		list = append(list, leaves(cause)...)
	}
	return list
}

// missing lists the required keys that a table does not have.
func missing(at *jsonschema.Schema, v any) []string {
	table, ok := v.(map[string]any)
	if at == nil || !ok {
		return nil
	}
	var keys []string
	for _, key := range at.Required {
		if _, ok := table[key]; !ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// unknown lists the keys of a table that a schema with additionalProperties: false refuses.
func unknown(at *jsonschema.Schema, v any) []string {
	table, ok := v.(map[string]any)
	if at == nil || !ok {
		return nil
	}
	var keys []string
	for key := range table {
		known := at.Properties[key] != nil
		for pattern := range at.PatternProperties {
			known = known || pattern.MatchString(key)
		}
		if !known {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys
}

// itemAt is the index in the last part of a pointer into a list; -1 if it is none.
func itemAt(doc any, ptr string) int {
	if ptr == "" {
		return -1
	}
	above, ok := lookup(doc, parent(ptr))
	if _, isList := above.([]any); !ok || !isList {
		return -1
	}
	i, err := strconv.Atoi(last(ptr))
	if err != nil {
		return -1
	}
	return i
}
