package schema

import (
	"regexp"
	"strings"
	"time"
)

var (
	clockTime  = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)(\.\d+)?)?([zZ]|[+-]([01]\d|2[0-3]):[0-5]\d)?$`)
	localStamp = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$`)
	// What browsers can show: one that cannot shows nothing, and sends that.
	inputTime  = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$`)
	inputStamp = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?$`)
)

// inputClock is a time of day, or a date with one, as browsers have it: after a T, without what is zero
// at its end.
func inputClock(text string) string {
	if len(text) > len("2006-01-02") && (text[10] == ' ' || text[10] == 't') {
		text = text[:10] + "T" + text[11:]
	}
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if strings.Count(text, ":") == 2 {
		text = strings.TrimSuffix(text, ":00")
	}
	return text
}

// clockLike writes the time that a browser sent as the file has had it: a text that is the same time
// stays, and one with seconds keeps having them, for whoever reads it may ask for them.
func clockLike(was, sent string) string {
	isTime := inputTime.MatchString(was) && inputTime.MatchString(sent)
	if !isTime && !(inputStamp.MatchString(was) && inputStamp.MatchString(sent)) {
		return sent
	}
	if inputClock(was) == inputClock(sent) {
		return was
	}
	if strings.Count(was, ":") == 2 && strings.Count(sent, ":") == 1 {
		sent += ":00"
	}
	if !isTime {
		sent = sent[:10] + was[10:11] + sent[11:]
	}
	return sent
}

// formats are those that a config file means otherwise than JSON's RFCs do: a time of day needs
// neither seconds nor an offset, and TOML has date-times without an offset.
func formats() map[string]func(any) bool {
	text := func(ok func(string) bool) func(any) bool {
		return func(v any) bool {
			s, isText := v.(string)
			return !isText || ok(s)
		}
	}
	return map[string]func(any) bool{
		"time":      text(clockTime.MatchString),
		"date-time": text(isDateTime),
		"go-duration": text(func(s string) bool {
			_, err := time.ParseDuration(s)
			return err == nil
		}),
	}
}

func isDateTime(s string) bool {
	if m := localStamp.FindStringSubmatch(s); m != nil {
		_, err := time.Parse(time.DateOnly, m[1])
		return err == nil
	}
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
}

// formatWords says of a format what a value must be, with an example.
func formatWords(format string) string {
	switch format {
	case "date":
		return "a date, such as 2026-12-24"
	case "time":
		return "a time of day, such as 09:30"
	case "date-time":
		return "a date and time, such as 2026-12-24T09:30:00Z"
	case "duration":
		return "a duration in ISO 8601, such as PT30S or P1D"
	case "go-duration":
		return "a duration, such as 250ms, 10s or 1h30m"
	case "uri", "iri":
		return "a URL, such as https://example.com/path"
	case "uri-reference", "iri-reference":
		return "a URL or a part of one"
	case "email", "idn-email":
		return "an e-mail address"
	case "hostname", "idn-hostname":
		return "a host name"
	case "ipv4", "ip-address":
		return "an IPv4 address, such as 192.168.0.10"
	case "ipv6":
		return "an IPv6 address, such as fd00::1"
	case "uuid":
		return "a UUID"
	case "regex":
		return "a regular expression"
	case "json-pointer":
		return "a JSON Pointer, such as /risk/max_order_usd"
	}
	return "a valid " + format
}
