package handlers

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"pitstop/stack/configfile"
)

// sheet is a version of the config as the raw view shows it: with everything secret masked, and with
// the one kind of line end that a browser's text has. It knows the way back to the bytes.
type sheet struct {
	content []byte
	shown   []string // lines without their ends
	blocks  []block  // in order; together they are content and shown
}

// block is a stretch of the content with the lines that stand for it: one for one, except where
// masking made one line of several.
type block struct {
	lines int
	bytes []byte
}

const bom = "\ufeff"

// sheetOf draws a version. known are further secrets to hide, should it not parse.
func (s *Server) sheetOf(content []byte, known []string) sheet {
	var masked []byte
	if v, err := s.shown(content); err == nil {
		masked = v.text
	} else {
		masked = s.maskBroken(content, known)
	}
	sh := sheet{content: content}
	old, shown := rawLines(content), rawLines(masked)
	for _, l := range shown {
		sh.shown = append(sh.shown, showLine(string(l)))
	}
	if len(sh.shown) > 0 {
		sh.shown[0] = strings.TrimPrefix(sh.shown[0], bom)
	}
	i, j := 0, 0
	for _, h := range configfile.Hunks(content, masked, 0) {
		first := h.Lines[0]
		for (first.Kind == '-' && i+1 < first.OldNo) || (first.Kind == '+' && j+1 < first.NewNo) {
			sh.blocks = append(sh.blocks, block{1, old[i]})
			i, j = i+1, j+1
		}
		removed, added := 0, 0
		for _, l := range h.Lines {
			if l.Kind == '-' {
				removed++
			} else {
				added++
			}
		}
		if removed == added {
			for k := range removed {
				sh.blocks = append(sh.blocks, block{1, old[i+k]})
			}
		} else {
			sh.blocks = append(sh.blocks, block{added, bytes.Join(old[i:i+removed], nil)})
		}
		i, j = i+removed, j+added
	}
	for ; i < len(old); i++ {
		sh.blocks = append(sh.blocks, block{1, old[i]})
	}
	return sh
}

// text is what the raw view shows.
func (sh sheet) text() string {
	text := strings.Join(sh.shown, "\n")
	if bytes.HasSuffix(sh.content, []byte("\n")) {
		text += "\n"
	}
	return text
}

// restore gives a text that came from this sheet its bytes back: every line that is as it was shown
// is as it was in the file, secrets, remarks and line ends too. Lines that were typed take the file's
// kind of line end.
func (sh sheet) restore(text string) []byte {
	typed := strings.SplitAfter(text, "\n")
	if typed[len(typed)-1] == "" {
		typed = typed[:len(typed)-1]
	}
	end := "\n"
	if crlf := bytes.Count(sh.content, []byte("\r\n")); crlf > 0 && 2*crlf >= bytes.Count(sh.content, []byte("\n")) {
		end = "\r\n"
	}
	from := make([]int, len(typed)) // the shown line that each typed one is, from 1
	pairLines(sh.shown, typed, from)
	start := make(map[int]int, len(sh.blocks)) // first shown line, from 1, of each block
	line := 1
	for k, b := range sh.blocks {
		start[line] = k
		line += b.lines
	}
	var out bytes.Buffer
	if bytes.HasPrefix(sh.content, []byte(bom)) && !strings.HasPrefix(text, bom) {
		out.WriteString(bom)
	}
	for i := 0; i < len(typed); {
		if k, ok := start[from[i]]; ok && from[i] > 0 && whole(from[i:], sh.blocks[k].lines) {
			b := bytes.TrimPrefix(sh.blocks[k].bytes, []byte(bom))
			i += sh.blocks[k].lines
			last := i == len(typed) && !strings.HasSuffix(text, "\n")
			switch {
			case last:
				b = bytes.TrimRight(b, "\r\n")
			case !bytes.HasSuffix(b, []byte("\n")):
				b = append(bytes.Clone(b), end...)
			}
			out.Write(b)
			continue
		}
		l := typed[i]
		i++
		if cut, ok := strings.CutSuffix(l, "\n"); ok {
			out.WriteString(cut + end)
		} else {
			out.WriteString(l)
		}
	}
	return out.Bytes()
}

// whole tells whether so many lines follow one another as they were shown.
func whole(from []int, n int) bool {
	if n == 0 || len(from) < n {
		return false
	}
	for k := range n {
		if from[k] != from[0]+k {
			return false
		}
	}
	return true
}

// pairLines finds the typed lines that were shown.
func pairLines(shown, typed []string, from []int) {
	old := strings.Join(shown, "\n") + "\n"
	now := strings.Join(typed, "")
	if !strings.HasSuffix(now, "\n") {
		now += "\n"
	}
	i, j := 0, 0 // lines that are paired or passed
	pass := func(toOld int) {
		for ; i < toOld; i, j = i+1, j+1 {
			from[j] = i + 1
		}
	}
	for _, h := range configfile.Hunks([]byte(old), []byte(now), 0) {
		for _, l := range h.Lines {
			if l.Kind == '-' {
				pass(l.OldNo - 1)
				i++
			} else {
				for j+1 < l.NewNo {
					from[j] = i + 1
					i, j = i+1, j+1
				}
				j++
			}
		}
	}
	pass(len(shown))
}

// rawLines are the lines of a text with their ends.
func rawLines(b []byte) [][]byte {
	lines := bytes.SplitAfter(b, []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// showLine is a line as a page can hold it and a browser sends it back.
func showLine(l string) string {
	l = strings.TrimSuffix(strings.TrimSuffix(l, "\n"), "\r")
	if utf8.ValidString(l) && !strings.ContainsAny(l, "\x00\r") {
		return l // as nearly all are
	}
	if !utf8.ValidString(l) {
		l = strings.ToValidUTF8(l, "\ufffd")
	}
	return strings.NewReplacer("\x00", "\ufffd", "\r", "\ufffd").Replace(l)
}
