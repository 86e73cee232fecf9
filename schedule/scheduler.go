package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

const (
	// tick is how often the scheduler looks without being woken.
	tick = time.Second
	// jump is by how much the wall clock may stray from the time that has passed within a tick.
	jump = 2 * time.Second
	// setBack is by how much a clock may be set back to be taken for wrong now rather than wrong
	// before: a window that has closed does not open again in that time.
	setBack = 26 * time.Hour
)

// Scheduler makes a gate follow the schedule. gocron's jobs wake it at the edges and a tick wakes it
// every second; what the gate is told is computed from the schedule and the time alone, so that it
// does not matter which of them came, how late, or how often.
type Scheduler struct {
	gate  *Gate
	load  func() (*Schedule, error)
	clock clockwork.Clock
	log   *slog.Logger

	poked     chan struct{} // one place: the evaluation is due
	replanned chan struct{} // likewise, of the config file
	stop      context.CancelFunc
	done      chan struct{}

	// Only the goroutine that evaluates (before it runs, Start) uses these.
	schedule *Schedule
	problem  string
	jobs     *jobs
	last     time.Time // of the last evaluation, with its monotonic reading
	closed   time.Time // when the schedule was last seen to have closed

	mu       sync.Mutex // guards what follows
	status   Status
	onChange []func()
}

// Status is the scheduler as of its last look.
type Status struct {
	Schedule *Schedule   // the one that is followed; nil: none
	State    State       // what it says, or why there is nothing to say
	Next     *Transition // nil: none within a year or so
	LastEdge *LateEdge   // nil: none since the panel started
	LastJump *ClockJump  // nil: none since the panel started
	Problem  string      // why the config file's schedule is not the one followed; empty: it is
	At       time.Time
}

// LateEdge is an edge as it was kept: when it was due, and when trading.json said so.
type LateEdge struct {
	Planned time.Time
	Kept    time.Time
	Late    time.Duration
	Open    bool
}

// ClockJump is a change of the wall clock that was not time passing: it was set, or the machine slept.
type ClockJump struct {
	At time.Time
	By time.Duration
}

// NewScheduler makes a scheduler for the gate. Load reads the config file's schedule: nil without an
// error is a config without one, in which case trading is not enabled. While load fails, the last
// schedule that it gave is followed, and before there is one trading is not enabled.
func NewScheduler(gate *Gate, load func() (*Schedule, error), clock clockwork.Clock, log *slog.Logger) *Scheduler {
	if clock == nil {
		clock = clockwork.NewRealClock()
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{
		gate: gate, load: load, clock: clock, log: log,
		poked: make(chan struct{}, 1), replanned: make(chan struct{}, 1),
		closed: gate.closedAt(),
	}
	s.jobs = newJobs(clock, log, s.poke)
	gate.OnChange(s.poke) // a Force has an end to wake up at
	return s
}

// Start evaluates once, so that the gate is right when it returns, and goes on until the context
// ends or Shutdown. It is to be called once. An error is the gate's file, which is tried again.
func (s *Scheduler) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(ctx)
	s.done = make(chan struct{})
	ticker := s.clock.NewTicker(tick)
	s.reload()
	err := s.evaluate()
	go s.run(ctx, ticker)
	return err
}

func (s *Scheduler) run(ctx context.Context, ticker clockwork.Ticker) {
	defer close(s.done)
	defer s.jobs.close()
	defer ticker.Stop()
	for {
		beat := false
		select {
		case <-ctx.Done():
			return
		case <-s.replanned:
			s.reload()
		case <-ticker.Chan():
			beat = true
			if s.problem != "" {
				s.reload()
			}
		case <-s.poked:
		}
		if ctx.Err() != nil {
			return
		}
		err := s.evaluate()
		if beat && err == nil {
			err = s.gate.Beat()
		}
		if err != nil {
			s.log.Error("the gate's file could not be kept up", "error", err)
		}
	}
}

// Replan reads the config file's schedule again, soon. It is quick, and safe at any time.
func (s *Scheduler) Replan() { signal(s.replanned) }

func (s *Scheduler) poke() { signal(s.poked) }

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is signalled already
	}
}

// Shutdown ends the scheduler and waits for all that it started. The gate stays as it is.
func (s *Scheduler) Shutdown() {
	if s.stop == nil {
		return
	}
	s.stop()
	<-s.done
}

