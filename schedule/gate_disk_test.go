package schedule

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// busyDisk is a disk that takes in nothing until it is released.
type busyDisk struct {
	waiting chan struct{} // one for each who begins to wait
	free    chan struct{} // closed: it is not busy any more
	then    func()        // what is looked at from then on, before each write
}

// busy makes the gate's disk such a one.
func (g *Gate) busy() *busyDisk {
	d := &busyDisk{waiting: make(chan struct{}, 100), free: make(chan struct{}), then: func() {}}
	wait := func(write func() error) error {
		d.waiting <- struct{}{}
		<-d.free
		d.then()
		return write()
	}
	g.turn.Lock()
	defer g.turn.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.file.disk, g.latch.disk = wait, wait
	return d
}

func (d *busyDisk) awaited(t *testing.T) {
	t.Helper()
	select {
	case <-d.waiting:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody waits for the disk")
	}
}

// doing is something that goes on beside the test.
func doing(f func() error) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	return ended
}

func TestGateOnABusyDisk(t *testing.T) {
	begin := func(t *testing.T, d State) (bench, *Gate) {
		b := newBench(t, "2026-11-25 15:00")
		return b, b.follows(t, d)
	}
	stays := func(t *testing.T, b bench) func() {
		return func() {
			if s := b.told(t); s.Mode != Halted {
				t.Errorf("after the halt services are told %+v", s)
			}
		}
	}
	becomes := func(t *testing.T, b bench, g *Gate, mode Mode, enabled bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			told, state := b.told(t), g.State()
			if told.Mode == mode && told.TradingEnabled == enabled && state.Mode == mode && state.TradingEnabled == enabled {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("trading.json says %+v, and the gate %+v, want %s", told, state, mode)
			}
		}
	}
	t.Run("a halt is seen before it is on it, and answered after", func(t *testing.T) {
		b, g := begin(t, deskOpen)
		told := make(chan struct{}, 10)
		g.OnChange(func() { told <- struct{}{} })
		disk := g.busy()
		halt := doing(func() error { return g.Halt("anna", "fat finger") })
		disk.awaited(t)
		becomes(t, b, g, Halted, false)
		<-told // pages too
		select {
		case err := <-halt:
			t.Errorf("it was answered (%v) before it was on the disk", err)
		default:
		}
		close(disk.free)
		must(t, <-halt)
		must(t, os.Remove(b.file))
		if s := b.gate(t).State(); s.Mode != Halted {
			t.Errorf("after a restart: got %+v, want halted", s)
		}
	})
	t.Run("a halt is seen while an opening waits for it, which then does not open", func(t *testing.T) {
		b, g := begin(t, deskClosed)
		disk := g.busy()
		open := doing(func() error { return g.Follow(deskOpen) })
		disk.awaited(t)
		if s := b.told(t); s.TradingEnabled || g.State().TradingEnabled {
			t.Errorf("open before it was on the disk: %+v and %+v", s, g.State())
		}
		halt := doing(func() error { return g.Halt("anna", "fat finger") })
		becomes(t, b, g, Halted, false)
		disk.then = stays(t, b)
		close(disk.free)
		must(t, <-open)
		must(t, <-halt)
		becomes(t, b, g, Halted, false)
		if s := b.gate(t).State(); s.Mode != Halted || s.By != "anna" {
			t.Errorf("after a restart: got %+v, want halted", s)
		}
	})
	for name, say := range map[string]func(*Gate, bench) error{
		"a force":  func(g *Gate, b bench) error { return g.Force("ben", b.clock.Now().Add(time.Hour), "") },
		"a resume": func(g *Gate, _ bench) error { return g.Resume("ben", "") },
	} {
		t.Run(name+" that waits for it gives way to a halt", func(t *testing.T) {
			b, g := begin(t, deskOpen)
			disk := g.busy()
			said := doing(func() error { return say(g, b) })
			disk.awaited(t)
			halt := doing(func() error { return g.Halt("anna", "fat finger") })
			becomes(t, b, g, Halted, false)
			disk.then = stays(t, b)
			close(disk.free)
			if err := <-said; !errors.Is(err, ErrRefused) {
				t.Errorf("got %v, want a refusal", err)
			}
			must(t, <-halt)
			becomes(t, b, g, Halted, false)
			must(t, os.Remove(b.file))
			if s := b.gate(t).State(); s.Mode != Halted || s.By != "anna" {
				t.Errorf("after a restart: got %+v, want halted", s)
			}
		})
	}
	t.Run("a close is seen before it is on it", func(t *testing.T) {
		b, g := begin(t, deskOpen)
		disk := g.busy()
		closing := doing(func() error { return g.Follow(deskClosed) })
		disk.awaited(t)
		becomes(t, b, g, FollowSchedule, false)
		close(disk.free)
		must(t, <-closing)
	})
	t.Run("the end of a force is seen before it is on it", func(t *testing.T) {
		b, g := begin(t, deskClosed)
		must(t, g.Force("anna", b.clock.Now().Add(time.Hour), ""))
		disk := g.busy()
		b.clock.Advance(time.Hour)
		beat := doing(g.Beat)
		disk.awaited(t)
		becomes(t, b, g, FollowSchedule, false)
		close(disk.free)
		must(t, <-beat)
	})
	t.Run("what did not get onto it is written again", func(t *testing.T) {
		b, g := begin(t, deskOpen)
		broken := errors.New("broken")
		g.file.disk = func(func() error) error { return broken }
		if err := g.Halt("anna", "fat finger"); !errors.Is(err, broken) || g.Problem() == "" {
			t.Errorf("got %v and problem %q, want both to tell of it", err, g.Problem())
		}
		becomes(t, b, g, Halted, false)
		before, err := os.Stat(b.file)
		must(t, err)
		g.file.disk = nil
		must(t, g.Beat())
		after, err := os.Stat(b.file)
		must(t, err)
		if os.SameFile(before, after) || g.Problem() != "" {
			t.Errorf("it is the same file, or there is a problem still: %q", g.Problem())
		}
		if entries, _ := os.ReadDir(filepath.Dir(b.file)); len(entries) != 1 {
			t.Errorf("the folder holds %v, want the file alone", entries)
		}
	})
}

