package linuxproc

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child starts a process that does nothing, and ends it with the test.
func child(t *testing.T) (*exec.Cmd, uint64) {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatalf("could not start a child: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	start, err := StartTime(cmd.Process.Pid)
	if err != nil {
		t.Fatalf("StartTime of a child that runs: %v", err)
	}
	return cmd, start
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

func TestProcess(t *testing.T) {
	t.Run("a running process is alive under its own start time only", func(t *testing.T) {
		cmd, start := child(t)
		if !Alive(cmd.Process.Pid, start) {
			t.Error("Alive: got false for a running child, want true")
		}
		if Alive(cmd.Process.Pid, start+1) {
			t.Error("Alive with another start time: got true, want false")
		}
	})
	t.Run("the start on the wall clock is near now", func(t *testing.T) {
		cmd, _ := child(t)
		got, err := Started(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if away := time.Since(got).Abs(); away > 5*time.Minute {
			t.Errorf("Started: got %v, %v away from now", got, away)
		}
	})
	t.Run("stopping and continuing show in the state", func(t *testing.T) {
		cmd, start := child(t)
		pid := cmd.Process.Pid
		if err := Signal(pid, start, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "state T after SIGSTOP", func() bool { s, _ := State(pid); return s == 'T' })
		if !Alive(pid, start) {
			t.Error("Alive: got false for a stopped process, want true")
		}
		if err := Signal(pid, start, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another state than T after SIGCONT", func() bool { s, _ := State(pid); return s != 'T' })
	})
	t.Run("a process that ended and was not waited for is not alive", func(t *testing.T) {
		cmd, start := child(t)
		if err := Signal(cmd.Process.Pid, start, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the child is a zombie", func() bool { s, _ := State(cmd.Process.Pid); return s == 'Z' })
		if Alive(cmd.Process.Pid, start) {
			t.Error("Alive: got true for a zombie, want false")
		}
	})
	t.Run("a PID that another process has now is not signalled", func(t *testing.T) {
		cmd, start := child(t)
		err := Signal(cmd.Process.Pid, start+1, syscall.SIGKILL)
		if !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Signal: got %v, want os.ErrProcessDone", err)
		}
		if !Alive(cmd.Process.Pid, start) {
			t.Error("the child was hit all the same")
		}
	})
	t.Run("everything about a process that is gone is ErrProcessDone", func(t *testing.T) {
		cmd, start := child(t)
		pid := cmd.Process.Pid
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_, startErr := StartTime(pid)
		_, startedErr := Started(pid)
		_, stateErr := State(pid)
		_, cgroupErr := Cgroup(pid)
		for name, err := range map[string]error{
			"StartTime": startErr, "Started": startedErr, "State": stateErr, "Cgroup": cgroupErr,
			"Signal": Signal(pid, start, syscall.SIGCONT),
		} {
			if !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("%s: got %v, want os.ErrProcessDone", name, err)
			}
		}
	})
	t.Run("the cgroup text has lines of three fields", func(t *testing.T) {
		got, err := Cgroup(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(got) {
			if strings.Count(line, ":") < 2 {
				t.Errorf("Cgroup: got line %q, want hierarchy:controllers:path", line)
			}
		}
	})
}

func TestParseStat(t *testing.T) {
	rest := " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21\n"
	for name, text := range map[string]string{
		"a plain name":                          "7 (sleep)" + rest,
		"a name with spaces and parentheses":    "7 (a) R 1 (b" + ")" + rest,
		"a name that is itself a closing paren": "7 ())" + rest,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat([]byte(text))
			if want := (stat{state: 'S', start: 4242}); err != nil || got != want {
				t.Errorf("parseStat(%q): got %+v, %v; want %+v", text, got, err, want)
			}
		})
	}
	for _, text := range []string{"", "7 sleep S", "7 (sleep) S 1", "7 (sleep) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x"} {
		if _, err := parseStat([]byte(text)); err == nil {
			t.Errorf("parseStat(%q): got no error", text)
		}
	}
}
