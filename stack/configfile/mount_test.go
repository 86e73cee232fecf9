package configfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// These tests run on real file systems, which takes the right to mount. Without it they fail, not
// skip: they are how the promises about full, read-only and odd file systems are known to hold.

func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		t.Fatalf("mounting %s: %v (these tests need the right to mount: run them as root, in a container with CAP_SYS_ADMIN)", target, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", target, err)
		}
	})
}

// mountHere is a mount that the test itself undoes; if it does not, its end does.
func mountHere(t *testing.T, disk, folder string) {
	t.Helper()
	if err := unix.Mount(disk, folder, "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("mounting %s: %v (see mount)", folder, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
}

func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64k,mode=755")
	return dir
}

func TestAFullDiskShowsAtStaging(t *testing.T) {
	s := openStore(t, filepath.Join(smallDisk(t), "config.toml"), "a = 1\n")
	_, err := s.Stage([]byte("a = '"+strings.Repeat("x", 100<<10)+"'\n"), noon)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "so nothing was changed: no space left on device") {
		t.Errorf("got %v", err)
	}
	wantFile(t, s.Path(), "a = 1\n")
	wantOnly(t, s, "config.toml")
	save(t, s, "a = 2\n")
	wantFile(t, s.Path(), "a = 2\n")
}

func TestADiskWithoutRoomForACopiedBackupChangesNothing(t *testing.T) {
	dir := smallDisk(t)
	s := openStore(t, filepath.Join(dir, "config.toml"), strings.Repeat("#", 20<<10)+"\n")
	s.sys.link = func(string, string) error { return syscall.EPERM }
	st, err := s.Stage([]byte("a = 1\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 32<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(st); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "cannot be backed up, so nothing was changed") {
		t.Errorf("got %v", err)
	}
	wantFile(t, s.Path(), strings.Repeat("#", 20<<10)+"\n")
	if err := s.Discard(st); err != nil {
		t.Error(err)
	}
	wantOnly(t, s, "ballast", "config.toml")
	if list, _ := s.Backups(); len(list) != 0 {
		t.Errorf("half a backup is left: %v", list)
	}
}

func TestAReadOnlyFolderShowsAtStaging(t *testing.T) {
	s := newStore(t, "a = 1\n")
	dir := filepath.Dir(s.Path())
	mount(t, dir, dir, "", unix.MS_BIND, "")
	if err := unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage([]byte("a = 2\n"), noon); !errors.Is(err, syscall.EROFS) {
		t.Errorf("got %v", err)
	}
	wantFile(t, s.Path(), "a = 1\n")
}

// mountFile makes the config file itself a mount, as a container's volume of one file is.
func mountFile(t *testing.T, content string) (s *Store, behind string) {
	t.Helper()
	behind = filepath.Join(t.TempDir(), "on-the-host.toml")
	if err := os.WriteFile(behind, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	s = newStore(t, "")
	mountOver(t, behind, s.Path())
	return s, behind
}

func mountOver(t *testing.T, file, target string) {
	t.Helper()
	mount(t, file, target, "", unix.MS_BIND, "")
}

func TestAFileThatIsItselfAMountIsWrittenInPlace(t *testing.T) {
	s, behind := mountFile(t, "a = 1\n# long enough to be cut\n")
	if w := s.Warning(); !strings.Contains(w, "is itself a mount point") {
		t.Errorf("the warning is %q", w)
	}
	before, err := os.Stat(behind)
	if err != nil {
		t.Fatal(err)
	}
	first := save(t, s, "a = 2\n")
	second := save(t, s, "a = 3\n# longer than before\n")
	wantFile(t, behind, "a = 3\n# longer than before\n")
	wantFile(t, s.Path(), "a = 3\n# longer than before\n")
	wantBackup(t, s, first, "a = 1\n# long enough to be cut\n")
	wantBackup(t, s, second, "a = 2\n")
	wantOnly(t, s, "config.toml")
	if after, err := os.Stat(behind); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file behind the mount was replaced (%v)", err)
	}
}

func TestAFileInPlaceOnAFullDiskKeepsItsContent(t *testing.T) {
	disk := smallDisk(t)
	behind := filepath.Join(disk, "small.toml")
	if err := os.WriteFile(behind, []byte("a = 1\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, "")
	mount(t, behind, s.Path(), "", unix.MS_BIND, "")
	st, err := s.Stage([]byte("a = '"+strings.Repeat("x", 100<<10)+"'\n"), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(st); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	wantFile(t, behind, "a = 1\n")
	if err := s.Discard(st); err != nil {
		t.Error(err)
	}
	wantOnly(t, s, "config.toml")
}

func TestWarningIsEmptyForAnOrdinaryFile(t *testing.T) {
	if w := newStore(t, "a = 1\n").Warning(); w != "" {
		t.Errorf("got %q", w)
	}
}

func TestMountPointsAreFoundByTheirEscapedNames(t *testing.T) {
	const text = "36 35 98:0 /mnt1 /config/my\\040config.toml rw,noatime master:1 - ext3 /dev/root rw\n"
	if !isMountPoint(text, "/config/my config.toml") || isMountPoint(text, "/config") {
		t.Error("the mount was not told from its folder")
	}
}
