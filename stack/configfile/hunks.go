package configfile

import (
	"sort"
	"strings"
)

// Line is one line of a Hunk: kept (' '), added ('+') or removed ('-'). A number is 0 where the
// line is not in that version.
type Line struct {
	Kind         byte
	OldNo, NewNo int
	Text         string // without its line end
}

// Hunk is a stretch of lines that differ, with lines of context around them.
type Hunk struct{ Lines []Line }

// Hunks compares two versions line by line. Lines that differ only in their line end differ.
func Hunks(old, new []byte, context int) []Hunk {
	a, b := splitLines(old), splitLines(new)
	var lines []Line
	i, j := 0, 0
	emit := func(toOld, toNew int) {
		for ; i < toOld; i++ {
			lines = append(lines, Line{'-', i + 1, 0, shown(a[i])})
		}
		for ; j < toNew; j++ {
			lines = append(lines, Line{'+', 0, j + 1, shown(b[j])})
		}
	}
	for _, m := range matchLines(a, b) {
		emit(m.old, m.new)
		lines = append(lines, Line{' ', i + 1, j + 1, shown(a[i])})
		i, j = i+1, j+1
	}
	emit(len(a), len(b))
	return cutHunks(lines, max(context, 0))
}

func splitLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	lines := strings.SplitAfter(string(b), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func shown(line string) string {
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
}

func cutHunks(lines []Line, context int) []Hunk {
	var hunks []Hunk
	end := 0 // of the lines that are in a hunk already
	for i := 0; i < len(lines); i++ {
		if lines[i].Kind == ' ' {
			continue
		}
		start := max(i-context, end)
		last := i
		for k := i; k < len(lines) && k-last <= 2*context+1; k++ {
			if lines[k].Kind != ' ' {
				last = k
			}
		}
		stop := min(last+1+context, len(lines))
		if start == end && len(hunks) > 0 {
			h := &hunks[len(hunks)-1]
			h.Lines = append(h.Lines, lines[start:stop]...)
		} else {
			hunks = append(hunks, Hunk{append([]Line(nil), lines[start:stop]...)})
		}
		end, i = stop, stop-1
	}
	return hunks
}

// gapLimit bounds the table that matchLines fills between two anchors.
const gapLimit = 1 << 20

// matchLines pairs equal lines in order. Lines that each version has only once anchor the pairing
// (a patience diff, n log n); between anchors it is exact where that is cheap.
func matchLines(a, b []string) []pair {
	var out []pair
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		out = append(out, pair{start, start})
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	i, j := start, start
	for _, anchor := range anchors(a, b, span{start, endA}, span{start, endB}) {
		out = matchGap(out, a, b, span{i, anchor.old}, span{j, anchor.new})
		out = append(out, anchor)
		i, j = anchor.old+1, anchor.new+1
	}
	out = matchGap(out, a, b, span{i, endA}, span{j, endB})
	for k := range len(a) - endA {
		out = append(out, pair{endA + k, endB + k})
	}
	return out
}

// anchors is a longest increasing run of pairs of lines that both ranges have exactly once.
func anchors(a, b []string, ra, rb span) []pair {
	type count struct{ inA, inB, atA, atB int }
	counts := map[string]*count{}
	at := func(line string) *count {
		c := counts[line]
		if c == nil {
			c = &count{}
			counts[line] = c
		}
		return c
	}
	for i := ra.start; i < ra.end; i++ {
		c := at(a[i])
		c.inA, c.atA = c.inA+1, i
	}
	for j := rb.start; j < rb.end; j++ {
		c := at(b[j])
		c.inB, c.atB = c.inB+1, j
	}
	var unique []pair
	for i := ra.start; i < ra.end; i++ {
		if c := counts[a[i]]; c.inA == 1 && c.inB == 1 {
			unique = append(unique, pair{i, c.atB})
		}
	}
	var tails []int // indices into unique: the smallest end of a run of each length
	before := make([]int, len(unique))
	for k, p := range unique {
		n := sort.Search(len(tails), func(t int) bool { return unique[tails[t]].new >= p.new })
		before[k] = -1
		if n > 0 {
			before[k] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, k)
		} else {
			tails[n] = k
		}
	}
	out := make([]pair, len(tails))
	if len(tails) > 0 {
		for n, k := len(tails)-1, tails[len(tails)-1]; n >= 0; n, k = n-1, before[k] {
			out[n] = unique[k]
		}
	}
	return out
}

func matchGap(out []pair, a, b []string, ra, rb span) []pair {
	for ra.start < ra.end && rb.start < rb.end && a[ra.start] == b[rb.start] {
		out = append(out, pair{ra.start, rb.start})
		ra.start, rb.start = ra.start+1, rb.start+1
	}
	tail := 0
	for ra.start < ra.end && rb.start < rb.end && a[ra.end-1] == b[rb.end-1] {
		ra.end, rb.end, tail = ra.end-1, rb.end-1, tail+1
	}
	if n, m := ra.end-ra.start, rb.end-rb.start; n > 0 && m > 0 && n <= gapLimit/m {
		for _, p := range commonLines(a[ra.start:ra.end], b[rb.start:rb.end]) {
			out = append(out, pair{ra.start + p.old, rb.start + p.new})
		}
	}
	for k := range tail {
		out = append(out, pair{ra.end + k, rb.end + k})
	}
	return out
}

func commonLines(a, b []string) []pair {
	return longestCommon(len(a), len(b), func(i, j int) bool { return a[i] == b[j] })
}
