package schema

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

func (p painter) field(e *entry) Field {
	parts := e.view.parts
	f := Field{Pointer: e.ptr, Name: e.name, ID: e.id(), Label: e.title(), Key: e.key, Description: firstText(parts, "description"),
		Unit: firstText(parts, "x-unit"), Required: e.required && !e.nested, Secret: e.secret, Deprecated: anyFlag(parts, "deprecated"),
		ReadOnly: e.readOnly, Reload: e.reload, Danger: danger(parts), Present: e.drafted}
	f.Choice, f.Show = p.choice(e)
	if f.Show == nil && e.steers && !e.readOnly {
		f.Show = &Button{showButton, e.name, "Show"}
	}
	f.Remove, f.Up, f.Down = p.buttons(e)
	if f.Removed = e.removed; e.removed && !e.readOnly {
		f.Back = &Button{backButton, e.name, "Put it back"}
	}
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
		f.Required = f.Required && f.SecretSource == ""
		f.MaxLength = lengthLimit(parts)
		f.Empty = e.drafted && e.draft == ""
		switch {
		case e.removed:
			f.Hint = "It is taken out of the file when this is saved."
		case !e.drafted:
			f.Hint = "Not set."
		case f.Empty:
			f.Hint = "Empty in the file. Leave blank to keep it so."
		default:
			f.Hint = "Set in the file. Leave blank to keep it as it is."
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
	p.reset(e, &f)
	return f
}

// reset offers to take out what has no blank that would say so. A value that is the default is no worse
// for being written down.
func (p painter) reset(e *entry, f *Field) {
	if !e.has || !e.drafted || e.required || e.readOnly || e.nested || f.Choice != nil || f.Control != Checkbox && f.Control != Checks && f.Control != ListLines {
		return
	}
	d, ok := firstDefault(e.view.parts)
	if ok && equal(d, e.draft) && !f.Deprecated {
		return
	}
	f.Remove = &Button{removeButton, e.name, "Remove from the file"}
	if ok {
		f.Remove.Label = "Reset to default"
	}
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

// secretSource says where a secret that is not in the file may come from.
func secretSource(parts []*jsonschema.Schema) string {
	env, file := secretSources(parts)
	switch {
	case env != "" && file != "":
		return "While it is not in the file, it comes from the environment variable " + env + " or the file " + file + "."
	case env != "":
		return "While it is not in the file, it comes from the environment variable " + env + "."
	case file != "":
		return "While it is not in the file, it is read from the file " + file + "."
	}
	return ""
}

// secretSources are the environment variable and the file that a secret may come from.
func secretSources(parts []*jsonschema.Schema) (env, file string) {
	return firstText(parts, "x-secret-env"), firstText(parts, "x-secret-file")
}

// elsewhere says whether the value at a pointer is a secret that may come from elsewhere, so that
// what is not in the file is not missing.
func (s *Schema) elsewhere(ptr string) bool {
	parts, ok := s.partsAt(ptr)
	if !ok || !marksSecret(parts) {
		return false
	}
	env, file := secretSources(parts)
	return env != "" || file != ""
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
	raise := func(x *big.Rat, exclusive bool) {
		if exclusive && integer && x.IsInt() {
			x, exclusive = new(big.Rat).Add(x, big.NewRat(1, 1)), false
		}
		if low == nil || x.Cmp(low) > 0 || x.Cmp(low) == 0 && exclusive {
			low, f.Above = x, exclusive
		}
	}
	lower := func(x *big.Rat, exclusive bool) {
		if exclusive && integer && x.IsInt() {
			x, exclusive = new(big.Rat).Sub(x, big.NewRat(1, 1)), false
		}
		if high == nil || x.Cmp(high) < 0 || x.Cmp(high) == 0 && exclusive {
			high, f.Below = x, exclusive
		}
	}
	for _, p := range v.parts {
		if p.Minimum != nil {
			raise(p.Minimum, false)
		}
		if p.ExclusiveMinimum != nil {
			raise(p.ExclusiveMinimum, true)
		}
		if p.Maximum != nil {
			lower(p.Maximum, false)
		}
		if p.ExclusiveMaximum != nil {
			lower(p.ExclusiveMaximum, true)
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
	case (control == "time" || format == "time") && (shown == "" && control != "text" || inputTime.MatchString(shown)):
		f.Control, f.InputType, f.Pattern, f.MinLength, f.MaxLength = Time, "", "", 0, 0
		if control == "time" && format != "time" && f.Pattern == "" && v.longer() && !e.drafted {
			f.Control, f.InputType = Text, "text" // may be more than a time: leave room for it
		}
	case format == "date" && (shown == "" || isPlainDate(shown)):
		f.Control, f.InputType = Date, ""
	case format == "date-time" && inputStamp.MatchString(shown):
		f.Control, f.InputType = DateTime, ""
		f.Value = inputClock(f.Value)
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
