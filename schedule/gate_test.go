package schedule

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// bench is a gate's surroundings: its two folders and its clock.
type bench struct {
	file, state string
	clock       *clockwork.FakeClock
}

func newBench(t testing.TB, now string) bench {
	t.Helper()
	return bench{file: filepath.Join(t.TempDir(), "trading.json"), state: t.TempDir(), clock: clockwork.NewFakeClockAt(utc(t, now))}
}

func (b bench) gate(t testing.TB) *Gate {
	t.Helper()
	g, err := OpenGate(b.file, b.state, b.clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// told is what trading.json says.
func (b bench) told(t testing.TB) GateState {
	t.Helper()
	content, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	var s GateState
	if err := json.Unmarshal(content, &s); err != nil {
		t.Fatalf("trading.json holds %q: %v", content, err)
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openUntil(until time.Time) State {
	return State{Open: true, Since: until.Add(-time.Hour), Until: until, Reason: "in the window"}
}

func TestGateFollowsTheSchedule(t *testing.T) {
	b := newBench(t, "2026-11-25 15:00")
	g := b.gate(t)
	if s := g.State(); s.TradingEnabled || s.Mode != FollowSchedule {
		t.Errorf("before the first decision: got %+v, want closed", s)
	}
	if _, err := os.Stat(b.file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before the first decision: trading.json was written")
	}
	until := utc(t, "2026-11-25 21:00")
	must(t, g.Follow(openUntil(until)))
	want := `{"trading_enabled":true,"mode":"schedule","reason":"in the window","since":"2026-11-25T20:00:00Z","until":"2026-11-25T21:00:00Z","by":"schedule"}` + "\n"
	if got, err := os.ReadFile(b.file); err != nil || string(got) != want {
		t.Errorf("trading.json: got %s %v, want %s", got, err, want)
	}
	must(t, g.Follow(State{Since: until, Reason: "closed"}))
	if got := b.told(t); got.TradingEnabled || got.Until != nil || got.Reason != "closed" {
		t.Errorf("after the close: got %+v, want closed without an end", got)
	}
}

func TestGateDoesNotOutliveItsWindow(t *testing.T) {
	b := newBench(t, "2026-11-25 20:59")
	g := b.gate(t)
	must(t, g.Follow(openUntil(utc(t, "2026-11-25 21:00"))))
	b.clock.Advance(time.Minute)
	if s := g.State(); s.TradingEnabled {
		t.Errorf("with nobody looking at the schedule: got %+v, want closed", s)
	}
	must(t, g.Beat())
	if s := b.told(t); s.TradingEnabled || !s.Since.Equal(b.clock.Now()) {
		t.Errorf("got %+v, want closed since 21:00", s)
	}
}

func TestGateHalt(t *testing.T) {
	open := openUntil(time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC))
	halted := func(t *testing.T, b bench, g *Gate) {
		t.Helper()
		for where, s := range map[string]GateState{"the gate": g.State(), "trading.json": b.told(t)} {
			if s.TradingEnabled || s.Mode != Halted || s.By != "anna" || s.Reason != "fat finger" || s.Until != nil {
				t.Errorf("%s: got %+v, want halted by anna", where, s)
			}
		}
	}
	begin := func(t *testing.T) (bench, *Gate) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(open))
		must(t, g.Halt("anna", "fat finger"))
		halted(t, b, g)
		return b, g
	}
	t.Run("holds against the schedule", func(t *testing.T) {
		b, g := begin(t)
		must(t, g.Follow(open))
		must(t, g.Beat())
		halted(t, b, g)
	})
	t.Run("holds over a restart", func(t *testing.T) {
		b, _ := begin(t)
		g := b.gate(t)
		halted(t, b, g)
		must(t, g.Follow(open))
		halted(t, b, g)
	})
	t.Run("holds over a restart with a wrong clock", func(t *testing.T) {
		b, _ := begin(t)
		for _, now := range []string{"2006-01-01 00:00", "2099-01-01 00:00"} {
			b.clock = clockwork.NewFakeClockAt(utc(t, now))
			g := b.gate(t)
			must(t, g.Follow(open))
			must(t, g.Beat())
			halted(t, b, g)
		}
	})
	t.Run("holds if trading.json is deleted or garbled, and is told again", func(t *testing.T) {
		b, _ := begin(t)
		must(t, os.Remove(b.file))
		halted(t, b, b.gate(t))
		must(t, os.WriteFile(b.file, []byte("{"), 0o600))
		halted(t, b, b.gate(t))
	})
	t.Run("holds if the state folder is lost, and is latched again", func(t *testing.T) {
		b, _ := begin(t)
		must(t, os.Remove(filepath.Join(b.state, "gate.json")))
		halted(t, b, b.gate(t))
		must(t, os.Remove(b.file))
		halted(t, b, b.gate(t))
	})
	t.Run("keeps its since when halted again", func(t *testing.T) {
		b, g := begin(t)
		b.clock.Advance(time.Hour)
		must(t, g.Halt("anna", "fat finger"))
		if got := b.told(t).Since; !got.Equal(utc(t, "2026-11-25 15:00")) {
			t.Errorf("got since %v, want 15:00", got)
		}
	})
	t.Run("is lifted by a person only through Resume", func(t *testing.T) {
		b, g := begin(t)
		if err := g.Force("bob", b.clock.Now().Add(time.Hour), ""); !errors.Is(err, ErrRefused) {
			t.Errorf("Force while halted: got %v, want ErrRefused", err)
		}
		halted(t, b, g)
		b.clock.Advance(time.Minute)
		must(t, g.Follow(open))
		must(t, g.Resume("bob", ""))
		if got := b.told(t); !got.TradingEnabled || got.Mode != FollowSchedule || got.By != "schedule" {
			t.Errorf("after Resume: got %+v, want the schedule's word", got)
		}
		if got := b.gate(t).State().Mode; got != FollowSchedule {
			t.Errorf("after Resume and a restart: got mode %s", got)
		}
	})
	t.Run("stays if resuming cannot be written", func(t *testing.T) {
		b, g := begin(t)
		must(t, os.RemoveAll(b.state))
		if err := g.Resume("bob", ""); err == nil {
			t.Error("Resume without a state folder: got no error")
		}
		halted(t, b, g)
	})
	t.Run("holds in the gate and the file where the latch cannot be written, and is latched later", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(open))
		must(t, os.RemoveAll(b.state))
		if err := g.Halt("anna", "fat finger"); err == nil {
			t.Error("Halt without a state folder: got no error")
		}
		halted(t, b, g)
		if g.Problem() == "" {
			t.Error("got no problem to show")
		}
		must(t, os.Mkdir(b.state, 0o700))
		must(t, g.Beat())
		must(t, os.Remove(b.file))
		halted(t, b, b.gate(t))
	})
	t.Run("written into trading.json by somebody else is taken up and latched", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(open))
		must(t, os.WriteFile(b.file, []byte(`{"mode":"halted","reason":"fat finger","by":"anna","since":"2026-11-25T14:59:00Z"}`), 0o600))
		must(t, g.Beat())
		must(t, os.Remove(b.file))
		halted(t, b, b.gate(t))
	})
}

