package later

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// errUnreadable means that later.json is there and makes no sense.
var errUnreadable = errors.New("later.json makes no sense")

func load(path string) (*Entry, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	known := slices.Contains([]State{Waiting, Applying, Held, Done}, e.State) && (e.When == NextClose || e.When == AtTime)
	if !known || e.ID == "" || e.Content == "" && (e.State == Waiting || e.State == Applying) {
		return nil, fmt.Errorf("%w: it lacks what a queued change has", errUnreadable)
	}
	return &e, nil
}

func (e *Entry) encode() []byte {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		panic(err) // an Entry has nothing that JSON cannot hold
	}
	return append(b, '\n')
}

func (e *Entry) clone() Entry {
	c := *e
	c.Changed, c.Clashes, c.Problems = slices.Clone(e.Changed), slices.Clone(e.Clashes), slices.Clone(e.Problems)
	return c
}

// untried is the entry as if nobody had tried to apply it yet.
func (e *Entry) untried() Entry {
	return Entry{
		ID: e.ID, State: Waiting, When: e.When, At: e.At, Queued: e.Queued, By: e.By, Note: e.Note,
		Content: e.Content, Base: e.Base, Changed: e.Changed, MoreChanged: e.MoreChanged,
	}
}
