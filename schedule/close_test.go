package schedule

import "testing"

func TestTheNextClose(t *testing.T) {
	day := Status{Schedule: mustParse(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "days": []any{"mon", "tue", "wed", "thu", "fri"}})}
	for _, c := range []struct {
		name, now, want string
		open            bool
	}{
		{"within the window", "2026-03-02 15:00", "2026-03-02 21:00", true},
		{"before it", "2026-03-02 12:00", "2026-03-02 21:00", false},
		{"at the close itself, which has come", "2026-03-02 21:00", "2026-03-03 21:00", false},
		{"after Friday's, with the clocks set forward until Monday", "2026-03-06 22:00", "2026-03-09 20:00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			next, open, known := day.NextClose(utc(t, c.now))
			if !next.Equal(utc(t, c.want)) || open != c.open || !known {
				t.Errorf("got %s, %v, %v; want %s, %v", next, open, known, c.want, c.open)
			}
		})
	}
	t.Run("is not known while the config file cannot be read", func(t *testing.T) {
		if next, _, known := (Status{Problem: "cannot be read"}).NextClose(utc(t, "2026-03-02 12:00")); known || !next.IsZero() {
			t.Errorf("got %s, %v", next, known)
		}
	})
	t.Run("does not come without a schedule", func(t *testing.T) {
		if next, open, known := (Status{}).NextClose(utc(t, "2026-03-02 12:00")); !known || open || !next.IsZero() {
			t.Errorf("got %s, %v, %v", next, open, known)
		}
	})
}
