package configfile

// Line is one line of a Hunk: kept (' '), added ('+') or removed ('-'). A number is 0 where the
// line is not in that version.
type Line struct {
	Kind         byte
	OldNo, NewNo int
	Text         string
}

// Hunk is a stretch of lines that differ, with lines of context around them.
type Hunk struct{ Lines []Line }

// Hunks compares two versions line by line.
func Hunks(old, new []byte, context int) []Hunk { return nil }
