package configfile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// linkless mounts real file systems without hard links. Few kernels that tests run on know FAT or
// exFAT, so these are drivers in user space, from Debian packages that .ci/install brings.
var linkless = map[string]func(t *testing.T, image, dir string){
	fat: func(t *testing.T, image, dir string) {
		run(t, "mkfs.vfat", image)
		run(t, "fusefat", "-o", "rw+", image, dir)
	},
	exfat: func(t *testing.T, image, dir string) {
		run(t, "mkfs.exfat", image)
		device := strings.TrimSpace(run(t, "losetup", "--find", "--show", image))
		t.Cleanup(func() { run(t, "losetup", "--detach", device) })
		run(t, "mount.exfat-fuse", "-o", "noatime", device, dir)
	},
}

const (
	fat   = "FAT, which has no modes either"
	exfat = "exFAT"
)

func run(t *testing.T, name string, args ...string) (out string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log")) // no pipe: a daemon would keep it open
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	failed := cmd.Run()
	text, _ := os.ReadFile(log.Name())
	if failed != nil {
		t.Fatalf("%s: %v: %s (these tests need root, /dev/fuse, /dev/loop* and what .ci/install installs)", cmd, failed, text)
	}
	return string(text)
}

func onLinkless(t *testing.T, kinds []string, test func(t *testing.T, dir string)) {
	for _, name := range kinds {
		attach := linkless[name]
		t.Run("on "+name, func(t *testing.T) {
			image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
			if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 4<<20)); err != nil {
				t.Fatal(err)
			}
			attach(t, image, dir)
			t.Cleanup(func() { // before the loop device goes
				if err := unix.Unmount(dir, 0); err != nil {
					t.Errorf("unmounting %s: %v", dir, err)
				}
			})
			probe := filepath.Join(dir, "probe")
			if err := os.WriteFile(probe, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(probe, probe+".2"); !errors.Is(err, syscall.EPERM) {
				t.Fatalf("a hard link got %v, so this would show nothing", err)
			}
			if err := os.Remove(probe); err != nil {
				t.Fatal(err)
			}
			test(t, dir)
		})
	}
}

func TestWithoutHardLinks(t *testing.T) {
	onLinkless(t, []string{fat, exfat}, func(t *testing.T, dir string) {
		s := openStore(t, filepath.Join(dir, "config.toml"), "a = 1\n")
		s.keep = 2
		first := save(t, s, "a = 2\n")
		wantFile(t, s.Path(), "a = 2\n")
		wantBackup(t, s, first, "a = 1\n")
		second := save(t, s, "a = 3\n")
		third := save(t, s, "a = 2\n")
		if err := s.Prune(); err != nil {
			t.Error(err)
		}
		wantFile(t, s.Path(), "a = 2\n")
		wantBackup(t, s, second, "a = 2\n")
		wantBackup(t, s, third, "a = 3\n")
		if list, err := s.Backups(); len(list) != 2 {
			t.Errorf("there are the backups %v (%v), want 2", list, err)
		}

		st, err := s.Stage([]byte("a = 4\n"), noon)
		if err != nil {
			t.Fatal(err)
		}
		s = reopen(t, s.Path(), s) // a crash, and the next start
		if err := s.Discard(st); err != nil {
			t.Error(err)
		}
		wantOnly(t, s, "config.toml")
		s.Close() // it keeps the disk busy
	})
}

func TestAFullDiskWithoutHardLinksChangesNothing(t *testing.T) {
	// Not on FAT: its driver calls a full disk a missing permission.
	onLinkless(t, []string{exfat}, func(t *testing.T, dir string) {
		s := openStore(t, filepath.Join(dir, "config.toml"), "a = 1\n")
		first := save(t, s, "a = 2\n")
		free := fill(t, dir)
		if _, err := s.Stage([]byte("a = 1\n"), noon); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "so nothing was changed") {
			t.Errorf("got %v, want that there is no room", err)
		}
		wantFile(t, s.Path(), "a = 2\n")
		wantBackup(t, s, first, "a = 1\n")
		wantOnly(t, s, "ballast", "config.toml")
		free()
		save(t, s, "a = 1\n")
		wantFile(t, s.Path(), "a = 1\n")
		s.Close()
	})
}
