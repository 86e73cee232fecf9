package schema

import (
	"slices"
	"strconv"
	"strings"
)

// WithProblems returns the form with each problem at its field, or at the nearest section above it,
// or in Form.Problems. Pointers are those of the document that the form shows.
func (f Form) WithProblems(problems []Problem) Form {
	f.Problems = slices.Clone(f.Problems)
	f.Sections = copySections(f.Sections)
	fields := map[string]*Field{}
	sections := map[string]*Section{}
	var walk func(list []Section)
	walk = func(list []Section) {
		for i := range list {
			s := &list[i]
			if sections[s.Pointer] == nil && s.Pointer != "" {
				sections[s.Pointer] = s
			}
			for _, fs := range [][]Field{s.Fields, s.Unknown} {
				for j := range fs {
					fields[fs[j].Pointer] = &fs[j]
				}
			}
			walk(s.Sections)
		}
	}
	walk(f.Sections)
	for _, p := range problems {
		at, below := p.Pointer, ""
		for {
			message := below + p.Message
			if field := fields[at]; field != nil {
				field.Problems = appendNew(field.Problems, message)
				break
			}
			if s := sections[at]; s != nil {
				s.Problems = appendNew(s.Problems, message)
				break
			}
			if at == "" {
				f.Problems = appendNew(f.Problems, message)
				break
			}
			step := last(at)
			if n, err := strconv.Atoi(step); err == nil {
				step = "item " + strconv.Itoa(n+1)
			}
			below = strings.TrimSuffix(step+" "+below, " ") + " "
			at = parent(at)
		}
	}
	return f
}

func appendNew(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(slices.Clone(list), text)
}

func copySections(list []Section) []Section {
	out := slices.Clone(list)
	for i := range out {
		out[i].Fields = slices.Clone(out[i].Fields)
		out[i].Unknown = slices.Clone(out[i].Unknown)
		out[i].Sections = copySections(out[i].Sections)
	}
	return out
}
