package schema

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Form draws the form for this document.
func (s *Schema) Form(value map[string]any) Form {
	return s.draw(newDrawer(s, nil), value, value, nil)
}

// WithInput returns the form as it was filled in: what was typed, right or wrong, with the groups
// that were added, removed and moved. Secrets alone are not shown again.
func (f Form) WithInput(input url.Values) Form {
	if f.schema == nil {
		return f
	}
	form, why := f.schema.press(input, f.value)
	if form == nil {
		form = url.Values{}
	}
	draft, tree, _ := f.schema.decode(form, f.value)
	form = maps.Clone(form)
	tree.each(func(e *entry) {
		for _, child := range e.children {
			if e.switched && child.onlyValue() != nil {
				delete(form, child.name) // it tells alternatives apart, and the other one was sent
			}
		}
	})
	return f.schema.draw(newDrawer(f.schema, form), f.value, draft, why)
}

func (s *Schema) draw(d *drawer, current, draft map[string]any, why map[string]string) Form {
	root := d.tree(current, draft)
	for name, problem := range why {
		if e := d.names[name]; e != nil {
			e.why = problem
		}
	}
	p := painter{d, sync.OnceValue(func() map[string]bool {
		found := map[string]bool{}
		for _, ptr := range s.Secrets(draft) {
			found[ptr] = true
		}
		return found
	})}
	f := Form{schema: s, value: current, Title: firstText(root.view.parts, "title"), Description: firstText(root.view.parts, "description")}
	top := p.section(root)
	if len(top.Fields) > 0 || len(top.Unknown) > 0 || top.Add != nil || top.Choice != nil || len(top.Hidden) > 0 {
		own := top
		own.Sections = nil
		own.Title, own.Description = "General", ""
		f.Sections = append(f.Sections, own)
	}
	f.Sections = append(f.Sections, top.Sections...)
	return f
}

// painter turns entries into sections and fields.
type painter struct {
	*drawer
	secrets func() map[string]bool // pointers in the document as it is being edited
}

// tellsBy says of a key whether it only repeats which alternative is chosen, as kind = "http" does. The
// choice stands in its place, and sets it.
func (e *entry) tellsBy(child *entry) bool {
	only := child.onlyValue()
	return e.view.choice != nil && child.required && child.drafted && only != nil && equal(child.draft, only) && e.view.choice.tellsBy(child.key)
}

// tellsBy says whether every alternative asks for this key with a value of its own.
func (c *choice) tellsBy(key string) bool {
	for _, alt := range c.alts {
		parts := inPlace(alt)
		list, _ := forKey(parts, key)
		fixedHere := slices.ContainsFunc(list, func(s *jsonschema.Schema) bool { return len(s.Constant) == 1 || len(s.Enum) == 1 })
		if !fixedHere || !slices.ContainsFunc(parts, func(s *jsonschema.Schema) bool { return slices.Contains(s.Required, key) }) {
			return false
		}
	}
	return true
}

// isSection says whether an entry is drawn as a section rather than a field.
func (e *entry) isSection() bool {
	switch e.shape {
	case isTable, isList, isTuple:
		return true
	case isAbsent:
		return true
	case isNothing:
		return slices.ContainsFunc(e.view.choice.alts, func(s *jsonschema.Schema) bool {
			kinds := kindsOf(inPlace(s), nil, nil)
			return slices.Contains(kinds, "object")
		})
	}
	return false
}

func (e *entry) id() string {
	if e.name == "" {
		return "f-"
	}
	return "f-" + e.name
}

func (e *entry) title() string {
	if title := firstText(e.view.parts, "title"); title != "" && !e.nested {
		return title
	}
	return titleOf(e.key)
}

// keyHint says what a map's schemas ask of its keys.
func keyHint(parts []*jsonschema.Schema) string {
	for _, part := range parts {
		if names := part.PropertyNames; names != nil && names.Format != "" {
			return formatWords(names.Format)
		}
	}
	return ""
}

// keyProblem says what a map's schemas have against a key; "" is nothing.
func keyProblem(parts []*jsonschema.Schema, key string) string {
	for _, part := range parts {
		names := part.PropertyNames
		if names == nil || names.Validate(key) == nil {
			continue
		}
		switch text := textWord(names, "x-pattern-message"); {
		case text != "":
			return "the name " + text
		case names.Format != "":
			return "the name must be " + formatWords(names.Format)
		case names.Pattern != nil:
			return "the name does not have the right form; the pattern is " + names.Pattern.String()
		}
		return "a key of this name is not allowed here"
	}
	return ""
}

