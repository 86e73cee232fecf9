package schedule

import (
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"
)

// jobs are gocron's: they wake the scheduler and do nothing else. What they cannot be had for, or
// miss, the tick makes good within a second, so their errors are logged and no more.
type jobs struct {
	clock clockwork.Clock
	log   *slog.Logger
	wake  func()

	cron  gocron.Scheduler // nil: not planned
	next  uuid.UUID        // the job at armed
	armed time.Time        // zero: none
}

func newJobs(clock clockwork.Clock, log *slog.Logger, wake func()) *jobs {
	return &jobs{clock: clock, log: log, wake: wake}
}

// plan replaces all jobs by those of this schedule, in its zone.
func (j *jobs) plan(s *Schedule) {
	j.close()
	zone := time.UTC
	if s != nil {
		zone = s.zone
	}
	cron, err := gocron.NewScheduler(gocron.WithClock(j.clock), gocron.WithLocation(zone), gocron.WithStopTimeout(time.Second))
	if err != nil {
		j.log.Error("no jobs at the edges, only the tick", "error", err)
		return
	}
	j.cron = cron
	if s != nil {
		j.at(s.start)
		j.at(s.stop)
	}
	cron.Start()
}

// at adds the job of an edge that comes at fixed times. A session's edges come by wakeAt.
func (j *jobs) at(e edge) {
	var definition gocron.JobDefinition
	switch e.kind {
	case wallEdge:
		definition = gocron.DailyJob(1, gocron.NewAtTimes(gocron.NewAtTime(uint(e.minute/60), uint(e.minute%60), 0)))
	case cronEdge:
		definition = gocron.CronJob(e.text, false)
	default:
		return
	}
	if _, err := j.cron.NewJob(definition, gocron.NewTask(j.wake), gocron.WithName(e.text)); err != nil {
		j.log.Error("no job at an edge, only the tick", "edge", e.text, "error", err)
	}
}

// wakeAt arms the one job for this instant; zero: none.
func (j *jobs) wakeAt(at time.Time) {
	if j.cron == nil || at.Equal(j.armed) {
		return
	}
	if !j.armed.IsZero() {
		// It is gone already if it has run.
		_ = j.cron.RemoveJob(j.next)
		j.armed = time.Time{}
	}
	if at.IsZero() {
		return
	}
	job, err := j.cron.NewJob(gocron.OneTimeJob(gocron.OneTimeJobStartDateTime(at)), gocron.NewTask(j.wake), gocron.WithName("next edge"))
	if err != nil {
		j.log.Warn("no job at the next edge, only the tick", "at", at, "error", err)
		return
	}
	j.next, j.armed = job.ID(), at
}

// close ends all jobs and waits for them.
func (j *jobs) close() {
	if j.cron == nil {
		return
	}
	if err := j.cron.Shutdown(); err != nil {
		j.log.Warn("ending the schedule's jobs", "error", err)
	}
	j.cron, j.armed = nil, time.Time{}
}
