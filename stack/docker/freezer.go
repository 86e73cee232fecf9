package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

// freezer is the kernel's own switch for a container's processes. An engine that is killed in the
// middle of a pause or an unpause may believe the opposite of what is true ever after, and refuse to
// mend it: "container not paused" of one that it shows as paused, or the other way round. Where this
// machine runs the container, the kernel is asked instead.
type freezer struct {
	file         string
	frozen, thaw string // what the file says while frozen, and what thaws
}

const cgroups = "/sys/fs/cgroup"

// freezerOf finds the freezer of a running container. It is not found where the engine runs on
// another machine, or Pitstop in a container that does not see the engine's processes.
func freezerOf(id string, pid int) (f freezer, found bool) {
	if id == "" || pid <= 0 {
		return f, false
	}
	text, err := linuxproc.Cgroup(pid)
	if err != nil {
		return f, false
	}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		// The PID may be somebody else's here, and the path one of another cgroup namespace.
		if len(parts) < 3 || !strings.Contains(parts[2], id) || strings.Contains(parts[2], "..") {
			continue
		}
		switch {
		case parts[1] == "freezer":
			f = freezer{filepath.Join(cgroups, "freezer", parts[2], "freezer.state"), "FROZEN", "THAWED"}
		case parts[0] == "0" && parts[1] == "":
			f = freezer{filepath.Join(cgroups, parts[2], "cgroup.freeze"), "1", "0"}
		default:
			continue
		}
		if _, err := os.Stat(f.file); err == nil {
			return f, true
		}
	}
	return f, false
}

func (f freezer) state() (stack.State, error) {
	text, err := os.ReadFile(f.file)
	if err != nil {
		return "", err
	}
	switch strings.TrimSpace(string(text)) {
	case f.frozen, "FREEZING":
		return stack.Paused, nil
	}
	return stack.Running, nil
}

// stateNow is the state of a container: the engine's word, or the kernel's on whether it is paused.
func stateNow(id string, s *container.State) stack.State {
	now := stateOf(s)
	if now != stack.Running && now != stack.Paused {
		return now
	}
	if f, found := freezerOf(id, s.Pid); found {
		if real, err := f.state(); err == nil {
			return real
		}
	}
	return now
}

// reallyRuns makes sure that a container runs which the engine cannot or need not unpause. It returns
// refused if the container is not seen to run.
func (b *Backend) reallyRuns(ctx context.Context, i stack.Instance, refused error) error {
	d, err := b.inspect(ctx, i)
	if err != nil {
		return errors.Join(refused, err)
	}
	f, found := freezerOf(d.ID, d.State.Pid)
	if !found {
		if stateOf(d.State) == stack.Running {
			return nil
		}
		return refused
	}
	if now, err := f.state(); err != nil || now == stack.Running {
		if err == nil && stateOf(d.State) == stack.Paused {
			b.log.Warn("the engine shows a container as paused that runs, and will refuse to pause it until it is restarted", "container", label(i))
		}
		return err
	}
	if err := os.WriteFile(f.file, []byte(f.thaw), 0); err != nil {
		return fmt.Errorf("%w; the engine has lost track of the pause, and the container could not be set going without it: %w; docker restart %s does", refused, err, label(i))
	}
	for {
		if now, err := f.state(); err == nil && now == stack.Running {
			break
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return refused
		}
	}
	b.log.Warn("the engine had lost track of a pause, and the container was set going without it; the engine may refuse to pause it until it is restarted", "container", label(i))
	return nil
}
