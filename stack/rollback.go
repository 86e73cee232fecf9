package stack

import (
	"errors"
	"fmt"
)

// rollBack puts the old bytes back by the same steps, because of this reason, and ends the run. It
// prefers the old file in place over a perfect passage: if the stack cannot be paused for it, the
// file is put back all the same.
func (w *workflow) rollBack(reason string) {
	c := w.c
	c.hook(PointUndoBegun)
	w.undoing = true
	w.told("Rolling back. "+reason, func(r *Report) { r.RollBack = pendingSteps() })
	old := RevisionOf(w.old)

	p, noPause, err := w.prepareUndo()
	if err != nil && c.life.Err() != nil {
		w.abandon()
		return
	}
	if err != nil {
		w.notPutBack(reason, fateOf(false, err), err)
		return
	}
	f, err := notPaused, noPause
	if err == nil {
		f, err = w.pass(p)
	}
	if f == notPaused {
		w.warn("The stack was not paused for the roll-back; the old config was put back while it ran: " + sentence(err))
		f, err = w.putBackUnpaused(p)
	}
	switch {
	case f == abandoned, !f.inPlace() && c.life.Err() != nil: // the next start rolls back
		w.abandon()
		return
	case f == unknown:
		w.leaveUnfinished(reason + " And the old config was to be put back, but " + sentence(err))
		return
	case !f.inPlace():
		w.discard(p.staged)
		w.notPutBack(reason, f, err)
		return
	}
	w.journal.Phase = phaseUndoReloading
	w.saved(w.old)
	w.confirmUndo(reason, func() (string, error) {
		return w.reload(old, p.held, p.alive())
	})
}

// putBackUnpaused puts the old bytes in place while the stack runs.
func (w *workflow) putBackUnpaused(p *Passage) (f fate, err error) {
	done := w.begin(SaveConfig)
	if p.held.IsZero() { // nobody tried to pause
		p.held = w.c.o.Clock.Now()
	}
	running := &Passage{staged: p.staged, old: p.old, oldIn: p.oldIn, points: passagePoints{saved: PointUndoSaved}}
	err = w.c.SaveConfig(w.c.life, running)
	if unsettled(err) {
		err = w.settled(running, err)
	}
	if !errors.Is(err, errAbandoned) {
		done(err, "while the stack was running")
	}
	return fateOf(running.inPlace, err), err
}

// notPutBack ends a roll-back that failed so, and says which file it has left.
func (w *workflow) notPutBack(reason string, f fate, err error) {
	left := " The new one is in place."
	switch {
	case f == theirs:
		left = " What somebody else wrote is in place."
	case f == damaged, w.replacing != w.journal.New:
		left = " The config file must be put right by hand."
	}
	w.close(Failed, CauseConfig, reason+" And the old config could not be put back: "+sentence(err)+left)
}

// prepareUndo stages the old bytes, lists the stack as it is now, and writes the journal. noPause is
// why the stack must not be paused, though the file can be put back.
func (w *workflow) prepareUndo() (p *Passage, noPause, errs error) {
	c := w.c
	done := w.begin(ValidateConfig)
	for range 3 {
		staged, err := c.o.Config.Stage(w.old, c.o.Clock.Now())
		if err != nil {
			errs = err
			if !c.sleep(c.life, c.o.ReloadTimeout/20) {
				break
			}
			continue
		}
		if staged.From != w.replacing {
			w.discard(staged)
			errs = fmt.Errorf("somebody else changed the config file meanwhile, to %s: %w", staged.From.Short(), ErrConflict)
			break
		}
		ctx, cancel := c.within(c.life)
		instances, err := c.o.Backend.Instances(ctx)
		cancel()
		if err != nil {
			w.warn("The services could not be listed for the roll-back: " + sentence(err))
			instances = w.journal.Instances
		}
		p := &Passage{instances: w.toPause(instances), staged: staged, old: w.old, oldIn: w.journal.Backup, points: undoPoints, stuck: w.stuck}
		w.journal.Phase, w.journal.Since = phaseUndoPausing, c.o.Clock.Now()
		w.journal.Instances, w.journal.Staged = p.instances, staged
		if err := c.journ.write(w.journal); err != nil {
			noPause = fmt.Errorf("the journal could not be written, and after a crash nobody would know whom to unpause: %w", err)
		}
		c.hook(PointUndoJournalWritten)
		done(nil, "the old config is staged as "+staged.To.Short())
		return p, noPause, nil
	}
	done(errs, "")
	return nil, nil, errs
}

// confirmUndo ends a roll-back whose file is in place.
func (w *workflow) confirmUndo(reason string, reload func() (string, error)) {
	detail, err := reload()
	switch {
	case errors.Is(err, errAbandoned):
		w.abandon()
	case err != nil:
		w.close(Failed, "", reason+" The old config is back in place and everything runs, but: "+sentence(err))
	default:
		w.c.hook(PointUndoConfirmed)
		w.close(RolledBack, "", reason+" The old config is back in place: "+detail+".")
	}
}
