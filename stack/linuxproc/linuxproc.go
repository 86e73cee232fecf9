// Package linuxproc reads what Linux tells of a process in /proc, and signals processes without
// ever hitting another that got the same PID. A PID and its start time together name one process.
package linuxproc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, the unit of start times: 100 on every architecture that Go runs on.
const ticksPerSecond = 100

// StartTime is when the process started, in clock ticks since the boot. It stays the same for as
// long as the process lives, whatever happens to the wall clock. The error wraps os.ErrProcessDone
// if there is no such process.
func StartTime(pid int) (ticks uint64, err error) {
	s, err := readStat(pid)
	return s.start, err
}

// Started is the start time on the wall clock, as the kernel reckons the boot's time now. It is for
// people: it moves when the wall clock is set, so compare StartTime instead.
func Started(pid int) (time.Time, error) {
	ticks, err := StartTime(pid)
	if err != nil {
		return time.Time{}, err
	}
	boot, err := bootTime()
	if err != nil {
		return time.Time{}, err
	}
	return boot.Add(time.Duration(ticks) * (time.Second / ticksPerSecond)), nil
}

// State is the letter of the process state: R running, S sleeping, D waiting for a disk, T stopped
// by a signal, t traced, Z ended and not yet waited for.
func State(pid int) (byte, error) {
	s, err := readStat(pid)
	return s.state, err
}

// Cgroup is the text of /proc/PID/cgroup: a line per hierarchy, of which there is one with cgroup v2.
func Cgroup(pid int) (string, error) {
	text, err := read(pid, "cgroup")
	return string(text), err
}

// Alive tells whether the process that had this PID and start time still runs or is stopped. One
// that has ended and only waits for its parent is not alive.
func Alive(pid int, start uint64) bool {
	s, err := readStat(pid)
	return err == nil && s.start == start && s.state != 'Z' && s.state != 'X'
}

// Signal signals the process that has this PID and start time, and never another one that got the
// PID later. The error wraps os.ErrProcessDone if that process is not there any more.
func Signal(pid int, start uint64, signal syscall.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return gone(pid)
	}
	if err != nil {
		return fmt.Errorf("could not take hold of process %d to send it %v: %w", pid, signal, err)
	}
	defer func() { _ = unix.Close(fd) }()
	// The descriptor holds one process. If the start time read now is the wanted one, then it is this
	// process: had the PID changed hands before the descriptor was opened, the time would differ.
	now, err := StartTime(pid)
	if err != nil {
		return err
	}
	if now != start {
		return gone(pid)
	}
	err = unix.PidfdSendSignal(fd, signal, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return gone(pid)
	}
	if err != nil {
		return fmt.Errorf("could not send %v to process %d: %w", signal, pid, err)
	}
	return nil
}

func gone(pid int) error {
	return fmt.Errorf("process %d is not there any more: %w", pid, os.ErrProcessDone)
}

func read(pid int, name string) ([]byte, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil, gone(pid)
	}
	if err != nil {
		return nil, fmt.Errorf("could not read about process %d: %w", pid, err)
	}
	return text, nil
}

type stat struct {
	state byte
	start uint64
}

func readStat(pid int) (stat, error) {
	text, err := read(pid, "stat")
	if err != nil {
		return stat{}, err
	}
	s, err := parseStat(text)
	if err != nil {
		return stat{}, fmt.Errorf("could not understand what /proc tells of process %d: %w", pid, err)
	}
	return s, nil
}

// parseStat reads the fields of /proc/PID/stat after the program's name, which stands in
// parentheses and may itself hold spaces and parentheses.
func parseStat(text []byte) (stat, error) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("no program name in %q", text)
	}
	fields := strings.Fields(string(text[end+1:]))
	const stateField, startField = 0, 19 // fields 3 and 22 of proc(5)
	if len(fields) <= startField || len(fields[stateField]) != 1 {
		return stat{}, fmt.Errorf("too few fields in %q", text)
	}
	start, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("the start time in %q is no number: %w", text, err)
	}
	return stat{state: fields[stateField][0], start: start}, nil
}

func bootTime() (time.Time, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, fmt.Errorf("could not read when this machine was booted: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if seconds, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("the boot time in /proc/stat is no number: %w", err)
			}
			return time.Unix(n, 0), nil
		}
	}
	return time.Time{}, errors.New("could not find when this machine was booted: /proc/stat has no btime line")
}
