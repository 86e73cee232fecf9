package schedule

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// desksHalt is what somebody else writes into trading.json.
const desksHalt = `{"trading_enabled":false,"mode":"halted","reason":"by the desk","since":"2026-11-25T15:00:00Z","until":null,"by":"desk"}` + "\n"

// byTheDesk checks that the desk's halt is in force, and that it would be after a restart.
func (b bench) byTheDesk(t *testing.T, g *Gate) {
	t.Helper()
	for where, s := range map[string]GateState{"the gate": g.State(), "trading.json": b.told(t), "after a restart, the gate": b.gate(t).State()} {
		if s.Mode != Halted || s.By != "desk" || s.TradingEnabled {
			t.Errorf("%s: got %+v, want halted by the desk", where, s)
		}
	}
}

// follows is a gate that has told the schedule's word.
func (b bench) follows(t *testing.T, d State) *Gate {
	t.Helper()
	g := b.gate(t)
	must(t, g.Follow(d))
	return g
}

var (
	deskOpen   = openUntil(time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC))
	deskClosed = State{Since: time.Date(2026, 11, 25, 14, 0, 0, 0, time.UTC), Reason: "closed"}
)

func TestAHaltOfSomebodyElsesIsNotLost(t *testing.T) {
	t.Run("that was written while the disk was away from the panel", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.follows(t, deskClosed)
		folder := filepath.Dir(b.file)
		must(t, os.Rename(folder, folder+".away"))
		if err := g.Follow(deskOpen); err == nil {
			t.Fatal("the write did not fail")
		}
		must(t, os.WriteFile(filepath.Join(folder+".away", "trading.json"), []byte(desksHalt), 0o644))
		must(t, os.Rename(folder+".away", folder))
		must(t, g.Beat())
		b.byTheDesk(t, g)
	})
	t.Run("that was written before the schedule's first word, where there was no file", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.gate(t)
		must(t, os.WriteFile(b.file, []byte(desksHalt), 0o644))
		must(t, g.Follow(deskOpen))
		b.byTheDesk(t, g)
	})
	for name, say := range map[string]func(*Gate, bench) error{
		"forced on": func(g *Gate, b bench) error { return g.Force("anna", b.clock.Now().Add(time.Hour), "") },
		"resumed":   func(g *Gate, _ bench) error { return g.Resume("anna", "") },
	} {
		t.Run("that is half written as trading is "+name, func(t *testing.T) {
			b := newBench(t, "2026-11-25 15:00")
			g := b.follows(t, deskClosed)
			file, err := os.OpenFile(b.file, os.O_WRONLY|os.O_TRUNC, 0)
			must(t, err)
			_, err = file.WriteString(desksHalt[:40])
			must(t, err)
			if err := say(g, b); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "at this very moment") {
				t.Errorf("got %v, want a refusal that says why", err)
			}
			_, err = file.WriteString(desksHalt[40:])
			must(t, err)
			must(t, file.Close())
			must(t, g.Beat())
			b.byTheDesk(t, g)
		})
	}
	t.Run("that somebody wrote while trading was halted already", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.follows(t, deskOpen)
		must(t, g.Halt("anna", "fat finger"))
		must(t, os.WriteFile(b.file, []byte(desksHalt), 0o644))
		if err := g.Resume("ben", "the finger is well"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "by desk") {
			t.Errorf("Resume: got %v, want a refusal that names the desk", err)
		}
		b.byTheDesk(t, g)
		must(t, g.Resume("ben", "the desk agrees"))
		if s := b.told(t); !s.TradingEnabled {
			t.Errorf("once seen it cannot be lifted: %+v", s)
		}
	})
	t.Run("and is not written again and again", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		g := b.follows(t, deskOpen)
		must(t, os.WriteFile(b.file, []byte(desksHalt), 0o644))
		must(t, g.Beat())
		latch := filepath.Join(b.state, "gate.json")
		before, err := os.Stat(latch)
		must(t, err)
		must(t, g.Beat())
		if after, err := os.Stat(latch); err != nil || !os.SameFile(before, after) {
			t.Errorf("the latch was written again (%v), with nothing changed", err)
		}
	})
	t.Run("that the panel was killed over", func(t *testing.T) {
		b := newBench(t, "2026-11-25 15:00")
		b.follows(t, deskOpen)
		left := filepath.Join(filepath.Dir(b.file), ".trading.json.tmp-1")
		must(t, os.WriteFile(left, []byte(desksHalt), 0o644)) // it had come out, and was to be put back
		g := b.gate(t)
		must(t, g.Follow(deskOpen))
		b.byTheDesk(t, g)
		if _, err := os.Stat(left); err == nil {
			t.Error("what was left is there still")
		}
	})
}

