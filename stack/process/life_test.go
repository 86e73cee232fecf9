package process

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

func TestTheNextPanelFindsTheProcesses(t *testing.T) {
	services := []stack.Service{beating("beater")}
	// leave starts the service, pauses it if asked to, and leaves it to the next panel.
	leave := func(t *testing.T, pause bool) (state string, i stack.Instance, pid int) {
		state = t.TempDir()
		b := open(t, Options{Services: services, State: state, OnExit: Keep})
		b.Start(t.Context())
		i = inState(t, b, stack.Running)
		lines(t, b, i, i.Started, "ready")
		if pause {
			mustPause(t, b, i)
		}
		pid = pidOf(t, b, i)
		if err := b.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		return state, i, pid
	}
	// same checks that a new panel has the same life, and no second copy.
	same := func(t *testing.T, state string, i stack.Instance, pid int, want stack.State) *Backend {
		t.Helper()
		b := open(t, Options{Services: services, State: state})
		if got := only(t, b); got.State != want || !got.Started.Equal(i.Started) || got.ID != i.ID || got.Restarts != i.Restarts {
			t.Fatalf("before Start: got %+v, want %+v, %s", got, i, want)
		}
		b.Start(t.Context())
		got := only(t, b)
		if got.State != want || !got.Started.Equal(i.Started) || pidOf(t, b, got) != pid {
			t.Fatalf("after Start: got %+v with PID %d, want %+v with PID %d", got, pidOf(t, b, got), i, pid)
		}
		if copies := leaders(t, state); !slices.Equal(copies, []int{pid}) {
			t.Errorf("got copies %v, want %d alone", copies, pid)
		}
		return b
	}
	rewrite := func(t *testing.T, state string, change func(*record)) {
		t.Helper()
		folder := filepath.Join(state, "process", "service-beater")
		r, err := readRecord(folder)
		if err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.write(folder); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("as they ran", func(t *testing.T) {
		state, i, pid := leave(t, false)
		b := same(t, state, i, pid, stack.Running)
		if got := lines(t, b, i, time.Time{}, "beat"); got[0].Text != "ready" {
			t.Errorf("the output begins with %q, want %q from before", got[0].Text, "ready")
		}
	})
	t.Run("paused as they were", func(t *testing.T) {
		state, i, pid := leave(t, true)
		b := same(t, state, i, pid, stack.Paused)
		mustUnpause(t, b, i)
		inState(t, b, stack.Running)
		lines(t, b, i, time.Now(), "beat")
	})
	t.Run("and sees them end", func(t *testing.T) {
		state, i, pid := leave(t, false)
		b := same(t, state, i, pid, stack.Running)
		kill(t, b, i)
		eventually(t, "it runs again", func() bool {
			got := only(t, b)
			return got.State == stack.Running && got.Restarts == 1 && !got.Started.Equal(i.Started)
		})
	})
	t.Run("if the last one was killed between the start and the record of it", func(t *testing.T) {
		state, i, pid := leave(t, false)
		rewrite(t, state, func(r *record) { r.PID, r.Start = 0, 0 })
		same(t, state, i, pid, stack.Running)
		if r, err := readRecord(filepath.Join(state, "process", "service-beater")); err != nil || r.PID != pid {
			t.Errorf("the record afterwards: got PID %d, %v, want %d", r.PID, err, pid)
		}
	})
	t.Run("if the record is torn", func(t *testing.T) {
		state, i, pid := leave(t, false)
		path := filepath.Join(state, "process", "service-beater", recordName)
		if err := os.WriteFile(path, []byte(`{"service":"bea`), 0o600); err != nil {
			t.Fatal(err)
		}
		same(t, state, i, pid, stack.Running)
	})
	t.Run("if it was killed itself", func(t *testing.T) {
		state := t.TempDir()
		sweepAtEnd(t, state)
		panel := exec.Command(os.Args[0], panelRole, state)
		panel.Stderr = os.Stderr
		if err := panel.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = panel.Process.Kill(); _, _ = panel.Process.Wait() })
		watch, err := Attach(Options{Services: services, State: state})
		if err != nil {
			t.Fatal(err)
		}
		i := inState(t, watch, stack.Running)
		pid := pidOf(t, watch, i)
		mustPause(t, watch, i)
		if err := panel.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, _ = panel.Process.Wait()
		b := same(t, state, i, pid, stack.Paused)
		mustUnpause(t, b, i)
		lines(t, b, i, i.Started, "beat")
	})
	t.Run("but not a stranger that got the PID", func(t *testing.T) {
		state, i, _ := leave(t, false)
		for _, p := range markedUnder(t, state) {
			_ = linuxproc.Signal(p.pid, p.start, 9)
		}
		stranger := exec.Command("sleep", "1000")
		if err := stranger.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
		rewrite(t, state, func(r *record) {
			r.PID = stranger.Process.Pid
			r.Start-- // the two may have begun within one tick of the clock
		})
		b := open(t, Options{Services: services, State: state})
		if got := only(t, b); got.State != stack.Stopped {
			t.Errorf("before Start: got %s, want %s", got.State, stack.Stopped)
		}
		if err := b.Pause(t.Context(), i); !errors.Is(err, stack.ErrGone) {
			t.Errorf("Pause: got %v, want ErrGone", err)
		}
		b.Start(t.Context())
		if got := inState(t, b, stack.Running); got.Started.Equal(i.Started) || got.Restarts != 1 {
			t.Errorf("after Start: got %+v, want a new life, restarted once", got)
		}
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		start, err := linuxproc.StartTime(stranger.Process.Pid)
		if err != nil || !linuxproc.Alive(stranger.Process.Pid, start) {
			t.Error("the stranger does not live any more")
		}
	})
	t.Run("but not one of another boot", func(t *testing.T) {
		state, _, pid := leave(t, false)
		rewrite(t, state, func(r *record) { r.Boot = "another" })
		b := open(t, Options{Services: services, State: state})
		if got := only(t, b); got.State != stack.Stopped {
			t.Errorf("got %s, want %s: PID %d means nothing after a boot", got.State, stack.Stopped, pid)
		}
	})
}

