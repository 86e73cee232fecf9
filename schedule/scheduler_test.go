package schedule

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// settable is a fake clock that can also be set, as an administrator sets a clock: what waits for
// time to pass does not notice.
type settable struct {
	*clockwork.FakeClock
	shift atomic.Int64
}

func (c *settable) Now() time.Time       { return c.FakeClock.Now().Add(time.Duration(c.shift.Load())) }
func (c *settable) set(by time.Duration) { c.shift.Add(int64(by)) }

// rig is a scheduler over a gate, on a clock that only the test moves.
type rig struct {
	bench
	clock     *settable
	gate      *Gate
	scheduler *Scheduler
}

func newRig(t *testing.T, now string) *rig {
	return &rig{bench: newBench(t, now), clock: &settable{FakeClock: clockwork.NewFakeClockAt(utc(t, now))}}
}

// start starts a panel, as if anew, and ends the one before.
func (r *rig) start(t *testing.T, load func() (*Schedule, error)) {
	t.Helper()
	if r.scheduler != nil {
		r.scheduler.Shutdown()
	}
	var err error
	r.gate, err = OpenGate(r.file, r.state, r.clock, nil)
	must(t, err)
	r.scheduler = NewScheduler(r.gate, load, r.clock, nil)
	must(t, r.scheduler.Start(context.Background()))
	t.Cleanup(r.scheduler.Shutdown)
}

// advance lets time pass, and waits until the scheduler has looked at the clock after it.
func (r *rig) advance(t *testing.T, d time.Duration) {
	t.Helper()
	r.clock.Advance(d)
	r.looked(t)
}

// looked waits until the scheduler has looked at the clock as it is: its status is the last thing
// that a look leaves behind.
func (r *rig) looked(t *testing.T) {
	t.Helper()
	r.until(t, "the scheduler looks at the clock", func() bool {
		r.scheduler.poke()
		return r.scheduler.Status().At.Equal(r.clock.Now())
	})
}

func (r *rig) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30 s in vain until %s; status %+v", what, r.scheduler.Status())
		}
	}
}

// wants checks the gate, as it says itself and as services read it.
func (r *rig) wants(t *testing.T, when string, enabled bool) {
	t.Helper()
	if got := r.gate.State(); got.TradingEnabled != enabled {
		t.Errorf("%s: got gate %+v, want trading %v", when, got, enabled)
	}
	if got := r.told(t); got.TradingEnabled != enabled {
		t.Errorf("%s: got trading.json %+v, want trading %v", when, got, enabled)
	}
}

// always loads one schedule.
func always(t *testing.T, tb table) func() (*Schedule, error) {
	s := mustParse(t, tb)
	return func() (*Schedule, error) { return s, nil }
}

var bells = table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York", "calendar": "XNYS"}

func TestSchedulerKeepsTheBells(t *testing.T) {
	for name, tb := range map[string]table{
		"times":   {"start": "09:30", "stop": "16:00", "timezone": "America/New_York"},
		"cron":    {"start": "30 9 * * *", "stop": "0 16 * * *", "timezone": "America/New_York"},
		"session": {"start": "open", "stop": "close", "calendar": "XNYS"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "2026-11-23 20:59")
			r.start(t, always(t, tb))
			r.wants(t, "at 15:59", true)
			r.clock.Advance(time.Minute)
			r.until(t, "16:00 closes", func() bool { return !r.gate.State().TradingEnabled })
			r.looked(t)
			r.wants(t, "at 16:00", false)
			if e := r.scheduler.Status().LastEdge; e == nil || e.Open || !e.Planned.Equal(utc(t, "2026-11-23 21:00")) || e.Late != 0 {
				t.Errorf("got last edge %+v, want the close at 16:00, not late", e)
			}
			r.advance(t, 17*time.Hour+29*time.Minute)
			r.wants(t, "at 09:29", false)
			if n := r.scheduler.Status().Next; n == nil || !n.Open || !n.At.Equal(utc(t, "2026-11-24 14:30")) {
				t.Errorf("got next %+v, want the open at 09:30", n)
			}
			r.advance(t, time.Minute)
			r.wants(t, "at 09:30", true)
		})
	}
}

