package stack

import (
	"errors"
	"fmt"
	"time"

	"github.com/jonboulle/clockwork"
)

// This file puts the staged config in place, finds out what a Commit that failed has left, and mends
// a file that it damaged. All of that waits for the disk, which knows no deadline. While the stack
// stands still it is done beside the run, which waits for it no longer than MaxPause.

var errBroken = errors.New("the config file is damaged, and the old bytes could not be put back")

// unread is the error of a Commit that failed because of why, after which the file could not be read:
// it is the old one or the new one, or damaged.
type unread struct{ why, read error }

func (u unread) Error() string {
	return "whether the config file is the old one or the new one cannot be told: " + u.read.Error()
}

func isUnread(err error) bool {
	var u unread
	return errors.As(err, &u)
}

// replace commits what is staged. No error means that the new file is in place, whatever Commit said;
// unread that nobody knows; any other that the file is what it was before, or somebody else's, or,
// by errBroken, damaged.
func (c *Controller) replace(p *Passage) commitResult {
	backup, err := c.o.Config.Commit(p.staged)
	if err == nil {
		return commitResult{backup, nil}
	}
	return c.judge(p, err)
}

// judge finds out what a Commit has left that failed because of why. A file that is neither the old
// nor the new one, though nobody else wrote it, is a mount point that was being written in place: the
// old bytes are put back. In a roll-back those are what was to be put in place.
func (c *Controller) judge(p *Passage, why error) commitResult {
	if errors.Is(why, ErrConflict) { // it changed nothing
		return commitResult{err: why}
	}
	content, err := c.o.Config.Read()
	if err != nil {
		return commitResult{err: unread{why, err}}
	}
	switch RevisionOf(content) {
	case p.staged.To:
		c.o.Log.Warn("The config file is replaced, though the store reported an error.", "error", why)
		name, _, _ := c.backupOf(p.staged.From, p.staged.Backup)
		return commitResult{backup: name}
	case p.staged.From:
		return commitResult{err: why}
	}
	staged, err := c.mend(p)
	var u unread
	switch {
	case errors.As(err, &u):
		return commitResult{err: unread{why, u.read}}
	case err != nil:
		return commitResult{err: errors.Join(why, fmt.Errorf("%w (they are in the backup %s): %w", errBroken, p.oldIn, err))}
	}
	c.o.Log.Warn("The config file was damaged, and the old bytes are put back.", "error", why)
	if staged.To != p.staged.To {
		return commitResult{err: why}
	}
	c.drop(p.staged)
	return commitResult{backup: staged.Backup}
}

// mend puts the old bytes back over a file that a Commit broke.
func (c *Controller) mend(p *Passage) (staged Staged, err error) {
	if p.old == nil { // this is the mending itself
		return staged, errors.New("that failed too")
	}
	if staged, err = c.o.Config.Stage(p.old, c.o.Clock.Now()); err != nil {
		return staged, err
	}
	if err = c.replace(&Passage{staged: staged}).err; err != nil {
		c.drop(staged)
	}
	return staged, err
}

// finder is what a ConfigStore may have besides: the name of the oldest backup of a revision from this name
// on. Commit takes a later name than was staged where somebody else has taken that meanwhile.
type finder interface {
	BackupOf(revision Revision, since string) (name string, err error)
}

// backupOf finds the backup of a revision by the name that was staged for it.
func (c *Controller) backupOf(revision Revision, staged string) (name string, content []byte, err error) {
	name = staged
	content, err = c.o.Config.Backup(name)
	if err == nil && RevisionOf(content) != revision {
		err = fmt.Errorf("the backup %s holds other bytes", name)
	}
	if f, ok := c.o.Config.(finder); ok && err != nil {
		if later, found := f.BackupOf(revision, staged); found == nil {
			name = later
			content, err = c.o.Config.Backup(name)
		}
	}
	if err != nil {
		return "", nil, err
	}
	return name, content, nil
}

// drop discards a staged file that no report speaks of.
func (c *Controller) drop(s Staged) {
	if err := c.o.Config.Discard(s); err != nil {
		c.o.Log.Warn("A staged file could not be removed.", "path", s.Path, "error", err)
	}
}

// unsettled says whether a SaveConfig ended so that the file is not known yet.
func unsettled(err error) bool { return errors.Is(err, errMaxPause) || isUnread(err) }

// settled is what such a SaveConfig came to in the end, while the stack runs: it waits for a disk that
// was not done in time, so that nobody else writes meanwhile, and asks again what the file is where
// that could not be told. A file that was replaced too late is in place, and an error all the same.
// After errAbandoned the disk may still be at work.
func (w *workflow) settled(p *Passage, err error) error {
	c := w.c
	late := errors.Is(err, errMaxPause)
	if late {
		c.o.Log.Warn("The config was not written within max_pause; the stack goes on.", "run", w.run.id, "max_pause", c.o.MaxPause)
	}
	w.showWaiting()
	if late && p.commit != nil {
		if err = c.settle(c.life, p); p.commit != nil {
			return errAbandoned
		}
	}
	// Not beyond the begin of a shutdown: the next start finds out.
	ctx, cancel := clockwork.WithTimeout(c.going, c.o.Clock, c.o.MaxPause)
	defer cancel()
	var u unread
	for backoff := 50 * time.Millisecond; errors.As(err, &u) && c.sleep(ctx, backoff); backoff = min(2*backoff, time.Second) {
		err = p.take(c.judge(p, u.why))
	}
	switch {
	case !late:
		return err
	case err == nil, errors.Is(err, errMaxPause):
		return fmt.Errorf("the config was not written within max_pause (%v)", c.o.MaxPause)
	}
	return fmt.Errorf("the config was not written within max_pause (%v): %w", c.o.MaxPause, err)
}
