package views

// Schedule is the page on which the trading windows are planned.
type Schedule struct {
	Frame
	Run    *Run
	Clock  Clock
	Editor ScheduleEditor
}

// Clock is the schedule that is followed at this moment, and how well it is kept.
type Clock struct {
	Badge   Badge
	Above   string // what a person said, which is above the schedule
	Reason  string
	Warning string
	Since   Moment
	Until   Moment
	Zone    string
	Edge    string // how late the last edge was kept
	EdgeAt  Moment
	Jump    string // that the clock was set, or the machine slept; before JumpAt
	JumpAt  Moment
	Problem string // why the config file's schedule is not the one followed
}

// The ways in which a schedule can be written.
const (
	ModeTimes   = "times"
	ModeCron    = "cron"
	ModeSession = "session"
)

// ScheduleEditor is the form with all around it. A file that cannot be read or parsed has only a
// Problem, one without a schedule is Missing.
type ScheduleEditor struct {
	Path       string
	Revision   string // what the form was drawn from, whole: it comes back with the form
	Problem    string
	Missing    bool
	Locked     bool // a run is under way
	Notice     string
	NoticeTone Tone
	Problems   []Problem // all of them, for the summary

	Mode        string
	Start, Stop ScheduleField
	Zone        ScheduleField
	Zones       []string
	Local       string // the panel's own zone, which counts where none is given
	Days        ScheduleField
	Weekdays    []ScheduleOption
	Calendar    ScheduleField
	Calendars   []ScheduleOption
	Known       string // until when the chosen calendar is known
	Holidays    ScheduleField
	EarlyCloses ScheduleField
	Coming      Coming
}

// ScheduleField is what one input holds and what is wrong with it.
type ScheduleField struct {
	Name     string
	Label    string
	Value    string
	Clock    bool // a time of day, and nothing else
	Problems []string
}

// ID is the id of the field's input.
func (f ScheduleField) ID() string { return "f-" + f.Name }

// ScheduleOption is one of several to choose from.
type ScheduleOption struct {
	Value, Label string
	Chosen       bool
}

// Coming are the windows of the next two weeks, as the form has them.
type Coming struct {
	Zone    string
	Draft   bool // the form differs from the config file
	Changes int  // in how many keys
	None    string
	// Effect is what applying it would do to trading at this moment; empty: nothing.
	Effect string
	Alone  string // warns that only the panel knows by which clock its times are meant
	Edges  []ComingEdge
	Days   []ComingDay
}

// ComingEdge is an opening or closing to come.
type ComingEdge struct {
	Badge Badge
	At    Moment
	In    string // how long until then, in words
	Note  string
}

// ComingDay is one day, drawn. Places are in minutes of the clock on the wall, 0 to 1440.
type ComingDay struct {
	Date   string // YYYY-MM-DD
	Words  string
	Today  bool
	Closed bool
	Bars   []Bar
	Now    string // where the present minute is; empty: it is another day
	Shift  string // where the clocks change; empty: they do not
	Hours  string
	Note   string
}

// Bar is a window, or the part of it on one day.
type Bar struct{ X, Width string }
