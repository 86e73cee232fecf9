package views

// LaterNotice tells of the queued change on every page; without an ID there is none.
type LaterNotice struct {
	ID      string
	Badge   Badge
	What    string // the keys that it changes
	Waiting bool
	AtClose bool
	At      Moment // none: no close is in sight
	Held    bool   // it was not applied, and somebody has to decide
	Done    bool
	Back    string // the page itself
}

// LaterControl is "Apply later…" beside Save & Restart, and the choice of another time. Not offered,
// it is not drawn.
type LaterControl struct {
	Offered bool
	Close   Moment // the next one; none: only a time can be chosen
	Zone    string
	When    string // next_close or time
	At      string // as <input type="datetime-local"> has it
	Open    bool   // drawn unfolded
	// Replaces is the change that is queued already, and that this one would take the place of.
	Replaces string
	Queued   Moment
	QueuedBy string
	Confirm  string // what the button confirms of a dangerous change that is shown; empty: nothing
}

// LaterPage is the page on which the queued change is looked at.
type LaterPage struct {
	Frame
	Problem string // why something was not done
	Queued  LaterEntry
}

// LaterEntry is the queued change; without an ID there is none.
type LaterEntry struct {
	ID                      string
	Badge                   Badge
	Waiting, Applying, Done bool
	Message                 string // how it went
	AtClose                 bool
	At, Queued              Moment
	Zone                    string
	By, Note                string
	Run                     string  // the run that tried
	Clashes                 []Clash // with the file as it is now
	Problems                []Problem
	Whole                   bool // it can still be applied
	Unmerged                bool // it is applied, but for some of its comments
	Control                 LaterControl
	Changed                 string // what became of the file meanwhile
	Diff                    HistoryDiff
}
