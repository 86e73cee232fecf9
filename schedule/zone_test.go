package schedule

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLocalZone(t *testing.T) {
	for _, c := range []struct {
		name, tz, localtime, timezone string
		want                          string
	}{
		{"TZ", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Europe/Berlin"},
		{"TZ with a colon", ":Europe/Berlin", "", "", "Europe/Berlin"},
		{"TZ as a path", ":/usr/share/zoneinfo/Europe/Berlin", "", "", "Europe/Berlin"},
		{"where /etc/localtime points", "", "America/New_York", "Asia/Tokyo", "America/New_York"},
		{"what /etc/timezone says", "", "", "Asia/Tokyo\n", "Asia/Tokyo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			etc := t.TempDir()
			if c.localtime != "" {
				file := filepath.Join(etc, "zoneinfo", c.localtime)
				must(t, os.MkdirAll(filepath.Dir(file), 0o700))
				must(t, os.WriteFile(file, nil, 0o600))
				must(t, os.Symlink(file, filepath.Join(etc, "localtime")))
			}
			if c.timezone != "" {
				must(t, os.WriteFile(filepath.Join(etc, "timezone"), []byte(c.timezone), 0o600))
			}
			getenv := func(key string) string { return map[string]string{"TZ": c.tz}[key] }
			if got := localZone(getenv, etc).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestUsualZonesExist(t *testing.T) {
	for _, name := range UsualZones() {
		if _, err := loadZone(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for said, name := range usualNames {
		if _, err := loadZone(name); err != nil {
			t.Errorf("%s, for %s: %v", name, said, err)
		}
	}
}
