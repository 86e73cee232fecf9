package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockTimeout is how long a new panel waits for the one before it. A killed panel frees its lock at
// once, except that a process it was just starting holds it until that process is the service.
const lockTimeout = 3 * time.Second

// takeLock makes this the only panel that supervises in this folder.
func takeLock(folder string) (*os.File, error) {
	path := filepath.Join(folder, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("could not open the lock of the process backend: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	var failed error
	waited := until(ctx, func() bool {
		failed = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		return failed == nil || !errors.Is(failed, unix.EWOULDBLOCK)
	})
	if waited != nil {
		failed = errors.New("another Pitstop supervises the services of this state folder")
	}
	if failed != nil {
		_ = file.Close()
		return nil, fmt.Errorf("could not lock %s: %w", path, failed)
	}
	return file, nil
}
