package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFile(t *testing.T) {
	t.Run("creates and replaces, with the mode asked for", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "f")
		for n, content := range []string{"one", "two\n", ""} {
			perm := []fs.FileMode{0o600, 0o666, 0o440}[n] // 0666 is more than a usual umask lets through
			if err := WriteFile(path, []byte(content), perm); err != nil {
				t.Fatal(err)
			}
			wantFile(t, path, content)
			if info, _ := os.Stat(path); info.Mode().Perm() != perm {
				t.Errorf("mode: got %v, want %v", info.Mode().Perm(), perm)
			}
		}
		wantOnly(t, filepath.Dir(path), "f")
	})
	t.Run("replaces the file for those who open it, not for those who have it open", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "f")
		if err := WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		reader, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		if err := WriteFile(path, []byte("new and longer"), 0o600); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 100)
		if n, _ := reader.Read(got); string(got[:n]) != "old" {
			t.Errorf("the reader: got %q, want the old file", got[:n])
		}
	})
	t.Run("leaves nothing when it fails", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil { // a folder is in the way
			t.Fatal(err)
		}
		if err := WriteFile(path, []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names the path", err)
		}
		wantOnly(t, dir, "f")
		if err := WriteFile(filepath.Join(dir, "none", "f"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("in a folder that is not there: got %v", err)
		}
	})
	t.Run("gives the file to its owner", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "f")
		owner := Owner{os.Getuid(), os.Getgid()}
		if os.Getuid() == 0 {
			owner = Owner{12345, 54321}
		}
		if err := WriteFileOwned(path, nil, 0o600, &owner); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != owner.UID || int(st.Gid) != owner.GID {
			t.Errorf("got %d:%d, want %+v", st.Uid, st.Gid, owner)
		}
	})
	t.Run("takes a relative path", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if err := WriteFile("f", []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantFile(t, "f", "x")
		if err := RemoveFile("f"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, line := range []string{"one", "two"} {
		if err := Append(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantFile(t, path, "one\ntwo\n")
	if err := os.WriteFile(path, []byte("one\ntw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Append(path, []byte("three"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "one\ntw\nthree\n")
	if err := Append(path, []byte("a\nb"), 0o600); err == nil {
		t.Error("a line with a line end: got no error")
	}
	wantFile(t, path, "one\ntw\nthree\n")
}

func TestAppendSaysThatTheDiskIsFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Log("this system has no /dev/full: nothing to test")
		return
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	if err := Append(path, []byte("line"), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want no space", err)
	}
}

func TestRemoveFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := RemoveFile(path); err != nil {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RemoveFile(path); err != nil {
		t.Error(err)
	}
	wantOnly(t, filepath.Dir(path))
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f", ".f.tmp-123", ".g.tmp-1", "f.tmp-1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(filepath.Join(dir, "f")); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, ".g.tmp-1", "f", "f.tmp-1")
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v; want %q", filepath.Base(path), got, err, want)
	}
}

func wantOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func TestSyncDir(t *testing.T) {
	t.Run("is no error where folders cannot be synced", func(t *testing.T) {
		d, err := os.Open("/proc")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.Sync(); !errors.Is(err, syscall.EINVAL) {
			t.Fatalf("syncing /proc got %v, so this would show nothing", err)
		}
		if err := SyncDir("/proc"); err != nil {
			t.Error(err)
		}
	})
	t.Run("is one where there is no folder", func(t *testing.T) {
		if err := SyncDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}
