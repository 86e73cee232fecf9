package views

import "pitstop/schema"

// Config is the page on which the config file is edited.
type Config struct {
	Frame
	Editor Editor
	Run    *Run
}

// Editor is the form with all around it. Exactly one of Problem and Form is of use: a file that
// cannot be read or parsed has no form.
type Editor struct {
	Path     string
	Revision string // what the form was drawn from, whole: it comes back with the form
	Problem  string
	Notice   string // why it is shown again, or that there is nothing to apply
	// NoticeTone is Bad where something typed was not accepted.
	NoticeTone Tone
	Problems   []Problem
	Form       schema.Form
	// Live are the values of the file by the name of their input, where the form shows others.
	Live    map[string]string
	Changes int  // how many inputs differ from the file
	Locked  bool // a run is under way
}

// Stale tells that the file is no longer the one that the page was drawn from.
type Stale struct {
	Revision string // the file's now, short; empty: it is the same
}
