package views

// Trading is the state of the gate, which heads every page.
type Trading struct {
	Badge  Badge
	Reason string
	By     string
	Since  Moment
	Until  Moment
	Then   string // what the schedule makes of it after Until
	// Away are the services without which nothing trades and that do not run, in words.
	Away []string
	// Obeyed are the services that say that they obey a halt, Pending those that have not said so yet.
	Obeyed  []string
	Pending []string
	// Disobeyed has each service that itself says otherwise; empty where all agree.
	Disobeyed []Disobeyed
	// CanHalt, CanResume and CanForce say which of the three buttons make sense now.
	CanHalt   bool
	CanResume bool
	CanForce  bool
	Resuming  string // what resuming would do now
	Zone      string // the time zone in which a person enters "trade until"
	Back      string // the page to come back to
}

// Disobeyed is a service's word against the gate, and how old it is.
type Disobeyed struct {
	Sentence string
	Said     Moment
	Age      string
}
