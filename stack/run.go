package stack

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"
)

// Run is one passage of the workflow, under way or ended. It belongs to the Controller; everybody
// else only watches. All methods are safe for concurrent use.
type Run struct {
	id   string
	done chan struct{} // closed with the last event

	mu     sync.Mutex // guards what follows
	report Report
	events []Event
	left   bool          // abandoned at shutdown
	more   chan struct{} // closed and replaced at every event: wakes those who follow
}

func newRun(r Report) *Run {
	return &Run{id: r.ID, report: r, done: make(chan struct{}), more: make(chan struct{})}
}

// ID names the run. IDs sort by the time of the run's start.
func (r *Run) ID() string { return r.id }

// Report is the run as of now.
func (r *Run) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report.clone()
}

// Done is closed when the run has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Wait returns the final report, or what there is of it and the context's error.
func (r *Run) Wait(ctx context.Context) (Report, error) {
	select {
	case <-r.done:
		return r.Report(), nil
	case <-ctx.Done():
		return r.Report(), ctx.Err()
	}
}

// Events yields every event after the one with this ID (0: all of them), those of the past first,
// then as they happen, until the run or the context ends. Each caller reads the one log at a pace
// of its own: who is slow holds up nobody.
func (r *Run) Events(ctx context.Context, after int) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		next := max(after, 0)
		for ctx.Err() == nil {
			r.mu.Lock()
			events, more := r.events, r.more
			r.mu.Unlock()
			next = min(next, len(events)) // an ID from another life of the program: follow from here
			for ; next < len(events); next++ {
				if ctx.Err() != nil || !yield(events[next].clone()) {
					return
				}
			}
			if next > 0 && events[next-1].Report.Outcome != "" {
				return
			}
			select {
			case <-more:
			case <-ctx.Done():
			}
		}
	}
}

// update changes the report and tells it, as one event.
func (r *Run) update(at time.Time, text string, change func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.report)
	r.events = append(r.events, Event{ID: len(r.events) + 1, Time: at, Report: r.report.clone(), Text: text})
	close(r.more)
	r.more = make(chan struct{})
	if r.report.Outcome != "" {
		close(r.done)
	}
}

func (r *Run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (r *Run) abandoned() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

// note changes the report without an event; the next event tells it.
func (r *Run) note(change func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.report)
}

func (e Event) clone() Event {
	e.Report = e.Report.clone()
	return e
}

func (r Report) clone() Report {
	r.Steps = slices.Clone(r.Steps)
	r.RollBack = slices.Clone(r.RollBack)
	r.Changed = slices.Clone(r.Changed)
	r.Errors = slices.Clone(r.Errors)
	r.Warnings = slices.Clone(r.Warnings)
	r.Unconfirmed = slices.Clone(r.Unconfirmed)
	r.StillPaused = slices.Clone(r.StillPaused)
	return r
}
