package durable

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// LockAsItIs is Lock for a folder in which nothing can be written, or should be. Where nobody ever
// took the lock, it fails.
func LockAsItIs(folder string) (unlock func(), err error) {
	path := filepath.Join(folder, "lock")
	unlock, err = lock(path, os.O_RDWR)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
		return lock(path, os.O_RDONLY) // enough for the lock, except on NFS
	}
	return unlock, err
}
