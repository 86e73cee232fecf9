package configfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// normalise turns what callers hand in into the types of Document.Value, or says why TOML cannot
// hold it.
func normalise(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the value is nested more than %d levels deep", maxDepth)
	}
	switch t := v.(type) {
	case nil:
		return nil, errors.New("a config file cannot hold null; to take a key away, remove it")
	case bool, int64, float64:
		return v, nil
	case string:
		if !utf8.ValidString(t) {
			return nil, errors.New("the text is not valid UTF-8")
		}
		return t, nil
	case json.Number:
		return parseNumber(string(t))
	case time.Time:
		if y := t.Year(); y < 0 || y > 9999 {
			return nil, fmt.Errorf("the year %d does not fit a date of a config file", y)
		}
		if _, offset := t.Zone(); offset%60 != 0 {
			return nil, errors.New("the time has an offset with seconds, which a config file cannot hold")
		}
		return t, nil
	case toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		return v, nil
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			n, err := normalise(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = n
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			if !utf8.ValidString(k) {
				return nil, fmt.Errorf("the key %q is not valid UTF-8", k)
			}
			n, err := normalise(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = n
		}
		return out, nil
	}
	return normaliseOther(v, depth)
}

func normaliseOther(v any, depth int) (any, error) {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if r.Uint() > math.MaxInt64 {
			return nil, tooLarge(strconv.FormatUint(r.Uint(), 10))
		}
		return int64(r.Uint()), nil
	case reflect.Float32:
		return r.Float(), nil
	case reflect.Slice, reflect.Array:
		out := make([]any, r.Len())
		for i := range out {
			n, err := normalise(r.Index(i).Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = n
		}
		return out, nil
	case reflect.String:
		return normalise(r.String(), depth)
	}
	return nil, fmt.Errorf("a config file cannot hold a value of the kind %T", v)
}

func tooLarge(number string) error {
	return fmt.Errorf("the whole number %s does not fit: a config file holds whole numbers from %d to %d",
		number, math.MinInt64, math.MaxInt64)
}

func parseNumber(text string) (any, error) {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		} else if errors.Is(err, strconv.ErrRange) {
			return nil, tooLarge(text)
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("the number %s is too large for a config file", text)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	return f, nil
}

// fitJSON brings a normalised value that came as JSON closer to what the file holds already: JSON
// knows neither whole numbers nor dates.
func fitJSON(v, existing any) (any, error) {
	switch t := v.(type) {
	case int64:
		if _, ok := existing.(float64); ok {
			return float64(t), nil
		}
	case float64:
		if _, ok := existing.(float64); ok || t != math.Trunc(t) || math.IsInf(t, 0) {
			return t, nil
		}
		if t < -(1<<63) || t >= 1<<63 {
			return nil, tooLarge(strconv.FormatFloat(t, 'f', -1, 64))
		}
		return int64(t), nil
	case string:
		if d, ok := parseDate(t, existing); ok {
			return d, nil
		}
	case []any:
		old, _ := existing.([]any)
		floats := len(old) > 0
		for _, o := range old {
			if _, ok := o.(float64); !ok {
				floats = false
			}
		}
		for i := range t {
			var like any
			if i < len(old) {
				like = old[i]
			} else if floats {
				like = old[0]
			}
			n, err := fitJSON(t[i], like)
			if err != nil {
				return nil, err
			}
			t[i] = n
		}
	case map[string]any:
		old, _ := existing.(map[string]any)
		for k := range t {
			n, err := fitJSON(t[k], old[k])
			if err != nil {
				return nil, err
			}
			t[k] = n
		}
	}
	return v, nil
}

// parseDate reads text as the kind of date that like is.
func parseDate(text string, like any) (any, bool) {
	switch like.(type) {
	case time.Time, toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
	default:
		return nil, false
	}
	if strings.ContainsAny(text, "\n#") {
		return nil, false
	}
	got, err := decodeValue(text)
	if err != nil || reflect.TypeOf(got) != reflect.TypeOf(like) {
		return nil, false
	}
	return got, true
}

// decodeValue is what the decoder makes of a value's text.
func decodeValue(text string) (any, error) {
	var m map[string]any
	if err := toml.Unmarshal([]byte("v = "+text+"\n"), &m); err != nil {
		return nil, err
	}
	if len(m) != 1 {
		return nil, errors.New("the text is more than one value")
	}
	return m["v"], nil
}

// equal compares two values of Document.Value. NaN equals NaN; a time equals only a time that is
// written with the same offset.
func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case float64:
		y, ok := b.(float64)
		return ok && (x == y && math.Signbit(x) == math.Signbit(y) || math.IsNaN(x) && math.IsNaN(y))
	case time.Time:
		y, ok := b.(time.Time)
		if !ok {
			return false
		}
		_, xo := x.Zone()
		_, yo := y.Zone()
		return x.Equal(y) && xo == yo
	case toml.LocalTime:
		y, ok := b.(toml.LocalTime)
		x.Precision, y.Precision = 0, 0
		return ok && x == y
	case toml.LocalDateTime:
		y, ok := b.(toml.LocalDateTime)
		x.Precision, y.Precision = 0, 0
		return ok && x == y
	case string, bool, int64, toml.LocalDate:
		return a == b
	}
	return a == nil && b == nil
}

// clone copies tables and arrays; scalars are values already.
func clone(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = clone(e)
		}
		return out
	}
	return v
}

func allTables(list []any) bool {
	for _, e := range list {
		if _, ok := e.(map[string]any); !ok {
			return false
		}
	}
	return len(list) > 0
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
