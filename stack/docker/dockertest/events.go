package dockertest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// Event is one of the engine's own events about a container.
type Event struct {
	Time   time.Time
	Action string // pause, unpause, die, start, …
	ID     string
	Name   string
}

// Recorder keeps the engine's events from the moment it was made.
type Recorder struct {
	e    *Engine
	mu   sync.Mutex
	all  []Event
	lost error
}

// Events records every container event on the engine until the test ends.
func (e *Engine) Events() *Recorder {
	e.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &Recorder{e: e}
	began := time.Now()
	// The engine answers before it listens. What happens in between is told because of since.
	messages, failed := e.client.Events(ctx, events.ListOptions{
		Since:   fmt.Sprintf("%d.%09d", began.Unix(), began.Nanosecond()),
		Filters: filters.NewArgs(filters.Arg("type", string(events.ContainerEventType))),
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case m := <-messages:
				r.add(m)
			case err := <-failed:
				r.mu.Lock()
				r.lost = err
				r.mu.Unlock()
				return
			}
		}
	}()
	e.t.Cleanup(func() {
		stop()
		<-done
	})
	return r
}

func (r *Recorder) add(m events.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, Event{
		Time:   time.Unix(0, m.TimeNano),
		Action: string(m.Action),
		ID:     m.Actor.ID,
		Name:   m.Actor.Attributes["name"],
	})
}

// Of are the events of these containers, in order; of all that this engine has, if none is named.
func (r *Recorder) Of(containers ...*Container) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(containers) == 0 {
		return slices.Clone(r.all)
	}
	var of []Event
	for _, e := range r.all {
		if slices.ContainsFunc(containers, func(c *Container) bool { return c.ID == e.ID }) {
			of = append(of, e)
		}
	}
	return of
}

// Count is how often this happened to these containers.
func (r *Recorder) Count(action string, containers ...*Container) int {
	n := 0
	for _, e := range r.Of(containers...) {
		if e.Action == action {
			n++
		}
	}
	return n
}

// Wait waits until this has happened to each of the containers n times or more.
func (r *Recorder) Wait(action string, n int, containers ...*Container) {
	r.e.t.Helper()
	r.e.eventually(action+" × "+strconv.Itoa(n), func() bool {
		return !slices.ContainsFunc(containers, func(c *Container) bool { return r.Count(action, c) < n })
	}, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		return fmt.Sprintf("the events so far: %v; the stream's end: %v", r.all, r.lost)
	})
}
