package schema

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decode returns the edits that turn the document that the form was drawn from into the one that was
// filled in; none if nothing was changed. A key whose input was not sent stays as it is, so a page
// may send a part of the form only.
//
// What a blank input means: an optional key is taken out of the file, so that its default holds; a
// required text becomes the empty text; a required number is a problem; a secret stays as it is; a
// list becomes the empty list. A list of groups without a group is taken out. A key that is not there stays away. The two characters "" (two quotes)
// set an optional text to the empty text.
//
// Names that begin with ":" are bookkeeping. Those that say what the form looks like (:items:, :have:,
// :pick:, :key:, :add, :remove, :move, :show, :back) are drawn by Form and obeyed; all others are ignored.
// Every other name has to be a field: one that is not is a problem, and so is one sent twice.
//
// With problems, the edits are those of the fields without.
func (s *Schema) Decode(form url.Values, current map[string]any) ([]Edit, []Problem) {
	form, _ = s.press(form, current)
	next, tree, problems := s.decode(form, current)
	var edits editor
	edits.table(tree, current, next)
	return edits.list, problems
}

// decode reads a form, after its buttons, into the whole new document.
func (s *Schema) decode(form url.Values, current map[string]any) (map[string]any, *entry, []Problem) {
	d := newDrawer(s, form)
	tree := d.tree(current, current)
	r := reader{form: form}
	next, _ := r.value(tree)
	for _, name := range sortedKeys(form) {
		if strings.HasPrefix(name, ":") || d.known(name) {
			continue
		}
		shown := quoted(strings.ToValidUTF8(name, "�"))
		if list := d.listOf(name); list != nil {
			r.problem(list.ptr, "has no element that the field "+shown+" could belong to; what it holds was not used")
			continue
		}
		r.problem("", "the form has a field "+shown+" that the schema does not know; what it holds was not used")
	}
	table, _ := next.(map[string]any)
	return table, tree, r.problems
}

// known says whether the form that was drawn may have had an input of this name: also one that
// belongs to an alternative that is chosen no longer, or to a group that was taken out.
func (d *drawer) known(name string) bool {
	if e := d.names[name]; e != nil && e.takesInput() {
		return true
	}
	for above := name; above != ""; {
		above = above[:max(strings.LastIndexByte(above, '.'), 0)]
		if e := d.names[above]; e != nil {
			return e.switched || e.shape == isNothing || e.shape == isAbsent || e.tookOut(name)
		}
	}
	return false
}

// tookOut tells whether a field is of an element that the document has and the form took out.
func (e *entry) tookOut(name string) bool {
	if e.shape != isList || !e.open {
		return false
	}
	token, _, _ := strings.Cut(strings.TrimPrefix(name, e.name+"."), ".")
	list, _ := e.cur.([]any)
	i, err := strconv.Atoi(token)
	return err == nil && i >= 0 && i < len(list) && !slices.Contains(e.tokens, token)
}

// listOf is the list that a field names an element of, if the nearest entry above it is one.
func (d *drawer) listOf(name string) *entry {
	for above := name; above != ""; {
		above = above[:max(strings.LastIndexByte(above, '.'), 0)]
		if e := d.names[above]; e != nil {
			if e.shape == isList && e.open {
				return e
			}
			return nil
		}
	}
	return nil
}

func (e *entry) takesInput() bool {
	switch e.shape {
	case isScalar, isSecret, isLines, isChecks:
		return true
	}
	return e.switched || e.shape == isNothing
}

// reader reads what was sent, entry by entry.
type reader struct {
	form     url.Values
	problems []Problem
}

func (r *reader) problem(ptr, message string) {
	r.problems = append(r.problems, Problem{Pointer: ptr, Message: message})
}

