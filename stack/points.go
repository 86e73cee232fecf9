package stack

// The named points of the workflow, for tests that break it there: Options.Hook is called with one
// of these as the run passes it. Nothing is promised beyond their order.
const (
	PointStaged         = "staged"          // the new config lies beside the old one; no journal yet
	PointJournalWritten = "journal-written" // nothing is paused yet
	PointGuarded        = "guarded"         // the guardian counts, if there is one; nothing is paused yet
	PointFirstPaused    = "first-paused"    // one instance is; the others' requests are on their way
	PointPaused         = "paused"          // all are
	PointSaved          = "saved"           // the file is replaced, the stack still paused
	PointFirstUnpaused  = "first-unpaused"
	PointUnpaused       = "unpaused"
	PointReloading      = "reloading" // the journal says that nothing is paused any more
	PointReloaded       = "reloaded"  // every signal is sent
	PointConfirmed      = "confirmed"
	PointAudited        = "audited" // the run is in the audit log; the journal is still there
	PointJournalRemoved = "journal-removed"

	PointUndoBegun          = "undo-begun" // a service refused
	PointUndoJournalWritten = "undo-journal-written"
	PointUndoPaused         = "undo-paused"
	PointUndoSaved          = "undo-saved" // the old bytes are back, the stack still paused
	PointUndoUnpaused       = "undo-unpaused"
	PointUndoReloaded       = "undo-reloaded"
	PointUndoConfirmed      = "undo-confirmed"

	PointRecovering        = "recovering" // the journal is read; nothing is done yet
	PointRecoveredUnpaused = "recovered-unpaused"
)

// Points are the named points in the order in which a run that meets every trouble passes them.
// Those from PointAudited on come last in every run.
var Points = []string{
	PointStaged, PointJournalWritten, PointGuarded, PointFirstPaused, PointPaused, PointSaved, PointFirstUnpaused,
	PointUnpaused, PointReloading, PointReloaded, PointConfirmed, PointAudited, PointJournalRemoved,
	PointUndoBegun, PointUndoJournalWritten, PointUndoPaused, PointUndoSaved, PointUndoUnpaused,
	PointUndoReloaded, PointUndoConfirmed,
	PointRecovering, PointRecoveredUnpaused,
}

func (c *Controller) hook(point string) {
	if c.o.Hook != nil {
		c.o.Hook(point)
	}
}
