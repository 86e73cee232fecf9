package schema

import (
	"strings"
)

// htmlPattern is the pattern for the HTML attribute, which matches the whole text; "" where a browser
// might read it otherwise than Go, or not at all: it compiles patterns with the strict "v" flag.
func htmlPattern(pattern string) string {
	inner, start := strings.CutPrefix(pattern, "^")
	inner, end := strings.CutSuffix(inner, "$")
	if strings.HasSuffix(inner, `\\`) || strings.Contains(inner, "(?") || !strictly(inner) {
		return ""
	}
	if !start {
		inner = ".*" + inner
	}
	if !end {
		inner += ".*"
	}
	return inner
}

// strictly says whether a pattern keeps to what Go and a browser read alike.
func strictly(pattern string) bool {
	class, depth := false, 0
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\':
			i++
			if i == len(pattern) || !strings.ContainsRune(`dDwWsS.\/^$*+?()[]{}|`, rune(pattern[i])) {
				return false
			}
		case class && c == ']':
			class = false
		case class && c == '-':
			if !isWordByte(pattern[i-1]) || i+1 == len(pattern) || !isWordByte(pattern[i+1]) {
				return false
			}
		case class:
			if !isWordByte(c) && c != '.' && c != ' ' && c != ':' {
				return false
			}
		case c == '[':
			class = true
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				i++
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0, c == '^', c == '$', c >= 0x80:
			return false
		}
	}
	return true
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
