package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestStaged(t *testing.T) {
	stage := func(t *testing.T) (path string, s *Staged) {
		t.Helper()
		path = filepath.Join(t.TempDir(), "f")
		s, err := Stage(path, []byte("new"), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		return path, s
	}
	write := func(t *testing.T, path, content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("changes places with the file, and back", func(t *testing.T) {
		path, s := stage(t)
		write(t, path, "old")
		for n, want := range [][2]string{{"new", "old"}, {"old", "new"}} {
			if err := s.Exchange(); err != nil {
				t.Fatalf("exchange %d: %v", n, err)
			}
			wantFile(t, path, want[0])
			wantFile(t, s.Out(), want[1])
		}
		s.Discard()
		wantFile(t, path, "old")
		wantOnly(t, filepath.Dir(path), "f")
	})
	t.Run("cannot change places with nothing, and takes its place only if there is nothing", func(t *testing.T) {
		path, s := stage(t)
		if err := s.Exchange(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("exchange: got %v, want that there is nothing", err)
		}
		write(t, path, "old")
		if err := s.Create(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("create: got %v, want that there is something", err)
		}
		wantFile(t, path, "old")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := s.Create(); err != nil {
			t.Fatal(err)
		}
		s.Discard()
		wantFile(t, path, "new")
		wantOnly(t, filepath.Dir(path), "f")
	})
	t.Run("leaves nothing where it is not taken", func(t *testing.T) {
		path, s := stage(t)
		s.Discard()
		wantOnly(t, filepath.Dir(path))
	})
}
