package process

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack/linuxproc"
)

// leftoverTimeout is how long what a main process left behind may take to end before the service is
// started again.
const leftoverTimeout = 2 * time.Second

// end asks the process and its kin to end, and makes those that have not done so in time.
func (b *Backend) end(s *service, l *life) error {
	// Taken while the leader lives, when the session's number cannot be anybody else's.
	var kin []process
	for _, p := range everyProcess() {
		if p.session == l.pid && l.alive() {
			kin = append(kin, p)
		}
	}
	kin = append(kin, descendants(l.pid)...)
	err := signalGroup(l.pid, l.start, unix.SIGTERM)
	for _, p := range kin {
		if p.group != l.pid {
			_ = linuxproc.Signal(p.pid, p.start, unix.SIGTERM) // if it cannot be asked, it will be made to
		}
	}
	if err == nil {
		err = continueTree(l.pid, l.start) // a stopped process does not end
	}
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	err = errors.Join(err, continueMarked(s.folder, l.name)) // nor may one stay stopped that no tree leads to
	s.log.Info("asked the service to end", "pid", l.pid)
	return errors.Join(err, b.outlive(s, l, kin, b.options.StopTimeout))
}

// endLeftovers ends what is left of the session of a main process that has ended, so that the next
// one does not find its ports taken.
func (b *Backend) endLeftovers(s *service, l *life) {
	// What has a session of its own may go on without the main process, as it would have if nobody had
	// paused it.
	if err := continueMarked(s.folder, l.name); err != nil {
		s.log.Error("a process that the service left behind may be paused", "error", err)
	}
	left := leftovers(l.pid, s.folder, l.name)
	for _, p := range left {
		_ = linuxproc.Signal(p.pid, p.start, unix.SIGTERM)
		_ = linuxproc.Signal(p.pid, p.start, unix.SIGCONT)
	}
	if len(left) == 0 {
		return
	}
	s.log.Warn("the service left processes behind, which are being ended", "count", len(left))
	if err := b.outlive(s, l, left, leftoverTimeout); err != nil {
		s.log.Error("could not end what the service left behind", "error", err)
	}
}

// outlive waits until the life and its kin have ended, and makes them once the time is over.
func (b *Backend) outlive(s *service, l *life, kin []process, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	remain := func() []process {
		var left []process
		for _, p := range append(kin, process{pid: l.pid, start: l.start}) {
			if linuxproc.Alive(p.pid, p.start) {
				left = append(left, p)
			}
		}
		return left
	}
	if until(ctx, func() bool { return len(remain()) == 0 }) == nil {
		return nil
	}
	var failed []error
	for _, p := range append(remain(), leftovers(l.pid, s.folder, l.name)...) {
		s.log.Warn("the process did not end in time and is killed", "pid", p.pid)
		if err := linuxproc.Signal(p.pid, p.start, unix.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
			failed = append(failed, err)
		}
	}
	killed, cancel := context.WithTimeout(context.Background(), leftoverTimeout)
	defer cancel()
	if err := until(killed, func() bool { return len(remain()) == 0 }); err != nil {
		failed = append(failed, errors.New("a process of "+s.Name+" did not end although it was killed"))
	}
	return errors.Join(failed...)
}
