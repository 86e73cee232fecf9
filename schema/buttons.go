package schema

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Names of the buttons; their values name the entry, and for a move the direction before it.
const (
	addButton    = ":add"
	removeButton = ":remove"
	moveButton   = ":move"
	showButton   = ":show"
	backButton   = ":back"
)

// Pressed says whether a form was sent by one of its buttons that only change its shape, so that the
// answer is Form.WithInput and nothing is to be saved.
func Pressed(form url.Values) bool {
	for _, name := range []string{addButton, removeButton, moveButton, showButton, backButton} {
		if _, ok := form[name]; ok {
			return true
		}
	}
	return false
}

// Enter makes a form that was sent by the Enter key one that was sent by the Add button beside a name
// for a new entry, if there is one: that is what Enter was pressed in, for names do not stay there.
func Enter(form url.Values) {
	for _, field := range sortedKeys(form) {
		if name, ok := strings.CutPrefix(field, ":key:"); ok && strings.TrimSpace(form.Get(field)) != "" && !Pressed(form) {
			form.Set(addButton, name)
		}
	}
}

// press does what the buttons of a form ask for, in the form itself: it returns the form as if it
// had had that shape when it was sent. why tells, by name, why something was not added.
func (s *Schema) press(form url.Values, current map[string]any) (out url.Values, why map[string]string) {
	if !Pressed(form) {
		return form, nil
	}
	out = maps.Clone(form)
	why = map[string]string{}
	for _, press := range []struct {
		button string
		do     func(d *drawer, value string)
	}{
		{moveButton, func(d *drawer, value string) {
			direction, name, _ := strings.Cut(value, " ")
			d.move(out, name, direction)
		}},
		{removeButton, func(d *drawer, value string) { d.removeEntry(out, value) }},
		{backButton, func(d *drawer, value string) { d.putBack(out, value) }},
		{addButton, func(d *drawer, value string) {
			if problem := d.addTo(out, value); problem != "" {
				why[value] = problem
			}
		}},
	} {
		for _, value := range out[press.button] {
			d := newDrawer(s, out)
			d.tree(current, current)
			press.do(d, value)
		}
		delete(out, press.button)
	}
	delete(out, showButton)
	return out, why
}

func (e *entry) setTokens(form url.Values, tokens []string) {
	if e.shape == isTable {
		for i, t := range tokens {
			tokens[i] = nameKey(t)
		}
	}
	form[":items:"+e.name] = []string{strings.Join(tokens, " ")}
}

func (d *drawer) addTo(form url.Values, name string) (problem string) {
	e := d.names[name]
	if e == nil {
		return ""
	}
	switch {
	case e.shape == isList && e.open:
		next := 0
		if cur, ok := e.cur.([]any); ok {
			next = len(cur)
		}
		for _, t := range e.tokens {
			n, _ := strconv.Atoi(t)
			next = max(next, n+1)
		}
		e.setTokens(form, append(slices.Clone(e.tokens), strconv.Itoa(next)))
	case e.shape == isTable && e.open:
		key := strings.TrimSpace(form.Get(":key:" + name))
		switch {
		case key == "":
			return "give the new key a name first"
		case !utf8.ValidString(key) || !typeable(key) || strings.ContainsAny(key, "\n\t"):
			return "the name has characters that a key cannot have"
		case slices.ContainsFunc(e.children, func(c *entry) bool { return c.key == key }) || slices.Contains(e.extra, key):
			return "there is a key of this name already"
		}
		if _, ok := forKey(e.view.parts, key); !ok {
			return "a key of this name is not allowed here"
		}
		if problem := keyProblem(e.view.parts, key); problem != "" {
			return problem
		}
		delete(form, ":key:"+name)
		e.setTokens(form, append(slices.Clone(e.tokens), key))
		if !e.has {
			form[":have:"+name] = []string{"1"}
		}
	case e.shape == isAbsent:
		form[":have:"+name] = []string{"1"}
		if e.has {
			delete(form, ":have:"+name)
		}
	}
	return ""
}

func (d *drawer) removeEntry(form url.Values, name string) {
	e, above := d.names[name], d.above[name]
	if e == nil || above == nil {
		return
	}
	if e.nested {
		token := name[strings.LastIndexByte(name, '.')+1:]
		tokens := slices.Clone(above.tokens)
		if above.shape == isTable {
			token, _ = keyOfName(token)
		}
		above.setTokens(form, slices.DeleteFunc(tokens, func(t string) bool { return t == token }))
	} else if !e.required {
		form[":have:"+name] = []string{"0"}
	} else {
		return
	}
	forget(form, name, ":have:"+name)
}

// putBack undoes a removal: the place is as the document has it, as if nothing had been sent for it.
func (d *drawer) putBack(form url.Values, name string) {
	if name == "" {
		return
	}
	dot := strings.LastIndexByte(name, '.')
	if above := d.names[name[:max(dot, 0)]]; above != nil && above.open && d.names[name] == nil {
		token := name[dot+1:]
		if above.shape == isTable {
			token, _ = keyOfName(token)
		}
		if !slices.Contains(above.takenOut(), token) {
			return
		}
		at := slices.IndexFunc(above.tokens, func(t string) bool { return above.follows(t, token) })
		if at < 0 {
			at = len(above.tokens)
		}
		above.setTokens(form, slices.Insert(slices.Clone(above.tokens), at, token))
	}
	forget(form, name, "")
}

// takenOut are the tokens of what the document has in a list or map and the form has no more.
func (e *entry) takenOut() []string {
	var out []string
	switch cur := e.cur.(type) {
	case []any:
		if e.shape == isList && e.open {
			for i := range cur {
				out = append(out, strconv.Itoa(i))
			}
		}
	case map[string]any:
		if e.shape == isTable && e.open {
			for _, key := range sortedKeys(cur) {
				known := slices.ContainsFunc(e.children, func(c *entry) bool { return c.key == key })
				if _, ok := forKey(e.view.parts, key); ok && !known {
					out = append(out, key)
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(t string) bool { return slices.Contains(e.tokens, t) })
}

// follows says whether an entry stands behind another one in the document.
func (e *entry) follows(a, b string) bool {
	if e.shape == isTable {
		return a > b
	}
	i, _ := strconv.Atoi(a)
	j, _ := strconv.Atoi(b)
	return i > j
}

// forget drops all that was sent for a name and what is below it, but for one field.
func forget(form url.Values, name, but string) {
	for field := range form {
		bare := field
		for _, prefix := range []string{":items:", ":have:", ":pick:", ":key:"} {
			bare = strings.TrimPrefix(bare, prefix)
		}
		if (bare == name || strings.HasPrefix(bare, name+".")) && field != but {
			delete(form, field)
		}
	}
}

func (d *drawer) move(form url.Values, name, direction string) {
	e, above := d.names[name], d.above[name]
	if e == nil || above == nil || above.shape != isList {
		return
	}
	tokens := slices.Clone(above.tokens)
	i := slices.Index(tokens, name[strings.LastIndexByte(name, '.')+1:])
	j := i - 1
	if direction == "down" {
		j = i + 1
	}
	if i < 0 || j < 0 || j >= len(tokens) {
		return
	}
	tokens[i], tokens[j] = tokens[j], tokens[i]
	above.setTokens(form, tokens)
}
