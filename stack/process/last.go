package process

import (
	"fmt"
	"io"
	"os"
	"strings"

	"pitstop/stack"
)

// How much of a service's last words is told.
const (
	lastRead = 64 << 10 // bytes at the end of its output
	lastTold = 200      // characters of the last line in them
)

// lastLine is the last line that a service wrote, for whoever asks why it ended: an interpreter says
// the reason last. What is secret in it is hidden while the line is still whole. Empty: it wrote
// nothing, or that cannot be read any more.
func lastLine(path string, hide func(string) string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	cut := false
	if info, err := f.Stat(); err == nil && info.Size() > lastRead {
		cut = true
		if _, err := f.Seek(-lastRead, io.SeekEnd); err != nil {
			return ""
		}
	}
	end, err := io.ReadAll(io.LimitReader(f, lastRead))
	if err != nil {
		return ""
	}
	text := strings.TrimRight(strings.ToValidUTF8(string(end), "\uFFFD"), " \t\r\n")
	line := strings.LastIndexByte(text, '\n') + 1
	if line == 0 && cut {
		return fmt.Sprintf("a line of more than %d kB", lastRead>>10)
	}
	text = hide(stack.WithoutLogPrefix(text[line:]))
	if letters := []rune(text); len(letters) > lastTold {
		text = string(letters[:lastTold]) + "…"
	}
	return text
}

// endedWith is what the page says of a service until its next life begins.
func endedWith(how, last string) string {
	if last == "" {
		return fmt.Sprintf("It ended (%s) and wrote nothing before. It is started again by itself.", how)
	}
	return fmt.Sprintf("It ended (%s). What it wrote last: %s", how, last)
}