func TestAHaltOfSomebodyElses(t *testing.T) {
	const theirs = `{"mode":"halted","reason":"fat finger","by":"anna","since":"2026-11-25T14:59:00Z"}`
	write := func(t *testing.T, b bench) { must(t, os.WriteFile(b.file, []byte(theirs), 0o600)) }
	open := openUntil(utc(t, "2026-11-25 21:00"))
	t.Run("is heeded by the running scheduler, whose word would else come first", func(t *testing.T) {
		r := newRig(t, "2026-11-25 15:00")
		r.start(t, always(t, table{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}))
		write(t, r.bench)
		for range 3 {
			r.advance(t, tick)
		}
		if s := r.told(t); s.TradingEnabled || s.Mode != Halted || s.Reason != "fat finger" || s.By != "anna" {
			t.Errorf("got %+v, want anna's halt", s)
		}
	})
	t.Run("is heeded when it is written in two pieces", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(open))
		file, err := os.OpenFile(b.file, os.O_WRONLY|os.O_TRUNC, 0)
		must(t, err)
		for _, piece := range []string{theirs[:20], theirs[20:]} {
			_, err := file.WriteString(piece)
			must(t, err)
			b.clock.Advance(tick / 2)
			must(t, g.Follow(open))
			must(t, g.Beat())
		}
		must(t, file.Close())
		if s := b.told(t); s.Mode != Halted || s.By != "anna" {
			t.Errorf("got %+v, want anna's halt", s)
		}
	})
	t.Run("is not lifted by whoever cannot have seen it", func(t *testing.T) {
		for name, say := range map[string]func(*Gate) error{
			"resume": func(g *Gate) error { return g.Resume("ben", "") },
			"force":  func(g *Gate) error { return g.Force("ben", utc(t, "2026-11-25 22:00"), "") },
			"follow": func(g *Gate) error { return g.Follow(open) },
		} {
			b := newBench(t, "2026-11-25 15:00")
			g := b.gate(t)
			must(t, g.Follow(open))
			write(t, b)
			err := say(g)
			if name != "follow" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "by anna")) {
				t.Errorf("%s: got %v, want a refusal that names anna", name, err)
			}
			if s := b.told(t); s.Mode != Halted || s.By != "anna" {
				t.Errorf("%s: got %+v, want anna's halt", name, s)
			}
			must(t, g.Resume("ben", "looked at it"))
			if s := b.told(t); !s.TradingEnabled {
				t.Errorf("%s: once seen it cannot be lifted: %+v", name, s)
			}
		}
	})
}

