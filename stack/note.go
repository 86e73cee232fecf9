package stack

import "errors"

// ErrNoReport means that the history has no report of that ID.
var ErrNoReport = errors.New("the history has no such report")

// Annotate sets the note of a report, in place of one that it has; an empty note takes it away. The
// audit log is only ever appended to: it keeps the earlier notes, and the newest is shown.
func (c *Controller) Annotate(id, by, note string) error {
	r, ok := c.Report(id)
	if !ok {
		return ErrNoReport
	}
	if r.Note != note {
		c.AppendAudit(Report{Kind: KindNote, Source: id, By: by, Note: note})
	}
	return nil
}

// HistoryProblem is a sentence on what Reports lacks, or what of it is not on disk; empty if nothing.
func (c *Controller) HistoryProblem() string {
	c.audit.mu.Lock()
	defer c.audit.mu.Unlock()
	switch n := len(c.audit.unsaved); {
	case n == 0:
		return c.audit.unread
	case n == 1:
		return "The newest entry could not be written to the audit log yet; it is kept in memory until it can."
	}
	return "The newest entries could not be written to the audit log yet; they are kept in memory until they can."
}

// annotate needs the lock, or to be alone.
func (a *audit) annotate(id, note string) {
	for i := len(a.reports) - 1; i >= 0; i-- {
		if a.reports[i].ID == id {
			a.reports[i].Note = note
			return
		}
	}
	a.early[id] = note
}

// noted is a run's own report with the newest note on it.
func (a *audit) noted(r Report) Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	if note, ok := a.early[r.ID]; ok {
		r.Note = note
		return r
	}
	for i := len(a.reports) - 1; i >= 0; i-- {
		if a.reports[i].ID == r.ID {
			r.Note = a.reports[i].Note
			break
		}
	}
	return r
}
