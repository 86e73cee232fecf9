package stack

import (
	"regexp"
	"strings"
)

// This file is what a service logged, as it is told in a sentence.

var (
	// A time stamp as loggers begin a line with it: RFC 3339, Python's, Go's, in brackets, or as time=….
	stampFirst = regexp.MustCompile(`^[\[(]?(?:(?:time|ts)=)?"?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"?[\])]?`)
	// A level is in capitals, in brackets or named: "Error reading it" is how a sentence may begin.
	levelFirst = regexp.MustCompile(`^(?:` +
		`(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|CRIT|FATAL|PANIC)\b:?` +
		`|[\[(](?i:trace|debug|info|notice|warn|warning|error|err|critical|crit|fatal|panic)[\])]:?` +
		`|level=\w+)`)
)

// WithoutLogPrefix is a log line without the time and the level that it begins with: who reads a
// sentence is told the time beside it, in a zone that is named. A line that is nothing else stays.
func WithoutLogPrefix(line string) string {
	const between = " \t|:-"
	text := strings.TrimSpace(line)
	if stamp := stampFirst.FindString(text); stamp != "" {
		text = strings.TrimLeft(text[len(stamp):], between)
	}
	if level := levelFirst.FindString(text); level != "" {
		text = strings.TrimLeft(text[len(level):], between)
	}
	if text == "" {
		return line
	}
	return text
}
