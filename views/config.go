package views

import "pitstop/schema"

// Config is the page on which the config file is edited.
type Config struct {
	Frame
	Editor Editor
	Run    *Run
}

// Editor is one person's unsaved version of the config, as a form or as a text. A file that cannot be
// read has a Problem and neither.
type Editor struct {
	Path     string
	Revision string // of the file that the draft began from, whole: it comes back with the form
	Problem  string
	Restore  string // of a file that is gone: the version that can be put back
	Notice   string // why it is shown again, or that there is nothing to apply
	// NoticeTone is Bad where something typed was not accepted.
	NoticeTone Tone
	Problems   []Problem
	Raw        bool // it is shown as a text
	Broken     bool // the file is not valid TOML
	Form       schema.Form
	// Live are the values of the file by the name of their input, where the form shows others.
	Live    map[string]string
	Changes int  // how much differs from the file
	Locked  bool // a run is under way
	Later   LaterControl

	// Text is the draft with its secrets masked; of a form, only where it was drawn from another
	// version than the file. Kept names what it was before it was masked.
	Text         string
	Kept         string
	Lines        int
	TextProblems []ReviewProblem

	Note      string  // the note for the history, as typed
	Review    *Review // what is to be looked at; nil: nothing yet
	Asked     bool    // the review is what this page is about
	Clashes   []Clash
	ClashBase string
	// Unmerged is a text as it was typed, with its secrets masked, of which not all could be laid over
	// what somebody else saved.
	Unmerged string
}

// Stale tells that the file is no longer the one that the page was drawn from.
type Stale struct {
	Revision string // the file's now, short; empty: it is the same
}
