package stack

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// workflow takes one run through its steps. It belongs to the run's goroutine.
type workflow struct {
	c       *Controller
	run     *Run
	undoing bool // steps are told in Report.RollBack
	journal journal
	old     []byte // what to roll back to
	backup  string // for the report: where the old bytes are

	confirmed int                      // instances that have confirmed in the last ConfirmReload
	replacing Revision                 // what a roll-back expects to find in place
	final     func(*Report)            // how the run ends, once that is decided
	guard     func() (freed time.Time) // ends the dead man; nil: there is none
	stuckAs   string                   // what was last told of those that are still paused
	waiting   func()                   // called when the run has to wait for the engine or the disk; nil: nobody asks
}

// save is a whole run: SaveAndRestart's goroutine.
func (w *workflow) save(ch Change) {
	w.told("started by "+orSomebody(ch.By), func(*Report) {})
	p := w.validate(ch)
	if p == nil {
		return
	}
	c := w.c
	w.journal = journal{
		Run: w.run.id, Kind: ch.Kind, By: ch.By, Phase: phasePausing, Since: c.o.Clock.Now(),
		Instances: p.instances, Before: p.instances, Idle: p.idle, Old: p.staged.From, New: p.staged.To, Staged: p.staged, Backup: p.staged.Backup,
	}
	if err := c.journ.write(w.journal); err != nil {
		w.discard(p.staged)
		w.clean()
		w.end(Failed, CauseConfig, "The journal could not be written, so nothing was paused and nothing changed: "+sentence(err))
		return
	}
	c.hook(PointJournalWritten)

	switch f, err := w.pass(p); f {
	case abandoned:
		w.abandon()
	case unknown:
		w.leaveUnfinished(opening(err))
	case replaced, late:
		w.journal.Phase, w.journal.Backup, w.backup = phaseReloading, p.backup, p.backup
		w.replacing = p.staged.To
		w.saved(ch.Content)
		if f == late {
			w.rollBack(opening(err))
			return
		}
		w.finish(p.staged.To, p.held, p.alive())
	default:
		w.discard(p.staged)
		o, cause, left := f.outcome()
		w.close(o, cause, opening(err)+left)
	}
}

// validate does everything that can fail with nothing paused. It returns nil when the run has ended.
func (w *workflow) validate(ch Change) (p *Passage) {
	c := w.c
	done := w.begin(ValidateConfig)
	refuse := func(o Outcome, cause Cause, message string) *Passage {
		done(errors.New(message), "")
		w.end(o, cause, message)
		return nil
	}
	to := RevisionOf(ch.Content)
	old, err := c.o.Config.Read()
	from := RevisionOf(old)
	if err == nil {
		w.run.note(func(r *Report) { r.Revision = Revisions{From: from, To: to} })
	}
	if problems := c.o.Validate(ch.Content); len(problems) > 0 {
		w.run.note(func(r *Report) { r.Errors = problems })
		return refuse(Rejected, CauseInvalid, invalidMessage(problems))
	}
	if err != nil {
		return refuse(Failed, CauseConfig, opening(err)+" Nothing was changed.")
	}
	w.old = old
	if from == to {
		done(nil, "the config file has these bytes already")
		for _, s := range c.Status().Services {
			if s.State == Running && s.Loaded != "" && !to.Is(s.Loaded) {
				w.missed(s.Name, s.Name+" loaded another config, "+s.Loaded.Short()+". Reload the services to have it load this one.")
			}
		}
		w.end(Unchanged, "", "Nothing to do: the config file is this already.")
		return nil
	}
	if ch.Base != "" && ch.Base != from {
		return refuse(Rejected, CauseConflict, fmt.Sprintf(
			"Somebody else changed the config file meanwhile: the change was made from %s, and the file is now %s. Nothing was overwritten.", ch.Base.Short(), from.Short()))
	}
	if c.o.Changed != nil {
		changed, more := FewChanged(c.o.Changed(old, ch.Content))
		w.run.note(func(r *Report) { r.Changed, r.MoreChanged = changed, more })
	}
	if c.o.Remarks != nil {
		for _, text := range c.o.Remarks(old, ch.Content) {
			w.warn(text)
		}
	}
	ctx, cancel := c.within(c.going)
	defer cancel()
	instances, err := c.o.Backend.Instances(ctx)
	if c.going.Err() != nil {
		return refuse(Failed, "", "Pitstop is shutting down; nothing was paused and nothing changed.")
	}
	if err != nil {
		return refuse(Failed, CauseBackend, "The services cannot be listed, so nothing was paused and nothing changed: "+sentence(err))
	}
	staged, err := c.o.Config.Stage(ch.Content, c.o.Clock.Now())
	if err != nil {
		return refuse(Failed, CauseConfig, opening(err)+" Nothing was paused.")
	}
	if staged.From != from {
		w.discard(staged)
		return refuse(Rejected, CauseConflict, "Somebody else changed the config file at this very moment. Nothing was overwritten.")
	}
	c.hook(PointStaged)
	done(nil, "valid, and staged as "+to.Short())
	p = &Passage{instances: w.toPause(instances), staged: staged, old: old, oldIn: staged.Backup, points: forwardPoints, stuck: w.stuck}
	for _, i := range instances {
		if i.State != Running {
			p.idle = append(p.idle, i.ID)
		}
	}
	return p
}

