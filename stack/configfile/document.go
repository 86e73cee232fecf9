package configfile

import (
	"errors"

	"github.com/pelletier/go-toml/v2"
)

// SyntaxError says where and why bytes are not a TOML document. Line and Column count from 1, the
// column in characters.
type SyntaxError struct {
	Line, Column int
	Message      string
}

func (e *SyntaxError) Error() string { return e.Message }

// Document is a parsed TOML file. Its methods are not safe for concurrent use with an edit.
type Document struct {
	src   []byte
	value map[string]any
}

// Parse reads a TOML document. Its error is a *SyntaxError.
func Parse(b []byte) (*Document, error) {
	d := &Document{src: b, value: map[string]any{}}
	if err := toml.Unmarshal(b, &d.value); err != nil {
		var de *toml.DecodeError
		if errors.As(err, &de) {
			l, c := de.Position()
			return nil, &SyntaxError{l, c, de.Error()}
		}
		return nil, &SyntaxError{Message: err.Error()}
	}
	return d, nil
}

// Bytes is the document as it is now.
func (d *Document) Bytes() []byte { return d.src }

// Value is the document as Go values: map[string]any, []any, string, int64, float64, bool,
// time.Time, toml.LocalDate, toml.LocalTime and toml.LocalDateTime. It must not be changed.
func (d *Document) Value() map[string]any { return d.value }

// Get is the value at a pointer.
func (d *Document) Get(ptr string) (any, bool) { return nil, false }

// Position is the place of a key, or of an array's element; of its nearest parent if it is absent.
func (d *Document) Position(ptr string) (line, col int) { return 0, 0 }

var errUnfinished = errors.New("editing is not built yet")

// Set puts a value at a pointer.
func (d *Document) Set(ptr string, value any) error { return errUnfinished }

// Remove takes a key, a table or an element away.
func (d *Document) Remove(ptr string) error { return errUnfinished }

// MergePatch applies an RFC 7396 merge patch: nil removes.
func (d *Document) MergePatch(patch map[string]any) error { return errUnfinished }

// Reorder moves the elements of an array: element order[i] comes i-th.
func (d *Document) Reorder(ptr string, order []int) error { return errUnfinished }