func TestSchedulerAndTheClock(t *testing.T) {
	t.Run("a clock set back an hour does not reopen", func(t *testing.T) {
		r := newRig(t, "2026-11-23 20:59")
		r.start(t, always(t, bells))
		r.advance(t, 2*time.Minute)
		r.wants(t, "at 16:01", false)
		r.clock.set(-time.Hour)
		r.looked(t)
		r.wants(t, "set back to 15:01", false)
		if s := r.gate.State(); !strings.Contains(s.Reason, "set back") {
			t.Errorf("got reason %q, want it to tell of the clock", s.Reason)
		}
		if j := r.scheduler.Status().LastJump; j == nil || j.By != -time.Hour {
			t.Errorf("got last jump %+v, want an hour back", j)
		}
		r.start(t, always(t, bells))
		r.wants(t, "restarted at 15:01", false)
		r.scheduler.Replan()
		r.advance(t, 30*time.Minute)
		r.wants(t, "saved, at 15:31", false)
		r.advance(t, 18*time.Hour)
		r.wants(t, "the next day at 09:31", true)
	})
	t.Run("a clock that was years ahead is forgotten", func(t *testing.T) {
		r := newRig(t, "2030-11-25 12:00")
		r.start(t, always(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}))
		r.wants(t, "in 2030, at 07:00", false)
		r.clock.set(-4 * 365 * 24 * time.Hour)
		r.advance(t, 5*time.Hour)
		r.wants(t, "in 2026, at noon", true)
	})
	t.Run("a clock that was days ahead closes none of those days' windows", func(t *testing.T) {
		r := newRig(t, "2026-12-03 22:00")
		r.start(t, always(t, bells))
		r.wants(t, "on Thursday evening", false)
		r.clock.set(-82 * time.Hour)
		r.looked(t)
		r.wants(t, "on Monday at 07:00", false)
		r.advance(t, 56*time.Hour)
		r.wants(t, "on Wednesday at 15:00, less than 26 hours before the close that it took for past", true)
	})
	t.Run("after a clock was set the edges are kept to the instant", func(t *testing.T) {
		// The ticks come on the half second, so that they keep no edge.
		r := &rig{bench: newBench(t, "2026-11-23 18:00"), clock: &settable{FakeClock: clockwork.NewFakeClockAt(utc(t, "2026-11-23 18:00").Add(time.Second / 2))}}
		r.start(t, always(t, bells))
		keeps := func(edge time.Time, what string) {
			t.Helper()
			r.clock.set(-time.Hour) // a timer that was set before comes an hour early
			r.looked(t)
			r.advance(t, edge.Sub(r.clock.Now())-10*time.Second-time.Second/2)
			for range 10 {
				r.advance(t, time.Second)
			}
			r.until(t, "nobody has told it to look", func() bool { return len(r.scheduler.poked) == 0 })
			time.Sleep(20 * time.Millisecond) // nor is it looking
			r.clock.Advance(time.Second / 2)
			r.until(t, what, func() bool { return !r.told(t).TradingEnabled })
		}
		keeps(utc(t, "2026-11-23 21:00"), "it closes at 16:00")
		until := r.clock.Now().Add(2 * time.Hour)
		must(t, r.gate.Force("anna", until, "late fills"))
		r.looked(t)
		r.advance(t, 90*time.Minute)
		keeps(until, "the force ends")
	})
	t.Run("a clock set forward over the close closes", func(t *testing.T) {
		r := newRig(t, "2026-11-23 18:00")
		r.start(t, always(t, bells))
		r.wants(t, "at 13:00", true)
		r.clock.set(4 * time.Hour)
		r.advance(t, time.Second)
		r.wants(t, "at 17:00", false)
	})
	t.Run("a sleep over a whole window leaves it closed", func(t *testing.T) {
		r := newRig(t, "2026-11-23 13:00")
		r.start(t, always(t, bells))
		r.clock.set(10 * time.Hour)
		r.advance(t, time.Second)
		r.wants(t, "in the evening", false)
	})
	t.Run("a clock set back before the open closes, and opens again", func(t *testing.T) {
		r := newRig(t, "2026-11-23 14:31")
		r.start(t, always(t, bells))
		r.wants(t, "at 09:31", true)
		r.clock.set(-2 * time.Minute)
		r.advance(t, time.Second)
		r.wants(t, "at 09:29", false)
		r.advance(t, time.Minute)
		r.wants(t, "at 09:30 again", true)
	})
	t.Run("Thanksgiving week", func(t *testing.T) {
		r := newRig(t, "2026-11-26 17:00")
		r.start(t, always(t, bells))
		r.wants(t, "on Thanksgiving", false)
		r.advance(t, 24*time.Hour)
		r.wants(t, "on Friday at noon", true)
		r.advance(t, time.Hour)
		r.wants(t, "on Friday at 13:00", false)
		r.advance(t, 24*time.Hour)
		r.wants(t, "on Saturday", false)
	})
	t.Run("the nights on which clocks change", func(t *testing.T) {
		for _, c := range []struct{ zone, from, start, stop string }{
			{"America/New_York", "2026-11-01 03:00", "@hourly", "30 * * * *"},
			{"America/New_York", "2026-03-08 05:00", "02:30", "04:30"},
			{"America/New_York", "2026-11-01 03:00", "01:30", "01:45"},
			{"Australia/Lord_Howe", "2026-10-03 13:00", "@hourly", "30 * * * *"},
			{"Australia/Lord_Howe", "2026-10-03 13:00", "02:15", "03:00"},
		} {
			r := newRig(t, c.from)
			r.start(t, always(t, table{"start": c.start, "stop": c.stop, "timezone": c.zone}))
			opened := false
			for range 24 {
				r.advance(t, 15*time.Minute)
				want := r.scheduler.Status().Schedule.At(r.clock.Now()).Open
				r.wants(t, r.clock.Now().String(), want)
				opened = opened || want
			}
			if !opened {
				t.Errorf("%s to %s in %s: never opened", c.start, c.stop, c.zone)
			}
		}
	})
}