// value returns what the entry is to be; false if it is not to be there.
func (r *reader) value(e *entry) (any, bool) {
	if e.readOnly {
		if sent, ok := r.form[e.name]; ok && e.takesInput() && (len(sent) != 1 || sent[0] != e.view.shown(e.cur)) {
			r.problem(e.ptr, "cannot be changed here")
		}
		return e.cur, e.has
	}
	if have := r.form.Get(":have:" + e.name); have == "0" && e.name != "" && !e.required {
		switch e.shape {
		case isSecret:
			if r.form.Get(e.name) == "" {
				return nil, false
			}
		case isScalar, isLines, isChecks: // taken out, and perhaps filled in anew
			e.cur, e.has = nil, false
		default:
			return nil, false
		}
	}
	switch e.shape {
	case isNothing:
		if _, chosen := r.form[":pick:"+e.name]; !chosen {
			return e.cur, e.has
		}
		if e.required && e.has {
			r.problem(e.ptr, "is required: choose what it is to be")
			return e.cur, true
		}
		return nil, false
	case isTable:
		return r.table(e)
	case isList:
		return r.list(e)
	case isTuple:
		return r.tuple(e)
	case isRaw, isAbsent:
		return e.cur, e.has
	}
	if only := e.onlyValue(); only != nil && e.required && (e.fresh || e.inFresh) {
		if _, sent := r.form[e.name]; !sent {
			return only, true
		}
	}
	text, sent, ok := r.text(e)
	if !sent || !ok {
		return e.cur, e.has
	}
	switch e.shape {
	case isLines:
		return r.lines(e, text)
	case isChecks:
		return r.checks(e)
	case isSecret:
		if text == "" {
			return e.cur, e.has
		}
	}
	return r.scalar(e, text)
}

// onlyValue is the value of an entry that allows but one.
func (e *entry) onlyValue() any {
	if e.shape == isScalar && len(e.view.options) == 1 {
		return e.view.options[0].value
	}
	return nil
}

// text is what was sent for an entry, once, as characters that a TOML file can hold.
func (r *reader) text(e *entry) (text string, sent, ok bool) {
	values, sent := r.form[e.name]
	if !sent || len(values) == 0 {
		return "", false, true
	}
	for _, v := range values {
		if !utf8.ValidString(v) {
			r.problem(e.ptr, "holds bytes that are not text (invalid UTF-8); it was not changed")
			return "", true, false
		}
		if strings.ContainsRune(v, 0) {
			r.problem(e.ptr, "holds a NUL character, which a form cannot set; it was not changed")
			return "", true, false
		}
	}
	box := e.shape == isScalar && len(values) == 2 && values[0] == "false" && (values[1] == "true" || values[1] == "on")
	if len(values) > 1 && e.shape != isChecks && !box {
		r.problem(e.ptr, "was sent more than once, so that it is not clear what was meant; it was not changed")
		return "", true, false
	}
	text = values[len(values)-1]
	return plainLines(text), true, true
}

// plainLines undoes what browsers do to line ends.
func plainLines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

func (r *reader) scalar(e *entry, text string) (any, bool) {
	if e.has && e.shape == isScalar && text == strings.ReplaceAll(e.view.shown(e.cur), "\r\n", "\n") {
		return e.cur, true
	}
	if strings.TrimSpace(text) == "" && (text == "" || !e.view.allows("string")) {
		switch {
		case !e.has && !e.nested:
			return nil, false
		case !e.required:
			return nil, false
		case e.view.allows("string") && e.view.options == nil:
			return "", true
		}
		r.problem(e.ptr, "is required")
		return e.cur, e.has
	}
	v, err := e.view.read(text, e.cur)
	if err != nil {
		r.problem(e.ptr, err.Error())
		return e.cur, e.has
	}
	if e.has && equal(e.cur, v) {
		return e.cur, true
	}
	if !e.has && e.asCheckbox() && equal(v, e.boxDefault()) {
		return nil, false // the box shows the default; leaving it changes nothing
	}
	return v, true
}

func (r *reader) lines(e *entry, text string) (any, bool) {
	old, _ := e.cur.([]any)
	if e.has && text == e.item.lines(old) || !e.has && strings.TrimSpace(text) == "" {
		return e.cur, e.has
	}
	items, err := e.item.readLines(text, old)
	if err != nil {
		r.problem(e.ptr, err.Error())
		return e.cur, e.has
	}
	for i := range items { // what is equal stays as the file has it: 5.0 does not become 5
		if i < len(old) && equal(items[i], old[i]) {
			items[i] = old[i]
		}
	}
	return items, true
}

