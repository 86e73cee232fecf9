package configfile

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pitstop/stack"
	"pitstop/stack/durable"
)

// Store is the config file on disk, with its backups beside it. It implements stack.ConfigStore.
//
// Where the path is a symbolic link, everything happens at its target: the link stays. Where the
// file is itself a mount point, rename cannot replace it, and Commit writes in place; a marker file
// and the staged file stay beside it for as long as that takes, so that Open after a crash can
// settle the write (see inplace.go).
type Store struct {
	path string
	keep int
	log  *slog.Logger
	sys  calls
	hold hold
}

var _ stack.ConfigStore = (*Store)(nil)

// calls are the system calls that some file systems refuse.
type calls struct {
	link, rename func(from, to string) error
	chown        func(path string, uid, gid int) error
	syncDir      func(dir string) error
}

// maxSize bounds what is read as a config file.
const maxSize = 64 << 20

// Open is the store of the config file at path, keeping so many backups (0: all). The file need not
// exist yet: reading it will say so. A write in place that a crash interrupted is settled here. Until
// Close, or the program's end, no other store opens in the file's folder. log may be nil.
func Open(path string, keep int, log *slog.Logger) (*Store, error) {
	if path == "" {
		return nil, errors.New("the config file cannot be opened: its path is empty")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("the config file %s cannot be opened: %w", path, reason(err))
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{path: abs, keep: keep, log: log, sys: calls{os.Link, os.Rename, os.Lchown, durable.SyncDir}}
	if err := s.take(); err != nil {
		return nil, err
	}
	if err := s.repair(); err != nil {
		log.Error("an interrupted write of the config file cannot be settled yet", "path", abs, "error", err)
	}
	return s, nil
}

// Path is the absolute path that the store was opened with.
func (s *Store) Path() string { return s.path }

// target is the file itself, behind any symbolic links.
func (s *Store) target() string {
	if t, err := filepath.EvalSymlinks(s.path); err == nil {
		return t
	}
	return s.path
}

// Read returns the live file's bytes.
func (s *Store) Read() ([]byte, error) {
	b, err := readRegular(s.path)
	if err != nil {
		return nil, fmt.Errorf("the config file %s cannot be read: %w", s.path, err)
	}
	return b, nil
}

func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err == nil && info.Size() > maxSize {
		err = fmt.Errorf("it has %d MB, more than the %d MB that a config file may have", info.Size()>>20, maxSize>>20)
	}
	if err != nil {
		return nil, reason(err)
	}
	b, err := os.ReadFile(path)
	return b, reason(err)
}

// Stage writes content durably beside the live file and chooses a free backup name. Where there is no
// room, what a backup holds can be staged all the same (see room.go).
func (s *Store) Stage(content []byte, at time.Time) (stack.Staged, error) {
	target := s.target()
	err := s.take()
	var staged stack.Staged
	if err == nil {
		s.part(target)
		staged, err = s.stage(target, content, at)
	}
	if err != nil {
		return stack.Staged{}, fmt.Errorf("the new config cannot be staged beside %s, so nothing was changed: %w", target, err)
	}
	return staged, nil
}

func (s *Store) stage(target string, content []byte, at time.Time) (staged stack.Staged, err error) {
	if int64(len(content)) > maxSize {
		return staged, fmt.Errorf("it has %d MB, more than the %d MB that a config file may have", len(content)>>20, maxSize>>20)
	}
	old, err := readRegular(target)
	switch {
	case err == nil:
		staged.From = stack.RevisionOf(old)
	case !errors.Is(err, fs.ErrNotExist):
		return staged, err
	default:
		if to, err := os.Readlink(target); err == nil { // or the link would be replaced by a file
			return staged, fmt.Errorf("it is a symbolic link to %s, which is not there: %w", to, fs.ErrNotExist)
		}
	}
	if err := replaceable(target); err != nil {
		return staged, err
	}
	staged.To = stack.RevisionOf(content)
	if staged.Backup, err = s.freeBackup(target, at); err != nil {
		return staged, err
	}
	staged.Path, err = s.stageNew(target, content)
	if noRoom(err) {
		if path, linked := s.stageLinked(target, content); linked == nil {
			staged.Path, err = path, nil
		}
	}
	if err != nil {
		return stack.Staged{}, err
	}
	if err := s.sys.syncDir(filepath.Dir(target)); err != nil {
		s.unstage(staged.Path)
		return stack.Staged{}, reason(err)
	}
	return staged, nil
}

// stageNew stages content as a new file.
func (s *Store) stageNew(target string, content []byte) (path string, err error) {
	path = stagedName(target)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", reason(err)
	}
	err = s.fill(f, target, content)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.unstage(path)
		return "", reason(err)
	}
	return path, nil
}

func (s *Store) unstage(path string) {
	if err := os.Remove(path); err != nil {
		s.log.Warn("a staged config file is left over", "path", path, "error", err)
	}
}

