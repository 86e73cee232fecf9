package schema

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

//go:embed default.json
var defaultJSON []byte

// maxFile bounds what is read as one schema file.
const maxFile = 32 << 20

// Default is the schema of the reference services, embedded in the program.
func Default() *Schema {
	s, err := compile("file:///default.json", func(string) ([]byte, error) { return defaultJSON, nil })
	if err != nil {
		panic(err) // the program itself is broken; a test holds that it is not
	}
	return s
}

// Unknown is the schema to go by while nobody knows what a document may hold: it allows everything,
// describes nothing and takes every value for a secret.
func Unknown() *Schema {
	s, err := compile("file:///unknown.json", func(string) ([]byte, error) {
		return []byte(`{"type": "object", "writeOnly": true}`), nil
	})
	if err != nil {
		panic(err) // as in Default
	}
	return s
}

// Load reads a schema file. Schemas in files beside it may be referred to; nothing is ever fetched
// from a network.
func Load(path string) (*Schema, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("the schema %s cannot be read: %w", path, err)
	}
	if _, err := readFile(abs); err != nil {
		return nil, fmt.Errorf("the schema %s cannot be read: %w; check the setting schema", path, err)
	}
	root := (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String()
	s, err := compile(root, func(u string) ([]byte, error) { return readBeside(filepath.Dir(abs), u) })
	if err != nil {
		return nil, fmt.Errorf("the schema %s cannot be used: %w", path, err)
	}
	return s, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if pe := new(os.PathError); errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		if pe := new(os.PathError); errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("it is larger than %d MB", maxFile>>20)
	}
	return b, nil
}

// readBeside reads a file that a $ref names, if it lies in the folder of the schema or below.
func readBeside(dir, location string) ([]byte, error) {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "file" {
		return nil, fmt.Errorf("it refers to %s, and schemas are never fetched from elsewhere; save that schema beside this one and refer to its file name", location)
	}
	path := filepath.FromSlash(u.Path)
	if rel, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(rel) {
		return nil, fmt.Errorf("it refers to %s, which is not beside it", path)
	}
	b, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("it refers to %s, which cannot be read: %w", filepath.Base(path), err)
	}
	return b, nil
}

// compile builds the schema at this location; read gets the bytes of each file it needs.
func compile(location string, read func(location string) ([]byte, error)) (s *Schema, err error) {
	s = &Schema{order: map[string][]string{}, byLocation: map[string]*jsonschema.Schema{}}
	s.secretNames = sync.OnceValue(s.findSecretNames)
	var refused error // the library reports a failed load in its own words; ours are better
	files := map[string][]byte{}
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.Formats = formats()
	c.RegisterExtension("words", nil, keepKeywords{})
	c.LoadURL = func(u string) (io.ReadCloser, error) {
		b, err := read(u)
		if err == nil {
			b, err = s.survey(u, b)
			files[u] = b
		}
		if err != nil {
			refused = err
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	defer func() {
		// The library panics where a schema that its metaschema accepts still makes no sense.
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("it is not a valid JSON Schema: %v", r)
		}
	}()
	root, err := c.Compile(location)
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, schemaError(err, files)
	}
	s.root = root
	s.index(root)
	return s, nil
}

// schemaError puts what the library says of a schema into a sentence with its place.
func schemaError(err error, files map[string][]byte) error {
	var file string
	if se := new(jsonschema.SchemaError); errors.As(err, &se) {
		file = se.SchemaURL
	}
	ve := new(jsonschema.ValidationError)
	if !errors.As(err, &ve) {
		text := strings.TrimPrefix(err.Error(), "jsonschema ")
		if inner := errors.Unwrap(err); inner != nil {
			text = strings.TrimPrefix(inner.Error(), "jsonschema: ")
		}
		return fmt.Errorf("it is not a valid JSON Schema: %s", text)
	}
	leaf := deepest(ve)
	ptr := unescapeLocation(leaf.InstanceLocation)
	place := "at " + ptr
	if ptr == "" {
		place = "at its top"
	}
	if b, ok := files[file]; ok {
		if line, col := placeInJSON(b, ptr); line > 0 {
			place += fmt.Sprintf(" (line %d, column %d)", line, col)
		}
	}
	return fmt.Errorf("it is not a valid JSON Schema: %s: %s", place, leaf.Message)
}

// deepest returns the failure furthest into the document, which is the one that names the mistake.
func deepest(ve *jsonschema.ValidationError) *jsonschema.ValidationError {
	best := ve
	for _, cause := range ve.Causes {
		c := deepest(cause)
		if len(best.Causes) > 0 || strings.Count(c.InstanceLocation, "/") > strings.Count(best.InstanceLocation, "/") {
			best = c
		}
	}
	return best
}

// keepKeywords keeps each subschema's keywords as written, for titles, hints and x- words.
type keepKeywords struct{}

type keywords map[string]any

func (keepKeywords) Compile(_ jsonschema.CompilerContext, m map[string]any) (jsonschema.ExtSchema, error) {
	return keywords(m), nil
}

func (keywords) Validate(jsonschema.ValidationContext, any) error { return nil }

