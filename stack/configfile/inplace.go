package configfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
)

// A file that is itself a mount point cannot be replaced by rename (EBUSY), only written in place.
// A crash in the middle leaves neither the old nor the new content. So a marker names the staged
// file and the backup, both whole and durable, for as long as the write takes. Whoever finds the
// marker finishes the write (Open, Commit of the same Staged) or undoes it (Discard). Open begins
// none: where the file is still the old one, nobody may be waiting for the new one any more.

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
	if err := copyNew(markerPath(target), b, nil); err != nil {
		return err
	}
	return s.sys.syncDir(filepath.Dir(target))
}

func (s *Store) removeMarker(target string) error {
	if err := os.Remove(markerPath(target)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be removed: %w", markerPath(target), reason(err))
	}
	return nil
}

// commitInPlace finishes a Commit whose rename met a mount point.
func (s *Store) commitInPlace(target string, st stack.Staged, old []byte, linked bool) (string, error) {
	path := filepath.Join(filepath.Dir(target), st.Backup)
	give := func(what string, err error) (string, error) {
		err = fmt.Errorf("%s is a mount point, and %s, so nothing was changed: %w", target, what, reason(err))
		// The marker first: with it, the next start would do what is reported here as not done.
		if left := s.removeMarker(target); left != nil {
			return "", errors.Join(err, left)
		}
		os.Remove(path)
		return "", err
	}
	if linked { // a second name of the file that is about to be written is no backup
		if err := os.Remove(path); err != nil {
			return give("its backup cannot be made anew", err)
		}
		if err := s.copyBackup(target, path, old); err != nil {
			return give("its backup cannot be written", err)
		}
	}
	content, err := stagedContent(st)
	if err != nil {
		return give("the staged file cannot be used", err)
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

func stagedContent(st stack.Staged) ([]byte, error) {
	content, err := readRegular(st.Path)
	if err == nil && stack.RevisionOf(content) != st.To {
		err = fmt.Errorf("%s is not what was staged", st.Path)
	}
	return content, err
}

func (s *Store) backupContent(st stack.Staged) ([]byte, error) {
	content, err := s.Backup(st.Backup)
	if err == nil && stack.RevisionOf(content) != st.From {
		err = fmt.Errorf("the backup %s is not what it was", st.Backup)
	}
	return content, err
}

// finishInPlace writes what an interrupted write in place was about to. It returns a conflict if
// the file is somebody else's by now.
func (s *Store) finishInPlace(target string, m marker) error {
	live, err := readRegular(target)
	if err != nil {
		return fmt.Errorf("the interrupted write of %s cannot be finished: %w", target, err)
	}
	if stack.RevisionOf(live) == m.Staged.To {
		return s.afterInPlace(target, m.Staged)
	}
	content, err := stagedContent(m.Staged)
	if err != nil {
		s.log.Warn("the staged file of an interrupted write is lost, so the backup is put back",
			"staged", m.Staged.Path, "backup", m.Staged.Backup, "error", err)
		return s.undoInPlace(target, m)
	}
	if s.foreign(live, m.Staged) {
		return errors.Join(stack.ErrConflict, s.removeMarker(target))
	}
	if err := overwrite(target, content); err != nil {
		return fmt.Errorf("the interrupted write of %s cannot be finished: %w", target, reason(err))
	}
	return s.afterInPlace(target, m.Staged)
}

// afterInPlace tidies up. The marker is gone for good before the staged file is: the other way
// round, a power cut could leave a marker by which the old content would be put back.
func (s *Store) afterInPlace(target string, st stack.Staged) error {
	if err := s.removeMarker(target); err != nil {
		return fmt.Errorf("the new config is in place, but %w", err)
	}
	if err := s.sys.syncDir(filepath.Dir(target)); err != nil {
		return fmt.Errorf("the new config is in place, but may not survive a power cut: %w", reason(err))
	}
	if err := os.Remove(st.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("a staged config file is left over", "path", st.Path, "error", err)
	}
	return nil
}

// undoInPlace puts the old content back, from the backup. A file that is the old one, or somebody
// else's by now, is left alone.
func (s *Store) undoInPlace(target string, m marker) error {
	live, err := readRegular(target)
	switch {
	case err != nil:
	case stack.RevisionOf(live) == m.Staged.From:
	case s.foreign(live, m.Staged):
		s.log.Warn("the config file was changed by somebody else since its write in place was interrupted, and is left as it is", "path", target)
	default:
		err = s.putBack(target, m.Staged, live)
	}
	if err == nil {
		err = s.removeMarker(target)
	}
	if err != nil {
		return fmt.Errorf("the interrupted write of %s cannot be undone: %w", target, err)
	}
	return nil
}

func (s *Store) putBack(target string, st stack.Staged, live []byte) error {
	old, err := s.backupContent(st)
	if err != nil {
		return err
	}
	if _, err := stagedContent(st); err != nil { // so nobody can tell whether these bytes are anybody's
		name, err := s.freeBackup(target, time.Now())
		if err == nil {
			err = s.copyBackup(target, filepath.Join(filepath.Dir(target), name), live) // no link: the file is about to be written
		}
		if err != nil {
			return fmt.Errorf("what it holds now cannot be kept: %w", reason(err))
		}
		s.log.Warn("the config file was neither the old one nor the new one; what it held is kept", "path", target, "backup", name)
	}
	return overwrite(target, old)
}

// foreign tells whether a file that is neither the old nor the new one cannot come from an
// interrupted write of the one over the other.
func (s *Store) foreign(live []byte, st stack.Staged) bool {
	old, err := s.backupContent(st)
	if err != nil {
		return false
	}
	content, err := stagedContent(st)
	return err == nil && stack.RevisionOf(live) != st.From && !torn(live, old, content)
}

// torn tells whether each byte is an old one, a new one, or a hole that a power cut left where the
// file was made longer. Overwrite never makes a file shorter before all is written.
func torn(live, old, content []byte) bool {
	if len(live) < min(len(old), len(content)) || len(live) > max(len(old), len(content)) {
		return false
	}
	for n, b := range live {
		was, is := n < len(old) && b == old[n], n < len(content) && b == content[n]
		if !was && !is && (b != 0 || n < len(old)) {
			return false
		}
	}
	return true
}

// repair settles a write in place that a crash interrupted.
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
	if live, err := readRegular(target); err == nil && stack.RevisionOf(live) == m.Staged.From {
		s.log.Warn("a write of the config file that had been interrupted before it began is given up", "path", target, "revision", m.Staged.To.Short())
		return s.removeMarker(target)
	}
	switch err := s.finishInPlace(target, m); {
	case errors.Is(err, stack.ErrConflict):
		s.log.Warn("the config file was changed by somebody else since its write in place was interrupted, and is left as it is", "path", target)
		return nil
	case err != nil:
		return err
	}
	s.log.Warn("settled a write of the config file that a crash had interrupted", "path", target, "revision", m.Staged.To.Short())
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
