package views

// Trading is the state of the gate, which heads every page.
type Trading struct {
	Badge  Badge
	Reason string
	By     string
	Since  Moment
	Until  Moment
	// Obeyed are the services that say that they obey a halt, Pending those that have not said so yet.
	Obeyed  []string
	Pending []string
	// Disobeyed is a sentence for each service that itself says otherwise; empty where all agree.
	Disobeyed []string
	// CanHalt, CanResume and CanForce say which of the three buttons make sense now.
	CanHalt   bool
	CanResume bool
	CanForce  bool
	Zone      string // the time zone in which a person enters "trade until"
	Back      string // the page to come back to
}
