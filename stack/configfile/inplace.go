package configfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"pitstop/stack"
)

// A file that is itself a mount point cannot be replaced by rename (EBUSY), only written in place.
// A crash in the middle leaves neither the old nor the new content. So a marker names the staged
// file and the backup, both whole and durable, for as long as the write takes. Whoever finds the
// marker finishes the write (Open, Commit of the same Staged) or undoes it (Discard).

// marker says that a write in place is under way.
type marker struct {
	Staged stack.Staged `json:"staged"`
}

func markerPath(target string) string {
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".pitstop.inplace")
}

func readMarker(target string) (marker, bool) {
	var m marker
	b, err := os.ReadFile(markerPath(target))
	if err != nil || json.Unmarshal(b, &m) != nil {
		return marker{}, false // a torn marker was written before anything else was
	}
	return m, true
}

func (s *Store) writeMarker(target string, m marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := s.removeMarker(target); err != nil {
		return err
	}
	if err := copyNew(markerPath(target), b, 0o600); err != nil {
		return err
	}
	return s.sys.syncDir(filepath.Dir(target))
}

func (s *Store) removeMarker(target string) error {
	if err := os.Remove(markerPath(target)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// commitInPlace finishes a Commit whose rename met a mount point.
func (s *Store) commitInPlace(target string, st stack.Staged, old []byte, linked bool) (string, error) {
	path := filepath.Join(filepath.Dir(target), st.Backup)
	give := func(what string, err error) (string, error) {
		os.Remove(path)
		return "", fmt.Errorf("%s is a mount point, and %s, so nothing was changed: %w", target, what, reason(err))
	}
	if linked { // a second name of the file that is about to be written is no backup
		if err := os.Remove(path); err != nil {
			return give("its backup cannot be made anew", err)
		}
		if err := copyBackup(target, path, old); err != nil {
			return give("its backup cannot be written", err)
		}
	}
	content, err := readRegular(st.Path)
	if err != nil {
		return give("the staged file cannot be read", err)
	}
	if stack.RevisionOf(content) != st.To {
		return give("the staged file is not the one that was staged", errors.New("its revision differs"))
	}
	if err := s.writeMarker(target, marker{st}); err != nil {
		return give("the write cannot be made safe against a crash", err)
	}
	if err := overwrite(target, content); err != nil {
		err = fmt.Errorf("%s is a mount point and cannot be written in place: %w", target, reason(err))
		if undo := s.undoInPlace(target, marker{st}); undo != nil {
			return st.Backup, errors.Join(err, undo)
		}
		os.Remove(path)
		return "", err
	}
	return st.Backup, s.afterInPlace(target, st)
}

// finishInPlace writes what an interrupted write in place was about to.
func (s *Store) finishInPlace(target string, m marker) error {
	content, err := readRegular(m.Staged.Path)
	if err == nil && stack.RevisionOf(content) != m.Staged.To {
		err = errors.New("its revision differs")
	}
	if err != nil {
		s.log.Warn("the staged file of an interrupted write is lost, so the backup is put back",
			"staged", m.Staged.Path, "backup", m.Staged.Backup, "error", err)
		return s.undoInPlace(target, m)
	}
	if err := overwrite(target, content); err != nil {
		return fmt.Errorf("the interrupted write of %s cannot be finished: %w", target, reason(err))
	}
	return s.afterInPlace(target, m.Staged)
}

func (s *Store) afterInPlace(target string, st stack.Staged) error {
	if err := s.removeMarker(target); err != nil {
		return fmt.Errorf("the new config is in place, but %s cannot be removed: %w", markerPath(target), reason(err))
	}
	if err := os.Remove(st.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("a staged config file is left over", "path", st.Path, "error", err)
	}
	return reason(s.sys.syncDir(filepath.Dir(target)))
}

// undoInPlace puts the old content back, from the backup.
func (s *Store) undoInPlace(target string, m marker) error {
	old, err := s.Backup(m.Staged.Backup)
	if err == nil && stack.RevisionOf(old) != m.Staged.From {
		err = fmt.Errorf("the backup %s is not what it was", m.Staged.Backup)
	}
	if err == nil {
		err = overwrite(target, old)
	}
	if err == nil {
		err = s.removeMarker(target)
	}
	if err != nil {
		return fmt.Errorf("the interrupted write of %s cannot be undone: %w", target, err)
	}
	return nil
}

// repair finishes a write in place that a crash interrupted.
func (s *Store) repair() error {
	target := s.target()
	m, ok := readMarker(target)
	if !ok {
		if _, err := os.Lstat(markerPath(target)); err != nil {
			return nil
		}
		return s.removeMarker(target)
	}
	if err := s.owns(target, m.Staged); err != nil {
		return err
	}
	if err := s.finishInPlace(target, m); err != nil {
		return err
	}
	s.log.Warn("finished a write of the config file that a crash had interrupted", "path", target, "revision", m.Staged.To.Short())
	return nil
}

// overwrite changes a file's content without replacing the file. The space is reserved first where
// the file system can, and the file never becomes shorter than what is written so far.
func overwrite(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if len(content) > 0 {
		err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, int64(len(content)))
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			return err
		}
	}
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		return err
	}
	return f.Sync()
}
