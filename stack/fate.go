package stack

import "errors"

// fate is what a passage has made of the config file, for those who say it and go on from there. The error
// beside it says why.
type fate int

const (
	replaced  fate = iota // the staged one is in place
	late                  // so it is, but the stack did not stand still for it, or too long
	notPaused             // it is what it was: the stack could not be paused, or not while it was to be replaced
	kept                  // it is what it was, as it could not be replaced
	theirs                // it is somebody else's, and nothing was overwritten
	damaged               // it must be put right by hand
	unknown               // it could not be read
	abandoned             // the panel ends; instances may still be paused, and the disk at work
)

// fateOf tells by whether the staged config is in place, and by the error. That the stack was not paused is for
// the caller to say.
func fateOf(inPlace bool, err error) fate {
	switch {
	case errors.Is(err, errAbandoned):
		return abandoned
	case isUnread(err):
		return unknown
	case inPlace && err == nil:
		return replaced
	case inPlace:
		return late
	case errors.Is(err, ErrConflict):
		return theirs
	case errors.Is(err, errBroken):
		return damaged
	}
	return kept
}

// inPlace says whether the staged config is.
func (f fate) inPlace() bool { return f == replaced || f == late }

// outcome is that of a run whose config did not come to be in place, and says how it left the stack.
func (f fate) outcome() (o Outcome, cause Cause, left string) {
	switch f {
	case notPaused:
		return Failed, CauseBackend, " Everything runs, and the config file is as it was."
	case theirs:
		return Rejected, CauseConflict, " Everything runs, and nothing was overwritten."
	case damaged:
		return Failed, CauseConfig, " Everything runs, but the config file must be put right by hand."
	}
	return Failed, CauseConfig, " Everything runs, and the config file is as it was."
}
