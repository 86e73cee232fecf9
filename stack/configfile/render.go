package configfile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// renderKey writes a key bare where it can be.
func renderKey(name string) string {
	for i := 0; i < len(name); i++ {
		if !isBareKey(name[i]) {
			return basicString(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// render writes a value on one line.
func render(v any) string {
	switch t := v.(type) {
	case string:
		return basicString(t)
	case bool:
		return strconv.FormatBool(t)
	case int64:
		return strconv.FormatInt(t, 10)
	case float64:
		return renderFloat(t)
	case time.Time:
		return t.Format("2006-01-02T15:04:05.999999999Z07:00")
	case toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		return fmt.Sprint(t)
	case []any:
		parts := make([]string, len(t))
		for i, e := range t {
			parts[i] = render(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		if len(t) == 0 {
			return "{}"
		}
		var parts []string
		for _, k := range sortedKeys(t) {
			parts = append(parts, renderKey(k)+" = "+render(t[k]))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return "" // normalise lets nothing else through
}

func renderFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	s := strconv.FormatFloat(f, format, -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func basicString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	escapeInto(&b, s, `"\`)
	b.WriteByte('"')
	return b.String()
}

// escapeInto writes s with control characters and those of special escaped.
func escapeInto(b *strings.Builder, s, special string) {
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(b, `\u%04X`, r)
		case strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
}

// restyle writes a new value the way that the old one is written, where that can be; what it
// returns always decodes to v.
func restyle(old string, v any) string {
	styled := ""
	switch t := v.(type) {
	case string:
		styled = restyleString(old, t)
	case int64:
		if old[0] <= '9' && (isPrefixed(old) || !strings.ContainsAny(old, ".eE:")) {
			styled = restyleInt(old, t)
		}
	case float64:
		if old[0] <= '9' {
			styled = restyleFloat(old, t)
		}
	case time.Time, toml.LocalDateTime, toml.LocalTime:
		styled = restyleTime(old, render(v))
	}
	if styled != "" {
		if got, err := decodeValue(styled); err == nil && equal(got, v) {
			return styled
		}
	}
	return render(v)
}

func restyleString(old, s string) string {
	switch {
	case strings.HasPrefix(old, `'''`):
		return "'''" + leadingNewline(old) + s + "'''"
	case strings.HasPrefix(old, `"""`):
		var b strings.Builder
		b.WriteString(`"""`)
		b.WriteString(leadingNewline(old))
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				b.WriteByte('\n')
			}
			end := ""
			if strings.HasSuffix(line, "\r") {
				line, end = line[:len(line)-1], "\r"
			}
			line = strings.ReplaceAll(line, `\`, `\\`)
			line = strings.ReplaceAll(line, `"""`, `""\"`)
			var e strings.Builder
			escapeInto(&e, line, "")
			b.WriteString(strings.ReplaceAll(e.String(), `\t`, "\t") + end)
		}
		text := b.String()
		if strings.HasSuffix(s, `"`) && !strings.HasSuffix(text, `\"`) {
			text = text[:len(text)-1] + `\"`
		}
		return text + `"""`
	case strings.HasPrefix(old, `'`):
		return "'" + s + "'"
	}
	return ""
}

// leadingNewline is the line end right behind the opening quotes, which is not part of the string.
func leadingNewline(old string) string {
	switch rest := old[3:]; {
	case strings.HasPrefix(rest, "\r\n"):
		return "\r\n"
	case strings.HasPrefix(rest, "\n"):
		return "\n"
	}
	return ""
}

func isPrefixed(number string) bool {
	return len(number) > 2 && number[0] == '0' && strings.IndexByte("xob", number[1]) >= 0
}

func restyleInt(old string, n int64) string {
	if isPrefixed(old) {
		if n < 0 {
			return ""
		}
		base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[old[1]]
		digits := strconv.FormatInt(n, base)
		oldDigits := strings.ReplaceAll(old[2:], "_", "")
		if strings.ContainsAny(oldDigits, "ABCDEF") {
			digits = strings.ToUpper(digits)
		}
		if strings.HasPrefix(oldDigits, "0") && len(digits) < len(oldDigits) {
			digits = strings.Repeat("0", len(oldDigits)-len(digits)) + digits
		}
		return old[:2] + group(digits, old[2:])
	}
	sign := ""
	digits := strconv.FormatInt(n, 10)
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	} else if old[0] == '+' {
		sign = "+"
	}
	return sign + group(digits, strings.TrimLeft(old, "+-"))
}

// group puts underscores between the digits as far apart as the old number's last ones.
func group(digits, old string) string {
	i := strings.LastIndexByte(old, '_')
	if i < 0 {
		return digits
	}
	size := len(old) - i - 1
	if size == 0 {
		return digits
	}
	var parts []string
	for len(digits) > size {
		parts = append(parts, digits[len(digits)-size:])
		digits = digits[:len(digits)-size]
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, "_")
}

func restyleFloat(old string, f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(old, "inx") {
		return ""
	}
	sign := ""
	if math.Signbit(f) {
		sign = "-"
	} else if old[0] == '+' {
		sign = "+"
	}
	f = math.Abs(f)
	if i := strings.IndexAny(old, "eE"); i >= 0 {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exp, _ := strings.Cut(s, "e")
		n, _ := strconv.Atoi(exp)
		expSign := ""
		if strings.HasPrefix(old[i+1:], "+") && n >= 0 {
			expSign = "+"
		}
		if strings.Contains(old[:i], ".") && !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		return sign + mantissa + old[i:i+1] + expSign + strconv.Itoa(n)
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(f, 'f', -1, 64), ".")
	oldWhole, oldFraction, ok := strings.Cut(old, ".")
	if !ok || len(whole)+len(fraction) > 40 {
		return ""
	}
	// "1.50" says that the file writes cents; "0.25" says nothing.
	if want := len(oldFraction); strings.HasSuffix(oldFraction, "0") && len(fraction) < want && !strings.Contains(oldFraction, "_") {
		fraction += strings.Repeat("0", want-len(fraction))
	}
	if fraction == "" {
		fraction = "0"
	}
	return sign + group(whole, strings.TrimLeft(oldWhole, "+-")) + "." + fraction
}

// restyleTime keeps the separator, the letter case and the number of decimals of a date with time.
func restyleTime(old, plain string) string {
	if len(old) > 10 && old[4] == '-' && len(plain) > 10 {
		plain = plain[:10] + old[10:11] + plain[11:]
	}
	switch {
	case strings.HasSuffix(old, "z"):
		plain = strings.TrimSuffix(plain, "Z") + map[bool]string{true: "z"}[strings.HasSuffix(plain, "Z")]
	case strings.HasSuffix(old, "+00:00") || strings.HasSuffix(old, "-00:00"):
		if strings.HasSuffix(plain, "Z") {
			plain = plain[:len(plain)-1] + old[len(old)-6:]
		}
	}
	if digits := decimals(old); digits > decimals(plain) {
		at, have := clockEnd(plain), decimals(plain)
		fill := strings.Repeat("0", digits-have)
		if have == 0 {
			fill = "." + fill
		}
		plain = plain[:at] + fill + plain[at:]
	} else if seconds := clockEnd(plain); clockDigits(old) == len("15:04") && strings.HasSuffix(plain[:seconds], ":00") {
		plain = plain[:seconds-3] + plain[seconds:]
	}
	return plain
}

// clockStart and clockEnd bound the time of day in a date with time.
func clockStart(s string) int { return strings.IndexByte(s, ':') - 2 }

func clockEnd(s string) int {
	start := clockStart(s)
	if start < 0 {
		return len(s)
	}
	if i := strings.IndexAny(s[start:], "Zz+-"); i >= 0 {
		return start + i
	}
	return len(s)
}

func clockDigits(s string) int { return clockEnd(s) - max(clockStart(s), 0) }

func decimals(s string) int {
	clock := s[:clockEnd(s)]
	i := strings.LastIndexByte(clock, '.')
	if i < 0 {
		return 0
	}
	return len(clock) - i - 1
}
