// Package schema knows what a config document may contain. From a JSON Schema (draft-07 or 2020-12)
// it draws three things: the problems of a document, in sentences a trader understands; a form to
// edit it with; and the edits that a filled-in form asks for.
//
// Documents are what go-toml decodes: map[string]any with string, bool, int64, float64, time.Time,
// toml.LocalDate, toml.LocalTime, toml.LocalDateTime, []any and map[string]any below. Places in them
// are JSON Pointers (RFC 6901).
package schema

import "net/url"

// Schema is a compiled JSON Schema. It is immutable and safe for concurrent use.
type Schema struct{}

// Default is the schema of the reference services, embedded in the program.
func Default() *Schema { return &Schema{} }

// Load reads a schema file. Schemas in files beside it may be referred to; nothing is ever fetched
// from a network.
func Load(path string) (*Schema, error) { return &Schema{}, nil }

// Validate tells what is wrong with a document, in the order of its lines. position finds the line
// and column of a pointer or its nearest parent; it may be nil.
func (s *Schema) Validate(value map[string]any, position func(ptr string) (line, col int)) []Problem {
	return nil
}

// Form draws the form for this document.
func (s *Schema) Form(value map[string]any) Form { return Form{schema: s, value: value} }

// Pressed says whether a form was sent by one of its buttons that only change its shape, so that the
// answer is Form.WithInput and nothing is to be saved.
func Pressed(form url.Values) bool { return false }

// Decode returns the edits that turn the document that the form was drawn from into the one that was
// filled in; none if nothing was changed.
func (s *Schema) Decode(form url.Values, current map[string]any) ([]Edit, []Problem) { return nil, nil }

// Apply returns the document with these edits made. The argument stays as it is.
func Apply(current map[string]any, edits []Edit) (map[string]any, error) { return current, nil }

// Secrets returns the pointers of the secret values in this document.
func (s *Schema) Secrets(value map[string]any) []string { return nil }

// At tells what the schema says of the key at this pointer.
func (s *Schema) At(ptr string) Info { return Info{} }
