// Package schema knows what a config document may contain. From a JSON Schema (draft-07 or 2020-12)
// it draws three things: the problems of a document, in sentences a trader understands; a form to
// edit it with; and the edits that a filled-in form asks for.
//
// Documents are what go-toml decodes: map[string]any with string, bool, int64, float64, time.Time,
// toml.LocalDate, toml.LocalTime, toml.LocalDateTime, []any and map[string]any below. Places in them
// are JSON Pointers (RFC 6901).
//
// Beside JSON Schema's own words these are understood: x-unit ("USD"), x-reload ("live" or
// "restart", holds for everything below), x-danger (a warning, or true), x-order (a number),
// x-group (the title of a group within a table), x-control ("time", "textarea"), x-pattern-message
// (the sentence for a text that the pattern refuses) and, of secrets, x-secret-env and x-secret-file
// (where else the value may come from).
package schema

import (
	"encoding/json"
	"slices"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Schema is a compiled JSON Schema. It is immutable and safe for concurrent use.
type Schema struct {
	root       *jsonschema.Schema
	byLocation map[string]*jsonschema.Schema
	order      map[string][]string // location of a "properties" keyword → its keys as in the file

	secretNames func() map[string]bool
}

// word returns a keyword of this subschema as written.
func word(s *jsonschema.Schema, keyword string) any {
	if k, ok := s.Extensions["words"].(keywords); ok {
		return k[keyword]
	}
	return nil
}

func textWord(s *jsonschema.Schema, keyword string) string {
	text, _ := word(s, keyword).(string)
	return text
}

func marked(s *jsonschema.Schema, keyword string) bool {
	on, _ := word(s, keyword).(bool)
	return on
}

// firstText is the first of these schemas that says something; the most specific comes first.
func firstText(parts []*jsonschema.Schema, keyword string) string {
	for _, p := range parts {
		if text := textWord(p, keyword); text != "" {
			return text
		}
	}
	return ""
}

func anyFlag(parts []*jsonschema.Schema, keyword string) bool {
	return slices.ContainsFunc(parts, func(p *jsonschema.Schema) bool { return marked(p, keyword) })
}

func firstDefault(parts []*jsonschema.Schema) (any, bool) {
	for _, p := range parts {
		if k, ok := p.Extensions["words"].(keywords); ok {
			if d, ok := k["default"]; ok && d != nil {
				return fromJSON(d), true
			}
		}
	}
	return nil, false
}

func marksSecret(parts []*jsonschema.Schema) bool {
	return slices.ContainsFunc(parts, func(p *jsonschema.Schema) bool {
		return marked(p, "writeOnly") || p.Format == "password"
	})
}

// danger is the warning of a key; x-danger may be a sentence or true.
func danger(parts []*jsonschema.Schema) string {
	if text := firstText(parts, "x-danger"); text != "" {
		return text
	}
	if anyFlag(parts, "x-danger") {
		return "A change here can cost money: look twice."
	}
	return ""
}

// titleOf makes a label of a key: max_position_usd → "Max position usd", listenAddr → "Listen addr".
func titleOf(key string) string {
	var b strings.Builder
	prev := ' '
	for _, r := range key {
		switch {
		case r == '_' || r == '-' || r == '.' || r == ' ':
			r = ' '
			if prev == ' ' {
				continue
			}
		case r >= 'A' && r <= 'Z' && prev >= 'a' && prev <= 'z':
			b.WriteRune(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
		prev = r
	}
	text := strings.TrimSpace(b.String())
	if text == "" {
		return key
	}
	if text[0] >= 'a' && text[0] <= 'z' {
		text = string(text[0]-'a'+'A') + text[1:]
	}
	return text
}

// keysIn lists the properties of these schemas in the order of the file, x-order first.
func (s *Schema) keysIn(parts []*jsonschema.Schema) []string {
	var keys []string
	seen := map[string]bool{}
	rank := map[string]float64{}
	for _, p := range parts {
		own := s.order[p.Location+"/properties"]
		if len(own) != len(p.Properties) {
			own = nil
			for key := range p.Properties {
				own = append(own, key)
			}
			sort.Strings(own)
		}
		for _, key := range own {
			if seen[key] {
				continue
			}
			seen[key] = true
			keys = append(keys, key)
			if n, ok := word(p.Properties[key], "x-order").(json.Number); ok {
				rank[key], _ = n.Float64()
			}
		}
	}
	if len(rank) > 0 {
		const unranked = 1e9
		at := func(key string) float64 {
			if r, ok := rank[key]; ok {
				return r
			}
			return unranked
		}
		sort.SliceStable(keys, func(i, j int) bool { return at(keys[i]) < at(keys[j]) })
	}
	return keys
}

// forKey lists what these schemas say of one key of a table; described is false if none of them
// names it, by property or pattern or as an additional one.
func forKey(parts []*jsonschema.Schema, key string) (list []*jsonschema.Schema, described bool) {
	for _, p := range parts {
		named := false
		if sub, ok := p.Properties[key]; ok {
			list, named = append(list, sub), true
		}
		for pattern, sub := range p.PatternProperties {
			if pattern.MatchString(key) {
				list, named = append(list, sub), true
			}
		}
		if sub, ok := p.AdditionalProperties.(*jsonschema.Schema); ok && !named {
			list = append(list, sub)
		}
	}
	if len(list) == 0 {
		for _, p := range parts {
			if sub := p.UnevaluatedProperties; sub != nil && sub.Always == nil {
				list = append(list, sub)
			}
		}
	}
	list = slices.DeleteFunc(list, func(p *jsonschema.Schema) bool { return p.Always != nil && !*p.Always })
	return list, len(list) > 0
}

// forItem lists what these schemas say of one item of a list.
func forItem(parts []*jsonschema.Schema, i int) []*jsonschema.Schema {
	var list []*jsonschema.Schema
	add := func(either any) {
		if sub, ok := either.(*jsonschema.Schema); ok && sub != nil {
			list = append(list, sub)
		}
	}
	for _, p := range parts {
		prefix := p.PrefixItems
		if tuple, ok := p.Items.([]*jsonschema.Schema); ok {
			prefix = tuple
		}
		if i >= 0 && i < len(prefix) {
			add(prefix[i])
			continue
		}
		add(p.Items)
		add(p.Items2020)
		if len(prefix) > 0 {
			add(p.AdditionalItems)
		}
	}
	return list
}
