package schedule

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

func TestGateForce(t *testing.T) {
	closed := State{Since: time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC), Reason: "closed"}
	begin := func(t *testing.T) (bench, *Gate) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(closed))
		must(t, g.Force("anna", b.clock.Now().Add(time.Hour), "late fills"))
		return b, g
	}
	t.Run("enables trading, and ends by itself", func(t *testing.T) {
		b, g := begin(t)
		if s := b.told(t); !s.TradingEnabled || s.Mode != Forced || s.By != "anna" || !s.Until.Equal(utc(t, "2026-11-25 16:00")) {
			t.Errorf("got %+v, want forced until 16:00", s)
		}
		b.clock.Advance(time.Hour)
		if s := g.State(); s.TradingEnabled {
			t.Errorf("at its end: got %+v, want closed", s)
		}
		must(t, g.Beat())
		if s := b.told(t); s.TradingEnabled || s.Mode != FollowSchedule || s.Reason != "closed" {
			t.Errorf("after its end: got %+v, want the schedule's word", s)
		}
	})
	t.Run("holds over a restart", func(t *testing.T) {
		b, _ := begin(t)
		b.clock.Advance(59 * time.Minute)
		if s := b.gate(t).State(); !s.TradingEnabled || s.Mode != Forced {
			t.Errorf("got %+v, want forced", s)
		}
	})
	t.Run("does not come back after a restart past its end", func(t *testing.T) {
		b, _ := begin(t)
		b.clock.Advance(time.Hour)
		if s := b.gate(t).State(); s.TradingEnabled || s.Mode != FollowSchedule {
			t.Errorf("got %+v, want the schedule", s)
		}
	})
	t.Run("ends if the clock is set back past its beginning", func(t *testing.T) {
		b, g := begin(t)
		g.clock = clockwork.NewFakeClockAt(b.clock.Now().Add(-time.Hour))
		if s := g.State(); s.TradingEnabled || s.Mode != FollowSchedule {
			t.Errorf("before anybody has looked: got %+v, want the schedule", s)
		}
		must(t, g.Beat())
		if s := b.told(t); s.TradingEnabled || s.Mode != FollowSchedule {
			t.Errorf("got %+v, want the schedule", s)
		}
	})
	t.Run("is not believed from trading.json alone", func(t *testing.T) {
		b, _ := begin(t)
		must(t, os.Remove(filepath.Join(b.state, "gate.json")))
		if s := b.gate(t).State(); s.TradingEnabled {
			t.Errorf("got %+v, want closed", s)
		}
	})
	t.Run("is ended by Halt and by Resume", func(t *testing.T) {
		b, g := begin(t)
		must(t, g.Resume("bob", ""))
		if s := b.told(t); s.TradingEnabled || s.Mode != FollowSchedule {
			t.Errorf("after Resume: got %+v", s)
		}
		must(t, g.Force("anna", b.clock.Now().Add(time.Hour), ""))
		must(t, g.Halt("bob", ""))
		if s := b.told(t); s.TradingEnabled || s.Mode != Halted || s.Reason == "" {
			t.Errorf("after Halt: got %+v", s)
		}
	})
	t.Run("is refused for an end that has passed or is too far", func(t *testing.T) {
		b, g := begin(t)
		before := b.told(t)
		for _, until := range []time.Time{{}, b.clock.Now(), b.clock.Now().Add(-time.Second), b.clock.Now().Add(MaxForce + time.Second)} {
			if err := g.Force("anna", until, ""); !errors.Is(err, ErrRefused) {
				t.Errorf("Force(%v): got %v, want ErrRefused", until, err)
			}
		}
		if got := b.told(t); !got.same(before) {
			t.Errorf("a refused Force changed the gate: %+v", got)
		}
	})
	t.Run("is not granted where it cannot be kept", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(closed))
		must(t, os.RemoveAll(b.state))
		if err := g.Force("anna", b.clock.Now().Add(time.Hour), ""); err == nil {
			t.Error("got no error")
		}
		if s := b.told(t); s.TradingEnabled || g.State().TradingEnabled {
			t.Errorf("got %+v and %+v, want closed", s, g.State())
		}
	})
}
