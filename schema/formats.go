package schema

import (
	"regexp"
	"time"
)

var (
	clockTime  = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)(\.\d+)?)?([zZ]|[+-]([01]\d|2[0-3]):[0-5]\d)?$`)
	localStamp = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$`)
)

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
