package stacktest

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"pitstop/stack"
)

// ConfigHarness is a config store for TestConfigStore.
type ConfigHarness struct {
	Store stack.ConfigStore
	// Edit writes to the live file as somebody else would.
	Edit func(t *testing.T, content []byte)
	// Staged lists the staged files that lie about, by path.
	Staged func(t *testing.T) []string
}

// TestConfigStore is the contract of stack.ConfigStore as a test. open makes a new store, keeping
// 3 backups, whose live file holds content.
func TestConfigStore(t *testing.T, open func(t *testing.T, content []byte) ConfigHarness) {
	t.Helper()
	old, new := []byte("a = 1\n"), []byte("a = 2\n")
	at := time.Date(2026, 11, 25, 20, 30, 0, 0, time.Local)
	read := func(t *testing.T, h ConfigHarness, want []byte) {
		t.Helper()
		if got, err := h.Store.Read(); err != nil || string(got) != string(want) {
			t.Errorf("Read: got %q, %v; want %q", got, err, want)
		}
	}
	stage := func(t *testing.T, h ConfigHarness, content []byte) stack.Staged {
		t.Helper()
		s, err := h.Store.Stage(content, at)
		must(t, "Stage", err)
		return s
	}
	commit := func(t *testing.T, h ConfigHarness, s stack.Staged) string {
		t.Helper()
		backup, err := h.Store.Commit(s)
		must(t, "Commit", err)
		return backup
	}
	wantStaged := func(t *testing.T, h ConfigHarness, want int) {
		t.Helper()
		if got := h.Staged(t); len(got) != want {
			t.Errorf("staged files: got %q, want %d", got, want)
		}
	}

	t.Run("staging changes nothing and says what it found", func(t *testing.T) {
		h := open(t, old)
		s := stage(t, h, new)
		if s.From != stack.RevisionOf(old) || s.To != stack.RevisionOf(new) || s.Path == "" || s.Backup == "" {
			t.Errorf("got %+v", s)
		}
		if s.Backup != filepath.Base(s.Backup) {
			t.Errorf("the backup's name is a path: %q", s.Backup)
		}
		read(t, h, old)
		wantStaged(t, h, 1)
		if _, err := h.Store.Backup(s.Backup); err == nil {
			t.Error("there is a backup already")
		}
	})
	t.Run("a commit replaces the file and keeps the old bytes", func(t *testing.T) {
		h := open(t, old)
		s := stage(t, h, new)
		name := commit(t, h, s)
		if name != s.Backup {
			t.Errorf("backup: got %q, want the staged name %q", name, s.Backup)
		}
		read(t, h, new)
		wantStaged(t, h, 0)
		if got, err := h.Store.Backup(name); err != nil || string(got) != string(old) {
			t.Errorf("Backup: got %q, %v; want %q", got, err, old)
		}
	})
	t.Run("a commit onto a file that somebody changed is a conflict and changes nothing", func(t *testing.T) {
		h := open(t, old)
		s := stage(t, h, new)
		theirs := []byte("a = 3\n")
		h.Edit(t, theirs)
		if _, err := h.Store.Commit(s); !errors.Is(err, stack.ErrConflict) {
			t.Errorf("Commit: got %v, want ErrConflict", err)
		}
		read(t, h, theirs)
		must(t, "Discard", h.Store.Discard(s))
		wantStaged(t, h, 0)
	})
	t.Run("discarding removes what was staged, and may be done again", func(t *testing.T) {
		h := open(t, old)
		s := stage(t, h, new)
		for range 2 {
			must(t, "Discard", h.Store.Discard(s))
		}
		wantStaged(t, h, 0)
		read(t, h, old)
		s = stage(t, h, new)
		commit(t, h, s)
		must(t, "Discard after Commit", h.Store.Discard(s))
		read(t, h, new)
	})
	t.Run("two saves in one second keep two backups", func(t *testing.T) {
		h := open(t, old)
		first := commit(t, h, stage(t, h, new))
		second := commit(t, h, stage(t, h, old))
		if first == second {
			t.Fatalf("both are %q", first)
		}
		for name, want := range map[string][]byte{first: old, second: new} {
			if got, err := h.Store.Backup(name); err != nil || string(got) != string(want) {
				t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
			}
		}
	})
	t.Run("pruning keeps the newest, and what is named", func(t *testing.T) {
		h := open(t, old)
		var names []string
		for n := range 6 {
			at = at.Add(time.Minute)
			names = append(names, commit(t, h, stage(t, h, []byte{'#', byte('0' + n), '\n'})))
		}
		must(t, "Prune", h.Store.Prune(names[0]))
		for n, name := range names {
			_, err := h.Store.Backup(name)
			if kept, want := err == nil, n == 0 || n >= 3; kept != want {
				t.Errorf("backup %d of 6: kept is %v, want %v", n+1, kept, want)
			}
		}
	})
	t.Run("a backup is named by its base name only", func(t *testing.T) {
		h := open(t, old)
		name := commit(t, h, stage(t, h, new))
		for _, bad := range []string{"", ".", "..", "../" + name, "/" + name, filepath.Base(h.Store.Path()), name + "x"} {
			if got, err := h.Store.Backup(bad); err == nil {
				t.Errorf("Backup(%q): got %q, want an error", bad, got)
			}
		}
	})
}
