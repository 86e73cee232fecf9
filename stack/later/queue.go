package later

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jonboulle/clockwork"

	"pitstop/stack"
	"pitstop/stack/durable"
)

// Options are what a Queue works with. All but the last five are required.
type Options struct {
	// State is the folder of later.json.
	State string
	// Read returns the live config file.
	Read func() ([]byte, error)
	// Merge lays queued, which was made from base, over live.
	Merge func(base, live, queued []byte) (Merged, error)
	// Apply runs a change to its end; Through makes it of a Controller. An error: the run did not
	// begin. A report without an outcome: it goes on, or was left to the next start.
	Apply func(context.Context, stack.Change) (stack.Report, error)
	// Busy tells whether a run is under way, so that asking can wait.
	Busy func() bool
	// NextClose asks the schedule.
	NextClose func(now time.Time) Close

	// Record is told of everything that happens to the change without a run, for the history; nil: nobody.
	Record func(stack.Report)

	Zone  func() *time.Location // where times are told; nil: UTC
	Grace time.Duration         // how late a change may be applied without asking; 15 min if zero
	Clock clockwork.Clock       // nil: the real one
	Log   *slog.Logger          // nil: none
}

// Queue holds at most one change. All methods are safe for concurrent use.
type Queue struct {
	o     Options
	path  string
	clock clockwork.Clock
	log   *slog.Logger
	poked chan struct{} // one place: look now
	stop  context.CancelFunc
	done  chan struct{}
	left  bool // the change was being applied when the last process ended; for the goroutine of run

	mu       sync.Mutex // guards what follows, and the file
	entry    *Entry     // nil: nothing is queued; never changed in place
	onChange []func()
}