// pass is PauseStack, SaveConfig and UnpauseStack.
func (w *workflow) pass(p *Passage) (f fate, err error) {
	c := w.c
	if c.prepare(c.life, p) == nil {
		w.startGuard(p)
		c.point(p.points.guarded)
	}
	done := w.begin(PauseStack)
	err = c.PauseStack(c.life, p)
	done(err, count(len(p.alive()), "instance"))
	stands := err == nil
	if stands {
		done = w.begin(SaveConfig)
		if err = c.SaveConfig(c.life, p); !unsettled(err) {
			done(err, "backup "+p.backup)
		}
		stands = !errors.Is(err, errPausedTooLong)
	} else {
		w.skip(SaveConfig)
	}
	unpaused := w.begin(UnpauseStack)
	stuck := c.UnpauseStack(p)
	unpaused(stuck, fmt.Sprintf("pause window %.1f ms", ms(p.window())))
	w.run.note(func(r *Report) { r.PauseMs += ms(p.window()) })
	for n, i := range p.instances {
		if p.gone[n] {
			w.warn(i.Name + " ended or was replaced while the stack was paused.")
		}
	}
	if stuck != nil {
		return abandoned, errAbandoned
	}
	freed := w.endGuard()
	if !stands {
		return notPaused, err
	}
	if unsettled(err) {
		if err = w.settled(p, err); errors.Is(err, errAbandoned) {
			return abandoned, err
		}
		done(err, "backup "+p.backup)
	} else if err == nil && !freed.IsZero() && !p.replaced.Before(freed) {
		err = errFreed // whatever this process's clock says
	}
	return fateOf(p.inPlace, err), err
}

// toPause chooses the running instances, and warns of what is left alone.
func (w *workflow) toPause(instances []Instance) (running []Instance) {
	found, listed := map[string]int{}, map[string]bool{}
	for _, i := range instances {
		listed[i.Service] = true
		switch i.State {
		case Running:
			running = append(running, i)
			found[i.Service]++
		case Paused:
			found[i.Service]++
			w.missed(i.Service, i.Name+" was paused before this run. It stays paused, is not told of the new config and not waited for. To unpause it: "+w.c.o.Backend.FreeByHand(i))
		case Starting:
			found[i.Service]++
			if !w.ranBefore(i.Service) || slices.Contains(w.journal.Idle, i.ID) { // else it is waited for
				w.missed(i.Service, i.Name+" is starting. It was not paused and not waited for; it reads the config when it is up.")
			}
		}
		for _, text := range i.Warnings {
			w.warn(i.Name + ": " + text)
		}
	}
	for _, s := range w.c.o.Services {
		if found[s.Name] == 0 && !w.ranBefore(s.Name) {
			why := ""
			if s.Selector != "" && !listed[s.Name] {
				why = ": nothing matches " + s.Selector
			}
			w.missed(s.Name, "No instance of "+s.Name+" is running"+why+". It was not waited for.")
		}
	}
	return running
}

// saved records that the config file is now this one. It runs outside the window.
func (w *workflow) saved(content []byte) {
	c := w.c
	if err := c.journ.write(w.journal); err != nil {
		w.warn("The journal could not be brought up to date: " + sentence(err))
	}
	if _, _, err := c.known.set(content); err != nil {
		w.warn("The new revision could not be noted; after a restart it may be told as a change from outside: " + sentence(err))
	}
	c.o.OnSaved()
	c.hook(PointReloading)
}

// finish reloads and confirms, and rolls back if that fails.
func (w *workflow) finish(rev Revision, since time.Time, instances []Instance) {
	detail, err := w.reload(rev, since, instances)
	switch {
	case errors.Is(err, errAbandoned):
		w.abandon()
	case err != nil:
		w.rollBack(opening(err))
	default:
		w.c.hook(PointConfirmed)
		w.close(Applied, "", "Configuration applied: "+detail+".")
	}
}

// close ends a run that has a journal: the history first, then the journal, then the word to those
// who wait. A crash in between leaves a journal of a run that the history has, and Recover sees that.
func (w *workflow) close(o Outcome, cause Cause, message string) {
	c := w.c
	if err := c.o.Config.Prune(w.journal.Backup); err != nil {
		w.warn("Old backups could not be removed: " + sentence(err))
	}
	w.conclude(o, cause, message)
	w.append()
	c.hook(PointAudited)
	w.clean()
	c.hook(PointJournalRemoved)
	w.announce()
}

// clean removes the journal and whatever its writing left.
func (w *workflow) clean() {
	if err := w.c.journ.remove(); err != nil {
		w.warn("The journal could not be removed, and the next start will look into it again: " + sentence(err))
	}
}

func (w *workflow) discard(s Staged) {
	if err := w.c.o.Config.Discard(s); err != nil {
		w.warn("A staged file could not be removed: " + sentence(err))
	}
}

func (w *workflow) startGuard(p *Passage) {
	if w.c.o.Guard == nil || len(p.instances) == 0 {
		return
	}
	release, err := w.c.o.Guard(p.instances)
	if err != nil {
		p.began = w.c.o.Clock.Now() // nobody else counts
		w.warn("Should Pitstop die during the pause, only its next start unpauses the stack: " + sentence(err))
		return
	}
	w.guard = release
}

// endGuard returns what release of Options.Guard does.
func (w *workflow) endGuard() (freed time.Time) {
	if w.guard == nil {
		return freed
	}
	freed = w.guard()
	w.guard = nil
	if !freed.IsZero() {
		w.warn("Pitstop was stopped, or hung, while it had the stack paused. Its guardian unpaused the stack meanwhile.")
	}
	return freed
}
