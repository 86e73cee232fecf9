package views

// Run is one passage of the workflow, under way or ended.
type Run struct {
	ID          string
	Title       string // "Save & Restart", "Restore", …
	Badge       Badge
	Message     string
	Ended       bool
	Fold        bool // it went well: its steps in a line, the rest on demand
	Steps       []Step
	RollBack    []Step
	Pause       string // the pause window with its unit; empty: nothing was paused
	From, To    string // short revisions
	Backup      string
	By          string
	Note        string
	Started     Moment
	Took        string
	Tried       bool     // the old config is in place: To was only tried
	Changed     []string // keys, dotted
	Count       string   // "2 keys changed"
	MoreChanged int      // how many besides
	Problems    []Problem
	Warnings    []string
	Stuck       []Stuck
}

// Step is one step of a run.
type Step struct {
	Name   string // as in code and log
	Says   string // what it does, for a person
	Badge  Badge
	Took   string
	Detail string
}

// Stuck is an instance that is still paused, and the command that frees it.
type Stuck struct {
	Instance string
	Error    string
	ByHand   string
}
