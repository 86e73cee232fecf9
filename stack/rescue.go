package stack

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"pitstop/stack/durable"
)

// rescueCall bounds one call to the backend in a rescue.
const rescueCall = 5 * time.Second

// Rescue is for a program that cannot start, and so does not come to Recover: it unpauses what an
// interrupted run may have left paused, and does nothing else. The journal stays, for the start that
// succeeds. It tries until everything goes on or the context ends, and tells the log.
//
// attach makes a backend that starts nothing. It is asked for only if there is something to unpause,
// and nobody else holds the lock of the state folder, who would see to it.
func Rescue(ctx context.Context, state string, attach func() (Backend, error), log *slog.Logger) {
	if _, left := leftPaused(state, log); !left {
		return
	}
	unlock, err := durable.LockAsItIs(state)
	if errors.Is(err, durable.ErrLocked) {
		return
	}
	if err != nil {
		log.Error("A run was interrupted, and the stack may be paused. It cannot be unpaused, since the state folder cannot be locked.", "error", err)
		return
	}
	defer unlock()
	j, left := leftPaused(state, log) // once more, now that nobody changes it
	if !left {
		return
	}
	backend, err := attach()
	if err != nil {
		log.Error("A run was interrupted, and the stack may be paused. It cannot be unpaused.", "run", j.Run, "error", err)
		return
	}
	defer func() { _ = backend.Close() }()
	log.Warn("Pitstop cannot start, but a run was interrupted, and the stack may be paused. Unpausing it.", "run", j.Run, "phase", string(j.Phase))
	each(j.Instances, func(_ int, i Instance) error {
		rescueOne(ctx, backend, i, log.With("instance", i.Name, "service", i.Service))
		return nil
	})
	log.Warn("The journal of the interrupted run was left as it is. The next start that succeeds finishes or undoes the run.", "run", j.Run)
}

// leftPaused reads the journal, and says whether it names instances that may be paused. Also one that
// cannot be understood may still name some.
func leftPaused(state string, log *slog.Logger) (j journal, left bool) {
	j, found, err := journalFile(filepath.Join(state, "journal.json")).read()
	switch {
	case !found || len(j.Instances) == 0:
		return j, false
	case err == nil && (!j.Phase.pausing() || j.Unpaused): // whoever stands still now does so for somebody else
		return j, false
	case err == nil && openAudit(filepath.Join(state, "audit.jsonl"), log).ended(j.Run):
		return j, false // the crash came between the run's end and the journal's
	}
	return j, true
}

func rescueOne(ctx context.Context, backend Backend, i Instance, log *slog.Logger) {
	for backoff := 50 * time.Millisecond; ; backoff = min(2*backoff, 2*time.Second) {
		attempt, cancel := context.WithTimeout(ctx, rescueCall)
		err := backend.Unpause(attempt, i)
		cancel()
		switch {
		case err == nil:
			log.Warn("The instance runs.")
			return
		case errors.Is(err, ErrGone):
			log.Warn("The instance is gone; there is nothing to unpause.", "why", err)
			return
		}
		select {
		case <-ctx.Done():
			log.Error("STILL PAUSED: an instance could not be unpaused.", "by_hand", backend.FreeByHand(i), "error", err)
			return
		case <-time.After(backoff):
		}
	}
}
