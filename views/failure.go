package views

// Failure is the page of a request that could not be done.
type Failure struct {
	Frame
	Status   int
	Heading  string
	Message  string // what was tried, why not, what now
	Problems []Problem
}
