package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// toJSON turns a TOML value into what the JSON Schema library validates. Dates and times become
// their text. Infinities and NaN have no JSON; they become 0 and their place is reported to odd.
func toJSON(v any, ptr string, odd func(ptr string)) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = toJSON(item, join(ptr, key), odd)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = toJSON(item, ptr+"/"+strconv.Itoa(i), odd)
		}
		return out
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			odd(ptr)
			return int64(0)
		}
		return v
	case float32:
		return toJSON(float64(v), ptr, odd)
	case int:
		return int64(v)
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case nil, bool, string, int64, json.Number:
		return v
	case time.Time, toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		return dateText(v)
	}
	return fmt.Sprint(v)
}

func plainJSON(v any) any { return toJSON(v, "", func(string) {}) }

func dateText(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(v)
}

// fromJSON turns a value of the schema file into what TOML would decode.
func fromJSON(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = fromJSON(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = fromJSON(item)
		}
		return out
	}
	return v
}

// equal compares two values as a reader of the file would: 5 and 5.0 are equal, as are two NaN.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, item := range a {
			other, ok := b[key]
			if !ok || !equal(item, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	case int64, float64:
		x, okX := number(a)
		y, okY := number(b)
		if i, ok := a.(int64); ok {
			if j, ok := b.(int64); ok {
				return i == j
			}
		}
		return okX && okY && (x == y || math.IsNaN(x) && math.IsNaN(y))
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// kindOf names the kind of a TOML value in JSON Schema's words.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int64, int:
		return "integer"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "integer"
		}
		return "number"
	case float64:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "string"
}

// number formats for people: 250000 → "250 000", 0.05 → "0.05".
func people(v any) string {
	var text string
	switch v := v.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case json.Number:
		text = v.String()
	case float64:
		text = floatText(v)
	default:
		return fmt.Sprint(v)
	}
	whole, rest := text, ""
	if i := strings.IndexAny(text, ".eEni"); i >= 0 {
		whole, rest = text[:i], text[i:]
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	if len(whole) < 4 {
		return text
	}
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return sign + b.String() + rest
}

// floatText is the shortest decimal that reads back as f.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a >= 1e15 || a < 1e-7) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// lookup finds the value at a pointer.
func lookup(v any, ptr string) (any, bool) {
	for _, key := range split(ptr) {
		switch at := v.(type) {
		case map[string]any:
			item, ok := at[key]
			if !ok {
				return nil, false
			}
			v = item
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// copyOf copies tables and lists; scalars are values anyway.
func copyOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = copyOf(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = copyOf(item)
		}
		return out
	}
	return v
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
