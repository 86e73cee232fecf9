package stack

import (
	"regexp"
	"strings"
)

// verdict is what a log line says of a config.
type verdict int

const (
	verdictNone verdict = iota
	verdictLoaded
	verdictRefused
)

var revisionInLine = regexp.MustCompile(`\brevision=["']?([0-9a-f]{12,64})\b`)

// revisionIn is the revision that a line carries as revision=…, or empty.
func revisionIn(line string) Revision {
	if m := revisionInLine.FindStringSubmatch(line); m != nil {
		return Revision(m[1])
	}
	return ""
}

// verdict judges a line with respect to one revision. A line that names another one says nothing.
func (r Reload) verdict(line string, rev Revision) verdict {
	if named := revisionIn(line); named != "" && !rev.Is(named) {
		return verdictNone
	}
	switch {
	case r.Reject != "" && strings.Contains(line, r.Reject):
		return verdictRefused
	case r.Confirm != "" && strings.Contains(line, strings.ReplaceAll(r.Confirm, "{revision}", rev.Short())):
		return verdictLoaded
	case r.Confirm != "" && strings.Contains(line, startedWith) && revisionIn(line) != "":
		return verdictLoaded // it was started anew meanwhile, and with this config
	}
	return verdictNone
}
