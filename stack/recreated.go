package stack

// Recreated records that the config file was gone and was put back with this content, from this backup
// or version. It is no run: nothing was paused, nobody told, and there is nothing to go back to.
func (c *Controller) Recreated(content []byte, source, by, note string) (id string) {
	now := c.o.Clock.Now()
	r := Report{
		ID: newID(now), Kind: KindRestore, Outcome: Applied, Source: source, By: by, Note: note, Started: now, Ended: now,
		Revision: Revisions{To: RevisionOf(content)}, Steps: pendingSteps(),
		Message: "The config file was gone, and is back. Nothing was paused and no service was told; those that watch the file load it by themselves. “Reload services” tells the others.",
	}
	for i := range r.Steps {
		r.Steps[i].State = StepSkipped
	}
	if _, _, err := c.known.set(content); err != nil {
		c.o.Log.Warn("The revision of the config file could not be noted; after a restart it may be told as a change from outside.", "error", err)
	}
	c.AppendAudit(r)
	c.o.OnSaved()
	return r.ID
}