// The instants between a look at the file and the end of a write are too short to be aimed at: here the
// write begins after the look.
func TestAWriteLooksAtWhatItTakesAway(t *testing.T) {
	known := GateState{Mode: FollowSchedule, Reason: "closed", By: "schedule"}
	opened := GateState{TradingEnabled: true, Mode: FollowSchedule, Reason: "open", By: "schedule"}
	for name, c := range map[string]struct {
		there string
		yield bool
	}{
		"a halt":                    {desksHalt, true},
		"half of one":               {desksHalt[:40], true},
		"nothing yet":               {"", true},
		"another word of schedules": {`{"mode":"schedule"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &gateFile{path: filepath.Join(t.TempDir(), "trading.json"), shared: true}
			must(t, f.write(known))
			must(t, os.WriteFile(f.path, []byte(c.there), 0o644))
			before, err := os.Stat(f.path)
			must(t, err)
			err = f.write(opened)
			if yielded := errors.Is(err, errTheirs); yielded != c.yield || !yielded && err != nil {
				t.Fatalf("write: got %v, want errTheirs: %v", err, c.yield)
			}
			after, err := os.Stat(f.path)
			must(t, err)
			if same := os.SameFile(before, after); same != c.yield {
				t.Errorf("it is the same file: %v, want %v, for whoever writes it goes on to", same, c.yield)
			}
			if content, _ := os.ReadFile(f.path); c.yield && string(content) != c.there {
				t.Errorf("it holds %q, want %q", content, c.there)
			}
			if entries, _ := os.ReadDir(filepath.Dir(f.path)); len(entries) != 1 {
				t.Errorf("the folder holds %v, want the file alone", entries)
			}
			must(t, f.write(GateState{Mode: Halted, By: "anna"})) // which asks nobody
		})
	}
}

func TestAHaltOfSomebodyElsesAtAnyInstant(t *testing.T) {
	lost := 0
	const tries = 40
	for range tries {
		b := newBench(t, "2026-11-25 15:00")
		g := b.follows(t, deskClosed)
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !stop.Load() {
				_ = g.Follow(deskOpen)
				_ = g.Follow(deskClosed)
			}
		}()
		time.Sleep(time.Millisecond)
		other := b.file + ".desk"
		must(t, os.WriteFile(other, []byte(desksHalt), 0o644))
		must(t, os.Rename(other, b.file))
		time.Sleep(2 * time.Millisecond)
		stop.Store(true)
		<-done
		must(t, g.Beat())
		if g.State().Mode != Halted {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d halts were written over and never heard of", lost, tries)
	}
}

// exFAT by a driver in user space can neither exchange files nor link them.
func TestAGateWhereFilesCannotBeExchanged(t *testing.T) {
	run := func(name string, args ...string) string {
		t.Helper()
		log, err := os.Create(filepath.Join(t.TempDir(), "log")) // no pipe: a daemon would keep it open
		must(t, err)
		defer log.Close()
		command := exec.Command(name, args...)
		command.Stdout, command.Stderr = log, log
		failed := command.Run()
		text, _ := os.ReadFile(log.Name())
		if failed != nil {
			t.Fatalf("%v: %v: %s (this test needs root, /dev/fuse, /dev/loop* and what .ci/install installs)", command, failed, text)
		}
		return strings.TrimSpace(string(text))
	}
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	must(t, errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 4<<20)))
	run("mkfs.exfat", image)
	device := run("losetup", "--find", "--show", image)
	t.Cleanup(func() { run("losetup", "--detach", device) })
	run("mount.exfat-fuse", "-o", "noatime", device, dir)
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	begin := func(t *testing.T) (bench, *Gate) {
		t.Helper()
		b := newBench(t, "2026-11-25 15:00")
		b.file = filepath.Join(dir, "trading.json")
		must(t, os.RemoveAll(b.file))
		return b, b.follows(t, deskOpen)
	}
	t.Run("heeds a halt", func(t *testing.T) {
		b, g := begin(t)
		must(t, os.WriteFile(b.file, []byte(desksHalt), 0o644))
		if err := g.file.write(GateState{Mode: FollowSchedule}); !errors.Is(err, errTheirs) {
			t.Errorf("a write over it: got %v, want errTheirs", err)
		}
		must(t, g.Follow(deskClosed))
		b.byTheDesk(t, g)
		must(t, g.Resume("anna", ""))
		if s := b.told(t); s.Mode != FollowSchedule {
			t.Errorf("after Resume: got %+v", s)
		}
	})
	t.Run("keeps what is garbled", func(t *testing.T) {
		b, g := begin(t)
		must(t, os.WriteFile(b.file, []byte("x"), 0o644))
		must(t, g.Beat())
		b.clock.Advance(time.Second)
		must(t, g.Beat())
		if kept, err := os.ReadFile(b.file + ".bad"); err != nil || string(kept) != "x" || g.State().Mode != Halted {
			t.Errorf("kept is %q (%v), and the gate %+v", kept, err, g.State())
		}
	})
}
