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
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil && isMountPoint(string(mounts), target) {
		say = append(say, fmt.Sprintf("%s is itself a mount point, so it can only be written in place: a reader may see half of it for a moment. Mount its folder instead.", target))
	}
	if info, err := os.Stat(target); err == nil {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if me := os.Geteuid(); ok && me != 0 && int(owner.Uid) != me {
			say = append(say, fmt.Sprintf("%s belongs to user %d, and Pitstop runs as user %d: a save makes it Pitstop's.", target, owner.Uid, me))
		}
	}
	return strings.Join(say, " ")
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
