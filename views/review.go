package views

// Review is what applying a draft would change. The zero Review is of a draft that changes nothing.
type Review struct {
	Count    int
	Result   string // revision of what would be applied; "": it cannot be as it is
	Diff     HistoryDiff
	Warnings []string
	Why      []string // why it is asked about before it is applied; none: it is not
	Confirm  bool     // this is the asking
	Focus    bool     // its button is what comes next
	Stale    string
	Problems []ReviewProblem
	// Fields are the problems of a draft in the form, each at its field.
	Fields []FieldProblems
}

// FieldProblems is what is wrong with one field or section, by its id.
type FieldProblems struct {
	ID       string
	Messages []string
}

// ReviewProblem is something wrong with a draft, at its line.
type ReviewProblem struct {
	Key     string
	Target  string // in the form: the id of its field
	Line    int    // of the text; 0: not known, or the form is shown
	Message string
}

// Clash is a key that two people changed, in words.
type Clash struct {
	Pointer             string
	Key                 string // dotted
	Title               string
	Base, Theirs, Yours string // Base is empty where it is not known
}

// MaskedDraft is a draft without anything secret, as a browser may keep it for when it crashes.
type MaskedDraft struct {
	Revision string // of the file that it began from
	Text     string
	Kept     string // what is to be typed again
	Secrets  int    // how many that are
	Note     string
	Unmerged bool // there is a text beside it that could not be merged whole
}
