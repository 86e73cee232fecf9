package views

// History is the page of everything that happened.
type History struct {
	Frame
	List HistoryList
	Pick HistoryPicker // without options where there is nothing to compare
	Kept string        // how many backups are kept
}

// HistoryList is one page of the timeline.
type HistoryList struct {
	Show    string // "", config or trading
	Problem string // what the history lacks
	Days    []HistoryDay
	Paged   bool   // it does not begin with the newest
	Older   string // address of the next page; empty: this is the last
}

// HistoryDay is a day with its entries, newest first.
type HistoryDay struct {
	Date    string // YYYY-MM-DD
	Words   string
	Entries []HistoryEntry
}

// HistoryEntry is one thing that happened.
type HistoryEntry struct {
	ID      string // empty: a backup of which no report tells
	Kind    string
	Title   string
	Badge   Badge
	At      Moment
	By      string
	Message string
	Changed []string // the first of the changed keys, dotted
	More    int      // how many there are besides
	Count   string   // "2 keys changed"
	Whole   bool     // the file as a whole changed, one side of it not being valid TOML
	Pause   string   // the pause window
	Note    string
	Source  string // what was restored
	Backup  *HistoryBackup
	Tried   *HistoryBackup // what a run that was rolled back had put in place
	Follow  string         // address at which a run under way is followed
}

// HistoryBackup is a backup, or a version that was seen, that is still kept.
type HistoryBackup struct {
	Name       string // by which it is asked for
	Words      string // by which links tell it from others
	Revision   string
	Size       string
	AsNow      bool // it has the very bytes of the live file
	Unreadable bool
}

// HistoryVersion is a backup, a version that was seen, or the live file.
type HistoryVersion struct {
	Words    string // "The file now", "The backup of", "The file as it was,"
	When     Moment
	Name     string // by which it is asked for; empty: the live file
	Revision string
}

// HistoryPicker is the form that chooses two versions.
type HistoryPicker struct {
	Options  []HistoryOption
	From, To string
}

// HistoryOption is a version in that form.
type HistoryOption struct{ Value, Label string }

// HistoryCompare is the page of two versions.
type HistoryCompare struct {
	Frame
	From, To HistoryVersion
	Diff     HistoryDiff
	Pick     HistoryPicker
}

// HistoryDiff is what differs between two versions.
type HistoryDiff struct {
	Same        bool
	Problem     string // why it is not shown
	Changes     []HistoryChange
	MoreChanges int
	Hunks       [][]HistoryLine
	MoreLines   bool
	Masked      bool // something secret is hidden
}

// HistoryChange is a key that differs, in words.
type HistoryChange struct {
	Key      string // dotted
	Title    string
	Kind     string // added, removed or changed
	Old, New string
	Unit     string
	Secret   bool // its values are not shown
	Effect   string
	Danger   string
	Large    string
}

// HistoryLine is a line of a comparison.
type HistoryLine struct {
	Kind   string // added, removed or empty
	Sign   string
	Number int
	Text   string
}

// HistoryDetail is the page of one entry.
type HistoryDetail struct {
	Frame
	Day         string
	Entry       HistoryEntry
	Run         *Run     // of a passage of the workflow
	Changed     []string // of anything else
	MoreChanged int      // how many keys changed besides
	Diff        *HistoryDiff
	NoteTyped   string
	NoteProblem string
	NoteMax     int
}

// HistoryRestore is the page on which a restore is looked at before it is done.
type HistoryRestore struct {
	Frame
	Version   HistoryVersion
	Base      string // revision of the live file as it was shown
	Shown     string // revision of the version as it was shown
	Notice    string // why it is shown again
	Problems  []Problem
	Diff      HistoryDiff
	Busy      bool
	Missing   bool // there is no live file
	NoteTyped string
	NoteMax   int
}
