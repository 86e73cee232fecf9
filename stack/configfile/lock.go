package configfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"pitstop/stack/durable"
)

// hold is the lock on the folder of the config file. Of two panels on one file, each with a state of
// its own, one would sweep away what the other has staged, and what one has just saved the other
// would replace unseen. The folder is locked and not the file, which every save replaces; and with it
// what else is one for the folder: trading.json, by which services trade or not.
type hold struct {
	mu     sync.Mutex
	folder os.FileInfo // nil: none is locked
	unlock func()      // nil: the folder cannot be locked
}

// take locks the folder that the config file is in now, which may be another one than before: a
// symbolic link leads elsewhere, a disk was gone and is back. Where there is no folder, or locks do
// not work, there is nothing to hold.
func (s *Store) take() error {
	folder := filepath.Dir(s.target())
	is, err := os.Stat(folder)
	if err != nil {
		return nil // whatever needs it will say so
	}
	h := &s.hold
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.folder != nil && os.SameFile(h.folder, is) {
		return nil
	}
	unlock, err := durable.LockFolder(folder)
	if errors.Is(err, durable.ErrLocked) {
		return fmt.Errorf("another panel works in %s, the folder of the config file %s; end it, or name a config file in a folder of its own with the setting config: %w", folder, s.path, err)
	}
	if err != nil {
		s.log.Warn("the folder of the config file cannot be locked, so nothing keeps another panel from it", "folder", folder, "error", err)
	}
	h.release()
	h.folder, h.unlock = is, unlock
	return nil
}

func (h *hold) release() {
	if h.unlock != nil {
		h.unlock()
	}
	h.folder, h.unlock = nil, nil
}

// Close lets another panel have the config file. The store must not be used after.
func (s *Store) Close() {
	s.hold.mu.Lock()
	defer s.hold.mu.Unlock()
	s.hold.release()
}
