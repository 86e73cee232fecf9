package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack/linuxproc"
)

// process is one process as /proc shows it at one moment.
type process struct {
	pid, parent, group, session int
	state                       byte
	start                       uint64
}

func readProcess(pid int) (process, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	p, err := parseProcess(pid, text)
	return p, err == nil
}

// parseProcess reads the fields of proc(5) after the program's name, which may hold anything.
func parseProcess(pid int, text []byte) (process, error) {
	p := process{pid: pid}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return p, fmt.Errorf("too few fields in %q", text)
	}
	p.state = fields[0][0]
	var errs [4]error
	p.parent, errs[0] = strconv.Atoi(fields[1])
	p.group, errs[1] = strconv.Atoi(fields[2])
	p.session, errs[2] = strconv.Atoi(fields[3])
	p.start, errs[3] = strconv.ParseUint(fields[19], 10, 64)
	return p, errors.Join(errs[:]...)
}

// everyProcess looks through all of /proc, which takes milliseconds: not inside a pause window
// where it can be helped.
func everyProcess() []process {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = folder.Close() }()
	names, _ := folder.Readdirnames(-1)
	var found []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok {
			found = append(found, p)
		}
	}
	return found
}

// descendants are the children of this process, their children, and so on.
func descendants(pid int) []process {
	return descend(pid, childrenOf(pid), nil)
}

func descend(pid int, children func(int) []int, found []process) []process {
	for _, child := range children(pid) {
		// Read after the parent named it, so a PID that changed hands meanwhile has another parent.
		if p, ok := readProcess(child); ok && p.parent == pid {
			found = descend(child, children, append(found, p))
		}
	}
	return found
}

// childrenOf chooses how to find the children of this process and its descendants.
func childrenOf(pid int) func(int) []int {
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)); err == nil {
		return childrenByTask
	}
	byParent := map[int][]int{} // a kernel without CONFIG_PROC_CHILDREN
	for _, p := range everyProcess() {
		byParent[p.parent] = append(byParent[p.parent], p.pid)
	}
	return func(pid int) []int { return byParent[pid] }
}

func childrenByTask(pid int) []int {
	var pids []int
	for _, task := range tasks(pid) {
		text, err := os.ReadFile(task + "/children")
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// tasks are the folders of a process's threads.
func tasks(pid int) []string {
	folder := "/proc/" + strconv.Itoa(pid) + "/task"
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	paths := make([]string, len(entries))
	for i, e := range entries {
		paths[i] = folder + "/" + e.Name()
	}
	return paths
}

// still tells whether no thread of the process runs any more. The state of the process as a whole is
// only that of its first thread, which may stop before the others.
func still(pid int) bool {
	for _, task := range tasks(pid) {
		text, err := os.ReadFile(task + "/stat")
		if err != nil {
			continue // it has ended
		}
		rest := bytes.TrimLeft(text[bytes.LastIndexByte(text, ')')+1:], " ")
		if len(rest) == 0 || !stands(pid, rest[0]) {
			return false
		}
	}
	return true
}

// paused tells whether the main process of a service is stopped by a signal.
func paused(pid int) bool {
	state, err := linuxproc.State(pid)
	return err == nil && (state == 'T' || state == 'D' && stands(pid, state))
}

// stands tells whether a thread in this state stands still.
//
// One that has just called vfork, as shells and Python do for every command, waits in the kernel, in
// state D, until the child runs its program. A child that was stopped before keeps it there: it does
// not come to its own stop until the child goes on.
func stands(pid int, state byte) bool {
	if state != 'D' {
		return strings.IndexByte("TtZX", state) >= 0
	}
	return slices.ContainsFunc(childrenOf(pid)(pid), func(child int) bool {
		p, ok := readProcess(child)
		return ok && p.parent == pid && p.state == 'T'
	})
}

// signalGroup signals the group that this process leads, if the process is still the one meant.
func signalGroup(pid int, start uint64, signal unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("could not take hold of process %d to send its group %s: %w", pid, unix.SignalName(signal), done(err))
	}
	defer func() { _ = unix.Close(fd) }()
	if now, err := linuxproc.StartTime(pid); err != nil || now != start {
		return fmt.Errorf("process %d is another one now: %w", pid, os.ErrProcessDone)
	}
	err = unix.PidfdSendSignal(fd, signal, nil, unix.PIDFD_SIGNAL_PROCESS_GROUP)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.9
		err = unix.Kill(-pid, signal)
	}
	if err != nil {
		return fmt.Errorf("could not send %s to the group of process %d: %w", unix.SignalName(signal), pid, done(err))
	}
	return nil
}

func done(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// stopTree stops the group of the process and its descendants in other groups, and returns once
// none of them runs. If it cannot, it lets them all go on again. together says that all stand in the
// one group, so that a single signal lets every one of them go on.
func stopTree(ctx context.Context, pid int, start uint64) (together bool, err error) {
	if err := signalGroup(pid, start, unix.SIGSTOP); err != nil {
		return false, err
	}
	together = true
	defer func() {
		if err != nil {
			_ = continueTree(pid, start)
		}
	}()
	if err := until(ctx, func() bool { return still(pid) }); err != nil {
		return false, fmt.Errorf("process %d did not stop: %w", pid, err)
	}
	// A process that was told to stop can no longer fork, so each round finds only children of those
	// that the round before found, and there is a last one.
	told := map[int]bool{}
	for {
		var waiting []process
		for _, p := range descendants(pid) {
			if told[p.pid] {
				continue
			}
			told[p.pid] = true
			waiting = append(waiting, p)
			if p.group == pid {
				continue
			}
			together = false
			if err := linuxproc.Signal(p.pid, p.start, unix.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return false, err
			}
		}
		if len(waiting) == 0 {
			break
		}
		for _, p := range waiting {
			if err := until(ctx, func() bool { return still(p.pid) || !linuxproc.Alive(p.pid, p.start) }); err != nil {
				return false, fmt.Errorf("process %d, a descendant of process %d, did not stop: %w", p.pid, pid, err)
			}
		}
	}
	if !linuxproc.Alive(pid, start) {
		return false, fmt.Errorf("process %d ended: %w", pid, os.ErrProcessDone)
	}
	return together, nil
}

// continueTree lets the group and the descendants in other groups go on.
func continueTree(pid int, start uint64) error {
	var failed []error
	for _, p := range descendants(pid) {
		if p.group == pid {
			continue
		}
		if err := linuxproc.Signal(p.pid, p.start, unix.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			failed = append(failed, err)
		}
	}
	return errors.Join(append(failed, signalGroup(pid, start, unix.SIGCONT))...)
}

// continueMarked lets every process of a life go on, wherever it stands: also one with a session of
// its own whose parent has died meanwhile, so that no tree leads to it any more. It looks through all
// of /proc.
func continueMarked(folder, life string) error {
	var failed []error
	for _, p := range everyProcess() {
		if p.state == 'Z' {
			continue
		}
		if of, marked := markOf(p.pid, folder); !marked || of != life {
			continue
		}
		if err := linuxproc.Signal(p.pid, p.start, unix.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// until waits for a condition of the kernel, which tells nobody when it comes true: often within
// microseconds, so it is asked often at first.
func until(ctx context.Context, condition func() bool) error {
	for wait := 50 * time.Microsecond; !condition(); wait = min(2*wait, 10*time.Millisecond) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
	return nil
}
