package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrLocked means that another process holds the lock.
var ErrLocked = errors.New("another process holds it")

// lockPatience is how long Lock waits: a program that was just killed may leave a child that holds
// what it inherited until it has become the program that it was to be.
const lockPatience = 3 * time.Second

// Lock takes the lock of a folder's file "lock", which the program's end frees, however it ends.
func Lock(folder string) (unlock func(), err error) {
	return lock(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR)
}

// LockFolder is Lock for a folder that is not the program's own: the lock is on the folder itself,
// and leaves nothing in it.
func LockFolder(folder string) (unlock func(), err error) {
	return lock(folder, os.O_RDONLY|unix.O_DIRECTORY)
}

func lock(path string, how int) (unlock func(), err error) {
	file, err := os.OpenFile(path, how, 0o600)
	if err != nil {
		return nil, err
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Since(begun) > lockPatience {
			break
		}
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	return nil, fmt.Errorf("cannot lock %s: %w", path, err)
}
