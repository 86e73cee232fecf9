package later

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pitstop/stack"
)

const (
	// tick is how often the clock is looked at while something waits, whatever the timers say.
	tick = time.Second
	// tolerated is by how much a change may be late without a word about it.
	tolerated = 5 * time.Second
)

// run watches the time.
func (q *Queue) run(ctx context.Context) {
	defer close(q.done)
	for ctx.Err() == nil {
		timer := q.clock.NewTimer(q.look(ctx))
		select {
		case <-ctx.Done():
		case <-timer.Chan():
		case <-q.poked:
		}
		timer.Stop()
	}
}

// look does what is due and returns when to look again.
func (q *Queue) look(ctx context.Context) time.Duration {
	if q.left {
		if q.o.Busy() { // the recovery may yet put the old file back
			return tick
		}
		q.settle()
		q.left = false
	}
	e, now := q.plan()
	switch {
	case e == nil:
		return time.Hour // whoever queues something wakes us
	case e.At.IsZero() || now.Before(e.At):
		if wait := e.At.Sub(now); wait > 0 && wait < tick {
			return wait
		}
	case q.holdLate(e, now):
	case !q.o.Busy():
		q.apply(ctx, e)
	}
	return tick
}

// holdLate leaves the change to a person if it would be applied too late, and says whether it did.
func (q *Queue) holdLate(e *Entry, now time.Time) bool {
	var message string
	switch {
	case now.Sub(e.At) > q.o.Grace:
		message = "It was not applied: when it was due, and for some time after, Pitstop was off, asleep or busy. Decide whether it still should be."
	case e.When == NextClose && q.o.NextClose(now).Open:
		message = "It was not applied: it came too late for that close, and trading is open again. Decide when it should be."
	default:
		return false
	}
	q.hold(e, func(h *Entry) { h.Missed, h.Message = true, message })
	return true
}

// plan is the change that waits, with its close as the schedule has it now. An edge that has come
// stands: the next one after it would never come.
func (q *Queue) plan() (*Entry, time.Time) {
	now := q.now()
	q.mu.Lock()
	e := q.entry
	q.mu.Unlock()
	if e == nil || e.State != Waiting {
		return nil, now
	}
	if e.When != NextClose || !e.At.IsZero() && !now.Before(e.At) {
		return e, now
	}
	next := q.o.NextClose(now)
	if !next.Known || next.Next.Equal(e.At) {
		return e, now
	}
	moved := e.clone()
	moved.At = next.Next.UTC()
	if next.Next.IsZero() {
		moved.At = time.Time{}
	}
	if !q.swap(e, &moved) {
		return nil, now
	}
	q.log.Info("the schedule changed, and with it when the queued change is due", "id", e.ID, "was", e.At, "at", moved.At)
	return &moved, now
}

// hold leaves the change to a person.
func (q *Queue) hold(e *Entry, why func(*Entry)) {
	held := e.untried()
	held.State = Held
	why(&held)
	if q.swap(e, &held) {
		q.log.Warn("the queued change is held", "id", e.ID, "by", e.By, "why", held.Message)
		q.tellHeld(&held)
	}
}

// apply lays the change over the live file and runs it.
func (q *Queue) apply(ctx context.Context, e *Entry) {
	live, err := q.o.Read()
	if err != nil {
		q.hold(e, func(h *Entry) {
			h.Message = fmt.Sprintf("It was not applied, because the config file cannot be read: %v.", err)
		})
		return
	}
	change := stack.Change{Kind: stack.KindSave, Content: []byte(e.Content), Base: stack.RevisionOf(live), By: e.By, Note: q.noteOf(e), Pressed: "Apply later"}
	var merged Merged
	if string(live) != e.Base {
		if merged, err = q.o.Merge([]byte(e.Base), live, []byte(e.Content)); err != nil {
			q.hold(e, func(h *Entry) {
				h.Message = fmt.Sprintf("It was not applied, because the config file was changed meanwhile and the two cannot be brought together: %v.", err)
			})
			return
		}
		if len(merged.Clashes) > 0 {
			// The run is refused as a conflict, with nothing paused: so the history tells it.
			change.Base = stack.RevisionOf([]byte(e.Base))
		} else {
			change.Content = merged.Content
		}
	}
	under := e.untried()
	under.State, under.To = Applying, stack.RevisionOf(change.Content)
	if !q.swap(e, &under) {
		return
	}
	// What came before may have taken hours: the machine slept, or the disk did.
	began := q.now()
	if q.holdLate(&under, began) {
		return
	}
	report, err := q.o.Apply(ctx, change)
	switch {
	case err != nil:
		waiting := e.untried() // it did not begin: Pitstop is stopping, and the next start decides
		if ctx.Err() == nil && !errors.Is(err, stack.ErrShutdown) {
			waiting.State, waiting.Message = Held, fmt.Sprintf("It was not applied, because the run did not begin: %v.", err)
		}
		if q.swap(&under, &waiting) && waiting.State == Held {
			q.tellHeld(&waiting)
		}
	case report.Outcome == "": // left to the next start, which settles it
	default:
		q.ended(&under, report, merged, began)
	}
}

