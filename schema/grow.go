package schema

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// drawer builds the entries of one form.
type drawer struct {
	viewer
	form  url.Values // what was sent; nil for a form as the document has it
	names map[string]*entry
	above map[string]*entry // the entry that holds the entry with this name
	count int
}

func newDrawer(s *Schema, form url.Values) *drawer {
	d := &drawer{form: form, names: map[string]*entry{}, above: map[string]*entry{}}
	d.viewer = viewer{schema: s, picks: func(name string) (int, bool) {
		sent, ok := form[":pick:"+name]
		if !ok || len(sent) == 0 {
			return 0, false
		}
		if sent[0] == "" {
			return -1, true
		}
		i, err := strconv.Atoi(sent[0])
		return i, err == nil && i >= 0
	}}
	return d
}

func (d *drawer) tree(current, draft map[string]any) *entry {
	return d.build(place{schemas: []*jsonschema.Schema{d.schema.root}, cur: anyTable(current), has: true, draft: anyTable(draft), drafted: true, required: true})
}

func anyTable(m map[string]any) any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (d *drawer) sent(name string) (string, bool) {
	v, ok := d.form[name]
	if !ok || len(v) == 0 {
		return "", false
	}
	return v[0], true
}

func (d *drawer) build(p place) *entry {
	d.count++
	e := &entry{place: p}
	d.names[p.name] = e
	e.view = d.see(p.name, p.schemas, p.draft, p.drafted)
	if reload := firstText(e.view.parts, "x-reload"); reload != "" {
		e.reload = reload
	}
	e.secret = e.secret || marksSecret(e.view.parts)
	e.readOnly = e.readOnly || anyFlag(e.view.parts, "readOnly")
	if have, ok := d.sent(":have:" + p.name); ok && p.name != "" {
		switch {
		case have == "1" && !e.has:
			e.fresh = true
		case have == "0" && !e.required:
			e.removed = e.has && !e.drafted
			e.drafted, e.draft = false, nil
		}
	}
	if c := e.view.choice; c != nil {
		e.switched = c.picked != c.found
		if c.picked < 0 {
			e.shape = isNothing
			return e
		}
	}
	v, has := e.draft, e.drafted
	if has && e.switched && !e.view.allows(kindOf(v)) {
		v, has = nil, false
	}
	e.shape = e.shapeFor(v, has)
	if strings.Count(e.ptr, "/") > depthCap {
		e.shape = isRaw
	}
	switch e.shape {
	case isTable:
		d.table(e, v, has)
	case isList:
		d.list(e, v, has)
	}
	return e
}

func (e *entry) shapeFor(v any, has bool) shape {
	scalar := isScalar
	if e.secret {
		scalar = isSecret
	}
	if has {
		switch v := v.(type) {
		case map[string]any:
			if e.view.allows("object") {
				return isTable
			}
			return isRaw
		case []any:
			if e.view.allows("array") {
				return isList
			}
			return isRaw
		case string:
			if !typeable(v) && !e.secret {
				return isRaw
			}
		}
		if len(e.view.kinds) > 0 && !slices.ContainsFunc(e.view.kinds, func(k string) bool { return slices.Contains(scalarKinds, k) }) {
			return isRaw
		}
		return scalar
	}
	kinds := e.view.kinds
	switch {
	case len(kinds) == 0, slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(scalarKinds, k) }):
		return scalar
	case slices.Contains(kinds, "array"):
		return isList
	}
	return isTable
}

