package configfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"pitstop/stack"
)

func TestTwoSavesWithinOneSecondHaveTwoBackups(t *testing.T) {
	s := newStore(t, "a = 1\n")
	st, err := s.Stage([]byte("a = 2\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody takes the name between Stage and Commit.
	taken := filepath.Join(filepath.Dir(s.Path()), st.Backup)
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := s.Commit(st)
	if err != nil {
		t.Fatal(err)
	}
	second := save(t, s, "a = 3\n")
	if first != "config.toml.bak.20261125_120001" || second != "config.toml.bak.20261125_120002" {
		t.Errorf("the backups are %s and %s", first, second)
	}
	wantFile(t, taken, "mine")
	wantBackup(t, s, first, "a = 1\n")
	wantBackup(t, s, second, "a = 2\n")
}

func TestABurstOfSavesNeverUsesANameTwice(t *testing.T) {
	s := newStore(t, "n = 0\n")
	s.keep = 3
	var last string
	for n := range 12 {
		name := save(t, s, fmt.Sprintf("n = %d\n", n+1))
		if name <= last {
			t.Errorf("save %d has the backup %s, which does not come after %s", n, name, last)
		}
		last = name
		if err := s.Prune(); err != nil {
			t.Fatal(err)
		}
		wantBackup(t, s, name, fmt.Sprintf("n = %d\n", n))
	}
}

// A crash between the two halves of Commit leaves the live file with a second name, which is no
// backup: who edits the live file in place edits it too.
func TestDiscardTakesAwayABackupThatIsTheLiveFileItself(t *testing.T) {
	for name, taken := range map[string]bool{"under the name that was staged": false, "under a later one": true} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "a = 1\n")
			st, err := s.Stage([]byte("a = 2\n"), noon)
			if err != nil {
				t.Fatal(err)
			}
			theirs := 0
			if taken {
				theirs = 1
				if err := os.WriteFile(filepath.Join(filepath.Dir(s.Path()), st.Backup), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.sys.rename = func(string, string) error { panic("killed") }
			func() {
				defer func() { _ = recover() }()
				_, _ = s.Commit(st)
			}()
			if list, err := s.Backups(); len(list) != theirs+1 {
				t.Fatalf("the crash left the backups %v (%v), want one of its own", list, err)
			}
			again := reopen(t, s.Path(), s)
			if err := again.Discard(st); err != nil {
				t.Error(err)
			}
			if list, err := again.Backups(); len(list) != theirs || err != nil {
				t.Errorf("after Discard there are the backups %v (%v), want %d", list, err, theirs)
			}
			wantFile(t, s.Path(), "a = 1\n")
			wantOnly(t, again, "config.toml")
		})
	}
}

func TestPruneRemovesTheOldestButNeverThoseNamed(t *testing.T) {
	s := newStore(t, "a = 0\n")
	s.keep = 2
	var made []string
	for _, c := range []string{"a = 1\n", "a = 2\n", "a = 3\n", "a = 4\n"} {
		made = append(made, save(t, s, c))
	}
	own := filepath.Join(filepath.Dir(s.Path()), "config.toml.bak.mine")
	if err := os.WriteFile(own, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(made[0]); err != nil {
		t.Fatal(err)
	}
	list, err := s.Backups()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range list {
		names = append(names, b.Name)
	}
	if want := []string{made[3], made[2], made[0]}; !slices.Equal(names, want) {
		t.Errorf("left are %q, want %q", names, want)
	}
	if b := list[0]; !b.Time.Equal(noon.Add(3*time.Second)) || b.Size != 6 || b.Revision != stack.RevisionOf([]byte("a = 3\n")) {
		t.Errorf("the newest is %+v", b)
	}
	wantFile(t, own, "x")
}

// Who prunes by name takes the oldest only as long as names sort as they were made.
func TestAClockThatIsSetBackCostsNoBackup(t *testing.T) {
	for name, back := range map[string]time.Duration{"by a minute": time.Minute, "by two days": 48 * time.Hour, "by a century": 100 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "n = 0\n")
			s.keep = 3
			at := noon
			var made []string
			for n := range 10 {
				if at = at.Add(time.Second); n == 5 {
					at = at.Add(-back)
				}
				made = append(made, saveAt(t, s, fmt.Sprintf("n = %d\n", n+1), at))
				if err := s.Prune(); err != nil {
					t.Fatal(err)
				}
				for k := max(0, n-2); k <= n; k++ {
					wantBackup(t, s, made[k], fmt.Sprintf("n = %d\n", k))
				}
			}
		})
	}
}

func TestTheHourThatClocksRepeatKeepsTheOrder(t *testing.T) {
	here := time.Local
	t.Cleanup(func() { time.Local = here })
	for _, place := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe"} {
		zone, err := time.LoadLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		time.Local = zone
		// The clocks of each go back within these months of 2026, by an hour or half of one.
		at := time.Date(2026, 4, 1, 0, 0, 0, 0, zone)
		for ; at.Month() < 12; at = at.Add(10 * time.Minute) {
			if _, before := at.Zone(); zoneOffset(at.Add(time.Hour)) < before {
				break
			}
		}
		back := at.Add(time.Hour)
		when := []time.Time{back.Add(-time.Second), back.Add(-time.Second)} // the next second has an earlier name
		for n := range 24 {
			when = append(when, back.Add(time.Duration(n)*5*time.Minute))
		}
		s, last := newStore(t, "n = 0\n"), ""
		for n, at := range when {
			name := saveAt(t, s, fmt.Sprintf("n = %d\n", n+1), at)
			if name <= last {
				t.Errorf("%s: save %d has the backup %s, which does not come after %s", place, n, name, last)
			}
			last = name
		}
	}
}

