package configfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"pitstop/stack"
)

// BackupInfo is one backup beside the config file.
type BackupInfo struct {
	Name     string         `json:"name"`
	Time     time.Time      `json:"time"` // when it was made
	Size     int64          `json:"size"`
	Revision stack.Revision `json:"revision"` // empty: it cannot be read
}

const (
	backupInfix  = ".bak."
	backupLayout = "20060102_150405"
	stagedInfix  = ".pitstop-"
)

func stagedPrefix(target string) string { return "." + filepath.Base(target) + stagedInfix }

func stagedName(target string) string {
	return filepath.Join(filepath.Dir(target), stagedPrefix(target)+strings.ToLower(rand.Text()[:12]))
}

func backupName(target string, at time.Time) string {
	return filepath.Base(target) + backupInfix + at.Format(backupLayout)
}

func backupTime(target, name string) (time.Time, bool) {
	stamp, ok := strings.CutPrefix(name, filepath.Base(target)+backupInfix)
	if !ok || len(stamp) != len(backupLayout) {
		return time.Time{}, false
	}
	at, err := time.ParseInLocation(backupLayout, stamp, time.Local)
	return at, err == nil
}

// madeAt is when a backup was made. Its name may be ahead of that, where several were made in one
// second: each takes the next free name. A file's inode was last changed when it became a backup, if
// nobody has touched it since, which would be later than its name; and a name that is ahead by more
// than the names that are tried tells of a clock that was set, not of the file.
func madeAt(named time.Time, info fs.FileInfo) time.Time {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return named
	}
	changed := time.Unix(st.Ctim.Unix()).Truncate(time.Millisecond)
	if ahead := named.Sub(changed); ahead <= 0 || ahead > maxTries*time.Second {
		return named
	}
	return changed
}

func isBackupName(target, name string) bool {
	_, ok := backupTime(target, name)
	return ok && name == filepath.Base(name)
}

// nextName is the name a second later by the calendar alone, so that it sorts right behind also in
// the hour that clocks repeat. It is no backup's name behind the last second of the year 9999.
func nextName(target, name string) string {
	stamp := strings.TrimPrefix(name, filepath.Base(target)+backupInfix)
	at, err := time.Parse(backupLayout, stamp)
	if err != nil {
		return ""
	}
	return backupName(target, at.Add(time.Second))
}

// maxTries is how many names, each a second later, are tried for a backup.
const maxTries = 3600

// freeBackup is the backup name of a time; or the one right behind the newest backup, where that
// bears this time or a later one. So names sort as the backups were made, and Prune takes the oldest,
// through several saves in a second, the hour that clocks repeat, and a clock that is set back,
// however far; and a name that was pruned does not come back.
func (s *Store) freeBackup(target string, at time.Time) (string, error) {
	name := backupName(target, at.Local())
	names, err := s.names(target)
	if err != nil {
		return "", err
	}
	for _, newest := range slices.Backward(names) {
		next := nextName(target, newest)
		if newest < name {
			break
		}
		if !isBackupName(target, next) {
			continue // nobody saved then
		}
		if is, ok := backupTime(target, newest); ok && is.Sub(at) > time.Hour {
			s.log.Warn("the newest backup bears a time that is still to come, perhaps because the clock was set back; the next is named after it, to keep the order",
				"newest", newest, "next", next)
		}
		name = next
		break
	}
	first := name
	for range maxTries {
		_, err := os.Lstat(filepath.Join(filepath.Dir(target), name))
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", reason(err)
		}
		name = nextName(target, name)
	}
	return "", fmt.Errorf("%s and the %d names of backups after it are taken", first, maxTries)
}

// backUp gives the live file a second name, or copies it where there are no hard links. A name that
// was taken meanwhile is left alone, and the next second's used.
func (s *Store) backUp(target, name string, content []byte) (taken string, linked bool, err error) {
	for range maxTries {
		path := filepath.Join(filepath.Dir(target), name)
		linked = true
		err = s.sys.link(target, path)
		if noLinks(err) {
			linked = false
			err = s.copyBackup(target, path, content)
		}
		if !errors.Is(err, fs.ErrExist) {
			return name, linked, err
		}
		name = nextName(target, name)
	}
	return "", false, err
}