// table builds the entries of a table's keys.
func (d *drawer) table(e *entry, v any, has bool) {
	draft, _ := v.(map[string]any)
	cur, _ := e.cur.(map[string]any)
	there := has || e.fresh
	if !there {
		looping := slices.ContainsFunc(e.view.parts, func(p *jsonschema.Schema) bool {
			return len(p.Properties) > 0 && slices.Contains(e.stack, p)
		})
		gone, _ := d.sent(":have:" + e.name)
		if looping || e.empty >= emptyDepth || d.count > most || gone == "0" {
			e.shape = isAbsent
			return
		}
	}
	below := func(key string) place {
		p := place{ptr: join(e.ptr, key), orig: join(e.orig, key), name: nameBelow(e.name, key), key: key,
			secret: e.secret, readOnly: e.readOnly, reload: e.reload, dormant: e.dormant, stack: slices.Concat(e.stack, e.view.parts)}
		p.cur, p.has = cur[key]
		p.draft, p.drafted = draft[key]
		if !there {
			p.empty = e.empty + 1
		}
		if e.orig == "-" {
			p.orig = "-"
		}
		return p
	}
	add := func(p place) *entry {
		child := d.build(p)
		child.index = len(e.children)
		d.above[p.name] = e
		e.children = append(e.children, child)
		return child
	}
	known := map[string]bool{}
	asked := conditional(e.view.parts)
	for _, key := range d.schema.keysIn(e.view.parts) {
		list, ok := forKey(e.view.parts, key)
		if !ok {
			continue
		}
		known[key] = true
		p := below(key)
		p.schemas = list
		p.inFresh = e.fresh && !e.has
		p.required = there && slices.ContainsFunc(e.view.parts, func(s *jsonschema.Schema) bool { return slices.Contains(s.Required, key) })
		add(p).steers = asked[key]
	}
	for _, key := range d.schema.keysIn(e.view.dormant) {
		if list, ok := forKey(e.view.dormant, key); ok && !known[key] {
			known[key] = true
			p := below(key)
			p.schemas = list
			p.dormant = !p.drafted
			add(p)
		}
	}
	for _, s := range e.view.parts {
		additional, ok := s.AdditionalProperties.(*jsonschema.Schema)
		e.open = e.open || ok && additional.Always == nil || len(s.PatternProperties) > 0
	}
	e.askKey = e.open
	for _, key := range sortedKeys(draft) {
		if known[key] {
			continue
		}
		if _, ok := forKey(e.view.parts, key); ok {
			e.tokens = append(e.tokens, key)
		} else {
			e.extra = append(e.extra, key)
		}
	}
	if sent, ok := d.sent(":items:" + e.name); ok && e.open {
		e.tokens = nil
		for _, key := range e.extra {
			known[key] = true
		}
		for _, token := range strings.Fields(sent) {
			if key, ok := keyOfName(token); ok && !known[key] {
				known[key] = true
				e.tokens = append(e.tokens, key)
			}
		}
	}
	for _, key := range e.tokens {
		list, ok := forKey(e.view.parts, key)
		if !ok {
			continue
		}
		p := below(key)
		p.schemas = list
		p.required = true
		p.fresh = !p.has
		add(p).nested = true
	}
}

// list builds the entries of a list's items, or decides that it needs none.
func (d *drawer) list(e *entry, v any, has bool) {
	draft, _ := v.([]any)
	cur, _ := e.cur.([]any)
	if n := prefixLen(e.view.parts); n > 0 {
		e.shape = isTuple
		for i := range n {
			d.itemAt(e, i, strconv.Itoa(i), cur, draft, has)
		}
		return
	}
	schemas := forItem(e.view.parts, -1)
	e.item = d.see(e.name+".*", schemas, nil, false)
	if e.item.choice == nil && !marksSecret(e.item.parts) && !e.secret && allScalars(draft) && (e.item.scalar() || len(e.item.kinds) == 0) {
		e.shape = isLines
		if unique := slices.ContainsFunc(e.view.parts, func(s *jsonschema.Schema) bool { return s.UniqueItems }); unique && e.item.options != nil && allOptions(draft, e.item.options) {
			e.shape = isChecks
		}
		return
	}
	if len(schemas) == 0 || len(e.item.kinds) == 0 && e.item.choice == nil || e.secret {
		e.shape = isRaw
		return
	}
	e.open = true
	if !has && !e.fresh && (e.empty >= emptyDepth || d.count > most) {
		return
	}
	for i := range cur {
		e.tokens = append(e.tokens, strconv.Itoa(i))
	}
	if sent, ok := d.sent(":items:" + e.name); ok {
		e.tokens = nil
		seen := map[string]bool{}
		for _, token := range strings.Fields(sent) {
			if n, err := strconv.Atoi(token); err == nil && n >= 0 && strconv.Itoa(n) == token && !seen[token] && len(e.tokens) < itemsCap {
				seen[token] = true
				e.tokens = append(e.tokens, token)
			}
		}
	}
	for i, token := range e.tokens {
		d.itemAt(e, i, token, cur, draft, has)
	}
}

