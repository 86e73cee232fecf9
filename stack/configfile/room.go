package configfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"pitstop/stack"
)

// A roll-back must not fail for want of room: the config that a service refused would stay. The old
// bytes lie on the disk already, as a backup, so on a full one they are staged as a further name of
// that backup, which takes no block. Once committed, the live file and the backup are one file. That
// is no backup: who edits the live file in place, as some editors do, edits both. It is better than
// a refused config all the same, since what it gives up is a second copy of what is live; and part
// ends it as soon as there is room.
//
// It does not help a file that is itself a mount point, which cannot be renamed over, nor where
// there are no hard links.

func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// stageLinked stages content as another name of a backup that holds it.
func (s *Store) stageLinked(target string, content []byte) (path string, err error) {
	name, err := s.BackupOf(stack.RevisionOf(content), "")
	if err != nil {
		return "", err
	}
	backup := filepath.Join(filepath.Dir(target), name)
	if sameFile(target, backup) {
		return "", errors.New("it is live already") // renaming a file over itself does nothing
	}
	path = stagedName(target)
	if err := s.sys.link(backup, path); err != nil {
		return "", err
	}
	if err := s.dress(path, target); err != nil {
		os.Remove(path)
		return "", err
	}
	s.log.Warn("there is no room for another file, so the config is staged as a second name of its backup", "backup", name, "path", path)
	return path, nil
}

// dress makes a file that exists like the live one.
func (s *Store) dress(path, target string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	mode, err := s.like(f, target)
	if err != nil {
		return err
	}
	return setMode(f, mode)
}

// part gives each backup that is the live file by another name bytes of its own. It is tried at
// every occasion at which nothing is under way; without room nothing changes.
func (s *Store) part(target string) {
	if info, err := os.Stat(target); err != nil || info.Sys().(*syscall.Stat_t).Nlink < 2 {
		return
	}
	names, _ := s.names(target)
	for _, name := range slices.Backward(names) {
		path := filepath.Join(filepath.Dir(target), name)
		if !sameFile(target, path) {
			continue
		}
		if err := s.copyOver(target, path); err != nil {
			s.log.Warn("a backup is the live config file by another name until there is room for a copy: do not edit the file in place",
				"backup", name, "error", err)
			return
		}
	}
}

// copyOver replaces a further name of the live file by a copy. The name is there all the while.
func (s *Store) copyOver(target, path string) error {
	content, err := readRegular(target)
	if err != nil {
		return err
	}
	copied := stagedName(target) // Sweep takes what a crash leaves of it
	if err := s.copyBackup(target, copied, content); err != nil {
		return reason(err)
	}
	if err := s.sys.rename(copied, path); err != nil {
		os.Remove(copied)
		return reason(err)
	}
	return reason(s.sys.syncDir(filepath.Dir(target)))
}