func TestSchedulerRestart(t *testing.T) {
	r := newRig(t, "2026-11-23 18:00")
	r.start(t, always(t, bells))
	r.scheduler.Shutdown()
	r.clock.Advance(time.Hour)
	r.start(t, always(t, bells))
	r.wants(t, "in the middle of a window", true)
	if got := r.told(t).Since; !got.Equal(utc(t, "2026-11-23 14:30")) {
		t.Errorf("got since %v, want the open", got)
	}
	r.scheduler.Shutdown()
	r.clock.Advance(4 * time.Hour)
	r.start(t, always(t, bells))
	r.wants(t, "after the close, slept through", false)
	if e := r.scheduler.Status().LastEdge; e != nil {
		t.Errorf("got last edge %+v, want none: this panel was not there", e)
	}
	must(t, r.gate.Halt("anna", "x"))
	r.advance(t, 16*time.Hour)
	r.wants(t, "halted, in the next window", false)
	r.start(t, always(t, bells))
	r.wants(t, "halted, restarted", false)
}

func TestSchedulerForce(t *testing.T) {
	r := newRig(t, "2026-11-23 22:00")
	r.start(t, always(t, bells))
	must(t, r.gate.Force("anna", r.clock.Now().Add(90*time.Second), "late fills"))
	r.wants(t, "forced", true)
	r.advance(t, 89*time.Second)
	r.wants(t, "a second before its end", true)
	r.advance(t, time.Second)
	r.wants(t, "at its end", false)
}

func TestSchedulerLoads(t *testing.T) {
	r := newRig(t, "2026-11-23 18:00")
	broken := errors.New("line 3: no")
	type answer struct {
		schedule *Schedule
		err      error
	}
	var next atomic.Pointer[answer]
	load := func() (*Schedule, error) { a := next.Load(); return a.schedule, a.err }

	next.Store(&answer{err: broken})
	r.start(t, load)
	r.wants(t, "without a config that can be read", false)
	if s := r.scheduler.Status(); !strings.Contains(s.Problem, "line 3") || !strings.Contains(r.told(t).Reason, "line 3") {
		t.Errorf("got %+v and %+v, want both to tell the problem", s, r.told(t))
	}
	next.Store(&answer{schedule: mustParse(t, bells)})
	r.clock.Advance(tick)
	r.until(t, "it is loaded by itself once it can be", func() bool { return r.scheduler.Status().Schedule != nil })
	r.wants(t, "with a config that can be read", true)

	next.Store(&answer{err: broken})
	r.scheduler.Replan()
	r.until(t, "the problem shows", func() bool { return r.scheduler.Status().Problem != "" })
	r.wants(t, "with a config that was good before", true)

	next.Store(&answer{})
	r.scheduler.Replan()
	r.until(t, "the schedule is gone", func() bool { return r.scheduler.Status().Schedule == nil })
	r.looked(t)
	r.wants(t, "without a schedule", false)
	if got := r.told(t).Reason; !strings.Contains(got, "no schedule") {
		t.Errorf("got reason %q, want it to tell that there is no schedule", got)
	}
	must(t, r.gate.Force("anna", r.clock.Now().Add(time.Hour), ""))
	r.wants(t, "without a schedule, forced", true)

	next.Store(&answer{schedule: mustParse(t, bells.with("stop", "12:30"))})
	must(t, r.gate.Resume("anna", ""))
	r.scheduler.Replan()
	r.until(t, "the new schedule is followed", func() bool { s := r.scheduler.Status().Schedule; return s != nil && s.Stop() == "12:30" })
	r.looked(t)
	r.wants(t, "with an earlier stop", false)
}

