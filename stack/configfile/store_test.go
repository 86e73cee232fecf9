package configfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pitstop/stack"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.Local)

func openStore(t *testing.T, path, content string) *Store {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return reopen(t, path, nil)
}

// reopen opens the store of a path, after the end of the one that had it.
func reopen(t *testing.T, path string, before *Store) *Store {
	t.Helper()
	if before != nil {
		before.Close()
	}
	s, err := Open(path, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newStore(t *testing.T, content string) *Store {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "config.toml"), content)
}

func save(t *testing.T, s *Store, content string) string {
	t.Helper()
	return saveAt(t, s, content, noon)
}

func saveAt(t *testing.T, s *Store, content string, at time.Time) string {
	t.Helper()
	st, err := s.Stage([]byte(content), at)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := s.Commit(st)
	if err != nil {
		t.Fatal(err)
	}
	return backup
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", filepath.Base(path), got, err, want)
	}
}

func wantBackup(t *testing.T, s *Store, name, want string) {
	t.Helper()
	if got, err := s.Backup(name); err != nil || string(got) != want {
		t.Errorf("backup %s holds %q (%v), want %q", name, got, err, want)
	}
}

// files lists what lies in the config file's folder, without backups.
func files(t *testing.T, s *Store) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(s.target()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.Contains(e.Name(), backupInfix) {
			names = append(names, e.Name())
		}
	}
	return names
}

func wantOnly(t *testing.T, s *Store, names ...string) {
	t.Helper()
	if got := files(t, s); !slices.Equal(got, names) {
		t.Errorf("the folder holds %q, want %q", got, names)
	}
}

func TestACommitReplacesTheFileAndKeepsTheOldOne(t *testing.T) {
	s := newStore(t, "a = 1\n")
	if err := os.Chmod(s.Path(), 0o604); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stage([]byte("a = 2\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, s.Path(), "a = 1\n")
	wantFile(t, st.Path, "a = 2\n")
	if st.From != stack.RevisionOf([]byte("a = 1\n")) || st.To != stack.RevisionOf([]byte("a = 2\n")) {
		t.Errorf("staged from %s to %s", st.From.Short(), st.To.Short())
	}
	backup, err := s.Commit(st)
	if err != nil {
		t.Fatal(err)
	}
	if backup != "config.toml.bak.20261125_120000" || backup != st.Backup {
		t.Errorf("the backup is %s, staged as %s", backup, st.Backup)
	}
	wantFile(t, s.Path(), "a = 2\n")
	wantBackup(t, s, backup, "a = 1\n")
	wantOnly(t, s, "config.toml")
	if info, err := os.Stat(s.Path()); err != nil || info.Mode() != 0o604 {
		t.Errorf("the mode is %v (%v), want 0604", info.Mode(), err)
	}
}

func TestAFileChangedMeanwhileIsAConflict(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"written in place": func(path string) error { return os.WriteFile(path, []byte("b = 1\n"), 0o600) },
		"removed":          os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "a = 1\n")
			st, err := s.Stage([]byte("a = 2\n"), noon)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(s.Path()); err != nil {
				t.Fatal(err)
			}
			before, readable := os.ReadFile(s.Path())
			if _, err := s.Commit(st); !errors.Is(err, stack.ErrConflict) {
				t.Errorf("got %v, want a conflict", err)
			}
			if after, err := os.ReadFile(s.Path()); string(after) != string(before) || (err == nil) != (readable == nil) {
				t.Errorf("the file holds %q, want %q", after, before)
			}
			for range 2 {
				if err := s.Discard(st); err != nil {
					t.Error(err)
				}
			}
			if list, _ := s.Backups(); len(list) != 0 {
				t.Errorf("backups %v were made", list)
			}
			if got := files(t, s); len(got) > 1 {
				t.Errorf("left over: %q", got)
			}
		})
	}
}

func TestASymbolicLinkStaysAndItsTargetChanges(t *testing.T) {
	s := newStore(t, "a = 1\n")
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(s.Path(), link); err != nil {
		t.Fatal(err)
	}
	linked := reopen(t, link, s)
	backup := save(t, linked, "a = 2\n")
	if to, err := os.Readlink(link); err != nil || to != s.Path() {
		t.Errorf("the link leads to %q (%v)", to, err)
	}
	wantFile(t, s.Path(), "a = 2\n")
	wantBackup(t, s, backup, "a = 1\n")
	if w := linked.Warning(); !strings.Contains(w, "symbolic link") || !strings.Contains(w, s.Path()) {
		t.Errorf("the warning is %q", w)
	}
}

func TestWithoutHardLinksTheBackupIsACopy(t *testing.T) {
	for _, refused := range []syscall.Errno{syscall.EPERM, syscall.ENOTSUP, syscall.EMLINK, syscall.EXDEV} {
		t.Run(refused.Error(), func(t *testing.T) {
			s := newStore(t, "a = 1\n")
			s.sys.link = func(from, to string) error { return &os.LinkError{Op: "link", Old: from, New: to, Err: refused} }
			first := save(t, s, "a = 2\n")
			second := save(t, s, "a = 3\n")
			wantFile(t, s.Path(), "a = 3\n")
			wantBackup(t, s, first, "a = 1\n")
			wantBackup(t, s, second, "a = 2\n")
			if info, err := os.Stat(filepath.Join(filepath.Dir(s.Path()), first)); err != nil || info.Mode() != 0o640 {
				t.Errorf("the copy has %v (%v), want the file's 0640", info.Mode(), err)
			}
		})
	}
}

