package schema

import "strings"

// Form is a document seen through the schema, ready to be drawn: every key has its place, in the
// order of the schema file, and every input its name. It is a value: WithProblems and WithInput
// return changed copies.
type Form struct {
	Title       string
	Description string
	// Sections are the document's tables. Keys of the document itself stand in a first section
	// whose Pointer is "".
	Sections []Section
	// Problems concern the document as a whole, or a place that has no field.
	Problems []string

	schema *Schema
	value  map[string]any
}

// SectionKind says what a section's parts are.
type SectionKind string

const (
	Table SectionKind = "table" // keys with a place each
	List  SectionKind = "list"  // an array; its parts can be added, removed and moved
	Map   SectionKind = "map"   // keys of the user's choice; its parts can be added and removed
	Tuple SectionKind = "tuple" // an array of fixed places
)

// Section is a table, or a list or map of groups. Draw its Hidden inputs, its Choice if there is
// one, then Fields, then Sections, then Unknown, then Add.
type Section struct {
	Pointer     string
	Name        string // dotted, as in Field.Name; "" is the document
	ID          string // for the HTML id attribute and as a link target
	Kind        SectionKind
	Title       string
	Description string
	Present     bool // the document has it
	Removed     bool // the document has it, and the form took it out
	Required    bool
	Deprecated  bool
	ReadOnly    bool
	Reload      string // "live", "restart" or ""
	Danger      string // a warning to show beside it; "" is none
	Problems    []string

	Hidden   []Hidden  // bookkeeping to send along
	Choice   *Field    // a select: which of several forms this section has; Show redraws for another
	Show     *Button   // redraws the form for another Choice; nil where there is none
	Fields   []Field   // in order; of a list, tuple or map too, where the parts are not tables
	Sections []Section // in order; of a list or map: its groups
	Unknown  []Field   // keys of the document that the schema does not know: shown, kept, not edited

	Back   []Button // what was taken out of this list or map, to be put back
	Add    *Adder   // adds a group, an entry, or (Present false) this table itself
	Remove *Button  // of a group or entry, and of an optional table that Add can bring back
	Up     *Button  // of a list's group; nil where it cannot move
	Down   *Button
}

// Hidden is an <input type="hidden">.
type Hidden struct{ Name, Value string }

// Button is a <button type="submit"> that changes the form's shape without saving anything: the
// page that answers is Form.WithInput of what was posted.
type Button struct{ Name, Value, Label string }

// Adder is a button with, for a map, the input for the new key beside it.
type Adder struct {
	Button
	KeyName  string // name of the text input for the key; "" where none is asked for
	KeyValue string // what was typed
	KeyHint  string // what a key must be, such as "a date, such as 2026-12-24"; "" where any name will do
	Problem  string // why it was not added
}

// Control names the HTML control that suits a field.
type Control string

const (
	Text      Control = "text"
	TextArea  Control = "textarea" // text of several lines
	Number    Control = "number"   // Min, Max, Step
	Checkbox  Control = "checkbox" // Value "true" or "false"; send a hidden "false" before it
	Select    Control = "select"   // Options
	Checks    Control = "checks"   // Options, any number of them; send a hidden "" before them
	Time      Control = "time"
	Date      Control = "date"
	DateTime  Control = "datetime" // local: an <input type="datetime-local">
	Password  Control = "password" // never has a Value; blank means unchanged
	ListLines Control = "list"     // a textarea, one item per line
	None      Control = "none"     // nothing but its Choice, until one is made
	Raw       Control = "raw"      // not to be edited here, only in the file itself; Value in TOML's notation
)

// Field is one key with its input.
type Field struct {
	Pointer     string
	Name        string // of the input; see Name for the notation
	ID          string
	Label       string
	Key         string // the key as it stands in the file
	Description string
	Hint        string // how to write the value, where that needs saying
	Unit        string
	Control     Control
	InputType   string // for text: "text", "url", "email", "search"…; else ""
	InputMode   string // for phones: "numeric", "decimal" or ""
	Value       string
	Default     string // in the notation of Value; also the placeholder
	HasDefault  bool
	Examples    []string
	Min         string // numbers, dates, times; "" is none
	Max         string
	Above       bool   // Min itself is not allowed
	Below       bool   // Max itself is not allowed
	Step        string // "any", "1"…; numbers only
	Pattern     string // safe for the HTML pattern attribute; "" is none
	MinLength   int    // 0 is none
	MaxLength   int    // 0 is none
	Options     []Option
	Required    bool // must have a value, as the document stands
	Secret      bool
	// SecretSource says where the value may come from instead of the file, in words.
	SecretSource string
	Deprecated   bool
	ReadOnly     bool
	Reload       string // "live", "restart" or ""
	Danger       string
	Meant        string // of a key that the schema does not know: the one that it may be a slip for
	Present      bool   // the document has the key
	Removed      bool   // the document has it, and the form took it out
	Empty        bool   // of a secret: the document has it, as an empty text
	Problems     []string

	Choice *Field  // which of several kinds of value this is; as in Section
	Show   *Button // beside Choice, or of a key that decides which others there are
	Remove *Button // of an entry in a list or map; of a present secret: takes it out of the file
	Back   *Button // of what was removed: undoes that
	Up     *Button
	Down   *Button
}

// Shown is what the field's input shows: of boxes the values of those that are ticked, one per line.
func (f Field) Shown() string {
	if f.Control != Checks {
		return f.Value
	}
	var ticked []string
	for _, o := range f.Options {
		if o.Selected {
			ticked = append(ticked, o.Value)
		}
	}
	return strings.Join(ticked, "\n")
}

// Option is one choice of a select or of checks.
type Option struct {
	Value       string
	Label       string
	Description string
	Selected    bool
}

// Edit is one change to a document. Edits are meant to be made in their order; a list's groups are
// changed first, then removed from the last to the first, then added at the end, then put in order.
type Edit struct {
	Pointer string
	Value   any
	Remove  bool
	Order   []int // not nil: the array at Pointer takes this order of its present indexes
}

// Info tells what the schema says of one key, for a review in words.
type Info struct {
	Known       bool
	Title       string
	Description string
	Unit        string
	Reload      string // "live", "restart" or ""
	Danger      string
	Secret      bool
	Deprecated  bool
	ReadOnly    bool
	Default     any
	HasDefault  bool
}

// Problem is one thing that is wrong with a config document. Line and Column count from 1; 0 means
// that the place is not known.
type Problem struct {
	Pointer string `json:"pointer"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Mask stands for a secret wherever a document is shown.
const Mask = "********"