// survey reads a schema file once before the library does: for syntax errors with their line, for
// the order of properties, which the library forgets, and for patterns that it would panic on. It
// returns the bytes without a byte order mark.
func (s *Schema) survey(location string, b []byte) ([]byte, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		line, col := 1, 1
		if se := new(json.SyntaxError); errors.As(err, &se) {
			line, col = lineOf(b, int(se.Offset)-1)
		}
		return nil, fmt.Errorf("%s is not JSON: line %d, column %d: %w", filepath.Base(location), line, col, err)
	}
	bases := []string{location}
	switch doc := doc.(type) {
	case bool:
	case map[string]any:
		for _, key := range []string{"$id", "id"} {
			if id, ok := doc[key].(string); ok && id != "" {
				bases = append(bases, resolve(location, id))
			}
		}
		if draft, ok := doc["$schema"].(string); ok && !knownDraft(draft) {
			return nil, fmt.Errorf("its $schema is %q; draft-07 and 2020-12 are understood", draft)
		}
	default:
		return nil, fmt.Errorf("%s is not a JSON Schema: it must be an object", filepath.Base(location))
	}
	var bad error
	err := walkJSON(b, func(ptr string, keys []string, text string) {
		if keys != nil {
			if strings.HasSuffix(ptr, "/properties") {
				for _, base := range bases {
					s.order[base+"#"+ptr] = keys
				}
			}
			return
		}
		if strings.HasSuffix(ptr, "/pattern") && bad == nil && !inData(ptr) {
			if _, err := regexp.Compile(text); err != nil {
				line, col := placeInJSON(b, ptr)
				bad = fmt.Errorf("the pattern at %s (line %d, column %d) is not understood: %w; look-around and \\u escapes are not supported", ptr, line, col, err)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s is not JSON: %w", filepath.Base(location), err)
	}
	return b, bad
}

// inData says whether a place in a schema holds values, where "pattern" is a key like any other.
func inData(ptr string) bool {
	for _, keyword := range []string{"default", "examples", "const", "enum"} {
		if strings.Contains(ptr, "/"+keyword+"/") {
			return true
		}
	}
	return false
}

func knownDraft(uri string) bool {
	uri = strings.TrimSuffix(uri, "#")
	for _, known := range []string{"draft-04/schema", "draft-06/schema", "draft-07/schema", "draft/2019-09/schema", "draft/2020-12/schema"} {
		if strings.HasSuffix(uri, "json-schema.org/"+known) {
			return true
		}
	}
	return false
}

func resolve(base, ref string) string {
	b, err1 := url.Parse(base)
	r, err2 := url.Parse(ref)
	if err1 != nil || err2 != nil {
		return ref
	}
	return strings.TrimSuffix(b.ResolveReference(r).String(), "#")
}

// index finds every subschema by its location, which is how failures name it.
func (s *Schema) index(sch *jsonschema.Schema) {
	if sch == nil || s.byLocation[sch.Location] == sch {
		return
	}
	s.byLocation[sch.Location] = sch
	for _, sub := range below(sch) {
		s.index(sub)
	}
}

// below lists the schemas that a schema refers to or contains.
func below(s *jsonschema.Schema) []*jsonschema.Schema {
	list := []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.DynamicRef, s.Not, s.If, s.Then, s.Else,
		s.PropertyNames, s.UnevaluatedProperties, s.UnevaluatedItems, s.Items2020, s.Contains, s.ContentSchema}
	for _, more := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		list = append(list, more...)
	}
	for _, sub := range s.Properties {
		list = append(list, sub)
	}
	for _, sub := range s.PatternProperties {
		list = append(list, sub)
	}
	for _, sub := range s.DependentSchemas {
		list = append(list, sub)
	}
	for _, sub := range s.Dependencies {
		if sub, ok := sub.(*jsonschema.Schema); ok {
			list = append(list, sub)
		}
	}
	for _, either := range []any{s.AdditionalProperties, s.AdditionalItems, s.Items} {
		switch either := either.(type) {
		case *jsonschema.Schema:
			list = append(list, either)
		case []*jsonschema.Schema:
			list = append(list, either...)
		}
	}
	return list
}

// walkJSON visits every object (with its keys in order) and every string of a JSON text. Places are
// escaped as the library escapes them.
func walkJSON(b []byte, visit func(ptr string, keys []string, text string)) error {
	d := json.NewDecoder(bytes.NewReader(b))
	var walk func(ptr string) error
	walk = func(ptr string) error {
		tok, err := d.Token()
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case string:
			visit(ptr, nil, tok)
		case json.Delim:
			keys := []string{}
			for i := 0; d.More(); i++ {
				step := strconv.Itoa(i)
				if tok == '{' {
					key, err := d.Token()
					if err != nil {
						return err
					}
					step, _ = key.(string)
					keys = append(keys, step)
				}
				if err := walk(ptr + "/" + escapeLocation(step)); err != nil {
					return err
				}
			}
			if _, err := d.Token(); err != nil {
				return err
			}
			if tok == '{' {
				visit(ptr, keys, "")
			}
		}
		return nil
	}
	return walk("")
}
