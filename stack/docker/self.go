package docker

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"pitstop/stack/linuxproc"
)

// self is what this process can tell of the container that it runs in. Paused, the panel could unpause
// nothing, and its guardian, which runs in there too, neither.
type self struct {
	around []string // IDs in the names of its cgroups: of its container, and of those around that
	named  []string // IDs in its mounts: of its container, or of the one whose network it shares
	layer  string   // the upper folder of its root, by its name for the engine; empty: no overlay
	host   string   // its hostname
}

func findSelf() self {
	cgroup, _ := linuxproc.Cgroup(os.Getpid())
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	host, _ := os.Hostname()
	return selfOf(cgroup, string(mounts), host)
}

var (
	containerID = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	shortID     = regexp.MustCompile(`^[0-9a-f]{12}$`)
)

// selfOf reads /proc/self/cgroup, which names no container in a cgroup namespace of its own, and
// /proc/self/mountinfo, where the engine has mounted a few files of the container's.
func selfOf(cgroup, mountinfo, host string) self {
	s := self{around: containerID.FindAllString(cgroup, -1), host: host}
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if len(f) < 5 {
			continue
		}
		switch root, point := f[3], f[4]; point {
		case "/":
			if of := strings.Fields(after); len(of) == 3 && of[0] == "overlay" {
				s.layer = layerOf(of[2])
			}
		case "/etc/hostname", "/etc/hosts", "/etc/resolv.conf":
			s.named = append(s.named, containerID.FindAllString(root, -1)...)
		}
	}
	return s
}

// layerOf is the upper folder of an overlay, as its options have it.
func layerOf(options string) string {
	for option := range strings.SplitSeq(options, ",") {
		if upper, ok := strings.CutPrefix(option, "upperdir="); ok {
			return layerName(upper)
		}
	}
	return ""
}

// layerName is what of an upper folder is the same wherever the engine's own folder is mounted, and where
// the engine has given the kernel a relative path: its last two names.
func layerName(upper string) string {
	return path.Join(path.Base(path.Dir(upper)), path.Base(upper))
}

// is tells whether this is the container that the process runs in, or one around it.
func (s self) is(d container.InspectResponse) bool {
	if slices.Contains(s.around, d.ID) {
		return true
	}
	if upper := d.GraphDriver.Data["UpperDir"]; upper != "" && s.layer != "" {
		return layerName(upper) == s.layer
	}
	if len(s.around) > 0 {
		return false
	}
	if len(s.named) > 0 {
		return slices.Contains(s.named, d.ID)
	}
	return shortID.MatchString(s.host) && strings.HasPrefix(d.ID, s.host) && d.Config.Hostname == s.host
}

// leaveOut says of a service's selector that it chooses the panel's own container too.
func (b *Backend) leaveOut(service string, d container.InspectResponse) (warning string) {
	name := strings.TrimPrefix(d.Name, "/")
	warning = fmt.Sprintf("The selector of %s chooses %s too, Pitstop's own container, which is left out: paused, it could unpause nothing. Choose by a label that only the service has.", service, name)
	if _, told := b.leftOut.LoadOrStore(service+" "+d.ID, true); !told {
		b.log.Warn("a selector chooses Pitstop's own container, which is left out: paused, it could unpause nothing; choose by a label that only the service has", "service", service, "container", name)
	}
	return warning
}
