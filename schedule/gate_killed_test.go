package schedule

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// A test binary with this variable set is the gate's process to be killed.
const killedEnv = "PITSTOP_TEST_GATE_TO_KILL"

// TestGateToBeKilled is not a test but the process of the next one.
func TestGateToBeKilled(t *testing.T) {
	folder := os.Getenv(killedEnv)
	if folder == "" {
		return
	}
	g, err := OpenGate(filepath.Join(folder, "trading.json"), folder, clockwork.NewRealClock(), nil)
	must(t, err)
	for {
		fmt.Println("resuming")
		must(t, g.Resume("anna", ""))
		must(t, g.Follow(State{Open: true, Reason: "open"}))
		fmt.Println("halting")
		must(t, g.Halt("anna", "x"))
		fmt.Println("halted")
	}
}

func TestGateKilledAtAnyInstant(t *testing.T) {
	for round := range 12 {
		folder := t.TempDir()
		command := exec.Command(os.Args[0], "-test.run=^TestGateToBeKilled$")
		command.Env = append(os.Environ(), killedEnv+"="+folder)
		output, err := command.StdoutPipe()
		must(t, err)
		must(t, command.Start())
		// Killed after so many lines, at whatever it does then.
		last, lines := "", bufio.NewScanner(output)
		for n := 0; lines.Scan(); n++ {
			if last = lines.Text(); n == 4+round {
				must(t, command.Process.Kill())
			}
		}
		_ = command.Wait() // killed

		g, err := OpenGate(filepath.Join(folder, "trading.json"), folder, clockwork.NewFakeClockAt(time.Now()), nil)
		must(t, err)
		switch mode := g.State().Mode; {
		case last == "halted" && mode != Halted:
			t.Errorf("round %d: killed after the halt was acknowledged, and the gate is %+v", round, g.State())
		case mode != Halted && mode != FollowSchedule:
			t.Errorf("round %d: the gate is %+v", round, g.State())
		}
		for _, name := range []string{"trading.json", "gate.json"} {
			if content, err := os.ReadFile(filepath.Join(folder, name)); err == nil {
				if _, err := decodeGate(content); err != nil {
					t.Errorf("round %d: %s is torn: %q: %v", round, name, content, err)
				}
			}
		}
	}
}

func TestWhatAKilledGateLeftOfAWriteIsClearedAway(t *testing.T) {
	folder, state := t.TempDir(), t.TempDir()
	left := []string{filepath.Join(folder, ".trading.json.tmp-123"), filepath.Join(state, ".gate.json.tmp-123")}
	for _, path := range left {
		must(t, os.WriteFile(path, []byte("{"), 0o600))
	}
	_, err := OpenGate(filepath.Join(folder, "trading.json"), state, nil, nil)
	must(t, err)
	for _, path := range left {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}