// The config file is read again every five seconds, whether or not anybody has changed it.
func TestTheSameScheduleReadAnewIsNoChange(t *testing.T) {
	r := newRig(t, "2026-11-25 15:00")
	var loads, told atomic.Int32
	var stop atomic.Value
	stop.Store("16:00")
	r.start(t, func() (*Schedule, error) {
		loads.Add(1)
		return mustParse(t, bells.with("stop", stop.Load().(string))), nil
	})
	r.scheduler.OnChange(func() { told.Add(1) })
	replan := func() {
		t.Helper()
		before := loads.Load()
		r.scheduler.Replan()
		r.until(t, "the schedule is loaded", func() bool { return loads.Load() > before })
		r.advance(t, tick)
	}
	first := r.scheduler.Status().Schedule
	for range 3 {
		replan()
	}
	if n := told.Load(); n > 0 || r.scheduler.Status().Schedule != first {
		t.Errorf("told %d times of a change that is none", n)
	}
	stop.Store("15:00")
	replan()
	if n := told.Load(); n != 1 || r.scheduler.Status().Schedule.Stop() != "15:00" {
		t.Errorf("told %d times of a change, of a schedule until %s", n, r.scheduler.Status().Schedule.Stop())
	}
}

func TestSchedulesThatAreTheSame(t *testing.T) {
	full := bells.with("days", []any{"mon", "tue"}).with("holidays", []any{"2026-12-24"}).with("early_closes", map[string]any{"2026-11-27": "13:00"})
	if a, b := mustParse(t, full), mustParse(t, full); !a.same(b) || a.same(nil) || (*Schedule)(nil).same(a) || !(*Schedule)(nil).same(nil) {
		t.Error("a schedule is not the same as itself, or as none")
	}
	for key, value := range map[string]any{
		"start": "09:31", "stop": "15:00", "days": []any{"mon"}, "calendar": "XLON", "holidays": []any{"2026-12-23"},
		"early_closes": map[string]any{"2026-11-27": "12:00"}, "timezone": "Europe/London",
	} {
		if mustParse(t, full).same(mustParse(t, full.with(key, value))) {
			t.Errorf("with another %s it is taken for the same", key)
		}
	}
	if bare := (table{"start": "09:30", "stop": "16:00"}); mustParse(t, bare).same(mustParse(t, bare.with("timezone", mustParse(t, bare).Location().String()))) {
		t.Error("with a zone of its own it is taken for the same")
	}
}

func TestSchedulerShutdown(t *testing.T) {
	r := newRig(t, "2026-11-23 18:00")
	never := NewScheduler(anyGate(t, r), always(t, bells), r.clock, nil)
	never.Shutdown() // without Start
	r.start(t, always(t, bells))
	r.scheduler.Shutdown()
	r.scheduler.Shutdown()
	r.scheduler.Replan()
	r.clock.Advance(10 * time.Hour)
	if got := r.told(t); !got.TradingEnabled {
		t.Errorf("after Shutdown: got trading.json %+v, want it as it was", got)
	}
	if got := r.gate.State(); got.TradingEnabled {
		t.Errorf("after Shutdown, over the close: got gate %+v, want closed", got)
	}

	t.Run("a context that ends does the same", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		s := NewScheduler(r.gate, always(t, bells), r.clock, nil)
		must(t, s.Start(ctx))
		cancel()
		<-s.done
		s.Shutdown()
	})
}

