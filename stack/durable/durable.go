// Package durable writes files so that a crash or a power cut leaves the old content or the new,
// whole. A call that has returned nil is on the disk, the folder's entry too.
//
// Nothing here locks: each file has one writer at a time, which is its owner's business.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Owner is a file's user and group.
type Owner struct{ UID, GID int }

// WriteFile replaces path by data, atomically and durably, with these permissions whatever the
// umask says. A reader sees the old file or the new one. The owner is this process's.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return WriteFileOwned(path, data, perm, nil)
}

// WriteFileOwned is WriteFile for a file that belongs to owner (nil: this process). A process that
// may not give files away gets an error and has changed nothing.
func WriteFileOwned(path string, data []byte, perm fs.FileMode, owner *Owner) (err error) {
	dir, base := filepath.Split(path)
	f, err := os.CreateTemp(dir, tempPattern(base))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if owner != nil {
		if err = f.Chown(owner.UID, owner.GID); err != nil {
			return err
		}
	}
	if err = f.Chmod(perm); err != nil { // after chown, which clears the setuid bits
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}

// RemoveFile removes path durably. A path that does not exist is no error.
func RemoveFile(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes what was created, renamed or removed in the folder durable. Where the file system
// knows no such thing, there is nothing to be done.
func SyncDir(dir string) error {
	if dir == "" {
		dir = "."
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err = d.Sync(); errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Sweep removes the temporary files that WriteFile calls for path left when they were killed.
func Sweep(path string) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	prefix, _, _ := strings.Cut(tempPattern(base), "*")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

func tempPattern(base string) string { return "." + base + ".tmp-*" }
