package stack

// A run may end without anybody knowing which config is in place, since the file cannot be read. Its
// journal stays then, and the next run or the next start finishes it first.

// leaveUnfinished ends a run whose file cannot be read. Nothing is paused any more, which the journal
// says if it can be written; else who finishes the run unpauses once more.
func (w *workflow) leaveUnfinished(message string) {
	c := w.c
	w.journal.Unpaused = true
	if err := c.journ.write(w.journal); err != nil {
		w.warn("The journal could not be brought up to date: " + sentence(err))
	}
	c.unfinished = true
	w.conclude(Failed, CauseConfig, message+" Everything runs. The next save, or the next start of Pitstop, finds out and finishes the run.")
	w.run.note(func(r *Report) { r.Unfinished = true })
	w.append()
	w.announce()
}

// finishEarlier finishes a run that was left so, before this one begins. It returns false when this
// one has ended with it.
func (w *workflow) finishEarlier() bool {
	c := w.c
	if !c.unfinished {
		return true
	}
	if _, err := c.o.Config.Read(); err != nil {
		w.end(Failed, CauseConfig, "The run before this one is not finished, and cannot be: "+sentence(err)+" Nothing was paused and nothing changed.")
		return false
	}
	w.told("The run before this one has to be finished first.", func(*Report) {})
	c.unfinished = false
	r := c.newRecovery()
	if r == nil {
		return true
	}
	c.mu.Lock()
	c.remember(r.run)
	c.mu.Unlock()
	r.take()
	switch {
	case c.unfinished:
		w.end(Failed, CauseConfig, "The run before this one could not be finished, so nothing was paused and nothing changed. "+r.run.Report().Message)
	case r.run.abandoned():
		w.end(Failed, "", "Pitstop is shutting down; nothing was paused and nothing changed.")
	default:
		return true
	}
	return false
}