// noLinks tells whether a hard link failed because there cannot be one here: the file system has
// none (vfat), the file is another mount, belongs to somebody else (fs.protected_hardlinks) or has
// too many already.
func noLinks(err error) bool {
	return slices.ContainsFunc([]error{syscall.EPERM, syscall.EACCES, syscall.ENOTSUP, syscall.EMLINK, syscall.EXDEV, syscall.ENOSYS},
		func(e error) bool { return errors.Is(err, e) })
}

// copyBackup makes the copy as readable as the live file, or, where it cannot be made quite so, no
// more than that: readable by Pitstop alone.
func (s *Store) copyBackup(target, path string, content []byte) error {
	return copyNew(path, content, func(f *os.File) error {
		mode, err := s.like(f, target)
		if err == nil {
			err = setMode(f, mode)
		}
		if err != nil {
			s.log.Warn("a backup is readable by Pitstop alone", "path", path, "error", err)
		}
		return nil
	})
}

// Backup returns the bytes of a backup by its base name.
func (s *Store) Backup(name string) ([]byte, error) {
	target := s.target()
	if !isBackupName(target, name) {
		return nil, fmt.Errorf("%q is not the name of a backup of %s", name, target)
	}
	b, err := readRegular(filepath.Join(filepath.Dir(target), name))
	if err != nil {
		return nil, fmt.Errorf("the backup %s cannot be read: %w", name, err)
	}
	return b, nil
}

// BackupOf is the name of the oldest backup of a revision among those named since or later. Commit
// may take a later name than was staged; with this, who knows only the staged one finds the backup.
func (s *Store) BackupOf(revision stack.Revision, since string) (name string, err error) {
	target := s.target()
	names, err := s.names(target)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if name < since {
			continue
		}
		if content, err := s.Backup(name); err == nil && stack.RevisionOf(content) == revision {
			return name, nil
		}
	}
	return "", fmt.Errorf("no backup since %s holds %s", since, revision.Short())
}

// names lists the backups' names, oldest first.
func (s *Store) names(target string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return nil, fmt.Errorf("the backups of %s cannot be listed: %w", target, reason(err))
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && isBackupName(target, e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Backups lists the backups, newest first.
func (s *Store) Backups() ([]BackupInfo, error) {
	target := s.target()
	names, err := s.names(target)
	if err != nil {
		return nil, err
	}
	slices.Reverse(names)
	var list []BackupInfo
	for _, name := range names {
		path := filepath.Join(filepath.Dir(target), name)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned meanwhile
		}
		b := BackupInfo{Name: name}
		b.Time, _ = backupTime(target, name)
		if err == nil {
			b.Size = info.Size()
			b.Time = madeAt(b.Time, info)
		}
		if content, err := readRegular(path); err == nil {
			b.Revision = stack.RevisionOf(content)
		}
		list = append(list, b)
	}
	return list, nil
}

// Prune removes the oldest backups beyond the number to keep, never one of those named.
func (s *Store) Prune(except ...string) error {
	target := s.target()
	defer s.part(target) // after a roll-back without room, and what is removed here may have made some
	if s.keep <= 0 {
		return nil
	}
	names, err := s.names(target)
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range names[:max(0, len(names)-s.keep)] {
		if slices.Contains(except, name) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(target), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("the old backup %s cannot be removed: %w", name, reason(err)))
		}
	}
	return errors.Join(failed...)
}

// Sweep removes staged files that a crash left behind, except those named (by path or base name).
// It must not run while something is staged that is not named.
func (s *Store) Sweep(except ...string) error {
	target := s.target()
	defer s.part(target)
	dir := filepath.Dir(target)
	if m, ok := readMarker(target); ok {
		except = append(except, m.Staged.Path)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("staged files beside %s cannot be looked for: %w", target, reason(err))
	}
	var failed []error
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), stagedPrefix(target)) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if slices.Contains(except, path) || slices.Contains(except, e.Name()) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("the left-over file %s cannot be removed: %w", path, reason(err)))
			continue
		}
		s.log.Info("removed a staged config file that was left over", "path", path)
	}
	return errors.Join(failed...)
}

// Keep is how many backups Prune leaves; 0: all.
func (s *Store) Keep() int { return max(s.keep, 0) }