func TestTheRecordNamesWhoResumed(t *testing.T) {
	b := newBench(t, "2026-11-25 15:00")
	g := b.gate(t)
	var last GateState
	g.OnRecord(func(s GateState) { last = s })
	must(t, g.Follow(State{Open: true, Until: utc(t, "2026-11-25 21:00"), Reason: "The window is open."}))
	must(t, g.Halt("anna", "odd fills"))
	must(t, g.Resume("ben", "the fills were explained"))
	if last.By != "ben" || last.Reason != "the fills were explained. The window is open." || !last.TradingEnabled {
		t.Errorf("recorded %+v, want ben's word and what follows from it", last)
	}
	if s := b.told(t); s.By != "schedule" || s.Reason != "The window is open." {
		t.Errorf("trading.json says %+v, want the schedule's own word", s)
	}
}

func TestGateThatCannotTellIsHalted(t *testing.T) {
	for name, spoil := range map[string]func(b bench) string{
		"trading.json garbled": func(b bench) string { return b.file },
		"the latch garbled":    func(b bench) string { return filepath.Join(b.state, "gate.json") },
	} {
		for _, content := range []string{"", "{", "null", `{"mode":"open"}`, `{"mode":"forced"}`, `{"mode":"schedule"}}`} {
			t.Run(name+" as "+content, func(t *testing.T) {
				b := newBench(t, "2026-11-25 15:00")
				path := spoil(b)
				must(t, os.WriteFile(path, []byte(content), 0o600))
				g := b.gate(t)
				must(t, g.Follow(openUntil(utc(t, "2026-11-25 21:00"))))
				if s := b.told(t); s.TradingEnabled || s.Mode != Halted || !strings.Contains(s.Reason, "kept as "+path+".bad") {
					t.Errorf("got %+v, want halted, because of %s", s, path)
				}
				if kept, err := os.ReadFile(path + ".bad"); err != nil || string(kept) != content {
					t.Errorf("to look at there is %q (%v), want %q", kept, err, content)
				}
				must(t, g.Resume("anna", ""))
				if s := b.told(t); !s.TradingEnabled {
					t.Errorf("after Resume: got %+v, want the schedule's word", s)
				}
			})
		}
	}
}

