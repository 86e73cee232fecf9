package schedule

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// LocalZone is the panel's own time zone under its IANA name, which time.Local does not tell: from
// TZ, /etc/timezone or where /etc/localtime points. If none names it, it is UTC or time.Local.
func LocalZone() *time.Location {
	return localZone(os.Getenv, "/etc")
}

func localZone(getenv func(string) string, etc string) *time.Location {
	var names []string
	if tz := strings.TrimPrefix(getenv("TZ"), ":"); tz != "" {
		names = append(names, zoneOfPath(tz))
	} else {
		if target, err := filepath.EvalSymlinks(filepath.Join(etc, "localtime")); err == nil {
			names = append(names, zoneOfPath(target))
		}
		if text, err := os.ReadFile(filepath.Join(etc, "timezone")); err == nil {
			names = append(names, strings.TrimSpace(string(text)))
		}
	}
	for _, name := range names {
		if zone, err := loadZone(name); err == nil {
			return zone
		}
	}
	if time.Local.String() != "Local" {
		return time.Local
	}
	// Without any word on the zone, Go's Local is UTC by another name; the real name prints better.
	if _, err := os.Stat(filepath.Join(etc, "localtime")); err != nil && getenv("TZ") == "" {
		return time.UTC
	}
	return time.Local
}

// zoneOfPath is the zone's name in a path such as /usr/share/zoneinfo/Europe/Berlin.
func zoneOfPath(path string) string {
	if _, name, found := strings.Cut(path, "/zoneinfo/"); found {
		return strings.TrimPrefix(strings.TrimPrefix(name, "posix/"), "right/")
	}
	return path
}

// errMachineZone is the error for names of files that each machine fills, or leaves out, as it likes:
// its own zone, and the zones counted in other seconds.
var errMachineZone = errors.New("it means something else on each machine")

// zoneName is how every IANA name is written. A path that a file system would find is none.
var zoneName = regexp.MustCompile(`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`)

// loadZone is time.LoadLocation for names that mean the same on every machine.
func loadZone(name string) (*time.Location, error) {
	if !zoneName.MatchString(name) {
		return nil, fmt.Errorf("%q is not the name of a time zone", name)
	}
	switch lower := strings.ToLower(name); {
	case lower == "local", lower == "localtime", lower == "posixrules",
		strings.HasPrefix(lower, "right/"), strings.HasPrefix(lower, "posix/"):
		return nil, fmt.Errorf("the time zone %q: %w", name, errMachineZone)
	}
	return time.LoadLocation(name)
}

// suggestZone proposes a zone for a name that does not exist; empty: no idea.
func suggestZone(name string) string {
	squeezed := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
	if zone, ok := usualNames[squeezed]; ok {
		return zone
	}
	for _, zone := range usualZones {
		if _, city, _ := strings.Cut(strings.ToLower(zone), "/"); squeezed == city {
			return zone
		}
	}
	return nearest(name, usualZones)
}

// nearest is the candidate that differs from the word by the fewest letters, if it is near at all.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", len(word)/3+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the letters to insert, remove or replace to turn a into b.
func distance(a, b string) int {
	if len(a) > 100 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// usualNames are what people call a zone.
var usualNames = map[string]string{
	"est": "America/New_York", "edt": "America/New_York", "et": "America/New_York", "eastern": "America/New_York",
	"us/eastern": "America/New_York", "nyc": "America/New_York", "wall_street": "America/New_York",
	"cst": "America/Chicago", "cdt": "America/Chicago", "ct": "America/Chicago", "central": "America/Chicago",
	"pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles", "pacific": "America/Los_Angeles",
	"gmt": "Europe/London", "bst": "Europe/London", "uk": "Europe/London",
	"cet": "Europe/Berlin", "cest": "Europe/Berlin", "mez": "Europe/Berlin", "frankfurt": "Europe/Berlin",
	"jst": "Asia/Tokyo", "japan": "Asia/Tokyo", "hkt": "Asia/Hong_Kong", "hongkong": "Asia/Hong_Kong",
	"aest": "Australia/Sydney", "aedt": "Australia/Sydney", "utc": "UTC", "z": "UTC", "zulu": "UTC",
}

// usualZones are where markets and traders are. Any other IANA zone is as valid; these are only
// what a misspelt name is compared with, and what the page proposes.
var usualZones = []string{
	"UTC",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto",
	"America/Vancouver", "America/Halifax", "America/Mexico_City", "America/Sao_Paulo", "America/Bogota",
	"America/Argentina/Buenos_Aires", "America/Santiago",
	"Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Paris", "Europe/Amsterdam", "Europe/Brussels",
	"Europe/Berlin", "Europe/Zurich", "Europe/Vienna", "Europe/Madrid", "Europe/Rome", "Europe/Stockholm",
	"Europe/Oslo", "Europe/Copenhagen", "Europe/Helsinki", "Europe/Warsaw", "Europe/Prague", "Europe/Budapest",
	"Europe/Athens", "Europe/Istanbul", "Europe/Moscow", "Europe/Kyiv",
	"Africa/Johannesburg", "Africa/Cairo", "Africa/Lagos",
	"Asia/Dubai", "Asia/Riyadh", "Asia/Jerusalem", "Asia/Kolkata", "Asia/Singapore", "Asia/Hong_Kong",
	"Asia/Shanghai", "Asia/Taipei", "Asia/Seoul", "Asia/Tokyo", "Asia/Bangkok", "Asia/Jakarta", "Asia/Manila",
	"Australia/Sydney", "Australia/Melbourne", "Australia/Perth", "Australia/Lord_Howe", "Pacific/Auckland",
}

// UsualZones are the zones to propose on a page: where markets and traders are.
func UsualZones() []string { return append([]string(nil), usualZones...) }
