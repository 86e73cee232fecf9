package durable

import (
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheLockOfAFolderInWhichNothingCanBeWritten(t *testing.T) {
	folder := t.TempDir()
	if _, err := LockAsItIs(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a lock: got %v, want that there is none", err)
	}
	unlock, err := Lock(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockAsItIs(folder); !errors.Is(err, ErrLocked) {
		t.Errorf("second: got %v, want ErrLocked", err)
	}
	unlock()
	if err := unix.Mount(folder, folder, "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("%v (this test needs the right to mount)", err)
	}
	defer func() { _ = unix.Unmount(folder, unix.MNT_DETACH) }()
	if err := unix.Mount("", folder, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	unlock, err = LockAsItIs(folder)
	if err != nil {
		t.Fatalf("in a folder that is read-only: %v", err)
	}
	if _, err := LockAsItIs(folder); !errors.Is(err, ErrLocked) {
		t.Errorf("second in a folder that is read-only: got %v, want ErrLocked", err)
	}
	unlock()
}
