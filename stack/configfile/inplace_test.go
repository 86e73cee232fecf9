package configfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/durable"
)

// interrupt leaves behind what a crash in the middle of a write in place leaves behind.
func interrupt(t *testing.T) (*Store, stack.Staged) {
	t.Helper()
	s := newStore(t, "a = 1\n# a long comment\n")
	st, err := s.Stage([]byte("a = 22\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := s.Read()
	if err := copyNew(filepath.Join(filepath.Dir(s.Path()), st.Backup), old, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.writeMarker(s.Path(), marker{st}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Path(), []byte("a = 22\n a long"), 0o640); err != nil {
		t.Fatal(err)
	}
	return s, st
}

func TestAnInterruptedWriteInPlaceIsFinishedOrUndone(t *testing.T) {
	t.Run("Open finishes it", func(t *testing.T) {
		s, st := interrupt(t)
		reopen(t, s.Path(), s)
		wantFile(t, s.Path(), "a = 22\n")
		wantBackup(t, s, st.Backup, "a = 1\n# a long comment\n")
		wantOnly(t, s, "config.toml")
	})
	t.Run("Commit finishes it", func(t *testing.T) {
		s, st := interrupt(t)
		if backup, err := s.Commit(st); err != nil || backup != st.Backup {
			t.Fatal(backup, err)
		}
		wantFile(t, s.Path(), "a = 22\n")
		wantOnly(t, s, "config.toml")
	})
	t.Run("Commit and Open know it once it is done, also without the staged file", func(t *testing.T) {
		for name, settle := range map[string]func(s *Store, st stack.Staged) error{
			"Commit": func(s *Store, st stack.Staged) error { _, err := s.Commit(st); return err },
			"Open":   func(s *Store, _ stack.Staged) error { reopen(t, s.Path(), s); return nil },
		} {
			s, st := interrupt(t)
			if err := errors.Join(os.WriteFile(s.Path(), []byte("a = 22\n"), 0o640), os.Remove(st.Path)); err != nil {
				t.Fatal(err)
			}
			if err := settle(s, st); err != nil {
				t.Error(name, err)
			}
			wantFile(t, s.Path(), "a = 22\n")
			wantOnly(t, s, "config.toml")
		}
	})
	t.Run("Open does not begin what had not begun", func(t *testing.T) {
		s, st := interrupt(t)
		if err := os.WriteFile(s.Path(), []byte("a = 1\n# a long comment\n"), 0o640); err != nil {
			t.Fatal(err)
		}
		reopen(t, s.Path(), s)
		wantFile(t, s.Path(), "a = 1\n# a long comment\n")
		wantOnly(t, s, filepath.Base(st.Path), "config.toml")
	})
	t.Run("Discard undoes it", func(t *testing.T) {
		s, st := interrupt(t)
		if err := s.Discard(st); err != nil {
			t.Fatal(err)
		}
		wantFile(t, s.Path(), "a = 1\n# a long comment\n")
		wantOnly(t, s, "config.toml")
	})
	t.Run("Open undoes it if the staged file is lost", func(t *testing.T) {
		s, st := interrupt(t)
		if err := os.Remove(st.Path); err != nil {
			t.Fatal(err)
		}
		reopen(t, s.Path(), s)
		wantFile(t, s.Path(), "a = 1\n# a long comment\n")
		list, err := s.Backups()
		if err != nil || len(list) != 2 {
			t.Fatalf("the backups are %v (%v), want another one", list, err)
		}
		wantBackup(t, s, list[0].Name, "a = 22\n a long")
	})
	t.Run("what somebody has written since is left alone", func(t *testing.T) {
		for name, settle := range map[string]func(s *Store, st stack.Staged) error{
			"Commit": func(s *Store, st stack.Staged) error {
				if _, err := s.Commit(st); !errors.Is(err, stack.ErrConflict) {
					return fmt.Errorf("got %w, want a conflict", err)
				}
				return nil
			},
			"Discard": (*Store).Discard,
			"Open":    func(s *Store, _ stack.Staged) error { reopen(t, s.Path(), s); return nil },
		} {
			s, st := interrupt(t)
			if err := os.WriteFile(s.Path(), []byte("a = 23\n a long"), 0o640); err != nil {
				t.Fatal(err)
			}
			if err := settle(s, st); err != nil {
				t.Error(name, err)
			}
			wantFile(t, s.Path(), "a = 23\n a long")
			if _, ok := readMarker(s.Path()); ok {
				t.Errorf("%s left the marker", name)
			}
		}
	})
	t.Run("another Commit does away with its marker", func(t *testing.T) {
		s, _ := interrupt(t)
		save(t, s, "a = 333\n# as long as it was\n")
		if m, ok := readMarker(s.Path()); ok {
			t.Errorf("the marker %+v is left", m)
		}
		reopen(t, s.Path(), s)
		wantFile(t, s.Path(), "a = 333\n# as long as it was\n")
	})
	t.Run("Sweep leaves it alone", func(t *testing.T) {
		s, st := interrupt(t)
		if err := s.Sweep(); err != nil {
			t.Fatal(err)
		}
		wantFile(t, st.Path, "a = 22\n")
	})
	t.Run("a torn marker means that nothing was written", func(t *testing.T) {
		s := newStore(t, "a = 1\n")
		if err := os.WriteFile(markerPath(s.Path()), []byte(`{"stag`), 0o600); err != nil {
			t.Fatal(err)
		}
		reopen(t, s.Path(), s)
		wantFile(t, s.Path(), "a = 1\n")
		wantOnly(t, s, "config.toml")
	})
}

func TestTornBytesAreToldFromSomebodyElses(t *testing.T) {
	const old, content = "a = 1\n# long\n", "a = 22\nb = 'longer than before'\n"
	for live, want := range map[string]bool{
		content[:7] + old[7:]:                        true,  // the beginning is new
		old + content[len(old):]:                     true,  // the end is new
		content[:20]:                                 true,  // made longer, but not by all of it
		content[:20] + "\x00\x00\x00\x00":            true,  // a hole at the end
		content[:14] + "\x00\x00\x00" + content[17:]: true,  // a hole in between
		"a = 3\n# long\n":                            false, // another value
		"\x00" + old[1:]:                             false, // a hole where there were bytes
		old[:9]:                                      false, // shorter than either
		content + "\n":                               false, // longer than either
	} {
		if got := torn([]byte(live), []byte(old), []byte(content)); got != want {
			t.Errorf("%q: got %v, want %v", live, got, want)
		}
	}
}

// Whatever goes wrong with a write in place, what Commit reports is what is there, also after
// Discard and the next start.
func TestAFailedWriteInPlaceLeavesTheOldFileForGood(t *testing.T) {
	gone := func(t *testing.T, s *Store, st stack.Staged, behind string) {
		t.Helper()
		_, err := s.Commit(st)
		if err == nil || !strings.Contains(err.Error(), "mount point") {
			t.Errorf("Commit: got %v, want an error that tells of the mount point", err)
		}
		s.sys.syncDir = durable.SyncDir
		wantOnly(t, s, filepath.Base(st.Path), "config.toml") // the marker is gone
		if list, _ := s.Backups(); len(list) != 0 {
			t.Errorf("a backup is left: %v", list)
		}
		if err := s.Discard(st); err != nil {
			t.Error(err)
		}
		reopen(t, s.Path(), s)
		wantFile(t, behind, "a = 1\n")
		wantOnly(t, s, "config.toml")
	}
	stage := func(t *testing.T, s *Store) stack.Staged {
		t.Helper()
		st, err := s.Stage([]byte("a = 2\n"), noon)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	t.Run("the folder cannot be synced", func(t *testing.T) {
		s, behind := mountFile(t, "a = 1\n")
		st := stage(t, s)
		syncs := 0
		s.sys.syncDir = func(string) error {
			if syncs++; syncs > 1 { // the first is the backup's
				return syscall.EIO
			}
			return nil
		}
		gone(t, s, st, behind)
	})
	t.Run("the file becomes read-only", func(t *testing.T) {
		s, behind := mountFile(t, "a = 1\n")
		st := stage(t, s)
		if err := unix.Mount("", s.Path(), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		gone(t, s, st, behind)
	})
	t.Run("a crash before the first byte, with the backup lost", func(t *testing.T) {
		s, behind := mountFile(t, "a = 1\n")
		st := stage(t, s)
		if err := s.writeMarker(s.Path(), marker{st}); err != nil {
			t.Fatal(err)
		}
		if err := s.Discard(st); err != nil {
			t.Error(err)
		}
		wantFile(t, behind, "a = 1\n")
		wantOnly(t, s, "config.toml")
	})
}
