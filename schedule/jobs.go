package schedule

import (
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"
)

// jobs wake the scheduler at the instants at which something is due, and do nothing else. The edges
// are a job of gocron's; the end of a Force, which comes and goes, is a timer. What they miss the
// tick makes good within a second, so their errors are logged and no more.
type jobs struct {
	clock clockwork.Clock
	log   *slog.Logger
	wake  func()

	cron  gocron.Scheduler // nil: there is no schedule to wake for
	timer clockwork.Timer  // nil: none
	armed time.Time        // when the timer is due; zero: it is not
}

func newJobs(clock clockwork.Clock, log *slog.Logger, wake func()) *jobs {
	return &jobs{clock: clock, log: log, wake: wake}
}

// plan replaces the job at the edges by that of this schedule, and forgets the timer: it may have
// been set by a clock that has changed.
func (j *jobs) plan(s *Schedule) {
	j.close()
	if s == nil {
		return
	}
	cron, err := gocron.NewScheduler(gocron.WithClock(j.clock), gocron.WithLocation(s.zone), gocron.WithStopTimeout(time.Second))
	if err != nil {
		j.log.Error("no job at the edges, only the tick", "error", err)
		return
	}
	j.cron = cron
	_, err = cron.NewJob(gocron.CronJob(s.start.text+" - "+s.stop.text, false), gocron.NewTask(j.wake),
		gocron.WithCronImplementation(edges{s, j.clock}), gocron.WithName("edges of the schedule"))
	if err != nil {
		j.log.Error("no job at the edges, only the tick", "error", err)
	}
	cron.Start()
}

// wakeAt sets the timer to this instant; zero: to none.
func (j *jobs) wakeAt(at time.Time) {
	if at.Equal(j.armed) {
		return
	}
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
	if j.armed = at; !at.IsZero() {
		j.timer = j.clock.AfterFunc(at.Sub(j.clock.Now()), j.wake)
	}
}

// close ends all jobs and waits for them.
func (j *jobs) close() {
	j.wakeAt(time.Time{})
	j.end()
}

func (j *jobs) end() {
	if j.cron == nil {
		return
	}
	if err := j.cron.Shutdown(); err != nil {
		j.log.Warn("ending the schedule's jobs", "error", err)
	}
	j.cron = nil
}

// edges tell gocron when a schedule's edges are: times of day, cron times and sessions alike. Its own
// arithmetic skips or repeats times when clocks change, and it looks for a time after now in a loop
// that never ends if there is none (gocron#943). Here each answer is later than the one before, and
// later than now.
type edges struct {
	schedule *Schedule
	clock    clockwork.Clock
}

var _ gocron.Cron = edges{}

// IsValid has nothing to say: the schedule is valid.
func (e edges) IsValid(string, *time.Location, time.Time) error { return nil }

// Next is the first edge after the last one and after now. Where none is in reach it is a wake-up in
// a year, to look again.
func (e edges) Next(last time.Time) time.Time {
	after := maxTime(last, e.clock.Now())
	if next := e.schedule.Next(after, 1); len(next) > 0 {
		return next[0].At.In(e.schedule.zone)
	}
	return after.AddDate(1, 0, 0)
}
