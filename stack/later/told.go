package later

import (
	"fmt"
	"time"

	"pitstop/stack"
)

// What the history says in Source of an entry of kind stack.KindLater. A run that applies the change, or
// tries to, has its own entry.
const (
	ToldQueued    = "queued"
	ToldReplaced  = "replaced"
	ToldMoved     = "moved"
	ToldWithdrawn = "withdrawn"
	ToldMissed    = "missed"
	ToldHeld      = "held"
)

// tell puts what happened to a change into the history. It must not be called with the lock held.
func (q *Queue) tell(what string, e *Entry, by, message string) {
	if q.o.Record == nil {
		return
	}
	r := stack.Report{
		Kind: stack.KindLater, Source: what, By: by, Note: e.Note, Message: message,
		Changed: e.Changed, MoreChanged: e.MoreChanged, Started: q.now(),
	}
	if what == ToldMissed || what == ToldHeld {
		r.Outcome = stack.Rejected
	}
	q.o.Record(r)
}

// dueWords says for when a change is queued.
func (q *Queue) dueWords(e *Entry) string {
	switch {
	case e.When != NextClose:
		return "for " + q.instant(e.At)
	case e.At.IsZero():
		return "for the next close"
	}
	return "for the next close, " + q.instant(e.At)
}

// instant is a time as the history tells all of its times. The text stays when the zone becomes another
// one, so that it names its own.
func (q *Queue) instant(t time.Time) string {
	return t.In(q.o.Zone()).Format("2006-01-02 15:04 MST")
}

func (q *Queue) tellPut(e *Entry, old *Entry) {
	if old == nil || old.State == Done {
		q.tell(ToldQueued, e, e.By, "Queued "+q.dueWords(e)+".")
		return
	}
	q.tell(ToldReplaced, e, e.By, fmt.Sprintf("Queued %s, in place of the change that %s had queued.", q.dueWords(e), old.By))
}

func (q *Queue) tellMoved(e *Entry, by string, now bool) {
	message := "The queued change of " + e.By + " waits " + q.dueWords(e) + " now."
	if now {
		message = "The queued change of " + e.By + " is to be applied at once."
	}
	q.tell(ToldMoved, e, by, message)
}

// tellRemoved tells of a change that is gone without having been applied. What was applied has been told.
func (q *Queue) tellRemoved(e *Entry, by string) {
	if e != nil && e.State != Done {
		q.tell(ToldWithdrawn, e, by, "The queued change of "+e.By+" was withdrawn. It is not in the file.")
	}
}

func (q *Queue) tellHeld(e *Entry) {
	what := ToldHeld
	if e.Missed {
		what = ToldMissed
	}
	q.tell(what, e, "pitstop", e.Message)
}
