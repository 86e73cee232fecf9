package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
)

// maxDepth is how deep JSON may be nested. Configs are not.
const maxDepth = 100

// readJSON reads a small body of this type into v, and nothing after it.
func readJSON(c echo.Context, v any) error {
	if err := requireType(c, "application/json"); err != nil {
		return err
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	value, err := parseJSON(body)
	if err != nil {
		return err
	}
	if _, ok := value.(map[string]any); !ok {
		return refuse(http.StatusUnprocessableEntity, "The body must be a JSON object.")
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return wrongValue(err)
	}
	return nil
}

// wrongValue is the refusal of JSON that is well-formed and not what belongs here. What the library
// says of it is for programmers.
func wrongValue(err error) error {
	says := func(pointer, message string) error {
		r := refuse(http.StatusUnprocessableEntity, message).because(err)
		r.problems = []stack.Problem{{Pointer: pointer, Message: message}}
		return r
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return says("/"+strings.ReplaceAll(wrong.Field, ".", "/"), fmt.Sprintf("%q must not be a %s here.", wrong.Field, wrong.Value))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return says("", "There is no key "+name+" here.")
	}
	return says("", "An instant is written such as \"2026-03-02T21:00:00Z\".")
}

// parseJSON reads one JSON value, strictly: with encoding/json alone a key given twice would count
// the second time, text that is no Unicode would be replaced, and a brace too many would pass.
// Numbers are json.Number.
func parseJSON(body []byte) (any, error) {
	bad := func(why string) error { return refuse(http.StatusBadRequest, "The body is not JSON: "+why+".") }
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil, bad("it is empty")
	}
	if !utf8.Valid(body) {
		return nil, bad("it is not UTF-8")
	}
	if i := loneSurrogate(body); i >= 0 {
		return nil, bad(fmt.Sprintf("the escape at byte %d is half of a character", i+1))
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return v, nil
		}
		return nil, bad("it goes on after the value")
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return nil, r
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, bad("it ends too soon")
	}
	return nil, bad(strings.TrimPrefix(err.Error(), "json: "))
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, refuse(http.StatusBadRequest, fmt.Sprintf("The body is nested more than %d deep.", maxDepth))
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string) // the decoder allows nothing else here
			if _, twice := object[name]; twice {
				return nil, refuse(http.StatusBadRequest, fmt.Sprintf("The body has the key %q twice; which one is meant?", name))
			}
			if object[name], err = parseValue(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = dec.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			item, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}

// loneSurrogate finds an escape such as \ud800 that is not one of a pair; -1 if there is none.
func loneSurrogate(body []byte) int {
	unit := func(i int) (u rune, ok bool) {
		if i+6 > len(body) || body[i] != '\\' || body[i+1] != 'u' {
			return 0, false
		}
		_, err := fmt.Sscanf(string(body[i+2:i+6]), "%04x", &u)
		return u, err == nil
	}
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		u, ok := unit(i)
		switch {
		case !ok:
			i++ // the character that is escaped
		case u >= 0xD800 && u < 0xDC00:
			if low, ok := unit(i + 6); !ok || low < 0xDC00 || low > 0xDFFF {
				return i
			}
			i += 11
		case u >= 0xDC00 && u <= 0xDFFF:
			return i
		default:
			i += 5
		}
	}
	return -1
}