func TestOnlyOnePanelSupervises(t *testing.T) {
	services, state := []stack.Service{beating("beater")}, t.TempDir()
	b := open(t, Options{Services: services, State: state})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	if _, err := New(Options{Services: services, State: state}); err == nil || !strings.Contains(err.Error(), "another Pitstop") {
		t.Errorf("a second one: got error %v, want one that names the reason", err)
	}
	second, err := Attach(Options{Services: services, State: state})
	if err != nil {
		t.Fatalf("Attach: %v", err)
	}
	second.Start(t.Context())
	mustPause(t, b, i)
	if got := only(t, second); got.State != stack.Paused || !got.Started.Equal(i.Started) {
		t.Errorf("attached: got %+v, want %+v paused", got, i)
	}
	mustUnpause(t, second, i)
	inState(t, b, stack.Running)
	lines(t, second, i, i.Started, "beat")
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if got := only(t, b); !got.Started.Equal(i.Started) {
		t.Errorf("after the attached one was closed: got %+v, want the same life", got)
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{Min: time.Second, Max: 5 * time.Second, Calm: time.Minute}.withDefaults()
	var got []time.Duration
	var delay time.Duration
	for _, ran := range []time.Duration{0, 0, 0, 0, time.Second, time.Hour, 0} {
		delay = b.next(delay, ran)
		got = append(got, delay/time.Second)
	}
	if want := []time.Duration{1, 2, 4, 5, 5, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("delays in seconds: got %v, want %v", got, want)
	}
}

func TestAServiceThatEnds(t *testing.T) {
	t.Run("is started again after a growing pause", func(t *testing.T) {
		clock := clockwork.NewFakeClock()
		b := open(t, Options{Services: []stack.Service{shell("brief", "echo last words; exit 3")}, Clock: clock})
		b.Start(t.Context())
		for restarts, delay := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if got := only(t, b); got.State != stack.Starting || got.Restarts != restarts || !got.Started.IsZero() {
				t.Errorf("in between: got %+v, want it starting, %d restarts", got, restarts)
			} else if want := []string{"It ended (exit status 3). What it wrote last: last words"}; !slices.Equal(got.Warnings, want) {
				t.Errorf("in between it warns %q, want %q", got.Warnings, want)
			}
			clock.Advance(delay - 1)
			if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			clock.Advance(1)
			eventually(t, "it was started again", func() bool { return only(t, b).Restarts == restarts+1 })
		}
	})
	t.Run("takes what it left behind with it", func(t *testing.T) {
		folder := t.TempDir()
		script := `cd ` + folder + `; sh -c 'trap "" TERM; echo $$ >left.new; mv left.new left; while :; do sleep 1; done' & wait`
		clock := clockwork.NewFakeClock()
		b := open(t, Options{Services: []stack.Service{shell("parent", script)}, Clock: clock})
		b.Start(t.Context())
		i := inState(t, b, stack.Running)
		left := pidIn(t, filepath.Join(folder, "left"))
		start, err := linuxproc.StartTime(left)
		if err != nil {
			t.Fatal(err)
		}
		kill(t, b, i)
		if err := clock.BlockUntilContext(t.Context(), 1); err != nil { // the pause begins when they are gone
			t.Fatal(err)
		}
		if linuxproc.Alive(left, start) {
			t.Error("its child still lives when it is about to be started again")
		}
	})
	t.Run("can still be read to its last words", func(t *testing.T) {
		b := open(t, Options{Services: []stack.Service{shell("brief", "echo ready; read line <"+fifo(t)+"; printf 'last words'")}, Clock: clockwork.NewFakeClock()})
		b.Start(t.Context())
		i := inState(t, b, stack.Running)
		kick(t, b.options.Services[0].Command[2])
		var got []string
		for line, err := range b.Logs(t.Context(), i, i.Started) {
			if err != nil {
				t.Fatalf("Logs: %v", err)
			}
			got = append(got, line.Text)
		}
		if want := []string{"ready", "last words"}; !slices.Equal(got, want) {
			t.Errorf("while it ended: got %q, want %q", got, want)
		}
		inState(t, b, stack.Starting)
		if again := lines(t, b, i, i.Started, "last words"); len(again) != 2 {
			t.Errorf("after it had ended: got %v, want both lines", again)
		}
	})
	t.Run("or cannot be started says so", func(t *testing.T) {
		clock := clockwork.NewFakeClock()
		program := filepath.Join(t.TempDir(), "program")
		b := open(t, Options{Services: []stack.Service{{Name: "absent", Command: []string{program}}}, Clock: clock})
		b.Start(t.Context())
		if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		got := only(t, b)
		if got.State != stack.Starting || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], program) {
			t.Errorf("got %+v, want it starting with a warning that names the program", got)
		}
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+beat+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
		if got := inState(t, b, stack.Running); len(got.Warnings) != 0 || got.Restarts != 0 {
			t.Errorf("once it can be: got %+v, want no warning and no restart", got)
		}
	})
}

