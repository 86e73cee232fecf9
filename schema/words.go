package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// itIs names a value if it may be named.
func (r *report) itIs(ptr string, v any) string {
	if r.secret[ptr] {
		return ""
	}
	switch v := v.(type) {
	case string:
		return "; it is " + quoted(v)
	case int64, float64:
		return "; it is " + people(v)
	}
	return ""
}

// quoted shows a text, cut if it is long, without control characters.
func quoted(text string) string {
	if utf8.RuneCountInString(text) > 40 {
		text = string([]rune(text)[:39]) + "…"
	}
	return strconv.Quote(text)
}

func optionWords(options []any) string {
	const most = 15
	var words []string
	for i, o := range options {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(options)-most))
			break
		}
		if text, ok := o.(string); ok {
			if text == "" || len(options) == 1 {
				text = strconv.Quote(text)
			}
			words = append(words, text)
			continue
		}
		words = append(words, notation(fromJSON(o), false))
	}
	return strings.Join(words, ", ")
}

func typeWords(types []string) string {
	var words []string
	for _, t := range types {
		switch t {
		case "integer":
			words = append(words, "a whole number")
		case "number":
			words = append(words, "a number")
		case "string":
			words = append(words, "text")
		case "boolean":
			words = append(words, "true or false")
		case "array":
			words = append(words, "a list")
		case "object":
			words = append(words, "a table")
		}
	}
	if len(words) == 0 {
		return "left out" // only null is allowed, and TOML has none
	}
	return listWords(words, " or ")
}

// kindWords names the kind of a validated value.
func kindWords(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case nil:
		return "missing"
	}
	return "a number"
}

func listWords(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + last + words[len(words)-1]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return people(int64(n)) + " " + what + "s"
}

func twins(items []any) (int, int) {
	for j := 1; j < len(items) && j < 2000; j++ {
		for i := range j {
			if equal(items[i], items[j]) {
				return i, j
			}
		}
	}
	return 0, 0
}
