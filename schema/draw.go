package schema

import (
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

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
			s.Add = &Adder{Button: Button{addButton, e.name, "Add " + s.Title}}
		}
	}
	s.Remove, s.Up, s.Down = p.buttons(e)
	if e.open && !e.readOnly {
		s.Add = &Adder{Button: Button{addButton, e.name, "Add"}, Problem: e.why}
		if e.askKey {
			s.Add.KeyName = ":key:" + e.name
			if e.why != "" {
				s.Add.KeyValue, _ = p.sent(s.Add.KeyName)
			}
		}
	}
	groups := map[string]int{}
	for _, child := range e.children {
		if child.dormant && !child.drafted {
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

func (p painter) field(e *entry) Field {
	parts := e.view.parts
	f := Field{Pointer: e.ptr, Name: e.name, ID: e.id(), Label: e.title(), Key: e.key, Description: firstText(parts, "description"),
		Unit: firstText(parts, "x-unit"), Required: e.required && !e.nested, Secret: e.secret, Deprecated: anyFlag(parts, "deprecated"),
		ReadOnly: e.readOnly, Reload: e.reload, Danger: danger(parts), Present: e.drafted}
	f.Choice, f.Show = p.choice(e)
	f.Remove, f.Up, f.Down = p.buttons(e)
	if e.nested {
		f.Label = e.key
		if above := p.above[e.name]; above != nil && above.shape == isList {
			f.Label = "Item " + e.key
		}
	}
	sent, typed := p.sent(e.name)
	switch e.shape {
	case isSecret:
		f.Control = Password
		f.SecretSource = secretSource(parts)
		f.MaxLength = lengthLimit(parts)
		f.Hint = "Leave blank to keep it as it is."
		if !e.has {
			f.Hint = "Not set."
		}
		if typed && sent != "" {
			f.Hint = "Type it again: a secret is never shown back."
		}
		if e.has && !e.required && e.drafted && !e.readOnly {
			f.Remove = &Button{removeButton, e.name, "Remove from the file"}
		}
		return f
	case isNothing:
		f.Control = None
		return f
	case isRaw:
		f.Control, f.ReadOnly = Raw, true
		f.Hint = "Edit this in the file itself."
		if e.drafted && !e.secret && !p.holdsSecret(e.ptr) {
			f.Value = notation(e.draft, true)
		}
		return f
	case isLines:
		p.linesField(e, &f)
	case isChecks:
		p.checksField(e, &f)
	default:
		p.scalarField(e, &f)
	}
	if typed && f.Control != Checks && f.Control != Checkbox {
		f.Value = plainLines(sent)
	} else if typed && f.Control == Checkbox {
		f.Value = "false"
		if all := p.form[e.name]; all[len(all)-1] != "false" {
			f.Value = "true"
		}
	}
	if typed && f.Control == Select {
		selectOnly(f.Options, sent)
	}
	if !f.HasDefault {
		if d, ok := firstDefault(parts); ok && e.shape == isScalar {
			f.Default, f.HasDefault = e.view.show(d), true
		}
	}
	return f
}

// holdsSecret says whether there is a secret at a pointer or below.
func (p painter) holdsSecret(ptr string) bool {
	for secret := range p.secrets() {
		if secret == ptr || strings.HasPrefix(secret, ptr+"/") {
			return true
		}
	}
	return false
}

func selectOnly(options []Option, value string) {
	for i := range options {
		options[i].Selected = options[i].Value == value
	}
}

func secretSource(parts []*jsonschema.Schema) string {
	if env := firstText(parts, "x-secret-env"); env != "" {
		return "May come from the environment variable " + env + " instead."
	}
	if file := firstText(parts, "x-secret-file"); file != "" {
		return "May be read from the file " + file + " instead."
	}
	return ""
}

func (p painter) linesField(e *entry, f *Field) {
	f.Control = ListLines
	f.Hint = "One per line."
	if unit := firstText(e.item.parts, "x-unit"); f.Unit == "" {
		f.Unit = unit
	}
	items, _ := e.draft.([]any)
	f.Value = e.item.lines(items)
	if d, ok := firstDefault(e.view.parts); ok {
		if list, ok := d.([]any); ok && allScalars(list) {
			f.Default, f.HasDefault = e.item.lines(list), true
		}
	}
	if e.item.options != nil {
		var all []any
		for _, o := range e.item.options {
			all = append(all, o.value)
		}
		f.Hint = "One per line, each of: " + optionWords(all) + "."
	}
}

func (p painter) checksField(e *entry, f *Field) {
	f.Control = Checks
	chosen := map[string]bool{}
	if sent, ok := p.form[e.name]; ok {
		for _, text := range sent {
			chosen[text] = true
		}
	} else {
		items, _ := e.draft.([]any)
		for _, v := range items {
			chosen[e.item.optionText(fixed{value: v})] = true
		}
	}
	for _, o := range e.item.options {
		text := e.item.optionText(o)
		f.Options = append(f.Options, Option{text, labelOf(o, text), o.description, chosen[text]})
	}
	if d, ok := firstDefault(e.view.parts); ok {
		if list, ok := d.([]any); ok && allScalars(list) {
			f.Default, f.HasDefault = strings.ReplaceAll(e.item.lines(list), "\n", ", "), true
		}
	}
}

func labelOf(o fixed, text string) string {
	switch {
	case o.title != "":
		return o.title
	case text == `""`:
		return "(empty)"
	}
	return text
}

// asCheckbox says whether an entry is drawn as one box, where what is not there looks like off or
// like its default. An optional switch without a default is a choice of three instead.
func (e *entry) asCheckbox() bool {
	if e.shape != isScalar || e.view.options != nil || !slices.Equal(e.view.kinds, []string{"boolean"}) {
		return false
	}
	if e.drafted {
		if _, ok := e.draft.(bool); !ok {
			return false
		}
	}
	d, ok := firstDefault(e.view.parts)
	_, isBool := d.(bool)
	return ok && isBool || e.required
}

func (e *entry) boxDefault() bool {
	d, _ := firstDefault(e.view.parts)
	on, _ := d.(bool)
	return on
}

func (p painter) scalarField(e *entry, f *Field) {
	v := e.view
	if e.drafted {
		f.Value = v.shown(e.draft)
	}
	for _, part := range v.parts {
		if examples, ok := word(part, "examples").([]any); ok && f.Examples == nil {
			for _, x := range examples {
				f.Examples = append(f.Examples, v.show(fromJSON(x)))
			}
		}
	}
	if d, ok := firstDefault(v.parts); ok {
		f.Default, f.HasDefault = v.show(d), true
	}
	numeric := len(v.kinds) > 0 && !slices.ContainsFunc(v.kinds, func(k string) bool { return k != "integer" && k != "number" })
	n, isNumber := number(e.draft)
	finite := isNumber && n-n == 0
	switch {
	case v.options != nil:
		p.selectField(e, f)
	case e.asCheckbox():
		f.Control = Checkbox
		if !e.drafted {
			f.Value = strconv.FormatBool(e.boxDefault())
		}
	case slices.Equal(v.kinds, []string{"boolean"}) && isSwitch(e):
		f.Control = Select
		f.Options = []Option{{"", "(not set)", "", !e.drafted}, {"true", "yes", "", f.Value == "true"}, {"false", "no", "", f.Value == "false"}}
	case numeric && (!e.drafted || finite):
		numberField(v, f)
	case numeric:
		f.Control, f.InputType, f.InputMode = Text, "text", "decimal"
	default:
		p.textField(e, f)
	}
}

func isSwitch(e *entry) bool {
	_, ok := e.draft.(bool)
	return ok || !e.drafted
}

func (p painter) selectField(e *entry, f *Field) {
	f.Control = Select
	blank := Option{Label: "(not set)"}
	if f.HasDefault {
		blank.Label = "(not set: " + f.Default + ")"
	}
	found := false
	var options []Option
	for _, o := range e.view.options {
		text := e.view.optionText(o)
		chosen := e.drafted && equal(o.value, e.draft) || !e.drafted && (e.fresh || e.inFresh) && e.required && len(e.view.options) == 1
		found = found || chosen
		if f.HasDefault && text == f.Default && labelOf(o, text) != text {
			blank.Label = "(not set: " + labelOf(o, text) + ")"
		}
		options = append(options, Option{text, labelOf(o, text), o.description, chosen})
		if chosen {
			f.Value = text
		}
	}
	if e.drafted && !found {
		options = append([]Option{{f.Value, f.Value + " (not allowed)", "", true}}, options...)
		found = true
	}
	if !e.required || !found {
		blank.Selected = !found
		options = append([]Option{blank}, options...)
	}
	f.Options = options
}

func numberField(v view, f *Field) {
	f.Control, f.Step, f.InputMode = Number, "any", "decimal"
	integer := v.kinds[0] == "integer" && len(v.kinds) == 1
	if integer {
		f.Step, f.InputMode = "1", "numeric"
	}
	var low, high *big.Rat
	for _, p := range v.parts {
		lo, hi := p.Minimum, p.Maximum
		if x := p.ExclusiveMinimum; x != nil {
			lo = x
			if integer && x.IsInt() {
				lo = new(big.Rat).Add(x, big.NewRat(1, 1))
			}
		}
		if x := p.ExclusiveMaximum; x != nil {
			hi = x
			if integer && x.IsInt() {
				hi = new(big.Rat).Sub(x, big.NewRat(1, 1))
			}
		}
		if lo != nil && (low == nil || lo.Cmp(low) > 0) {
			low = lo
		}
		if hi != nil && (high == nil || hi.Cmp(high) < 0) {
			high = hi
		}
		if m := p.MultipleOf; m != nil && integer && m.IsInt() && low == nil {
			f.Step = m.Num().String()
		}
	}
	f.Min, f.Max = ratText(low), ratText(high)
	if integer && low != nil && low.Sign() < 0 || low == nil {
		f.InputMode = "" // phones' number pads have no minus
	}
}

func ratText(r *big.Rat) string {
	if r == nil {
		return ""
	}
	if r.IsInt() {
		return r.Num().String()
	}
	x, _ := r.Float64()
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func lengthLimit(parts []*jsonschema.Schema) int {
	limit := 0
	for _, p := range parts {
		if p.MaxLength > 0 && (limit == 0 || p.MaxLength < limit) {
			limit = p.MaxLength
		}
	}
	return limit
}

func (p painter) textField(e *entry, f *Field) {
	v := e.view
	f.Control, f.InputType = Text, "text"
	if v.mixed() {
		f.Hint = "May be " + typeWords(v.kinds) + "; put a text that looks otherwise in double quotes."
		if len(v.kinds) == 0 {
			f.Hint = "Put a text that looks like a number or true or false in double quotes."
		}
		return
	}
	f.MaxLength = lengthLimit(v.parts)
	format := ""
	for _, part := range v.parts {
		f.MinLength = max(f.MinLength, part.MinLength)
		if format == "" {
			format = part.Format
		}
		if f.Pattern == "" && part.Pattern != nil {
			f.Pattern = htmlPattern(part.Pattern.String())
		}
		if text := textWord(part, "x-pattern-message"); text != "" && f.Hint == "" {
			f.Hint = strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	shown := f.Value
	if sent, ok := p.sent(e.name); ok {
		shown = sent
	}
	control := firstText(v.parts, "x-control")
	switch {
	case (control == "time" || format == "time") && (shown == "" && control != "text" || clockTime.MatchString(shown) && len(shown) <= 8):
		f.Control, f.InputType, f.Pattern, f.MinLength, f.MaxLength = Time, "", "", 0, 0
		if control == "time" && format != "time" && f.Pattern == "" && v.longer() && !e.drafted {
			f.Control, f.InputType = Text, "text" // may be more than a time: leave room for it
		}
	case format == "date" && (shown == "" || isPlainDate(shown)):
		f.Control, f.InputType = Date, ""
	case format == "date-time" && localStamp.MatchString(shown):
		f.Control, f.InputType = DateTime, ""
		f.Value = strings.Replace(f.Value, " ", "T", 1)
	case format == "date-time", format == "date", format == "time", format == "duration", format == "go-duration":
		f.Hint = strings.ToUpper(formatWords(format)[:1]) + formatWords(format)[1:] + "."
	case format == "uri":
		f.InputType, f.InputMode = "url", "url"
	case format == "email":
		f.InputType, f.InputMode = "email", "email"
	case control == "textarea", strings.Contains(shown, "\n"), strings.Contains(f.Default, "\n"), f.MaxLength > 500:
		f.Control, f.InputType, f.Pattern = TextArea, "", ""
	}
}

// longer says whether a text may be longer than a time of day is.
func (v view) longer() bool {
	limit := lengthLimit(v.parts)
	for _, p := range v.parts {
		if p.Pattern != nil {
			return false
		}
	}
	return limit == 0 || limit > 8
}

func isPlainDate(text string) bool {
	return len(text) == len("2006-01-02") && isDateTime(text+"T00:00:00")
}

// htmlPattern is the pattern for the HTML attribute, which matches the whole text; "" where a browser
// might read it otherwise than Go, or not at all: it compiles patterns with the strict "v" flag.
func htmlPattern(pattern string) string {
	inner, start := strings.CutPrefix(pattern, "^")
	inner, end := strings.CutSuffix(inner, "$")
	if strings.HasSuffix(inner, `\\`) || strings.Contains(inner, "(?") || !strictly(inner) {
		return ""
	}
	if !start {
		inner = ".*" + inner
	}
	if !end {
		inner += ".*"
	}
	return inner
}

// strictly says whether a pattern keeps to what Go and a browser read alike.
func strictly(pattern string) bool {
	class, depth := false, 0
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\':
			i++
			if i == len(pattern) || !strings.ContainsRune(`dDwWsS.\/^$*+?()[]{}|`, rune(pattern[i])) {
				return false
			}
		case class && c == ']':
			class = false
		case class && c == '-':
			if !isWordByte(pattern[i-1]) || i+1 == len(pattern) || !isWordByte(pattern[i+1]) {
				return false
			}
		case class:
			if !isWordByte(c) && c != '.' && c != ' ' && c != ':' {
				return false
			}
		case c == '[':
			class = true
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				i++
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0, c == '^', c == '$', c >= 0x80:
			return false
		}
	}
	return true
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
