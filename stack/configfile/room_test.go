package configfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fill leaves not one block of a file system free, and returns what frees them again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	goodConfig = "a = 1\n"
	badConfig  = "a = 2 # which a service refuses\n"
)

// refusedOnAFullDisk is a store that has just saved what a service then refuses, on a disk that has
// become full.
func refusedOnAFullDisk(t *testing.T) (s *Store, good string, free func()) {
	t.Helper()
	dir := smallDisk(t)
	s = openStore(t, filepath.Join(dir, "config.toml"), goodConfig)
	good = save(t, s, badConfig)
	return s, good, fill(t, dir)
}

func TestARollBackNeedsNoRoom(t *testing.T) {
	s, good, free := refusedOnAFullDisk(t)
	if _, err := s.Stage([]byte("a = 3\n"), noon); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("what no backup holds: got %v, want that there is no room", err)
	}
	if err := os.Chmod(s.Path(), 0o604); err != nil {
		t.Fatal(err)
	}
	bad := save(t, s, goodConfig)
	wantFile(t, s.Path(), goodConfig)
	wantBackup(t, s, good, goodConfig)
	wantBackup(t, s, bad, badConfig)
	wantOnly(t, s, "ballast", "config.toml")
	if info, err := os.Stat(s.Path()); err != nil || info.Mode() != 0o604 {
		t.Errorf("the mode is %v (%v), want 0604 as it was", info.Mode(), err)
	}

	backup := filepath.Join(filepath.Dir(s.Path()), good)
	if err := s.Prune(good); err != nil {
		t.Fatal(err)
	}
	if !sameFile(s.Path(), backup) {
		t.Fatal("there was room for a copy, so this test shows nothing")
	}
	wantOnly(t, s, "ballast", "config.toml")
	free()
	apart := func(what string) {
		t.Helper()
		if sameFile(s.Path(), backup) {
			t.Errorf("%s left the backup a second name of the live file", what)
		}
		wantBackup(t, s, good, goodConfig)
		wantFile(t, s.Path(), goodConfig)
		wantOnly(t, s, "config.toml")
	}
	for what, do := range map[string]func() error{
		"Prune": func() error { return s.Prune(good) },
		"Sweep": func() error { return s.Sweep() },
		"Stage": func() error {
			st, err := s.Stage([]byte("a = 4\n"), noon)
			return errors.Join(err, s.Discard(st))
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		apart(what)
		if err := errors.Join(os.Remove(backup), os.Link(s.Path(), backup)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsStagedWithoutRoomCanBeDiscarded(t *testing.T) {
	discarded := func(t *testing.T, s *Store, good string) {
		t.Helper()
		wantFile(t, s.Path(), badConfig)
		wantBackup(t, s, good, goodConfig)
		wantOnly(t, s, "ballast", "config.toml")
		if list, err := s.Backups(); len(list) != 1 {
			t.Errorf("there are the backups %v (%v), want one", list, err)
		}
	}
	t.Run("before Commit", func(t *testing.T) {
		s, good, _ := refusedOnAFullDisk(t)
		st, err := s.Stage([]byte(goodConfig), noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Discard(st); err != nil {
			t.Error(err)
		}
		discarded(t, s, good)
	})
	t.Run("after a crash in the middle of Commit", func(t *testing.T) {
		s, good, _ := refusedOnAFullDisk(t)
		st, err := s.Stage([]byte(goodConfig), noon)
		if err != nil {
			t.Fatal(err)
		}
		s.sys.rename = func(string, string) error { panic("killed") }
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Commit(st)
		}()
		if err := s.Discard(st); err != nil {
			t.Error(err)
		}
		discarded(t, s, good)
	})
	t.Run("after Commit, which changes nothing", func(t *testing.T) {
		s, good, _ := refusedOnAFullDisk(t)
		st, err := s.Stage([]byte(goodConfig), noon)
		if err != nil {
			t.Fatal(err)
		}
		bad, err := s.Commit(st)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Discard(st); err != nil {
			t.Error(err)
		}
		wantFile(t, s.Path(), goodConfig)
		wantBackup(t, s, good, goodConfig)
		wantBackup(t, s, bad, badConfig)
	})
}

func TestAMountPointOnAFullDiskKeepsWhatItHolds(t *testing.T) {
	dir := smallDisk(t)
	s := openStore(t, filepath.Join(dir, "config.toml"), "")
	behind := filepath.Join(t.TempDir(), "on-the-host.toml")
	if err := os.WriteFile(behind, []byte(goodConfig), 0o640); err != nil {
		t.Fatal(err)
	}
	mountOver(t, behind, s.Path())
	good := save(t, s, badConfig)
	fill(t, dir)
	st, err := s.Stage([]byte(goodConfig), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(st); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("got %v, want that there is no room", err)
	}
	if err := s.Discard(st); err != nil {
		t.Error(err)
	}
	wantFile(t, behind, badConfig)
	wantBackup(t, s, good, goodConfig)
	wantOnly(t, s, "ballast", "config.toml")
}
