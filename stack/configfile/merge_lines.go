package configfile

import (
	"slices"
	"strings"
)

// This file merges line by line, for the sake of what is not a value: comments, notation, order.

// seen is a version as seen from the one before it: what became of each line, and what came.
type seen struct {
	line []string   // of each earlier line: what it is now
	gone []bool     // or that it is gone
	come [][]string // what came before each earlier line, and at the end
}

// see finds what became of lines. One that still sets the same key is the same line, changed.
func see(old, new []string) seen {
	s := seen{line: slices.Clone(old), gone: make([]bool, len(old)), come: make([][]string, len(old)+1)}
	i, j := 0, 0
	pass := func(toOld, toNew int) {
		for ; i < toOld; i++ {
			s.gone[i] = true
		}
		s.come[i] = append(s.come[i], new[j:toNew]...)
		j = toNew
	}
	for _, same := range append(matchLines(old, new), pair{len(old), len(new)}) {
		from, to := i, j
		for _, p := range sameKeys(old[from:same.old], new[to:same.new]) {
			pass(from+p.old, to+p.new)
			s.line[i] = new[j]
			i, j = i+1, j+1
		}
		pass(same.old, same.new)
		i, j = i+1, j+1
	}
	return s
}

// sameKeys pairs lines that set the same key, or are the same header.
func sameKeys(old, new []string) []pair {
	if len(old) == 0 || len(new) == 0 || len(old) > gapLimit/len(new) {
		return nil
	}
	a, b := make([]string, len(old)), make([]string, len(new))
	for i, l := range old {
		a[i] = lineKey(l)
	}
	for i, l := range new {
		b[i] = lineKey(l)
	}
	return longestCommon(len(a), len(b), func(i, j int) bool { return a[i] != "" && a[i] == b[j] })
}

// lineKey is what a line is about: its key, or its header; "" of any other.
func lineKey(line string) string {
	body, _ := cutComment(line)
	body = strings.TrimSpace(body)
	if strings.HasPrefix(body, "[") && strings.HasSuffix(body, "]") {
		return body
	}
	key, _, ok := strings.Cut(body, "=")
	if !ok {
		return ""
	}
	return strings.TrimSpace(key)
}

// cutComment splits a line before what stands behind its value: blanks, a comment, the line end. It
// looks at the line alone; in a text of several lines it may find a comment that is none, which the
// merge finds out by the values.
func cutComment(line string) (body, tail string) {
	end, quote := len(line), byte(0)
scan:
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote == 0 && c == '#':
			end = i
			break scan
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == '"' && c == '\\':
			i++
		case c == quote:
			quote = 0
		}
	}
	end = len(strings.TrimRight(line[:end], " \t\r\n"))
	return line[:end], line[end:]
}

// onlyNotes is a version with nothing of it but comments: those that came on lines of their own or
// behind a value, and those that went. What moved with other lines is left out.
func (s seen) onlyNotes(old []string) seen {
	moved := map[string]bool{}
	for i, line := range old {
		if s.gone[i] {
			moved[line] = true
		}
	}
	came := map[string]bool{}
	n := seen{line: slices.Clone(old), gone: make([]bool, len(old)), come: make([][]string, len(old)+1)}
	for i, run := range s.come {
		for _, line := range run {
			came[line] = true
		}
		if allNotes(run) && !slices.ContainsFunc(run, func(l string) bool { return moved[l] && !isBlank([]byte(l)) }) {
			n.come[i] = run
		}
	}
	for i, line := range old {
		body, _ := cutComment(line)
		_, tail := cutComment(s.line[i])
		if s.gone[i] {
			n.gone[i] = isComment([]byte(line)) && !came[line]
		} else if line != s.line[i] && body != "" {
			n.line[i] = body + tail
		}
	}
	return n
}

// allNotes tells whether lines are comments and blank lines, one comment at least.
func allNotes(run []string) bool {
	comments := 0
	for _, l := range run {
		switch {
		case isComment([]byte(l)):
			comments++
		case !isBlank([]byte(l)):
			return false
		}
	}
	return comments > 0
}

// mergeLines makes one text of two versions. Where they get in each other's way it has theirs; clean
// tells that they nowhere do.
func mergeLines(old []string, theirs, yours seen) (text string, clean bool) {
	clean = true
	var out []string
	for i := range len(old) + 1 {
		run := yours.come[i]
		if i < len(old) && allNotes(run) && theirs.gone[i] && !yours.gone[i] {
			run, clean = nil, false // a comment on what is no longer there
		}
		out = append(out, joinRuns(theirs.come[i], run)...)
		if i == len(old) {
			break
		}
		t, y := theirs.line[i], yours.line[i]
		switch {
		case theirs.gone[i] && yours.gone[i]:
		case theirs.gone[i]:
			clean = clean && y == old[i]
		case yours.gone[i]:
			if t != old[i] {
				out, clean = append(out, t), false
			}
		default:
			line, ok := mergeLine(old[i], t, y)
			out, clean = append(out, line), clean && ok
		}
	}
	return joinLines(out), clean
}

// joinRuns puts together what both sides wrote at one place. Comments at the end of one are about the
// line below, so they go last.
func joinRuns(theirs, yours []string) []string {
	ends := func(run []string) bool { return len(run) > 0 && isComment([]byte(run[len(run)-1])) }
	switch n := len(matchLines(theirs, yours)); {
	case n == len(yours):
		return theirs // they wrote all of it, too
	case n == len(theirs):
		return yours
	case ends(theirs) && !ends(yours):
		return slices.Concat(yours, theirs)
	}
	return slices.Concat(theirs, yours)
}

// mergeLine merges a line's value, and what stands behind it.
func mergeLine(old, theirs, yours string) (line string, clean bool) {
	pick := func(old, theirs, yours string) string {
		switch {
		case yours == old || yours == theirs:
			return theirs
		case theirs == old:
			return yours
		}
		clean = false
		return theirs
	}
	clean = true
	ob, ot := cutComment(old)
	tb, tt := cutComment(theirs)
	yb, yt := cutComment(yours)
	line = pick(ob, tb, yb) + pick(ot, tt, yt)
	return line, clean
}

// joinLines is lines as a text. Only the last one may lack its end.
func joinLines(lines []string) string {
	eol := "\n"
	for _, l := range lines {
		if strings.HasSuffix(l, "\n") {
			if strings.HasSuffix(l, "\r\n") {
				eol = "\r\n"
			}
			break
		}
	}
	var b strings.Builder
	for i, l := range lines {
		b.WriteString(l)
		if i < len(lines)-1 && !strings.HasSuffix(l, "\n") {
			b.WriteString(eol)
		}
	}
	return b.String()
}
