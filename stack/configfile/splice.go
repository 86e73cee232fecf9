package configfile

import (
	"errors"
	"slices"
)

// splice replaces the bytes of a span.
type splice struct {
	span
	text string
	late bool // goes behind others that insert at the same place: a section after a key's line
}

// spliced applies splices, which may be in any order but not overlap. Insertions at one place stay
// in the order in which they were made, early ones first.
func spliced(src []byte, splices []splice) ([]byte, error) {
	slices.SortStableFunc(splices, func(a, b splice) int {
		switch {
		case a.start != b.start:
			return a.start - b.start
		case (a.end == a.start) != (b.end == b.start): // insert before what is replaced
			return (a.end - a.start) - (b.end - b.start)
		case a.late == b.late:
			return 0
		case a.late:
			return 1
		}
		return -1
	})
	size := len(src)
	for _, s := range splices {
		size += len(s.text)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, s := range splices {
		if s.start < at && s.text == "" && s.end > s.start {
			at = max(at, s.end) // gone already, in part
			continue
		}
		if s.start < at {
			return nil, errors.New("two changes meet at one place")
		}
		out = append(out, src[at:s.start]...)
		out = append(out, s.text...)
		at = s.end
	}
	return append(out, src[at:]...), nil
}
