package configfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pitstop/stack"
)

// Recreate puts content where there is no config file any more, with the mode and owner of the newest
// backup: those that the file itself had. A file that is there by now is left alone (ErrConflict).
func (s *Store) Recreate(content []byte) (err error) {
	st, err := s.Stage(content, time.Now())
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Discard(st))
		}
	}()
	if st.From != "" {
		return fmt.Errorf("there is a config file %s again: %w", s.path, stack.ErrConflict)
	}
	target := s.target()
	names, err := s.names(target)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		if err := s.asBackup(st.Path, filepath.Join(filepath.Dir(target), names[len(names)-1])); err != nil {
			return fmt.Errorf("%s cannot be given the owner and mode that it had: %w", target, reason(err))
		}
	}
	_, err = s.Commit(st)
	return err
}

func (s *Store) asBackup(path, backup string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	mode, err := s.like(f, backup)
	if err == nil {
		err = setMode(f, mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return err
}
