package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"pitstop/stack/durable"
)

// phase is how far a run had come, by its journal.
type phase string

const (
	phasePausing       phase = "pausing"        // instances may be paused, the file may be replaced
	phaseReloading     phase = "reloading"      // the file is replaced and nothing is paused
	phaseUndoPausing   phase = "undo-pausing"   // as pausing, putting the old bytes back
	phaseUndoReloading phase = "undo-reloading" // the old bytes are back and nothing is paused
)

// pausing says whether instances may be paused in this phase.
func (p phase) pausing() bool { return p == phasePausing || p == phaseUndoPausing }

// undoing says whether the run was being rolled back.
func (p phase) undoing() bool { return p == phaseUndoPausing || p == phaseUndoReloading }

const journalVersion = 1

// journal is what the next start needs to finish or undo a run that ended in the middle. It is
// durable before the first pause, and again before the first reload: never within the window.
type journal struct {
	Version   int        `json:"version"`
	Run       string     `json:"run"`
	Kind      Kind       `json:"kind"`
	By        string     `json:"by"`
	Phase     phase      `json:"phase"`
	Unpaused  bool       `json:"unpaused,omitempty"` // nothing is, whatever the phase: only the file is in question
	Since     time.Time  `json:"since"`              // before the first pause of this phase: log lines count from here
	Instances []Instance `json:"instances"`
	Before    []Instance `json:"before"`         // running when the run began: their services have to confirm
	Idle      []string   `json:"idle,omitempty"` // IDs of those that were not, and need not
	Old       Revision   `json:"old"`
	New       Revision   `json:"new"`
	Staged    Staged     `json:"staged"` // of the replacement under way, forward or back
	Backup    string     `json:"backup"` // of the old bytes
}

// journalFile is the path of the journal. The current run owns the file; before the first run,
// Recover does.
type journalFile string

// errJournal means that there is a journal that cannot be understood.
var errJournal = errors.New("the journal cannot be understood")

func (f journalFile) write(j journal) error {
	j.Version = journalVersion
	b, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(string(f), append(b, '\n'), 0o600)
}

// read returns false when there is no journal.
func (f journalFile) read() (j journal, found bool, err error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return j, false, nil
	}
	if err != nil {
		return j, true, fmt.Errorf("%w: %w", errJournal, err)
	}
	if err := json.Unmarshal(b, &j); err != nil {
		return j, true, fmt.Errorf("%w: %s: %w", errJournal, f, err)
	}
	if j.Version != journalVersion {
		return j, true, fmt.Errorf("%w: %s is of version %d, and this Pitstop knows version %d",
			errJournal, f, j.Version, journalVersion)
	}
	if j.Run == "" {
		return j, true, fmt.Errorf("%w: %s does not name its run", errJournal, f)
	}
	if j.Before == nil { // written by a Pitstop that did not know it
		j.Before = j.Instances
	}
	return j, true, nil
}

func (f journalFile) remove() error { return durable.RemoveFile(string(f)) }

// setAside moves a journal out of the way, to where a person can read it.
func (f journalFile) setAside(at time.Time) (string, error) {
	aside := string(f) + ".unreadable-" + at.UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(string(f), aside); err != nil {
		return "", err
	}
	return aside, nil
}
