package schedule

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// edgeKind is how a start or a stop is written.
type edgeKind int

const (
	wallEdge  edgeKind = iota // "09:30"
	cronEdge                  // "30 9 * * 1-5", "@daily"
	openEdge                  // "open", "open+5m"
	closeEdge                 // "close", "close-10m"
)

// edge is one end of the windows: schedule.start or schedule.stop.
type edge struct {
	text   string
	kind   edgeKind
	minute int           // wallEdge: minute of the day
	cron   cronTimes     // cronEdge
	offset time.Duration // openEdge, closeEdge
}

// ofSession reports whether the edge is written relative to a session of the calendar.
func (e edge) ofSession() bool { return e.kind == openEdge || e.kind == closeEdge }

// times are the edge's own times of day; a wall time comes every day.
func (e edge) times() cronTimes {
	if e.kind == wallEdge {
		return everyDayAt(e.minute)
	}
	return e.cron
}

// maxOffset keeps "open" and "close" near the session that they belong to.
const maxOffset = 24 * time.Hour

var (
	wallPattern    = regexp.MustCompile(`^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$`)
	sessionPattern = regexp.MustCompile(`^(open|close)(?: *([+-]) *((?:\d+h)? *(?:\d+m)?))?$`)
)

// parseEdge reads what schedule.start and schedule.stop may be. The orchestrator reads the same
// notations by itself (edges.py), and would refuse a config that only the panel understands: after
// the stack was paused for it. testdata/notations.toml holds both to one reading.
func parseEdge(text string) (edge, error) {
	trimmed := strings.Trim(text, " ")
	e := edge{text: trimmed}
	lower := strings.ToLower(trimmed)
	var err error
	switch {
	case trimmed == "":
		return e, fmt.Errorf(`it is empty; write a time such as "09:30"`)
	case strings.ContainsFunc(trimmed, func(r rune) bool { return r < ' ' || r > '~' }):
		return e, fmt.Errorf("%q has a character other than plain letters, digits, signs and spaces", trimmed)
	case strings.HasPrefix(lower, "open"), strings.HasPrefix(lower, "close"):
		e.kind, e.offset, err = parseSessionEdge(lower)
	case strings.HasPrefix(trimmed, "@"), len(strings.Fields(trimmed)) > 1:
		e.kind = cronEdge
		e.cron, err = parseCron(trimmed)
	default:
		e.minute, err = parseWall(trimmed)
	}
	return e, err
}

// parseLocalTime reads a time that TOML itself has, which is written with seconds: they must be 00.
func parseLocalTime(text string) (edge, error) {
	minute, err := parseWall(strings.TrimSuffix(text, ":00"))
	return edge{text: clock(minute), minute: minute}, err
}

// parseWall reads HH:MM into a minute of the day.
func parseWall(text string) (int, error) {
	m := wallPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf(`%q is not a time: write HH:MM such as "09:30", a cron expression such as "30 9 * * 1-5", or "open" or "close" with a calendar`, text)
	}
	hour, minute := number(m[1]), number(m[2])
	switch {
	case hour > 23 || minute > 59:
		hint := "hours go from 00 to 23, minutes from 00 to 59"
		if hour == 24 && minute == 0 {
			hint = "write 00:00 for midnight"
		}
		return 0, fmt.Errorf("%q is not a time of day: %s", text, hint)
	case len(m[1]) != 2 || len(m[2]) != 2:
		return 0, fmt.Errorf("%q must have two digits for hours and minutes: write %02d:%02d", text, hour, minute)
	case m[3] != "":
		return 0, fmt.Errorf("%q has seconds: a schedule is kept to the minute, write %02d:%02d", text, hour, minute)
	}
	return hour*60 + minute, nil
}

func parseSessionEdge(text string) (edgeKind, time.Duration, error) {
	m := sessionPattern.FindStringSubmatch(text)
	if m == nil || (m[2] != "" && strings.Trim(m[3], " ") == "") {
		return 0, 0, fmt.Errorf(`%q is not a time of a session: write "open", "open+5m", "close-10m" or "close+1h30m"`, text)
	}
	kind := openEdge
	if m[1] == "close" {
		kind = closeEdge
	}
	if m[2] == "" {
		return kind, 0, nil
	}
	offset, err := time.ParseDuration(strings.ReplaceAll(m[3], " ", ""))
	if err != nil || offset > maxOffset {
		return 0, 0, fmt.Errorf("%q is too far from the session: at most %d hours before or after", text, int(maxOffset.Hours()))
	}
	if m[2] == "-" {
		offset = -offset
	}
	return kind, offset, nil
}

// number reads a few digits that a pattern has already checked.
func number(digits string) int {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

// clock writes a minute of the day.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