func (p painter) section(e *entry) Section {
	parts := e.view.parts
	s := Section{Pointer: e.ptr, Name: e.name, ID: e.id(), Kind: Table, Title: e.title(), Description: firstText(parts, "description"),
		Present: e.drafted || e.fresh, Required: e.required, Deprecated: anyFlag(parts, "deprecated"), ReadOnly: e.readOnly, Reload: e.reload, Danger: danger(parts)}
	if e.nested {
		s.Title = p.itemTitle(e)
	}
	p.hide(e, &s)
	s.Choice, s.Show = p.choice(e)
	switch e.shape {
	case isList:
		s.Kind = List
	case isTuple:
		s.Kind = Tuple
	case isTable:
		if e.open && len(e.children) == len(e.tokens) && e.name != "" {
			s.Kind = Map
		}
	case isAbsent:
		if !e.readOnly {
			s.Add = &Adder{Button: Button{addButton, e.name, "Add " + inSentence(s.Title)}}
			if s.Removed = e.removed; e.removed { // what comes is what the document has
				s.Add.Label = "Put " + inSentence(s.Title) + " back"
			}
		}
	}
	s.Remove, s.Up, s.Down = p.buttons(e)
	if e.open && !e.readOnly {
		s.Add = &Adder{Button: Button{addButton, e.name, "Add"}, Problem: e.why}
		if e.askKey {
			s.Add.KeyName = ":key:" + e.name
			s.Add.KeyHint = keyHint(parts)
			s.Add.KeyValue, _ = p.sent(s.Add.KeyName)
		}
	}
	for _, token := range e.takenOut() {
		if !e.readOnly {
			s.Back = append(s.Back, p.backFor(e, token))
		}
	}
	groups := map[string]int{}
	for _, child := range e.children {
		if child.dormant && !child.drafted || e.tellsBy(child) {
			continue
		}
		if child.isSection() {
			s.Sections = append(s.Sections, p.section(child))
			continue
		}
		p.hide(child, &s)
		field := p.field(child)
		group := firstText(child.view.parts, "x-group")
		if group == "" {
			s.Fields = append(s.Fields, field)
			continue
		}
		i, ok := groups[group]
		if !ok {
			i = len(s.Sections)
			groups[group] = i
			s.Sections = append(s.Sections, Section{Pointer: e.ptr, Name: e.name, ID: s.ID + "--" + nameKey(group), Kind: Table, Title: group, Present: s.Present})
		}
		s.Sections[i].Fields = append(s.Sections[i].Fields, field)
	}
	table, _ := e.draft.(map[string]any)
	for _, key := range e.extra {
		name := nameBelow(e.name, key)
		f := Field{Pointer: join(e.ptr, key), Name: name, ID: "f-" + name, Label: key, Key: key, Control: Raw, Present: true, ReadOnly: true, Reload: e.reload,
			Hint: "The schema does not know this key. It is kept as it is."}
		if f.Secret = e.secret || soundsSecret(key); !f.Secret {
			f.Value = notation(table[key], true)
		}
		f.Meant = meant(key, p.schema.keysIn(e.view.parts), table)
		s.Unknown = append(s.Unknown, f)
	}
	return s
}

// hide adds the bookkeeping of an entry to the section that it is drawn in.
func (p painter) hide(e *entry, s *Section) {
	if e.open {
		tokens := slices.Clone(e.tokens)
		if e.shape == isTable {
			for i := range tokens {
				tokens[i] = nameKey(tokens[i])
			}
		}
		s.Hidden = append(s.Hidden, Hidden{":items:" + e.name, strings.Join(tokens, " ")})
	}
	if have, ok := p.sent(":have:" + e.name); ok && (have == "0" || have == "1") {
		s.Hidden = append(s.Hidden, Hidden{":have:" + e.name, have})
	}
}

// backFor puts back an entry that was taken out of a list or map.
func (p painter) backFor(e *entry, token string) Button {
	b := Button{backButton, nameBelow(e.name, token), "Put " + token + " back"}
	if list, ok := e.cur.([]any); ok {
		n, _ := strconv.Atoi(token)
		gone := &entry{place: place{name: b.Value, key: strconv.Itoa(n + 1), secret: e.secret, draft: list[n]}, view: e.item}
		b.Label = "Put item " + gone.key + " back"
		if title := p.itemTitle(gone); title != gone.key {
			b.Label = "Put " + title + " back"
		}
	}
	return b
}

// itemTitle names one group of a list or map: by its own name or id, else by its number or key.
func (p painter) itemTitle(e *entry) string {
	if table, ok := e.draft.(map[string]any); ok {
		for _, key := range []string{"name", "title", "id", "symbol", "pair", "key"} {
			if text, ok := table[key].(string); ok && text != "" && !e.secret && len(text) < 80 {
				if list, ok := forKey(e.view.parts, key); ok && !marksSecret(everything(list)) {
					return text
				}
			}
		}
	}
	if above := p.above[e.name]; above != nil && above.shape == isList {
		return "Item " + e.key
	}
	return e.key
}

func (p painter) buttons(e *entry) (remove, up, down *Button) {
	above := p.above[e.name]
	if above == nil || e.readOnly {
		return nil, nil, nil
	}
	if e.nested || !e.required && (e.drafted || e.fresh) && e.shape == isTable && above.name != "" {
		remove = &Button{removeButton, e.name, "Remove"}
	}
	if above.shape == isList {
		if e.index > 0 {
			up = &Button{moveButton, "up " + e.name, "Move up"}
		}
		if e.index < len(above.children)-1 {
			down = &Button{moveButton, "down " + e.name, "Move down"}
		}
	}
	return remove, up, down
}

func (p painter) choice(e *entry) (*Field, *Button) {
	c := e.view.choice
	if c == nil || e.readOnly {
		return nil, nil
	}
	f := &Field{Pointer: e.ptr, Name: ":pick:" + e.name, ID: e.id() + "-pick", Label: "Kind", Control: Select, Required: e.required, Present: e.drafted}
	if !e.required || c.picked < 0 {
		f.Options = append(f.Options, Option{Label: "(not set)", Selected: c.picked < 0})
	}
	for i, title := range c.titles {
		f.Options = append(f.Options, Option{Value: strconv.Itoa(i), Label: title, Description: textWord(c.alts[i], "description"), Selected: i == c.picked})
		if i == c.picked {
			f.Value = strconv.Itoa(i)
		}
	}
	return f, &Button{showButton, e.name, "Show"}
}

// inSentence is a title where it does not begin: one of plain words in small letters, an abbreviation as
// it is.
func inSentence(title string) string {
	first, size := utf8.DecodeRuneInString(title)
	if next, _ := utf8.DecodeRuneInString(title[size:]); unicode.IsLower(next) {
		return string(unicode.ToLower(first)) + title[size:]
	}
	return title
}
