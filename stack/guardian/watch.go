package guardian

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The watch is a file in the state folder that names the guardian of the newest run, under a lock
// that is held while the name is changed and while a guardian acts. A guardian that is no longer
// named does nothing more.

func watchPath(state string) string { return filepath.Join(state, "guardian") }

// watchTimeout is how long a new guardian waits for an old one that is just acting.
const watchTimeout = 2 * attemptTimeout

// takeWatch names a new guardian.
func takeWatch(ctx context.Context, path string) (name string, err error) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	file, err := lockWatch(ctx, path, os.O_CREATE|os.O_RDWR, unix.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	name = rand.Text()
	if err := file.Truncate(0); err != nil {
		return "", fmt.Errorf("could not relieve an earlier guardian: %w", err)
	}
	if _, err := file.WriteString(name); err != nil {
		return "", fmt.Errorf("could not relieve an earlier guardian: %w", err)
	}
	return name, nil
}

// onWatch calls act if this order's guardian is still the one on watch, and nobody can relieve it
// before act returns. Several may act at once for the same order.
//
// Only another name, or another's hold of the lock, says that somebody has relieved it. Where the file
// cannot be opened or read, since the state folder was cleared away or its disk is gone, it acts, and
// the error says why it is unsure: a stack that stays paused is worse.
func onWatch(ctx context.Context, o order, act func()) (mine bool, err error) {
	file, err := lockWatch(ctx, o.Watch, os.O_RDONLY, unix.LOCK_SH)
	if errors.Is(err, errHeld) {
		return false, err
	}
	if err != nil {
		act()
		return true, err
	}
	defer func() { _ = file.Close() }()
	name, err := io.ReadAll(file)
	if err == nil && string(name) != o.Name {
		return false, nil
	}
	act()
	if err != nil {
		return true, fmt.Errorf("could not read who is on watch: %w", err)
	}
	return true, nil
}

// errHeld means that the lock was not to be had before the context ended.
var errHeld = errors.New("another holds it")

func lockWatch(ctx context.Context, path string, flag, how int) (*os.File, error) {
	file, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, fmt.Errorf("could not open the guardians' watch: %w", err)
	}
	for {
		err := unix.Flock(int(file.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			err = nil
		}
		select {
		case <-ctx.Done():
			err = fmt.Errorf("%w: %w", errHeld, context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("could not lock the guardians' watch %s: %w", path, err), file.Close())
		}
	}
}
