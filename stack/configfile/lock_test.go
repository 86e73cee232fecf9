package configfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pitstop/stack/durable"
)

func TestAFolderHasOnePanelAtATime(t *testing.T) {
	first := newStore(t, "a = 1\n")
	st, err := first.Stage([]byte("a = 2\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(first.Path(), link); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"on the same file":                     first.Path(),
		"by a symbolic link":                   link,
		"on another file beside one gate file": filepath.Join(filepath.Dir(first.Path()), "other.toml"),
	} {
		t.Run("not a second one "+name, func(t *testing.T) {
			t.Parallel() // each waits for a panel that may be ending
			_, err := Open(path, 0, nil)
			if !errors.Is(err, durable.ErrLocked) || !strings.Contains(err.Error(), "another panel works in "+filepath.Dir(first.Path())) || !strings.Contains(err.Error(), "end it, or name") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Cleanup(func() { // after the parallel ones
		wantFile(t, st.Path, "a = 2\n")
		first.Close()
		second := reopen(t, first.Path(), nil)
		if err := second.Sweep(); err != nil {
			t.Error(err)
		}
		save(t, second, "a = 3\n")
		wantFile(t, first.Path(), "a = 3\n")
		wantOnly(t, second, "config.toml")
	})
}

// The disk goes and comes back while the panel runs: unmounted by hand, a server restarted.
func TestADiskThatIsGoneForAWhile(t *testing.T) {
	disk, folder := t.TempDir(), t.TempDir()
	attach := func() { mountHere(t, disk, folder) }
	detach := func() {
		t.Helper()
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
	}
	attach()
	s := openStore(t, filepath.Join(folder, "config.toml"), "a = 1\n")
	first := save(t, s, "a = 2\n")
	st, err := s.Stage([]byte("a = 3\n"), noon)
	if err != nil {
		t.Fatal(err)
	}

	detach()
	says := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	_, err = s.Read()
	says("Read", err, "the config file "+s.Path()+" cannot be read: no such file or directory")
	_, err = s.Commit(st)
	says("Commit", err, s.Path()+" is gone")
	_, err = s.Backup(first)
	says("Backup", err, "cannot be read: no such file or directory")
	if err := errors.Join(s.Discard(st), s.Sweep(), s.Prune()); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("under the mount point lies %v (%v)", entries, err)
	}

	attach()
	wantFile(t, s.Path(), "a = 2\n")
	wantBackup(t, s, first, "a = 1\n")
	if err := s.Sweep(); err != nil {
		t.Error(err)
	}
	second := save(t, s, "a = 4\n")
	wantFile(t, s.Path(), "a = 4\n")
	wantBackup(t, s, second, "a = 2\n")
	wantOnly(t, s, "config.toml")
	detach()

	t.Run("the folder too is gone, and another panel has it when it is back", func(t *testing.T) {
		away := folder + ".away"
		if err := os.Rename(folder, away); err != nil {
			t.Fatal(err)
		}
		_, err := s.Stage([]byte("a = 5\n"), noon)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "so nothing was changed") {
			t.Errorf("Stage: got %v", err)
		}
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		other := openStore(t, filepath.Join(folder, "config.toml"), "a = 1\n")
		_, err = s.Stage([]byte("a = 5\n"), noon)
		says("Stage", err, "so nothing was changed: another panel works in "+folder)
		other.Close()
		save(t, s, "a = 5\n")
		if _, err := Open(s.Path(), 0, nil); !errors.Is(err, durable.ErrLocked) {
			t.Errorf("the new folder is not locked: %v", err)
		}
	})
}