// Open reads what is queued. A file that cannot be read or understood is put aside and told as a held
// change, so that nobody waits for it in vain.
func Open(o Options) (*Queue, error) {
	if o.State == "" || o.Read == nil || o.Merge == nil || o.Apply == nil || o.Busy == nil || o.NextClose == nil {
		return nil, errors.New("later.Open: State, Read, Merge, Apply, Busy and NextClose are required")
	}
	if o.Zone == nil {
		o.Zone = func() *time.Location { return time.UTC }
	}
	if o.Grace == 0 {
		o.Grace = 15 * time.Minute
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{o: o, path: filepath.Join(o.State, "later.json"), clock: o.Clock, log: o.Log, poked: make(chan struct{}, 1)}
	e, err := load(q.path)
	switch {
	case err == nil:
		q.entry, q.left = e, e.State == Applying
	case !errors.Is(err, fs.ErrNotExist):
		aside := q.path + ".unreadable"
		q.log.Error("the queued change cannot be understood; it is put aside and will not be applied", "path", q.path, "aside", aside, "error", err)
		if err := os.Rename(q.path, aside); err != nil {
			q.log.Error("the queued change could not be put aside", "path", q.path, "error", err)
		}
		lost := &Entry{
			ID: newID(), State: Held, When: AtTime, Queued: q.now(), By: "unknown",
			Message: "A change was queued, but its file could not be understood; it was not applied, and lies in the state folder as later.json.unreadable. Queue it again.",
		}
		if q.swap(nil, lost) {
			q.tellHeld(lost)
		}
	}
	return q, nil
}

// Start begins to watch the time, until ctx ends or Shutdown. It is to be called once, after the
// Controller has begun to recover what a crash interrupted: while it does, it is busy.
func (q *Queue) Start(ctx context.Context) {
	ctx, q.stop = context.WithCancel(ctx)
	q.done = make(chan struct{})
	go q.run(ctx)
}

// Shutdown ends the watch. It is to be called after the Controller's: how a run that was under way
// ended is then known.
func (q *Queue) Shutdown() {
	if q.stop != nil {
		q.stop()
		<-q.done
	}
}

// OnChange has f called, which must be quick, after the queued change became another or went on.
func (q *Queue) OnChange(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.onChange = append(q.onChange, f)
}

// Replan has the next close asked for again, soon. It is quick, and safe at any time.
func (q *Queue) Replan() {
	select {
	case q.poked <- struct{}{}:
	default:
	}
}

// Entry is the queued change as it is now.
func (q *Queue) Entry() (Entry, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.entry == nil {
		return Entry{}, false
	}
	return q.entry.clone(), true
}

// NextClose is the close at which a change that was queued now would be due; zero: none is in sight.
func (q *Queue) NextClose() time.Time { return q.o.NextClose(q.now()).Next }

// Put queues a change. It is on the disk when Put returns.
func (q *Queue) Put(r Request) (Entry, error) {
	if !utf8.Valid(r.Content) || !utf8.Valid(r.Base) {
		return Entry{}, refused("The document is not UTF-8, as every TOML document is.")
	}
	at, err := q.due(r.When, r.At)
	if err != nil {
		return Entry{}, err
	}
	e := &Entry{
		ID: newID(), State: Waiting, When: r.When, At: at, Queued: q.now(), By: r.By, Note: r.Note,
		Content: string(r.Content), Base: string(r.Base),
	}
	e.Changed, e.MoreChanged = stack.FewChanged(slices.Clone(r.Changed))
	var before *Entry
	err = q.change(func(old *Entry) (*Entry, error) {
		before = old
		switch {
		case old == nil && r.Replaces == "", old != nil && old.State == Done:
		case old == nil:
			return nil, ErrNone
		case old.State == Applying:
			return nil, ErrApplying
		case r.Replaces == "":
			return nil, &OccupiedError{old.clone()}
		case old.ID != r.Replaces:
			return nil, ErrAnother
		}
		return e, nil
	})
	if err != nil {
		return Entry{}, err
	}
	q.log.Info("a change is queued", "id", e.ID, "by", e.By, "when", e.When, "at", e.At, "replaces", r.Replaces)
	q.tellPut(e, before)
	return e.clone(), nil
}

// Move gives the queued change another time. One that was held waits again.
func (q *Queue) Move(id string, when When, at time.Time, by string) (Entry, error) {
	at, err := q.due(when, at)
	if err != nil {
		return Entry{}, err
	}
	return q.again(id, by, when, at, false)
}

// ApplyNow makes the queued change due.
func (q *Queue) ApplyNow(id, by string) (Entry, error) { return q.again(id, by, AtTime, q.now(), true) }

func (q *Queue) again(id, by string, when When, at time.Time, now bool) (e Entry, err error) {
	err = q.change(func(old *Entry) (*Entry, error) {
		if err := meant(old, id); err != nil {
			return nil, err
		}
		if old.State == Done || old.Content == "" {
			return nil, refused("There is nothing left to apply. Make the change again on the config page.")
		}
		fresh := old.untried()
		fresh.When, fresh.At = when, at
		e = fresh.clone()
		return &fresh, nil
	})
	if err == nil {
		q.log.Info("the queued change has another time", "id", id, "by", by, "when", when, "at", at)
		q.tellMoved(&e, by, now)
	}
	return e, err
}

// Remove withdraws the queued change, or dismisses what was told of it.
func (q *Queue) Remove(id, by string) error {
	var gone *Entry
	err := q.change(func(old *Entry) (*Entry, error) {
		gone = old
		return nil, meant(old, id)
	})
	if err == nil {
		q.tellRemoved(gone, by)
		q.log.Info("the queued change is withdrawn, or what was told of it read", "id", id, "by", by)
	}
	return err
}

// meant says whether the queued change is the one of this id, and may be changed.
func meant(e *Entry, id string) error {
	switch {
	case e == nil:
		return ErrNone
	case e.ID != id:
		return ErrAnother
	case e.State == Applying:
		return ErrApplying
	}
	return nil
}

// due is the instant at which a change of this kind is due.
func (q *Queue) due(when When, at time.Time) (time.Time, error) {
	now := q.now()
	switch when {
	case NextClose:
		if at = q.o.NextClose(now).Next; at.IsZero() {
			return at, refused("The schedule has no close to come, so there is nothing to wait for. Give a time instead.")
		}
		return at.UTC(), nil
	case AtTime:
		switch {
		case at.IsZero():
			return at, refused("When is it to be applied? Give a date and a time.")
		case !at.After(now):
			return at, refused("That time has passed already. Give one that is still to come, or apply it now.")
		case at.Sub(now) > farthest:
			return at, refused("That is more than a year ahead. Give a nearer time.")
		}
		return at.UTC(), nil
	}
	return at, refused("Say when: at the next close, or at a time.")
}

// change makes another entry of the one that is there, durably: on an error nothing has changed.
func (q *Queue) change(f func(old *Entry) (*Entry, error)) error {
	q.mu.Lock()
	fresh, err := f(q.entry)
	if err == nil {
		if err = store(q.path, fresh); err == nil {
			q.entry = fresh
		}
	}
	listeners := slices.Clone(q.onChange)
	q.mu.Unlock()
	if err != nil {
		return err
	}
	q.Replan()
	for _, f := range listeners {
		f()
	}
	return nil
}

// swap is change by the queue itself: fresh in place of old, unless somebody was quicker, in which
// case it is looked at again. It goes on where the disk does not take it: the worst that a restart
// can make of the older entry is to lay the same change over the file once more, or to ask.
func (q *Queue) swap(old, fresh *Entry) bool {
	q.mu.Lock()
	if q.entry != old {
		q.mu.Unlock()
		q.Replan()
		return false
	}
	q.entry = fresh
	err := store(q.path, fresh)
	listeners := slices.Clone(q.onChange)
	q.mu.Unlock()
	if err != nil {
		q.log.Error("the queued change could not be written down", "path", q.path, "error", err)
	}
	for _, f := range listeners {
		f()
	}
	return true
}

// now is the wall clock alone: a machine that slept is as late as the clock says.
func (q *Queue) now() time.Time { return q.clock.Now().Round(0) }

func store(path string, e *Entry) error {
	if e == nil {
		return durable.RemoveFile(path)
	}
	return durable.WriteFile(path, e.encode(), 0o600)
}

func newID() string {
	b := make([]byte, 6)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
