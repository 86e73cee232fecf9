package views

// Overview is the first page: the stack as it is now.
type Overview struct {
	Frame
	Services Services
	Config   ConfigCard
	Next     NextCard
	Run      *Run
}

// Services are the stack's services. Problem is a sentence when the backend cannot be reached.
type Services struct {
	Problem string
	Seen    Moment
	Backend string
	List    []Service
	Behind  []string // names of those that loaded another config than the file's
}

// Service is one service with its instances.
type Service struct {
	Name      string
	Badge     Badge
	Tone      Tone   // of the card; empty: the badge's
	Loaded    string // the revision that it last said it loaded
	Behind    bool   // which is not the one of the file
	Refused   string // what it logged when it refused the last one
	Obeys     *Obeys
	Instances []Instance
}

// Obeys is a service's own word on whether it trades.
type Obeys struct {
	Badge  Badge
	Reason string
	Since  Moment
	Old    string // how long ago it was said, of a service that does not run
}

// Instance is one container, pod or process.
type Instance struct {
	Name     string
	ID       string
	Badge    Badge
	Started  Moment
	Stopped  Moment // where the engine tells it
	Restarts int
	Warnings []string
}

// ConfigCard is the config file in short. Problem is set when it cannot be read or used.
type ConfigCard struct {
	Path     string
	Revision string
	Badge    Badge
	Problem  string
	Problems []Problem
	Warning  string
	Restore  string // of a file that is gone: the version that can be put back
}

// NextCard are the coming edges of the trading windows.
type NextCard struct {
	Held     *Badge // that a halt is above the schedule
	HeldNote string
	Lead     string // whose the edges are, if they do not count
	None     string // why there are none
	Edges    []Edge
}

// Edge is one opening or closing.
type Edge struct {
	Badge Badge
	At    Moment
	Note  string
}