// ended tells how the run ended.
func (q *Queue) ended(e *Entry, r stack.Report, merged Merged, began time.Time) {
	told := e.untried()
	told.Run, told.Outcome = r.ID, r.Outcome
	switch {
	case r.Outcome == stack.Applied || r.Outcome == stack.Unchanged:
		told.State, told.Content, told.Base = Done, "", ""
		told.Message = "Applied as it was queued."
		if e.To != stack.RevisionOf([]byte(e.Content)) {
			told.Message = "Applied, onto what the config file had become meanwhile."
		}
		if r.Outcome == stack.Unchanged {
			told.Message = "There was nothing to do any more: the config file has these values already."
		}
		if merged.Unmerged {
			told.Content = e.Content
			told.Message += " Comments that you wrote, or how you wrote or ordered keys, could not be taken along, for somebody else changed the same lines."
		}
		if late := began.Sub(e.At); late > tolerated {
			told.Message += fmt.Sprintf(" It was %s late.", late.Round(time.Second))
		}
	case len(merged.Clashes) > 0:
		told.State, told.Clashes = Held, merged.Clashes
		told.Message = "It was not applied: somebody else changed the same keys meanwhile."
	case r.Cause == stack.CauseBusy || r.Cause == stack.CauseConflict:
		told.Run, told.Outcome = "", "" // somebody was quicker by a moment: once more
	default:
		told.State, told.Problems = Held, r.Errors
		told.Message = "It was not applied. " + r.Message
	}
	q.swap(e, &told)
	q.log.Info("the queued change was tried", "id", e.ID, "run", r.ID, "outcome", r.Outcome, "state", told.State)
}

// settle finds out what became of a change that was being applied when Pitstop ended. It is to be called once
// what was interrupted has been recovered: until then the file tells nothing.
func (q *Queue) settle() {
	q.mu.Lock()
	e := q.entry
	q.mu.Unlock()
	if e == nil || e.State != Applying {
		return
	}
	told := e.untried()
	live, err := q.o.Read()
	if err == nil && stack.RevisionOf(live) == e.To {
		told.State, told.Base, told.Outcome = Done, "", stack.Applied
		if e.To == stack.RevisionOf([]byte(e.Content)) {
			told.Content = "" // else some of its comments may be nowhere else
		}
		told.Message = "Applied. Pitstop was ended in the middle of it and brought it to its end when it was back; see the history."
	} else {
		told.State = Held
		told.Message = "Pitstop was ended while it was being applied, and it is not in the file now. See the history, then decide whether it still should be."
	}
	q.swap(e, &told)
}

// noteOf is the note of the run that applies the change.
func (q *Queue) noteOf(e *Entry) string {
	what := "for " + q.instant(e.At)
	if e.When == NextClose {
		what = "for the next close"
	}
	text := "Queued " + q.instant(e.Queued) + " " + what
	if e.Note != "" {
		text = e.Note + " · " + text
	}
	return text
}

// Through applies changes by a Controller.
func Through(c *stack.Controller) func(context.Context, stack.Change) (stack.Report, error) {
	return func(ctx context.Context, ch stack.Change) (stack.Report, error) {
		run, err := c.SaveAndRestart(ctx, ch)
		if err != nil {
			return stack.Report{}, err
		}
		report, err := run.Wait(ctx)
		if err != nil {
			report = run.Report()
		}
		return report, nil
	}
}
