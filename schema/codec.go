package schema

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A scalar's text in a form: a text is itself. Where a place may hold text or something else, a text
// that looks like the something else, or begins with a quote, is written in double quotes, as in
// JSON. A number may have spaces or underscores between its digits.

// show writes a scalar as the form shows it.
func (v view) show(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		if v.mixed() && (strings.HasPrefix(value, `"`) || v.looksLikeOther(value)) {
			return jsonQuote(value)
		}
		return value
	case bool:
		return strconv.FormatBool(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		return floatText(value)
	case map[string]any, []any:
		return notation(value, true)
	}
	return dateText(value)
}

func jsonQuote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return string(b)
}

// mixed says whether the place may hold text and something else.
func (v view) mixed() bool {
	return v.allows("string") && (v.allows("boolean") || v.allows("integer") || v.allows("number"))
}

func (v view) looksLikeOther(text string) bool {
	if v.allows("boolean") && (text == "true" || text == "false") {
		return true
	}
	if v.allows("integer") || v.allows("number") {
		_, err := parseNumber(text, v.allows("number"), nil)
		return err == nil
	}
	return false
}

// read turns what was typed into a value of a kind that the place may hold; old is what is there.
func (v view) read(text string, old any) (any, error) {
	if v.options != nil {
		for _, o := range v.options {
			if v.optionText(o) == text {
				return o.value, nil
			}
		}
		var all []any
		for _, o := range v.options {
			all = append(all, o.value)
		}
		return nil, errors.New("is not one of: " + optionWords(all))
	}
	trimmed := strings.TrimSpace(text)
	if native, ok, err := readNative(trimmed, old); ok {
		return native, err
	}
	onlyText := len(v.kinds) > 0 && !v.mixed() && v.allows("string")
	if onlyText {
		if text == `""` {
			return "", nil
		}
		if slices.ContainsFunc(v.parts, func(p *jsonschema.Schema) bool { return p.Format != "" && p.Format != "password" }) {
			text = trimmed
		}
		if was, ok := old.(string); ok {
			return clockLike(was, text), nil
		}
		return text, nil
	}
	if strings.HasPrefix(trimmed, `"`) && v.allows("string") {
		var s string
		if err := json.Unmarshal([]byte(trimmed), &s); err != nil {
			return nil, errors.New("begins with a quote, but is not a text in double quotes")
		}
		return s, nil
	}
	if v.allows("boolean") {
		switch strings.ToLower(trimmed) {
		case "true", "on":
			return true, nil
		case "false":
			return false, nil
		}
	}
	if v.allows("integer") || v.allows("number") {
		n, err := parseNumber(trimmed, v.allows("number"), old)
		if err == nil || !v.allows("string") {
			return n, err
		}
	}
	if v.allows("string") {
		return text, nil
	}
	return nil, errors.New("must be " + typeWords(v.kinds))
}

// optionText is the text that stands for an allowed value. The empty text is two quotes, since a
// blank means that nothing is set.
func (v view) optionText(o fixed) string {
	if o.value == "" {
		return `""`
	}
	return v.withKindsOf().show(o.value)
}

// shown is the text with which a form shows what is there.
func (v view) shown(value any) string {
	if v.options != nil {
		return v.optionText(fixed{value: value})
	}
	return v.show(value)
}

// withKindsOf is the view with the kinds of its options, which decide what needs quotes.
func (v view) withKindsOf() view {
	if len(v.kinds) == 0 {
		for _, o := range v.options {
			v.kinds = append(v.kinds, kindOf(o.value))
		}
	}
	return v
}