// Whatever a crash leaves of the two files, no service trades that a restarted panel holds halted, and none
// by a force that it knows nothing of.
func TestTheOrderInWhichTheGatesFilesAreWritten(t *testing.T) {
	for name, c := range map[string]struct {
		before, say func(*Gate, bench) error
		waits       int
	}{
		"a resume lifts the latch first": {
			before: func(g *Gate, _ bench) error { return g.Halt("anna", "fat finger") },
			say:    func(g *Gate, _ bench) error { return g.Resume("anna", "") },
			waits:  4,
		},
		"a force is latched first": {
			before: func(*Gate, bench) error { return nil },
			say:    func(g *Gate, b bench) error { return g.Force("anna", b.clock.Now().Add(time.Hour), "") },
			waits:  4,
		},
		"a halt is told first": {
			before: func(*Gate, bench) error { return nil },
			say:    func(g *Gate, _ bench) error { return g.Halt("anna", "") },
			waits:  3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "2026-11-25 15:00")
			g := b.follows(t, deskOpen)
			must(t, c.before(g, b))
			waits := 0
			look := func(write func() error) error {
				waits++
				told := b.told(t)
				crashed := newBench(t, "2026-11-25 15:00")
				for from, to := range map[string]string{b.file: crashed.file, filepath.Join(b.state, "gate.json"): filepath.Join(crashed.state, "gate.json")} {
					if content, err := os.ReadFile(from); err == nil {
						must(t, os.WriteFile(to, content, 0o600))
					}
				}
				again := crashed.follows(t, deskOpen).State()
				if told.TradingEnabled && (again.Mode == Halted || told.Mode == Forced && again.Mode != Forced) {
					t.Errorf("wait %d: services are told %+v, and after a crash the gate is %+v", waits, told, again)
				}
				if name == "a halt is told first" && (told.Mode != Halted || again.Mode != Halted) {
					t.Errorf("wait %d: services are told %+v, and after a crash the gate is %+v, want both halted", waits, told, again)
				}
				return write()
			}
			g.file.disk, g.latch.disk = look, look
			must(t, c.say(g, b))
			if waits != c.waits {
				t.Errorf("the disk was waited for %d times, want %d, or this test shows nothing", waits, c.waits)
			}
		})
	}
}