func TestAFailedStepLeavesTheOldFile(t *testing.T) {
	broken := errors.New("broken")
	for name, breakIt := range map[string]func(*calls){
		"backup": func(c *calls) { c.link = func(string, string) error { return broken } },
		"rename": func(c *calls) { c.rename = func(string, string) error { return broken } },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "a = 1\n")
			st, err := s.Stage([]byte("a = 2\n"), noon)
			if err != nil {
				t.Fatal(err)
			}
			breakIt(&s.sys)
			if _, err := s.Commit(st); !errors.Is(err, broken) || !strings.Contains(err.Error(), "nothing was changed") {
				t.Errorf("got %v", err)
			}
			wantFile(t, s.Path(), "a = 1\n")
			if list, _ := s.Backups(); len(list) != 0 {
				t.Errorf("a backup is left: %v", list)
			}
			if err := s.Discard(st); err != nil {
				t.Error(err)
			}
			wantOnly(t, s, "config.toml")
		})
	}
	t.Run("folder that cannot be synced at staging", func(t *testing.T) {
		s := newStore(t, "a = 1\n")
		s.sys.syncDir = func(string) error { return broken }
		if _, err := s.Stage([]byte("a = 2\n"), noon); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		wantOnly(t, s, "config.toml")
	})
}

func TestSweepRemovesStagedFilesThatAreLeftOver(t *testing.T) {
	s := newStore(t, "a = 1\n")
	first, err := s.Stage([]byte("a = 2\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage([]byte("a = 3\n"), noon); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(first.Path); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, s, filepath.Base(first.Path), "config.toml")
}

func TestAStoreOpensWithoutItsFile(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"missing": filepath.Join(dir, "none.toml"), "a folder": dir, "in no folder": filepath.Join(dir, "no", "x.toml"),
	} {
		t.Run(name, func(t *testing.T) {
			s := reopen(t, path, nil)
			if _, err := s.Read(); err == nil || !strings.Contains(err.Error(), "the config file "+path+" cannot be read: ") {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Open("", 1, nil); err == nil {
		t.Error("an empty path opened")
	}
	t.Run("missing, and then saved", func(t *testing.T) {
		s := reopen(t, filepath.Join(dir, "new.toml"), nil)
		if backup := save(t, s, "a = 1\n"); backup != "" {
			t.Errorf("a backup %s of nothing", backup)
		}
		wantFile(t, s.Path(), "a = 1\n")
		wantOnly(t, s, "new.toml")
	})
	t.Run("missing, and then made by somebody else", func(t *testing.T) {
		for name, refused := range map[string]error{"linked.toml": nil, "renamed.toml": syscall.EPERM} {
			s := reopen(t, filepath.Join(t.TempDir(), name), nil)
			st, err := s.Stage([]byte("a = 1\n"), noon)
			if err != nil {
				t.Fatal(err)
			}
			make := func() {
				if err := os.WriteFile(s.Path(), []byte("a = 2\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if refused == nil { // at the last moment, which only a link can tell
				s.sys.link = func(from, to string) error { make(); return os.Link(from, to) }
			} else {
				make()
			}
			if _, err := s.Commit(st); !errors.Is(err, stack.ErrConflict) {
				t.Errorf("got %v, want a conflict", err)
			}
			wantFile(t, s.Path(), "a = 2\n")
		}
	})
	t.Run("missing behind a symbolic link, which stays", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link.toml")
		if err := os.Symlink("/nowhere/config.toml", link); err != nil {
			t.Fatal(err)
		}
		s := reopen(t, link, nil)
		if _, err := s.Stage([]byte("a = 1\n"), noon); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "a symbolic link to /nowhere/config.toml, which is not there") {
			t.Errorf("got %v", err)
		}
		wantOnly(t, s, "link.toml")
	})
}

func TestNamesFromADamagedJournalAreRefused(t *testing.T) {
	s := newStore(t, "a = 1\n")
	st, err := s.Stage([]byte("a = 2\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []stack.Staged{
		{Path: s.Path(), Backup: st.Backup}, {Path: "/etc/passwd", Backup: st.Backup}, {Path: st.Path, Backup: "../x"}, {Path: st.Path, Backup: "config.toml"}, {},
	} {
		if err := s.Discard(bad); err == nil {
			t.Errorf("Discard(%+v) did something", bad)
		}
		if _, err := s.Commit(bad); err == nil {
			t.Errorf("Commit(%+v) did something", bad)
		}
	}
	for _, name := range []string{"", "config.toml", "../config.toml.bak.20261125_120000", "config.toml.bak.x"} {
		if _, err := s.Backup(name); err == nil {
			t.Errorf("Backup(%q) read something", name)
		}
	}
	wantFile(t, s.Path(), "a = 1\n")
}

func TestAPipeIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, path, nil)
	if _, err := s.Read(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestReasonsKeepTheirKind(t *testing.T) {
	s := reopen(t, filepath.Join(t.TempDir(), "none.toml"), nil)
	if _, err := s.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not tell that the file is missing", err)
	}
}