// itemAt builds the entry of one item: it stands at i in the draft, and is named by its token.
func (d *drawer) itemAt(e *entry, i int, token string, cur, draft []any, has bool) {
	p := place{ptr: e.ptr + "/" + strconv.Itoa(i), orig: e.orig + "/" + token, name: nameBelow(e.name, token), key: strconv.Itoa(i + 1),
		schemas: forItem(e.view.parts, i), secret: e.secret, readOnly: e.readOnly, reload: e.reload, dormant: e.dormant,
		required: e.shape == isList, stack: e.stack, empty: e.empty}
	if n, _ := strconv.Atoi(token); n < len(cur) {
		p.cur, p.has = cur[n], true
	} else {
		p.fresh = e.shape == isList
	}
	if e.orig == "-" || !p.has {
		p.orig = "-"
	}
	// Before the form is read, the draft is the document itself and keeps its order.
	at := i
	if d.form == nil || len(draft) == len(cur) && sameList(draft, cur) {
		at, _ = strconv.Atoi(token)
	}
	if at < len(draft) {
		p.draft, p.drafted = draft[at], true
	}
	child := d.build(p)
	child.nested = e.shape == isList
	child.index = i
	d.above[p.name] = e
	e.children = append(e.children, child)
}

// conditional are the keys of a table that its conditions ask for, so that another value may bring
// other keys.
func conditional(parts []*jsonschema.Schema) map[string]bool {
	asked := map[string]bool{}
	var ask func(s *jsonschema.Schema)
	ask = func(s *jsonschema.Schema) {
		if s == nil {
			return
		}
		for key := range s.Properties {
			asked[key] = true
		}
		for _, key := range s.Required {
			asked[key] = true
		}
		ask(s.Not)
		for _, more := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
			for _, sub := range more {
				ask(sub)
			}
		}
	}
	for _, p := range parts {
		if p.Then != nil || p.Else != nil {
			ask(p.If)
		}
		for key := range p.DependentSchemas {
			asked[key] = true
		}
		for key, sub := range p.Dependencies {
			if _, ok := sub.(*jsonschema.Schema); ok {
				asked[key] = true
			}
		}
	}
	return asked
}

func (e *entry) each(visit func(*entry)) {
	visit(e)
	for _, child := range e.children {
		child.each(visit)
	}
}

// sameList says whether two lists are one and the same.
func sameList(a, b []any) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func prefixLen(parts []*jsonschema.Schema) int {
	n := 0
	for _, p := range parts {
		n = max(n, len(p.PrefixItems))
		if tuple, ok := p.Items.([]*jsonschema.Schema); ok {
			n = max(n, len(tuple))
		}
	}
	return n
}

func allScalars(items []any) bool {
	return !slices.ContainsFunc(items, func(v any) bool {
		switch v := v.(type) {
		case map[string]any, []any:
			return true
		case string:
			return !typeable(v)
		}
		return false
	})
}

func allOptions(items []any, options []fixed) bool {
	for i, v := range items {
		if !slices.ContainsFunc(options, func(o fixed) bool { return equal(o.value, v) }) {
			return false
		}
		for _, earlier := range items[:i] {
			if equal(earlier, v) {
				return false
			}
		}
	}
	return true
}
