package docker

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"pitstop/stack"
)

// maxLine is how much of a line is kept; what a service writes beyond it is dropped.
const maxLine = 64 << 10

// frameWriter makes lines of the frames of one of the two output streams, of which StdCopy writes
// one at a time. Each begins with its time. The engine cuts long lines into several frames: only the
// last of them ends with a line end.
type frameWriter struct {
	emit func(stack.LogLine) bool
	line line
	at   time.Time // of the frame that the line began in
}

func (w *frameWriter) Write(frame []byte) (int, error) {
	at, text := cutTime(frame)
	for len(text) > 0 {
		if len(w.line) == 0 {
			w.at = at
		}
		rest, ended := w.line.take(text)
		if ended && !w.emit(stack.LogLine{Time: w.at, Text: w.line.end()}) {
			return 0, errEnough
		}
		text = rest
	}
	return len(frame), nil
}

// flush makes a line of what is left at the end of the stream.
func (w *frameWriter) flush() error {
	if len(w.line) > 0 && !w.emit(stack.LogLine{Time: w.at, Text: w.line.end()}) {
		return errEnough
	}
	return nil
}

// lineWriter makes lines of the output of a terminal, which comes without frames.
type lineWriter struct {
	emit func(stack.LogLine) bool
	line line
}

func (w *lineWriter) Write(chunk []byte) (int, error) {
	for rest := chunk; len(rest) > 0; {
		after, ended := w.line.take(rest)
		if ended && !w.flushLine() {
			return 0, errEnough
		}
		rest = after
	}
	return len(chunk), nil
}

func (w *lineWriter) flush() error {
	if len(w.line) > 0 && !w.flushLine() {
		return errEnough
	}
	return nil
}

func (w *lineWriter) flushLine() bool {
	at, text := cutTime([]byte(w.line.end()))
	return w.emit(stack.LogLine{Time: at, Text: string(text)})
}

// line is one that is not whole yet, and never longer than maxLine.
type line []byte

// take adds text up to its first line end, and returns what comes after that.
func (l *line) take(text []byte) (rest []byte, ended bool) {
	part, rest, ended := bytes.Cut(text, []byte("\n"))
	*l = append(*l, part[:min(len(part), maxLine-len(*l))]...)
	return rest, ended
}

// end returns the line and begins another.
func (l *line) end() string {
	text := strings.TrimSuffix(string(*l), "\r")
	*l = (*l)[:0]
	return text
}

// cutTime takes the engine's timestamp off the front.
func cutTime(text []byte) (time.Time, []byte) {
	stamp, rest, found := bytes.Cut(text, []byte(" "))
	if found {
		if at, err := time.Parse(time.RFC3339Nano, string(stamp)); err == nil {
			return at, rest
		}
	}
	return time.Time{}, text
}

// recent remembers the lines told last, so that reading the end of a log again tells none twice.
type recent struct {
	lines []stack.LogLine
}

const remembered = 256

func (r *recent) add(l stack.LogLine) {
	if len(r.lines) == remembered {
		r.lines = r.lines[:copy(r.lines, r.lines[remembered/2:])]
	}
	r.lines = append(r.lines, l)
}

func (r *recent) has(l stack.LogLine) bool {
	return slices.ContainsFunc(r.lines, func(o stack.LogLine) bool { return o.Time.Equal(l.Time) && o.Text == l.Text })
}

// latest is the time of the newest line, or the one given if there is none.
func (r *recent) latest(none time.Time) time.Time {
	for _, l := range r.lines {
		if l.Time.After(none) {
			none = l.Time
		}
	}
	return none
}
