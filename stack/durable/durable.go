// Package durable writes files so that a crash or a power cut leaves the old content or the new,
// whole. A call that has returned nil is on the disk, the folder's entry too.
//
// Nothing here locks: each file has one writer at a time, which is its owner's business.
package durable

import (
	"errors"
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
func WriteFileOwned(path string, data []byte, perm fs.FileMode, owner *Owner) error {
	staged, err := Stage(path, data, perm, owner)
	if err != nil {
		return err
	}
	if err = staged.Sync(); err == nil {
		err = staged.Replace()
	}
	if err != nil {
		staged.Discard()
		return err
	}
	return SyncDir(filepath.Dir(path))
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

// SyncFile makes durable what the file at path holds now.
func SyncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
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
	left, err := leftovers(path)
	for _, temporary := range left {
		err = errors.Join(err, os.Remove(temporary))
	}
	return err
}

// Leftovers are the paths of what Sweep would remove.
func Leftovers(path string) []string {
	left, _ := leftovers(path)
	return left
}

func leftovers(path string) (left []string, err error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	prefix, _, _ := strings.Cut(tempPattern(base), "*")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			left = append(left, filepath.Join(dir, e.Name()))
		}
	}
	return left, err
}

func tempPattern(base string) string { return "." + base + ".tmp-*" }
