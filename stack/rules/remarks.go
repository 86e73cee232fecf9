package rules

import (
	"fmt"
	"regexp"

	"pitstop/schema"
	"pitstop/stack/configfile"
)

// maxRemarks is how many are told one by one.
const maxRemarks = 20

// Remarks tells of the keys that a change adds and the schema does not know, where it knows others:
// a valid document keeps them, but a misspelt limit is a limit that nobody obeys. What was in the old
// document already, nil for none, has been told before.
func (r *Rules) Remarks(old, content []byte) []string {
	before := map[string]int{}
	for _, u := range r.unfamiliar(old) {
		before[anywhere(u.Pointer)]++
	}
	var remarks []string
	more := 0
	for _, u := range r.unfamiliar(content) {
		if place := anywhere(u.Pointer); before[place] > 0 {
			before[place]--
			continue
		}
		if len(remarks) == maxRemarks {
			more++
			continue
		}
		remark := fmt.Sprintf("The schema does not know %s", schema.Dotted(u.Pointer))
		if u.Meant != "" {
			remark += fmt.Sprintf("; did you mean %s?", u.Meant)
		} else {
			remark += "."
		}
		remarks = append(remarks, remark+" It is kept as it is.")
	}
	if more > 0 {
		remarks = append(remarks, fmt.Sprintf("The schema does not know %d more keys.", more))
	}
	return remarks
}

func (r *Rules) unfamiliar(content []byte) []schema.Unfamiliar {
	doc, err := configfile.Parse(content)
	if r.broken != "" || err != nil {
		return nil
	}
	return r.schema.Unfamiliar(doc.Value())
}

var index = regexp.MustCompile(`/\d+`)

// anywhere is a pointer without the places in lists, so that a group that moved is not taken for a
// new one.
func anywhere(ptr string) string { return index.ReplaceAllString(ptr, "/*") }