// Whoever garbles the file while the panel runs has it halted as at a start: no service trades by such a
// file, and what it was meant to say nobody knows.
func TestAFileThatIsGarbledMeanwhileHalts(t *testing.T) {
	open := openUntil(utc(t, "2026-11-25 21:00"))
	garble := func(t *testing.T) (bench, *Gate) {
		t.Helper()
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(open))
		must(t, os.WriteFile(b.file, []byte("trading: off"), 0o600))
		must(t, g.Follow(open))
		must(t, g.Beat())
		if content, err := os.ReadFile(b.file); err != nil || string(content) != "trading: off" {
			t.Fatalf("whoever writes it had no time to end: the file holds %q (%v)", content, err)
		}
		b.clock.Advance(time.Second)
		return b, g
	}
	t.Run("and is kept", func(t *testing.T) {
		b, g := garble(t)
		must(t, g.Beat())
		if s := b.told(t); s.Mode != Halted || s.By != "pitstop" || !s.same(g.State()) || !strings.Contains(s.Reason, "kept as "+b.file+".bad") {
			t.Errorf("got %+v, want halted by pitstop", s)
		}
		if kept, err := os.ReadFile(b.file + ".bad"); err != nil || string(kept) != "trading: off" {
			t.Errorf("to look at there is %q (%v)", kept, err)
		}
		if s := b.gate(t).State(); s.Mode != Halted {
			t.Errorf("after a restart: got %+v, want halted", s)
		}
		must(t, g.Resume("anna", "looked at it"))
		if s := b.told(t); !s.TradingEnabled {
			t.Errorf("after Resume: got %+v, want the schedule's word", s)
		}
	})
	t.Run("and is not written over by whoever cannot have seen it", func(t *testing.T) {
		b, g := garble(t)
		if err := g.Resume("ben", ""); !errors.Is(err, ErrRefused) {
			t.Errorf("Resume: got %v, want it refused", err)
		}
		if s := b.told(t); s.Mode != Halted {
			t.Errorf("got %+v, want halted", s)
		}
	})
	t.Run("and changes nothing of a halt", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Halt("anna", "fat finger"))
		must(t, os.WriteFile(b.file, []byte("x"), 0o600))
		must(t, g.Beat())
		b.clock.Advance(time.Second)
		must(t, g.Beat())
		if s := b.told(t); s.Mode != Halted || s.By != "anna" || s.Reason != "fat finger" {
			t.Errorf("got %+v, want anna's halt", s)
		}
	})
	t.Run("but a halt with something behind it is one", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, g.Follow(open))
		must(t, os.WriteFile(b.file, []byte(`{"mode":"halted","by":"anna"}edule","until":null}`), 0o600))
		must(t, g.Beat())
		if s := b.told(t); s.Mode != Halted || s.By != "anna" {
			t.Errorf("got %+v, want anna's halt", s)
		}
	})
}

func TestGateBeat(t *testing.T) {
	b := newBench(t, "2026-11-25 15:00")
	g := b.gate(t)
	must(t, g.Follow(openUntil(utc(t, "2026-11-25 21:00"))))
	t.Run("touches the file", func(t *testing.T) {
		b.clock.Advance(time.Minute)
		must(t, g.Beat())
		info, err := os.Stat(b.file)
		must(t, err)
		if !info.ModTime().Equal(b.clock.Now()) {
			t.Errorf("got modification at %v, want %v", info.ModTime(), b.clock.Now())
		}
	})
	for name, spoil := range map[string]func() error{
		"deleted":  func() error { return os.Remove(b.file) },
		"replaced": func() error { return os.WriteFile(b.file, []byte(`{"trading_enabled":true,"mode":"schedule"}`), 0o600) },
	} {
		t.Run("puts a file right that was "+name, func(t *testing.T) {
			must(t, spoil())
			must(t, g.Beat())
			b.clock.Advance(time.Second)
			must(t, g.Beat())
			if got := b.told(t); !got.same(g.State()) {
				t.Errorf("got %+v, want %+v", got, g.State())
			}
		})
	}
}

func TestGateTellsOfChanges(t *testing.T) {
	b := newBench(t, "2026-11-25 15:00")
	g := b.gate(t)
	changes := 0
	var records []GateState
	g.OnChange(func() { changes++; g.State() }) // it may look at the gate
	g.OnRecord(func(s GateState) { records = append(records, s) })
	must(t, g.Follow(openUntil(utc(t, "2026-11-25 21:00"))))
	must(t, g.Follow(openUntil(utc(t, "2026-11-25 21:00"))))
	must(t, g.Beat())
	must(t, g.Halt("anna", "x"))
	must(t, g.Resume("anna", ""))
	if changes != 3 || len(records) != 3 || records[1].Mode != Halted || records[1].By != "anna" {
		t.Errorf("got %d changes and records %+v, want 3: open, halted, open", changes, records)
	}
}

func TestGateUnderConcurrentUse(t *testing.T) {
	b := newBench(t, "2026-11-25 15:00")
	g := b.gate(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				switch i % 4 {
				case 0:
					_ = g.Follow(openUntil(utc(t, "2026-11-25 21:00")))
				case 1:
					_ = g.Halt("anna", "x")
				case 2:
					_ = g.Beat()
				case 3:
					g.State()
				}
			}
		})
	}
	all.Wait()
	if got := b.told(t); got.Mode != Halted || !got.same(g.State()) {
		t.Errorf("got %+v, want halted, as the gate says: %+v", got, g.State())
	}
}

func BenchmarkHaltAndResume(b *testing.B) {
	bench := newBench(b, "2026-11-25 15:00")
	g := bench.gate(b)
	for b.Loop() {
		must(b, g.Halt("anna", "x"))
		must(b, g.Resume("anna", ""))
	}
}
