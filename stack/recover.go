package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack/durable"
)

// sweeper is what a ConfigStore may have besides: it removes staged files that a crash left behind
// before there was a journal to name them.
type sweeper interface {
	Sweep(except ...string) error
}

// Recover finishes or undoes what the last life of the program left in the middle, as a run of kind
// KindRecover. It returns when that has ended; or, with the run still under way and visible as
// Current, when the engine or the disk does not answer or all takes longer than MaxPause, because
// somebody should see the page by then. Without a journal it only cleans up. The error is the
// context's, or ErrShutdown.
func (c *Controller) Recover(ctx context.Context) error {
	// Before the run begins: it may outlast this call, and write these files.
	c.known.versions.sweep()
	for _, path := range []string{c.known.path, string(c.journ)} {
		if err := durable.Sweep(path); err != nil {
			c.o.Log.Warn("What writing a file of the state left could not be removed.", "file", path, "error", err)
		}
	}
	r := c.newRecovery()
	if r == nil {
		c.sweep()
		c.ConfigTouched()
		return nil
	}
	if err := c.begin(r.run); err != nil {
		return fmt.Errorf("recovering: %w", err)
	}
	waiting := make(chan struct{})
	r.waiting = sync.OnceFunc(func() { close(waiting) })
	go func() {
		defer c.work.Done()
		r.take()
	}()
	long := c.o.Clock.NewTimer(c.o.MaxPause)
	defer long.Stop()
	select {
	case <-r.run.Done():
	case <-waiting:
		c.o.Log.Warn("The engine or the disk does not answer; recovering goes on as soon as it does.", "run", r.run.id)
	case <-long.Chan():
		c.o.Log.Warn("Recovering takes long; it goes on.", "run", r.run.id)
	case <-c.life.Done(): // a Shutdown has waited long enough
		return ErrShutdown
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// newRecovery is the recovery of the run that the journal tells of; nil if there is nothing to recover.
func (c *Controller) newRecovery() *recovery {
	j, found, err := c.journ.read()
	if !found {
		return nil
	}
	if err == nil && c.audit.ended(j.Run) {
		if err := c.journ.remove(); err != nil {
			c.o.Log.Warn("The journal of a run that has ended could not be removed.", "run", j.Run, "error", err)
		}
		return nil
	}
	run := newRun(Report{
		ID: newID(c.o.Clock.Now()), Kind: KindRecover, By: "pitstop", Interrupted: j.Run, Backup: j.Backup,
		Started: c.o.Clock.Now(), Steps: pendingSteps(), Revision: Revisions{From: j.Old, To: j.New},
	})
	r := &recovery{workflow: &workflow{c: c, run: run, journal: j, backup: j.Backup}, unreadable: err, began: c.o.Clock.Now(), was: "was interrupted"}
	if j.Unpaused {
		r.was = "was left unfinished"
	}
	return r
}

func (c *Controller) sweep() {
	if s, ok := c.o.Config.(sweeper); ok {
		if err := s.Sweep(); err != nil {
			c.o.Log.Warn("Staged files that a crash left could not be removed.", "error", err)
		}
	}
}

// recovery is a workflow that begins in the middle of another one.
type recovery struct {
	*workflow
	unreadable error     // why the journal cannot be understood
	began      time.Time // when recovering did
	was        string    // what became of the run: "was interrupted"
}

func (r *recovery) take() {
	if r.unreadable != nil {
		r.setAside(r.unreadable)
	} else {
		r.recover()
	}
}

// setAside is what happens to a journal that cannot be understood: it must not keep Pitstop from
// starting, and a person must learn what to look for. One of another version still names those that
// may be paused.
func (r *recovery) setAside(why error) {
	c := r.c
	r.told("recovering", func(*Report) {})
	if len(r.journal.Instances) > 0 && !r.unpauseNamed() {
		r.abandon()
		return
	}
	message := opening(why) + " If a run was interrupted, it was neither finished nor undone."
	if aside, err := c.journ.setAside(c.o.Clock.Now()); err != nil {
		r.warn("The journal could not be moved away: " + sentence(err))
	} else {
		message += " The journal was moved to " + aside + "."
	}
	ctx, cancel := c.within(c.going)
	defer cancel()
	instances, err := c.o.Backend.Instances(ctx)
	if err != nil {
		r.warn("Whether an instance is still paused could not be found out: " + sentence(err))
	}
	for _, i := range instances {
		if i.State == Paused {
			r.warn(fmt.Sprintf("%s is paused, perhaps by the interrupted run. To unpause it: %s", i.Name, c.o.Backend.FreeByHand(i)))
		}
	}
	c.sweep()
	r.end(Failed, CauseConfig, message)
}

func (r *recovery) recover() {
	c, j := r.c, r.journal
	r.told(fmt.Sprintf("Run %s %s (%s). Recovering.", j.Run, r.was, j.Phase), func(*Report) {})
	c.hook(PointRecovering)
	for _, s := range []Step{ValidateConfig, PauseStack, SaveConfig} {
		r.skip(s)
	}
	if !r.unpause() {
		r.abandon()
		return
	}
	r.discard(j.Staged)
	c.sweep() // a roll-back may have staged the old bytes and not yet said so in the journal
	content, err := r.read()
	if err != nil {
		r.leaveUnfinished(fmt.Sprintf("Run %s %s, and %s", j.Run, r.was, sentence(unread{read: err})))
		return
	}
	r.replacing = RevisionOf(content)
	name, old, oldErr := c.backupOf(j.Old, j.Backup)
	if oldErr == nil {
		r.journal.Backup, r.backup = name, name
		r.run.note(func(rep *Report) { rep.Backup = name })
	}
	r.old = old
	undoing := fmt.Sprintf("Run %s %s while it was rolled back.", j.Run, r.was)
	switch live := r.replacing; {
	case live == j.Old && j.Phase == phasePausing:
		c.known.set(content)
		r.skip(ReloadServices)
		r.skip(ConfirmReload)
		r.close(RolledBack, "", fmt.Sprintf("Run %s %s before it changed the config file. Everything runs, with the old config.", j.Run, r.was))
	case live == j.Old: // also a roll-back that could not write the journal: services may have loaded the new one
		r.journal.Phase = phaseUndoReloading
		r.saved(content)
		r.confirmUndo(undoing, func() (string, error) { return r.reloadSince(live) })
	case live == j.New && !j.Phase.undoing():
		r.journal.Phase = phaseReloading
		r.saved(content)
		r.finishInterrupted(live, oldErr)
	case live != j.New && (!j.Phase.pausing() || len(c.o.Validate(content)) == 0):
		r.close(Failed, CauseConflict, fmt.Sprintf("Run %s %s, and somebody has changed the config file since, to %s. It was left as it is; everything runs.", j.Run, r.was, live.Short()))
	case oldErr != nil:
		r.close(Failed, CauseConfig, fmt.Sprintf("Run %s %s, and the old config cannot be put back: %s The config file is now %s; everything runs.", j.Run, r.was, sentence(oldErr), live.Short()))
	case live == j.New:
		r.rollBack(undoing)
	default:
		// It is nobody's: the file was being written in place. It is backed up by the roll-back all
		// the same.
		r.warn(fmt.Sprintf("The config file was neither the old one nor the new one, and not valid. What it held, %s, is kept as a backup.", live.Short()))
		r.rollBack(fmt.Sprintf("Run %s %s while it wrote the config file.", j.Run, r.was))
	}
}

// read reads the config file, and tries again for a while, but not beyond the begin of a shutdown.
func (r *recovery) read() (content []byte, err error) {
	ctx, cancel := clockwork.WithTimeout(r.c.going, r.c.o.Clock, r.c.o.MaxPause)
	defer cancel()
	for backoff := 50 * time.Millisecond; ; backoff = min(2*backoff, time.Second) {
		if content, err = r.c.o.Config.Read(); err == nil {
			return content, nil
		}
		if backoff == time.Second { // not for a moment's trouble
			r.showWaiting()
		}
		if !r.c.sleep(ctx, backoff) {
			return nil, err
		}
	}
}

// unpause frees what the journal names, and nobody else: whatever else is paused was so before the
// run, or was paused by somebody since. It returns false if it had to give up.
func (r *recovery) unpause() bool {
	if !r.journal.Phase.pausing() || r.journal.Unpaused {
		r.skip(UnpauseStack)
		return true
	}
	return r.unpauseNamed()
}

func (r *recovery) unpauseNamed() bool {
	done := r.begin(UnpauseStack)
	p := &Passage{instances: r.journal.Instances, points: recoverPoints, stuck: r.stuck}
	err := r.c.UnpauseStack(p)
	done(err, count(len(p.alive()), "instance"))
	return err == nil
}

// finishInterrupted lets the services confirm the new config, which is in place.
func (r *recovery) finishInterrupted(rev Revision, oldErr error) {
	detail, err := r.reloadSince(rev)
	switch {
	case errors.Is(err, errAbandoned):
		r.abandon()
	case err != nil && oldErr != nil:
		r.close(Failed, CauseConfig, fmt.Sprintf("Run %s %s, its config is in place and everything runs, but: %s And the old one cannot be put back: %s", r.journal.Run, r.was, sentence(err), sentence(oldErr)))
	case err != nil:
		r.rollBack(opening(err))
	case r.confirmed == 0 && r.mustConfirm():
		r.close(Failed, "", fmt.Sprintf("Run %s %s. Its config is in place, but no service has confirmed it: %s.", r.journal.Run, r.was, detail))
	default:
		r.c.hook(PointConfirmed)
		r.close(Applied, "", fmt.Sprintf("Run %s %s and is finished now: %s.", r.journal.Run, r.was, detail))
	}
}

// mustConfirm says whether a service ran when the interrupted run began that has a word for it.
func (r *recovery) mustConfirm() bool {
	return slices.ContainsFunc(r.journal.Before, func(i Instance) bool { return r.c.service(i.Service).Reload.Confirm != "" })
}

// reloadSince lets those services reload and confirm that ran when the interrupted run began, by the
// journal's word. One may have said its word before the crash, so the logs count from the journal's
// time on.
func (r *recovery) reloadSince(rev Revision) (string, error) {
	c := r.c
	var instances []Instance
	away := false
	for backoff := 100 * time.Millisecond; ; backoff = min(2*backoff, 5*time.Second) {
		ctx, cancel := c.within(c.life)
		list, err := c.o.Backend.Instances(ctx)
		cancel()
		if err == nil {
			instances = r.toPause(list)
			break
		}
		if !away { // once: a run keeps all its events, and this may take days
			r.told("The backend does not answer. Waiting for it. "+sentence(err), func(*Report) {})
			away = true
		}
		r.showWaiting()
		if !c.sleep(c.life, backoff) {
			return "", errAbandoned
		}
	}
	since := r.journal.Since
	if r.began.Before(since) {
		since = r.began // the clock was set back meanwhile
	}
	lived := slices.DeleteFunc(instances, func(i Instance) bool {
		old := livesIn(r.journal.Instances, i)
		if !old && !r.ranBefore(i.Service) {
			r.warn(i.Name + " was started since the run began, and has read the config then. It was not waited for.")
		}
		return !old
	})
	return r.reload(rev, since, lived)
}
