package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrNoExchange means that the file system cannot let two files change places.
var ErrNoExchange = errors.New("the file system cannot exchange two files")

// Staged is what a file is to become, whole, beside it. Sync makes it durable; Replace, Exchange or
// Create gives it its place, which is durable after SyncDir. One that is not to have it is for Discard.
type Staged struct {
	path string
	file *os.File
}

// Stage writes data beside path, with these permissions whatever the umask says. The owner is this
// process, or the one that is named.
func Stage(path string, data []byte, perm fs.FileMode, owner *Owner) (staged *Staged, err error) {
	dir, base := filepath.Split(path)
	f, err := os.CreateTemp(dir, tempPattern(base))
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	s := &Staged{path: path, file: f}
	defer func() {
		if err != nil {
			s.Discard()
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return nil, err
	}
	if owner != nil {
		if err = f.Chown(owner.UID, owner.GID); err != nil {
			return nil, err
		}
	}
	if err = f.Chmod(perm); err != nil { // after chown, which clears the setuid bits
		return nil, err
	}
	return s, nil
}

// Sync waits until the content is on the disk.
func (s *Staged) Sync() error { return s.named(s.file.Sync()) }

// Stat is the file that was staged, also once it has its place.
func (s *Staged) Stat() (fs.FileInfo, error) { return s.file.Stat() }

// Replace puts it in the place of the file, or where there is none. What was there is gone.
func (s *Staged) Replace() error {
	if err := os.Rename(s.file.Name(), s.path); err != nil {
		return s.named(err)
	}
	return s.named(s.file.Close())
}

// Exchange lets it and the file change places, in one step, and may be called again to undo that: what
// came out of the place is at Out, until Discard removes it. ErrNoExchange: as it was.
func (s *Staged) Exchange() error { return s.move(unix.RENAME_EXCHANGE) }

// Create gives it its place if there is nothing; otherwise the error wraps fs.ErrExist.
func (s *Staged) Create() error { return s.move(unix.RENAME_NOREPLACE) }

func (s *Staged) move(flags uint) error {
	err := unix.Renameat2(unix.AT_FDCWD, s.file.Name(), unix.AT_FDCWD, s.path, flags)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		err = ErrNoExchange
	}
	return s.named(err)
}

// Out is the path beside the file.
func (s *Staged) Out() string { return s.file.Name() }

// Discard removes what lies beside the file.
func (s *Staged) Discard() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}

func (s *Staged) named(err error) error {
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.path, err)
	}
	return nil
}
