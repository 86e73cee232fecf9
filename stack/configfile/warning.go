package configfile

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Warning is what a person should know before the first save, in sentences; empty: nothing.
func (s *Store) Warning() string {
	var say []string
	target := s.target()
	if target != s.path {
		say = append(say, fmt.Sprintf("%s is a symbolic link; Pitstop changes %s, and keeps backups beside that.", s.path, target))
	}
	inPlace := mounted(target)
	if inPlace {
		say = append(say, fmt.Sprintf("%s is itself a mount point, so it can only be written in place: a reader may see half of it for a moment. Mount its folder instead.", target))
	}
	if info, err := os.Stat(target); err == nil && !inPlace {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if me := os.Geteuid(); ok && me != 0 && int(owner.Uid) != me {
			then := "a save makes it Pitstop's."
			if info.Mode()&0o004 == 0 {
				then = "unless Pitstop may keep its owner, a save is refused, since not everybody may read the file and services might be shut out."
			}
			say = append(say, fmt.Sprintf("%s belongs to user %d, and Pitstop runs as user %d: %s", target, owner.Uid, me, then))
		}
	}
	return strings.Join(say, " ")
}

// mounted tells whether a file is itself a mount point.
func mounted(path string) bool {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	return err == nil && isMountPoint(string(mounts), path)
}

// isMountPoint looks a path up in the text of /proc/self/mountinfo.
func isMountPoint(mounts, path string) bool {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(mounts) {
		if fields := strings.Fields(line); len(fields) > 4 && unescape.Replace(fields[4]) == path {
			return true
		}
	}
	return false
}