func TestEdgesAlwaysAdvance(t *testing.T) {
	for name, tb := range map[string]table{
		"clocks that skip midnight": {"start": "00:15", "stop": "23:45", "timezone": "America/Santiago"},
		"a cron in a gap":           {"start": "30 2 * * *", "stop": "45 2 * * *", "timezone": "America/New_York"},
		"sessions":                  {"start": "open", "stop": "close", "calendar": "XNYS"},
		"around the clock":          {"start": "open", "stop": "close", "calendar": "24-7"},
	} {
		t.Run(name, func(t *testing.T) {
			now := utc(t, "2026-01-01 00:00")
			e := edges{mustParse(t, tb), clockwork.NewFakeClockAt(now)}
			last := now.AddDate(-30, 0, 0)
			for range 1000 {
				next := e.Next(last)
				if !next.After(last) || !next.After(now) {
					t.Fatalf("after %v: got %v, want later, and later than now", last, next)
				}
				last = next
			}
		})
	}
}

func anyGate(t *testing.T, r *rig) *Gate {
	g, err := OpenGate(r.file, r.state, r.clock, nil)
	must(t, err)
	return g
}

// A halt is a person's: no config that is saved, and no schedule in it, lifts it.
func TestAHaltLatchesOverOtherSchedules(t *testing.T) {
	r := newRig(t, "2026-11-25 15:00")
	day := table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}
	plans := []*Schedule{mustParse(t, day), mustParse(t, day.with("stop", "20:00")), nil, mustParse(t, table{"start": "open", "stop": "close", "calendar": "24-7"})}
	var mu sync.Mutex
	now := plans[0]
	r.start(t, func() (*Schedule, error) {
		mu.Lock()
		defer mu.Unlock()
		return now, nil
	})
	must(t, r.gate.Halt("anna", "odd fills"))
	for _, plan := range plans {
		mu.Lock()
		now = plan
		mu.Unlock()
		r.scheduler.Replan()
		r.until(t, "the other schedule is followed", func() bool { return r.scheduler.Status().Schedule == plan })
		r.advance(t, tick)
		if s := r.told(t); s.TradingEnabled || s.Mode != Halted || s.By != "anna" {
			t.Errorf("got %+v, want anna's halt", s)
		}
	}
	must(t, r.gate.Resume("ben", ""))
	if s := r.told(t); !s.TradingEnabled {
		t.Errorf("after Resume: got %+v, want trading around the clock", s)
	}
}

// Since is when it came to be so, not when it would have by a schedule that was not followed then.
func TestSinceIsTheMomentInFact(t *testing.T) {
	r := newRig(t, "2026-11-23 14:00") // 09:00 in New York, before the open
	var file atomic.Pointer[Schedule]
	file.Store(mustParse(t, bells))
	load := func() (*Schedule, error) { return file.Load(), nil }
	change := func(start, stop string) {
		t.Helper()
		file.Store(mustParse(t, table{"start": start, "stop": stop, "timezone": "America/New_York"}))
		r.scheduler.Replan()
		for r.scheduler.Status().Schedule != file.Load() {
			time.Sleep(time.Millisecond)
		}
		r.looked(t)
	}
	since := func(what string, open bool, want string) {
		t.Helper()
		r.wants(t, what, open)
		if got := r.told(t).Since; !got.Equal(utc(t, want)) {
			t.Errorf("%s: got since %v, want %s", what, got, want)
		}
	}
	r.start(t, load)
	r.advance(t, 30*time.Minute)
	since("the open", true, "2026-11-23 14:30")
	r.advance(t, 3*time.Hour)
	change("11:00", "16:00")
	since("the start is moved to a time at which it was open already", true, "2026-11-23 14:30")
	r.advance(t, time.Hour)
	change("11:00", "13:00")
	since("the stop is moved into the past", false, "2026-11-23 18:30")
	r.start(t, load)
	since("the panel starts again", false, "2026-11-23 18:30")
	r.advance(t, time.Minute)
	change("11:00", "16:00")
	since("the stop is moved back", true, "2026-11-23 18:31")
	must(t, r.gate.Halt("anna", ""))
	r.advance(t, time.Minute)
	must(t, r.gate.Resume("anna", ""))
	since("halted and resumed", true, "2026-11-23 18:32")
	r.scheduler.Shutdown()
	r.clock.Advance(24 * time.Hour)
	r.start(t, load)
	since("slept through a close and an open", true, "2026-11-24 16:00")
}
