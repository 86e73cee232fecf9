// Package later keeps one change of the config file until its time has come: at the schedule's next
// close, or at an instant. What is queued is on disk whole, with the file that it was made from, so
// that it survives restarts and can be laid over whatever the file has become by then.
//
// Nothing is ever applied silently late. A change that is due while another run is under way, or
// while the panel is restarted, is applied within Options.Grace and says by how much it was late;
// after that it is held, and a person decides. The same goes for one that clashes with what somebody
// else changed, is not valid any more, or was rolled back: it stays to be looked at.
package later

import (
	"errors"
	"fmt"
	"time"

	"pitstop/stack"
)

// When says what a change waits for.
type When string

const (
	NextClose When = "next_close" // the schedule's next closing edge; a halt is none
	AtTime    When = "time"
)

// State is how far a queued change is.
type State string

const (
	Waiting  State = "waiting"
	Applying State = "applying"
	Held     State = "held" // it is not in the file, and a person has to decide; Message says why
	Done     State = "done" // it is in the file; kept until somebody has read so
)

// Entry is the queued change, and the file later.json.
type Entry struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	When  When   `json:"when"`
	// At is when it is due. Of NextClose it follows the schedule; zero: no close is in sight.
	At     time.Time `json:"at,omitzero"`
	Queued time.Time `json:"queued"`
	By     string    `json:"by"`
	Note   string    `json:"note,omitempty"`
	// Content is the whole document as it was queued, Base the file that it was made from. Both hold
	// secrets, and are gone once the change is Done. Content stays until that was read, where some of
	// its comments could not be taken along: they are nowhere else.
	Content string `json:"content,omitempty"`
	Base    string `json:"base,omitempty"`
	// Changed names the keys that it changes, as JSON pointers; at most stack.MaxChanged of them.
	Changed     []string `json:"changed,omitempty"`
	MoreChanged int      `json:"more_changed,omitempty"` // how many it changes besides

	// How it went.
	Message  string          `json:"message,omitempty"`
	Outcome  stack.Outcome   `json:"outcome,omitempty"` // of the run that tried; empty: none did
	Run      string          `json:"run,omitempty"`     // its id
	Clashes  []string        `json:"clashes,omitempty"` // pointers of keys that somebody else changed too
	Problems []stack.Problem `json:"problems,omitempty"`
	Missed   bool            `json:"missed,omitempty"` // held because its time went by
	// To is what the file becomes, while it is being applied: after a crash it tells how that ended.
	To stack.Revision `json:"to,omitempty"`
}

// Request asks for a change to be queued.
type Request struct {
	Content, Base []byte
	When          When
	At            time.Time // of AtTime
	By, Note      string
	Changed       []string // pointers of the keys that Content changes in Base
	// Replaces is the id of the queued change that this one takes the place of; empty: there is none.
	// One that is Done needs no naming.
	Replaces string
}

// Merged is a queued change laid over the file.
type Merged struct {
	Content []byte
	Clashes []string // pointers of the keys that both changed
	// Unmerged tells that comments of the queued document, or its notation, could not be laid over.
	Unmerged bool
}

// Close is what the schedule says of closes at some instant.
type Close struct {
	Known bool      // false: the schedule cannot be read now, and what was planned stands
	Next  time.Time // the first closing edge after that instant; zero: none in sight
	Open  bool      // the schedule has trading on at that instant
}

// farthest is how far ahead a change may be queued.
const farthest = 366 * 24 * time.Hour

var (
	// ErrRefused is wrapped by errors that are the asker's; their text is for people.
	ErrRefused = errors.New("refused")
	// ErrNone means that nothing is queued.
	ErrNone = errors.New("nothing is queued")
	// ErrAnother means that the queued change is not the one that was meant.
	ErrAnother = errors.New("the queued change was replaced by another one meanwhile")
	// ErrApplying means that the change is being applied at this moment.
	ErrApplying = errors.New("the queued change is being applied at this moment")
)

// OccupiedError means that another change is queued already, which was not named as to be replaced.
type OccupiedError struct{ Entry Entry }

func (e *OccupiedError) Error() string {
	return fmt.Sprintf("another change is queued already, by %s (%s)", e.Entry.By, e.Entry.ID)
}

func refused(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...)}
}

type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return ErrRefused }
