package schema

import (
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// shape is how an entry is edited.
type shape int

const (
	isScalar shape = iota // one input
	isSecret              // one input that never shows its value
	isLines               // a list of scalars, one per line
	isChecks              // a list of fixed values, a box each
	isTable
	isList
	isTuple
	isRaw     // shown, not edited here
	isNothing // a choice that has not been made
	isAbsent  // a table or list that is not there and is not drawn until it is asked for
)

// entry is one place of a document in a form. The same tree is drawn as a Form and read by Decode,
// so that they agree on names, shapes and what is known.
type entry struct {
	place
	shape    shape
	view     view
	children []*entry
	index    int      // among the children of the entry above
	tokens   []string // of a list its items, of an open table its further keys, in order
	nested   bool     // part of a list or an open table: can be removed
	extra    []string // of a table: keys in the document that the schema does not know
	open     bool     // further parts can be added
	askKey   bool     // … under a key that has to be given
	why      string   // why nothing was added
	removed  bool     // the document has it, and the form took it out
	switched bool     // another alternative was chosen than the one in the document
	item     view     // of lines and checks: what an item may be
	steers   bool     // a condition beside it asks for it
}

// place is where an entry stands and what is there.
type place struct {
	ptr      string // in the document as it is being edited
	orig     string // in the document that the form was drawn from; "-" if it is not there
	name     string
	key      string
	schemas  []*jsonschema.Schema
	cur      any // in the document that the form was drawn from
	has      bool
	draft    any // as being edited: conditions and the look follow it
	drafted  bool
	required bool
	fresh    bool // added by the form
	inFresh  bool // part of something that was
	dormant  bool // belongs to a condition that does not hold: read if sent, not drawn
	secret   bool
	readOnly bool
	reload   string
	empty    int // how many tables above are not there
	stack    []*jsonschema.Schema
}

const (
	emptyDepth = 4     // tables that are not there are drawn to this depth
	most       = 20000 // and only until a form has this many entries
	depthCap   = 200   // a document deeper than this is shown raw from here on
	itemsCap   = 20000 // a form may ask for so many items in a list
)
