package process

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// handlerTimeout is how long a process may take to be ready for a signal that would end it, unless
// Options say otherwise.
const handlerTimeout = 3 * time.Second

// awaitHandler waits until the process handles a signal that would end it otherwise: a service that
// has only just started does not, and one that never does must not die of a reload.
func awaitHandler(ctx context.Context, l *life, signal unix.Signal, timeout time.Duration) (warning string, err error) {
	if signal != unix.SIGUSR1 && signal != unix.SIGUSR2 && signal != unix.SIGHUP {
		return "", nil
	}
	name := unix.SignalName(signal)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("process %d does not handle the signal and would end, so it was not sent; let it handle %s, or let it watch the file", l.pid, name))
	defer cancel()
	err = until(ctx, func() bool {
		var handled, known bool
		handled, warning, known = handling(l.pid, signal)
		return handled || warning != "" || !known
	})
	return warning, err
}

// handling reads what the process does with the signal; known is false where that cannot be read.
func handling(pid int, signal unix.Signal) (handled bool, warning string, known bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false, "", false
	}
	in := func(field string) bool {
		_, rest, found := strings.Cut(string(text), "\n"+field+":")
		value, _, _ := strings.Cut(rest, "\n")
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		known = found && err == nil
		return known && mask&(1<<(uint(signal)-1)) != 0
	}
	if in("SigIgn") {
		return false, fmt.Sprintf("process %d ignores %s", pid, unix.SignalName(signal)), true
	}
	return in("SigCgt"), "", known
}
