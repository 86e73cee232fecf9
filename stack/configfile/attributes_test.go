package configfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheOwnerIsKept(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("LOUD: changing owners needs root; this test shows nothing here")
	}
	s := newStore(t, "a = 1\n")
	if err := os.Chown(s.Path(), 12345, 54321); err != nil {
		t.Fatal(err)
	}
	save(t, s, "a = 2\n")
	info, err := os.Stat(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 12345 || st.Gid != 54321 || info.Mode() != 0o640 {
		t.Errorf("the file belongs to %d:%d with %v", st.Uid, st.Gid, info.Mode())
	}
}

// acl lets user 12345 read besides the owner, and nobody else; in the kernel's own form.
var acl = []byte{2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255, // the owner: read and write
	2, 0, 4, 0, 0x39, 0x30, 0, 0, // user 12345: read
	4, 0, 0, 0, 255, 255, 255, 255, // the group: nothing
	16, 0, 4, 0, 255, 255, 255, 255, // at most, but for the owner: read
	32, 0, 0, 0, 255, 255, 255, 255} // everybody else: nothing

func setAttribute(t *testing.T, path, name string, value []byte) {
	t.Helper()
	if err := unix.Setxattr(path, name, value, 0); err != nil {
		t.Fatalf("%s cannot be set on %s: %v (this test needs a file system with ACLs and attributes under TMPDIR, as ext4, xfs, btrfs and tmpfs have)", name, path, err)
	}
}

func wantAttribute(t *testing.T, path, name, want string) {
	t.Helper()
	value := make([]byte, 1<<10)
	n, err := unix.Getxattr(path, name, value)
	if n = max(n, 0); string(value[:n]) != want || (err != nil) != (want == "") {
		t.Errorf("%s has %s %q (%v), want %q", filepath.Base(path), name, value[:n], err, want)
	}
}

func TestAttributesAreKept(t *testing.T) {
	t.Run("the ACL and the user's own, on linked and copied backups too", func(t *testing.T) {
		s := newStore(t, "a = 1\n")
		setAttribute(t, s.Path(), aclAttribute, acl)
		setAttribute(t, s.Path(), "user.team", []byte("desk 4"))
		linked := save(t, s, "a = 2\n")
		s.sys.link = func(string, string) error { return syscall.EPERM }
		copied := save(t, s, "a = 3\n")
		for _, path := range []string{s.Path(), filepath.Join(filepath.Dir(s.Path()), linked), filepath.Join(filepath.Dir(s.Path()), copied)} {
			wantAttribute(t, path, aclAttribute, string(acl))
			wantAttribute(t, path, "user.team", "desk 4")
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
				t.Errorf("%s has %v (%v), want 0640", filepath.Base(path), info.Mode(), err)
			}
		}
	})
	t.Run("nobody is let in by the folder's default ACL", func(t *testing.T) {
		s := newStore(t, "a = 1\n")
		setAttribute(t, filepath.Dir(s.Path()), "system.posix_acl_default", acl)
		save(t, s, "a = 2\n")
		wantAttribute(t, s.Path(), aclAttribute, "")
		if info, err := os.Stat(s.Path()); err != nil || info.Mode() != 0o640 {
			t.Errorf("the mode is %v (%v), want 0640", info.Mode(), err)
		}
	})
}

// Whoever reads the file by its owner or group would be shut out of the new one, and of the old one
// too when it is put back: no service could load either.
func TestAnOwnerThatCannotBeKept(t *testing.T) {
	for name, c := range map[string]struct {
		uid, gid int
		mode     fs.FileMode
		refused  string // empty: saved
	}{
		"is a warning where everybody may read":           {12345, 54321, 0o644, ""},
		"is refused where not":                            {12345, 0, 0o640, "its owner, user 12345, cannot be kept"},
		"and neither can the group":                       {12345, 54321, 0o640, "its owner, user 12345, and its group, 54321, cannot be kept"},
		"is a warning where the group could not read":     {0, 54321, 0o600, ""},
		"is refused where the group alone is another one": {0, 54321, 0o640, "its group, 54321, cannot be kept"},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Fatal("changing owners takes root")
			}
			s := newStore(t, "a = 1\n")
			if err := errors.Join(os.Chown(s.Path(), c.uid, c.gid), os.Chmod(s.Path(), c.mode)); err != nil {
				t.Fatal(err)
			}
			s.sys.chown = func(string, int, int) error { return syscall.EPERM }
			if c.refused == "" {
				save(t, s, "a = 2\n")
				wantFile(t, s.Path(), "a = 2\n")
				return
			}
			_, err := s.Stage([]byte("a = 2\n"), noon)
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "so nothing was changed: "+c.refused) {
				t.Errorf("got %v, want %q", err, c.refused)
			}
			wantFile(t, s.Path(), "a = 1\n")
			wantOnly(t, s, "config.toml")
		})
	}
	t.Run("makes a copied backup readable by Pitstop alone", func(t *testing.T) {
		s := newStore(t, "a = 1\n")
		if err := os.Chown(s.Path(), 12345, 54321); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(filepath.Dir(s.Path()), "copy")
		s.sys.chown = func(string, int, int) error { return syscall.EPERM }
		if err := s.copyBackup(s.Path(), path, []byte("a = 1\n")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("the copy has %v (%v), want 0600", info.Mode(), err)
		}
	})
	t.Run("does not matter to a file that is written in place", func(t *testing.T) {
		s, behind := mountFile(t, "a = 1\n")
		if err := os.Chown(behind, 12345, 54321); err != nil {
			t.Fatal(err)
		}
		s.sys.chown = func(string, int, int) error { return syscall.EPERM }
		save(t, s, "a = 2\n")
		wantFile(t, behind, "a = 2\n")
		if info, err := os.Stat(behind); err != nil || info.Mode() != 0o640 || info.Sys().(*syscall.Stat_t).Uid != 12345 {
			t.Errorf("the file became %v (%v)", info, err)
		}
	})
}

// What cannot be replaced shows at staging, not while the stack stands still.
func TestAFileThatCannotBeReplacedIsNotStaged(t *testing.T) {
	refused := func(t *testing.T, s *Store, want string) {
		t.Helper()
		if _, err := s.Stage([]byte("a = 2\n"), noon); err == nil || !strings.Contains(err.Error(), "so nothing was changed: "+want) {
			t.Errorf("got %v, want %q", err, want)
		}
		wantFile(t, s.Path(), "a = 1\n")
		wantOnly(t, s, "config.toml")
	}
	t.Run("an immutable one", func(t *testing.T) {
		s := newStore(t, "a = 1\n")
		mark := func(flags int) {
			f, err := os.Open(s.Path())
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags); err != nil {
				t.Fatalf("chattr: %v (this test needs a file system with immutable files under TMPDIR, as ext4, xfs and btrfs have)", err)
			}
		}
		const immutable = 0x10 // FS_IMMUTABLE_FL
		mark(immutable)
		defer mark(0)
		refused(t, s, "it is marked as immutable")
		mark(0)
		save(t, s, "a = 2\n")
	})
	t.Run("a mount point that is read-only", func(t *testing.T) {
		s, _ := mountFile(t, "a = 1\n")
		if err := unix.Mount("", s.Path(), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		refused(t, s, "it is a mount point, so it can only be written in place, which is not allowed: read-only file system")
	})
}