// readNative reads a date or time where the file has one in TOML's own notation.
func readNative(text string, old any) (any, bool, error) {
	switch was := old.(type) {
	case toml.LocalDate:
		var d toml.LocalDate
		if err := d.UnmarshalText([]byte(text)); err != nil {
			return nil, true, errors.New("must be " + formatWords("date"))
		}
		return d, true, nil
	case toml.LocalTime:
		if strings.Count(text, ":") == 1 {
			text += ":00"
		}
		var t toml.LocalTime
		if err := t.UnmarshalText([]byte(text)); err != nil {
			return nil, true, errors.New("must be " + formatWords("time"))
		}
		return keepPrecision(t, was), true, nil
	case toml.LocalDateTime:
		if strings.Count(text, ":") == 1 {
			text += ":00"
		}
		var t toml.LocalDateTime
		if err := t.UnmarshalText([]byte(text)); err != nil {
			return nil, true, errors.New("must be a date and time, such as 2026-12-24T09:30:00")
		}
		t.LocalTime = keepPrecision(t.LocalTime, was.LocalTime)
		return t, true, nil
	case time.Time:
		t, err := time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "T", 1))
		if err != nil {
			return nil, true, errors.New("must be " + formatWords("date-time"))
		}
		return t, true, nil
	}
	return nil, false, nil
}

// keepPrecision writes a time that is the same with as many digits as before.
func keepPrecision(t, was toml.LocalTime) toml.LocalTime {
	if t.Hour == was.Hour && t.Minute == was.Minute && t.Second == was.Second && t.Nanosecond == was.Nanosecond {
		return was
	}
	return t
}

var digitSpace = strings.NewReplacer(" ", "", "_", "", "\u00a0", "", "\u202f", "", "\u2009", "")

func parseNumber(text string, fraction bool, old any) (any, error) {
	what := "must be a whole number"
	if fraction {
		what = "must be a number"
	}
	plain := digitSpace.Replace(text)
	if plain == "" {
		return nil, errors.New(what)
	}
	i, err := strconv.ParseInt(plain, 10, 64)
	if err == nil {
		if _, wasFloat := old.(float64); wasFloat {
			return float64(i), nil
		}
		return i, nil
	}
	if errors.Is(err, strconv.ErrRange) && !fraction {
		return nil, errors.New("must be between -9 223 372 036 854 775 808 and 9 223 372 036 854 775 807, the numbers that a TOML file can hold")
	}
	f, err := strconv.ParseFloat(plain, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return nil, errors.New("is too large a number")
	case err != nil && strings.Count(plain, ",") == 1:
		return nil, errors.New(what + "; write a decimal point, not a comma")
	case err != nil || strings.ContainsAny(plain, "xXpP"):
		return nil, errors.New(what)
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, errors.New("must be a finite number")
	case !fraction:
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return nil, errors.New(what)
		}
		return int64(f), nil
	}
	return f, nil
}

// lines writes a list of scalars one per line; an item that would not survive that is in quotes.
func (v view) lines(items []any) string {
	texts := make([]string, len(items))
	for i, item := range items {
		text := v.show(item)
		if s, ok := item.(string); ok && !strings.HasPrefix(text, `"`) && (s == "" || strings.TrimSpace(s) != s || strings.Contains(s, "\n")) {
			text = jsonQuote(s)
		} else if ok && strings.HasPrefix(s, `"`) {
			text = jsonQuote(s)
		}
		texts[i] = text
	}
	return strings.Join(texts, "\n")
}

// readLines is the inverse of lines. Blank lines do not count.
func (v view) readLines(text string, old []any) ([]any, error) {
	items := []any{}
	var sample any
	if len(old) > 0 && kindOf(old[0]) == "string" {
		if _, isText := old[0].(string); !isText {
			sample = old[0] // dates stay dates
		}
	}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.HasPrefix(line, `"`) && v.allows("string") && v.options == nil {
			var s string
			if err := json.Unmarshal([]byte(line), &s); err == nil {
				items = append(items, s)
				continue
			}
		}
		item, err := v.read(line, sample)
		if err != nil {
			return nil, errors.New("line " + strconv.Itoa(n+1) + ": " + err.Error())
		}
		items = append(items, item)
	}
	return items, nil
}