// Status is the scheduler as of its last look.
func (s *Scheduler) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// OnChange registers a function that is called, and must be quick, when the status changed.
func (s *Scheduler) OnChange(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onChange = append(s.onChange, f)
}

// reload reads the schedule anew, or keeps the one that there is.
func (s *Scheduler) reload() {
	schedule, err := s.load()
	if err != nil {
		problem := fmt.Sprintf("The schedule in the config file cannot be used: %v", err)
		if problem != s.problem {
			s.log.Error("the schedule could not be loaded", "error", err, "following", s.schedule != nil)
		}
		s.problem = problem
		return
	}
	s.problem = ""
	if schedule.same(s.schedule) {
		return // read anew, as it is every few seconds
	}
	s.schedule = schedule
	s.jobs.plan(schedule)
}

// evaluate looks at the schedule and the time, and tells the gate.
func (s *Scheduler) evaluate() error {
	now, before := s.clock.Now(), s.last
	jumped := s.noticeJump(now)
	s.last = now
	state := s.decide(now)
	err := s.gate.Follow(state)
	if !state.Open && !state.Since.After(now) {
		s.closed = maxTime(s.closed, state.Since)
		if s.closed.Sub(now) > setBack {
			s.closed = state.Since
		}
	}
	s.report(before, now, state, jumped)
	s.jobs.wakeAt(s.forceEnds())
	return err
}

// decide is the schedule's state at now, or the one that stands in for it.
func (s *Scheduler) decide(now time.Time) State {
	switch {
	case s.schedule == nil && s.problem != "":
		return State{Reason: s.problem}
	case s.schedule == nil:
		return State{Reason: "There is no schedule in the config file, so trading is not enabled."}
	}
	state := s.schedule.At(now)
	if !state.Open || !now.Before(s.closed) || s.closed.Sub(now) > setBack {
		return state
	}
	then := s.schedule.At(s.closed)
	until := s.closed
	if !then.Open {
		until = then.Until
	}
	return State{
		Since: s.closed, Until: until,
		Reason: fmt.Sprintf("The clock was set back: this window was closed already at %s, and does not open again.", s.schedule.instant(s.closed)),
	}
}

// noticeJump compares the wall clock with the time that has passed since the last evaluation.
func (s *Scheduler) noticeJump(now time.Time) *ClockJump {
	if s.last.IsZero() {
		return nil
	}
	passed, shown := now.Sub(s.last), now.Round(0).Sub(s.last.Round(0))
	by := shown - passed
	if shown < 0 && by == 0 {
		by = shown // a clock without a monotonic reading
	}
	if by.Abs() < jump {
		return nil
	}
	s.log.Warn("the clock jumped: it was set, or the machine slept", "by", by, "to", now)
	s.jobs.plan(s.schedule) // its timers were set by the clock as it was
	return &ClockJump{At: now.UTC(), By: by}
}

// forceEnds is when a Force ends; zero: there is none.
func (s *Scheduler) forceEnds() time.Time {
	if gate := s.gate.State(); gate.Mode == Forced {
		return *gate.Until
	}
	return time.Time{}
}

// report renews the status.
func (s *Scheduler) report(before, now time.Time, state State, jumped *ClockJump) {
	s.mu.Lock()
	old := s.status
	status := Status{
		Schedule: s.schedule, State: state, Next: old.Next, LastEdge: old.LastEdge, LastJump: old.LastJump,
		Problem: s.problem, At: now.UTC(),
	}
	changed := old.Schedule != s.schedule || old.State != state || old.Problem != s.problem || old.At.IsZero()
	if changed {
		status.Next = s.next(now)
	}
	if !before.IsZero() && state.Since.After(before) && !state.Since.After(now) && old.State.Open != state.Open {
		kept := s.clock.Now()
		status.LastEdge = &LateEdge{Planned: state.Since, Kept: kept.UTC(), Late: kept.Sub(state.Since), Open: state.Open}
		s.log.Info("an edge of the schedule", "open", state.Open, "planned", state.Since, "late", status.LastEdge.Late)
	}
	if jumped != nil {
		status.LastJump, changed = jumped, true
	}
	s.status = status
	onChange := s.onChange
	s.mu.Unlock()
	if changed {
		for _, f := range onChange {
			f()
		}
	}
}

func (s *Scheduler) next(now time.Time) *Transition {
	if s.schedule == nil {
		return nil
	}
	if next := s.schedule.Next(now, 1); len(next) > 0 {
		return &next[0]
	}
	return nil
}