func zoneOffset(at time.Time) int { _, offset := at.Zone(); return offset }

func TestABackupThatNothingCanFollowIsNotFollowed(t *testing.T) {
	s := newStore(t, "a = 1\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.Path()), "config.toml.bak.99991231_235959"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := save(t, s, "a = 2\n"), save(t, s, "a = 3\n")
	if first != "config.toml.bak.20261125_120000" || second != "config.toml.bak.20261125_120001" {
		t.Errorf("the backups are %s and %s", first, second)
	}
}

func TestABackupIsFoundByWhatItHolds(t *testing.T) {
	s := newStore(t, "a = 1\n")
	var made []string
	for _, c := range []string{"a = 2\n", "a = 1\n", "a = 3\n"} { // backups of 1, 2, 1
		made = append(made, save(t, s, c))
	}
	one := stack.RevisionOf([]byte("a = 1\n"))
	for n, since := range []string{made[0], made[1], made[2]} {
		want := []string{made[0], made[2], made[2]}[n]
		if got, err := s.BackupOf(one, since); got != want || err != nil {
			t.Errorf("since %s: got %q (%v), want %s", since, got, err, want)
		}
	}
	if got, err := s.BackupOf(stack.RevisionOf([]byte("a = 3\n")), made[0]); err == nil {
		t.Errorf("the live file passed for the backup %s", got)
	}
}

// The moment in which a backup is made is one in which an editor may save.
func TestASaveBySomebodyElseDuringTheBackupIsAConflict(t *testing.T) {
	for name, refused := range map[string]error{"linked": nil, "copied": syscall.EPERM} {
		for when, before := range map[string]bool{"before": true, "after": false} {
			t.Run(when+" it is "+name, func(t *testing.T) {
				s := newStore(t, "a = 1\n")
				st, err := s.Stage([]byte("a = 2\n"), noon)
				if err != nil {
					t.Fatal(err)
				}
				s.sys.link = func(from, to string) error {
					err := refused
					if !before && err == nil {
						err = os.Link(from, to)
					}
					theirs := s.Path() + ".theirs"
					if wrong := errors.Join(os.WriteFile(theirs, []byte("a = 3\n"), 0o600), os.Rename(theirs, s.Path())); wrong != nil {
						t.Fatal(wrong)
					}
					if before && err == nil {
						err = os.Link(from, to)
					}
					return err
				}
				if _, err := s.Commit(st); !errors.Is(err, stack.ErrConflict) {
					t.Errorf("got %v, want a conflict", err)
				}
				if err := s.Discard(st); err != nil {
					t.Error(err)
				}
				wantFile(t, s.Path(), "a = 3\n")
				wantOnly(t, s, "config.toml")
				if list, _ := s.Backups(); len(list) != 0 {
					t.Errorf("backups %v are left", list)
				}
			})
		}
	}
}

func TestABackupWhoseNameRanAheadTellsWhenItWasMade(t *testing.T) {
	s := newStore(t, "n = 0\n")
	began := time.Now()
	var names []string
	for n := range 5 {
		st, err := s.Stage(fmt.Appendf(nil, "n = %d\n", n+1), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		name, err := s.Commit(st)
		if err != nil {
			t.Fatal(err)
		}
		names = append([]string{name}, names...)
	}
	list, err := s.Backups()
	if err != nil || len(list) != len(names) {
		t.Fatalf("%d backups, %v; want %d", len(list), err, len(names))
	}
	for i, b := range list {
		if b.Name != names[i] {
			t.Errorf("backup %d is %s, want %s: newest first", i, b.Name, names[i])
		}
		if b.Time.Before(began.Truncate(time.Second)) || b.Time.After(time.Now()) {
			t.Errorf("%s was made at %v, and it is %v", b.Name, b.Time, time.Now())
		}
		if i > 0 && b.Time.After(list[i-1].Time) {
			t.Errorf("%s was made at %v, after %s at %v", b.Name, b.Time, list[i-1].Name, list[i-1].Time)
		}
	}

	// Once touched, the file does not tell any more; the name is as near as it gets.
	oldest := list[len(list)-1]
	named, _ := backupTime(s.Path(), oldest.Name)
	if got := madeAt(named, touched{at: named.Add(time.Minute)}); !got.Equal(named) {
		t.Errorf("touched a minute later, it was made at %v, want %v", got, named)
	}
	if got := madeAt(named, touched{at: named.Add(-30 * 24 * time.Hour)}); !got.Equal(named) {
		t.Errorf("by a clock that is a month behind, it was made at %v, want %v", got, named)
	}
}

// touched is a file whose inode was last changed then.
type touched struct {
	os.FileInfo
	at time.Time
}

func (f touched) Sys() any { return &syscall.Stat_t{Ctim: syscall.NsecToTimespec(f.at.UnixNano())} }