// checks keeps the order of what was chosen before; what is new follows in the schema's order.
func (r *reader) checks(e *entry) (any, bool) {
	chosen := map[string]bool{}
	for _, text := range r.form[e.name] {
		if text != "" {
			chosen[text] = true
		}
	}
	old, _ := e.cur.([]any)
	items := []any{}
	taken := map[string]bool{}
	for _, v := range old {
		if text := e.item.optionText(fixed{value: v}); chosen[text] {
			items = append(items, v)
			taken[text] = true
		}
	}
	for _, o := range e.item.options {
		if text := e.item.optionText(o); chosen[text] && !taken[text] {
			items = append(items, o.value)
			taken[text] = true
		}
	}
	for _, text := range sortedKeys(chosen) {
		if !taken[text] {
			r.problem(e.ptr, quoted(text)+" is not one of its choices")
			return e.cur, e.has
		}
	}
	if !e.has && len(items) == 0 {
		return nil, false
	}
	return items, true
}

func (r *reader) table(e *entry) (any, bool) {
	cur, _ := e.cur.(map[string]any)
	next := map[string]any{}
	keep := func(key string) bool { return true }
	if e.switched {
		keep = e.keptAfterSwitch
	}
	for key, v := range cur {
		if keep(key) {
			next[key] = v
		}
	}
	if e.open {
		drawn := make(map[string]bool, len(e.children))
		for _, child := range e.children {
			drawn[child.key] = true
		}
		for key := range cur {
			if _, ok := forKey(e.view.parts, key); ok && !drawn[key] {
				delete(next, key) // taken off the list of further keys
			}
		}
	}
	there := e.has || e.fresh
	for _, child := range e.children {
		if only := child.onlyValue(); only != nil && child.required && e.switched {
			next[child.key] = only
			continue
		}
		v, ok := r.value(child)
		if !ok {
			delete(next, child.key)
			continue
		}
		next[child.key] = v
		there = true
	}
	if !there {
		return nil, false
	}
	return next, true
}

// keptAfterSwitch says of a key in the document whether the alternative now chosen still has a place
// for it, or no alternative ever described it.
func (e *entry) keptAfterSwitch(key string) bool {
	if _, ok := forKey(e.view.parts, key); ok {
		return true
	}
	for _, alt := range e.view.choice.alts {
		if _, ok := forKey(inPlace(alt), key); ok {
			return false
		}
	}
	return true
}

func (r *reader) list(e *entry) (any, bool) {
	next := []any{}
	for _, child := range e.children {
		v, ok := r.value(child)
		if !ok { // the item is there, though nothing of it was filled in
			v = child.nothing()
		}
		next = append(next, v)
	}
	if cur, _ := e.cur.([]any); len(next) == 0 && (!e.has || len(cur) > 0 && !e.required) {
		return nil, false
	}
	return next, true
}

// nothing is the empty value of an item that was added.
func (e *entry) nothing() any {
	switch e.shape {
	case isTable, isNothing, isAbsent:
		return map[string]any{}
	case isList, isLines, isChecks, isTuple:
		return []any{}
	}
	if only := e.onlyValue(); only != nil {
		return only
	}
	switch {
	case e.view.allows("string"):
		return ""
	case e.view.allows("boolean"):
		return false
	}
	return int64(0)
}

func (r *reader) tuple(e *entry) (any, bool) {
	cur, _ := e.cur.([]any)
	next := slices.Clone(cur)
	for i, child := range e.children {
		v, ok := r.value(child)
		switch {
		case ok && i < len(next):
			next[i] = v
		case ok && i == len(next):
			next = append(next, v)
		case ok:
			r.problem(e.ptr+"/"+strconv.Itoa(len(next)), "has to be filled in before item "+strconv.Itoa(i+1))
			return e.cur, e.has
		case i < len(next):
			r.problem(child.ptr, "cannot be left blank: the items have fixed places")
		}
	}
	if len(next) == 0 {
		return e.cur, e.has
	}
	return next, true
}
