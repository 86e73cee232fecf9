package configfile

import (
	"log/slog"
	"time"

	"pitstop/stack"
)

// Store is the config file on disk, with its backups beside it. It implements stack.ConfigStore.
type Store struct{ path string }

var _ stack.ConfigStore = (*Store)(nil)

// BackupInfo is one backup beside the config file.
type BackupInfo struct {
	Name     string
	Time     time.Time // when it was made, by its name
	Size     int64
	Revision stack.Revision
}

// Open is the store of the config file at path, keeping so many backups (0: all). The file need not
// exist yet; log may be nil.
func Open(path string, keep int, log *slog.Logger) (*Store, error) { return &Store{path: path}, nil }

func (s *Store) Path() string          { return s.path }
func (s *Store) Read() ([]byte, error) { return nil, nil }
func (s *Store) Stage(content []byte, at time.Time) (stack.Staged, error) {
	return stack.Staged{}, nil
}
func (s *Store) Commit(st stack.Staged) (backup string, err error) { return "", nil }
func (s *Store) Discard(st stack.Staged) error                     { return nil }
func (s *Store) Backup(name string) ([]byte, error)                { return nil, nil }
func (s *Store) Prune(except ...string) error                      { return nil }

// Backups lists the backups, newest first.
func (s *Store) Backups() ([]BackupInfo, error) { return nil, nil }

// Sweep removes staged files that a crash left behind, except those named.
func (s *Store) Sweep(except ...string) error { return nil }

// Warning is a sentence that a person should read before the first save; empty: none.
func (s *Store) Warning() string { return "" }