// fill writes the staged file and makes it like the live one.
func (s *Store) fill(f *os.File, target string, content []byte) error {
	mode, err := s.like(f, target)
	if err != nil && mounted(target) { // it will be written in place, and stays as readable as it is
		mode, err = 0o600, nil
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := setMode(f, mode); err != nil {
		return err
	}
	return f.Sync()
}

// Commit backs the live file up and puts the staged one in its place. If a write in place was
// interrupted, Commit of the same Staged finishes it.
func (s *Store) Commit(st stack.Staged) (backup string, err error) {
	target := s.target()
	if err := s.owns(target, st); err != nil {
		return "", err
	}
	if m, ok := readMarker(target); ok && m.Staged == st {
		if err := s.finishInPlace(target, m); err != nil {
			return "", err
		}
		return st.Backup, nil
	}
	old, err := readRegular(target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && st.From == "":
		return "", s.commitFirst(target, st)
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s is gone: %w", target, stack.ErrConflict)
	case err != nil:
		return "", fmt.Errorf("the config file %s cannot be read, so nothing was changed: %w", target, err)
	case stack.RevisionOf(old) != st.From:
		return "", stack.ErrConflict
	}
	// One of an earlier write that could not be settled would be taken for this one's remains.
	if err := s.removeMarker(target); err != nil {
		return "", fmt.Errorf("%w, so nothing was changed", err)
	}
	backup, linked, err := s.backUp(target, st.Backup, old)
	if err != nil {
		return "", fmt.Errorf("the config file %s cannot be backed up, so nothing was changed: %w", target, reason(err))
	}
	if err := s.backedUp(target, st, linked); err != nil {
		os.Remove(filepath.Join(filepath.Dir(target), backup))
		return "", err
	}
	st.Backup = backup
	switch err = s.sys.rename(st.Path, target); {
	case errors.Is(err, syscall.EBUSY):
		return s.commitInPlace(target, st, old, linked)
	case err != nil:
		os.Remove(filepath.Join(filepath.Dir(target), backup))
		return "", fmt.Errorf("the staged config cannot take the place of %s, so nothing was changed: %w", target, reason(err))
	}
	if err := s.sys.syncDir(filepath.Dir(target)); err != nil {
		return backup, fmt.Errorf("the new config is in place at %s, but may not survive a power cut: %w", target, reason(err))
	}
	return backup, nil
}

// backedUp makes sure, right before the file is replaced, that what was backed up is what will be
// replaced: a backup takes a moment, a copied one some milliseconds, in which somebody else may save.
func (s *Store) backedUp(target string, st stack.Staged, linked bool) error {
	if !linked { // the copy's name has to outlast the file, whose own name is about to change
		if err := s.sys.syncDir(filepath.Dir(target)); err != nil {
			return fmt.Errorf("the backup of %s cannot be made safe, so nothing was changed: %w", target, reason(err))
		}
	}
	now, err := readRegular(target)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the config file %s cannot be read, so nothing was changed: %w", target, err)
	case err != nil || stack.RevisionOf(now) != st.From:
		return stack.ErrConflict
	}
	return nil
}

// commitFirst puts the staged file where there was none, and is: a link, unlike a rename, replaces
// nothing that somebody else has put there by now.
func (s *Store) commitFirst(target string, st stack.Staged) error {
	err := s.sys.link(st.Path, target)
	switch {
	case err == nil:
		s.unstage(st.Path)
	case errors.Is(err, fs.ErrExist):
		return stack.ErrConflict
	case noLinks(err):
		err = s.sys.rename(st.Path, target)
	}
	if err != nil {
		return fmt.Errorf("the staged config cannot become %s: %w", target, reason(err))
	}
	return reason(s.sys.syncDir(filepath.Dir(target)))
}

// Discard removes what Stage left. If a write in place of this Staged was interrupted, the old
// content is put back first; where nothing had been written yet, that takes no backup. If a Commit was, the live file's second name is taken from it: it is no
// backup of anything yet.
func (s *Store) Discard(st stack.Staged) error {
	target := s.target()
	if err := s.owns(target, st); err != nil {
		return err
	}
	if m, ok := readMarker(target); ok && m.Staged == st {
		if err := s.undoInPlace(target, m); err != nil {
			return err
		}
	}
	if err := os.Remove(st.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the staged file %s cannot be removed: %w", st.Path, reason(err))
	}
	names, err := s.names(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range names {
		path := filepath.Join(filepath.Dir(target), name)
		if name < st.Backup || !sameFile(target, path) { // Commit may have taken a later name
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("%s is the live config file by another name, and cannot be removed: %w", path, reason(err))
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	one, err := os.Lstat(a)
	if err != nil {
		return false
	}
	other, err := os.Lstat(b)
	return err == nil && os.SameFile(one, other)
}

// owns refuses a Staged that cannot be from Stage, such as one from a damaged journal.
func (s *Store) owns(target string, st stack.Staged) error {
	if filepath.Dir(st.Path) != filepath.Dir(target) || !strings.HasPrefix(filepath.Base(st.Path), stagedPrefix(target)) {
		return fmt.Errorf("%q is not a staged file of %s, so nothing was done with it", st.Path, target)
	}
	if !isBackupName(target, st.Backup) {
		return fmt.Errorf("%q is not the name of a backup of %s, so nothing was done", st.Backup, target)
	}
	return nil
}

// reason is an error without the path that the sentence around it names already.
func reason(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// copyNew writes content durably to a file that must not exist yet. finish may change it before it
// is synced.
func copyNew(path string, content []byte, finish func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && finish != nil {
		err = finish(f)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}