func TestCloseEndsTheProcesses(t *testing.T) {
	t.Run("also paused ones, and a second panel starts afresh", func(t *testing.T) {
		state := t.TempDir()
		b := open(t, Options{Services: []stack.Service{beating("beater")}, State: state})
		b.Start(t.Context())
		i := inState(t, b, stack.Running)
		mustPause(t, b, i)
		if err := b.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if left := leaders(t, state); len(left) != 0 {
			t.Errorf("left over: %v", left)
		}
		b = open(t, Options{Services: []stack.Service{beating("beater")}, State: state})
		b.Start(t.Context())
		if got := inState(t, b, stack.Running); got.Restarts != 0 {
			t.Errorf("got %d restarts, want none", got.Restarts)
		}
	})
	t.Run("also those that do not listen", func(t *testing.T) {
		state := t.TempDir()
		script := `trap "" TERM; setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done' & wait; while :; do sleep 1; done`
		b := open(t, Options{Services: []stack.Service{shell("deaf", script)}, State: state, StopTimeout: time.Millisecond})
		b.Start(t.Context())
		i := inState(t, b, stack.Running)
		lines(t, b, i, i.Started, "ready")
		if err := b.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if left := leaders(t, state); len(left) != 0 {
			t.Errorf("left over: %v", left)
		}
	})
}

// fifo makes a named pipe on which a script waits until kick.
func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if out, err := exec.Command("mkfifo", path).CombinedOutput(); err != nil {
		t.Fatalf("mkfifo: %v: %s", err, out)
	}
	return path
}

// kick lets a script that reads from a fifo go on.
func kick(t *testing.T, script string) {
	t.Helper()
	_, rest, _ := strings.Cut(script, "<")
	path, _, _ := strings.Cut(rest, ";")
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(pipe, strconv.Itoa(os.Getpid())+"\n")
	if err := errors.Join(err, pipe.Close()); err != nil {
		t.Fatal(err)
	}
}
