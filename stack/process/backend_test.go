package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

func TestContract(t *testing.T) {
	stacktest.TestBackend(t, func(t *testing.T) stacktest.Harness {
		services := []stack.Service{beating("orchestrator"), beating("scanner")}
		b := open(t, Options{Services: services})
		b.Start(t.Context())
		eventually(t, "both services run", func() bool {
			instances, err := b.Instances(t.Context())
			return err == nil && len(instances) == 2 && instances[0].State == stack.Running && instances[1].State == stack.Running
		})
		return stacktest.Harness{
			Backend:  b,
			Services: services,
			Kill:     func(t *testing.T, i stack.Instance) { kill(t, b, i) },
		}
	})
}

// pidIn reads the PID that a script wrote to a file.
func pidIn(t *testing.T, path string) (pid int) {
	t.Helper()
	eventually(t, path+" holds a PID", func() bool {
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(string(text), "\n") {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	return pid
}

func TestPauseStopsTheWholeTree(t *testing.T) {
	folder := t.TempDir()
	script := `
		cd ` + folder + `
		sh -c 'sh -c "echo \$\$ >grandchild.new; mv grandchild.new grandchild; while :; do sleep 1; done" & wait' &
		setsid sh -c 'echo $$ >detached.new; mv detached.new detached; while :; do sleep 1; done' &
		wait`
	b := open(t, Options{Services: []stack.Service{shell("tree", script)}})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	family := map[string]int{
		"main process":                    pidOf(t, b, i),
		"grandchild":                      pidIn(t, filepath.Join(folder, "grandchild")),
		"child with a session of its own": pidIn(t, filepath.Join(folder, "detached")),
	}
	standing := func() (names []string) {
		for name, pid := range family {
			if paused(pid) {
				names = append(names, name)
			}
		}
		return names
	}
	for range 3 {
		mustPause(t, b, i)
		if got := standing(); len(got) != len(family) {
			t.Fatalf("when Pause returned, only %q stood still, want all of %v", got, family)
		}
		if got := only(t, b).State; got != stack.Paused {
			t.Errorf("paused: got state %s, want %s", got, stack.Paused)
		}
		mustUnpause(t, b, i)
		eventually(t, "all go on", func() bool { return len(standing()) == 0 })
	}
}

func TestPauseInTheMiddleOfAFork(t *testing.T) {
	// A shell that does nothing but start programs is caught between vfork and exec time and again.
	b := open(t, Options{Services: []stack.Service{shell("forker", "while :; do /bin/true; done")}})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	for range 200 {
		mustPause(t, b, i)
		if got := only(t, b).State; got != stack.Paused {
			t.Fatalf("paused: got state %s, want %s", got, stack.Paused)
		}
		mustUnpause(t, b, i)
		if got := only(t, b).State; got != stack.Running {
			t.Fatalf("unpaused: got state %s, want %s", got, stack.Running)
		}
	}
}

func TestTheMainProcessLeadsASession(t *testing.T) {
	b := open(t, Options{Services: []stack.Service{beating("beater")}})
	b.Start(t.Context())
	pid := pidOf(t, b, inState(t, b, stack.Running))
	if session, err := unix.Getsid(pid); err != nil || session != pid {
		t.Errorf("session of process %d: got %d, %v, want its own", pid, session, err)
	}
}

func TestTheCommandForAPersonFreesTheInstance(t *testing.T) {
	b := open(t, Options{Services: []stack.Service{beating("beater")}})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	mustPause(t, b, i)
	command := b.FreeByHand(i)
	if out, err := exec.Command("/bin/sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	inState(t, b, stack.Running)
}

func TestSignal(t *testing.T) {
	start := func(t *testing.T, script string, patience time.Duration) (*Backend, stack.Instance) {
		b := open(t, Options{Services: []stack.Service{shell("service", script)}, SignalTimeout: patience})
		b.Start(t.Context())
		i := inState(t, b, stack.Running)
		lines(t, b, i, i.Started, "up")
		return b, i
	}
	t.Run("waits for a service that does not handle it yet", func(t *testing.T) {
		folder := t.TempDir()
		b, i := start(t, `echo up; until test -e `+folder+`/go; do sleep 0.02; done
			trap 'echo got it' USR1; while :; do sleep 0.05 & wait $!; done`, time.Minute)
		sent := make(chan error, 1)
		go func() {
			_, err := b.Signal(context.Background(), i, "SIGUSR1")
			sent <- err
		}()
		if err := os.WriteFile(filepath.Join(folder, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := <-sent; err != nil {
			t.Fatalf("Signal: %v", err)
		}
		lines(t, b, i, i.Started, "got it")
	})
	t.Run("is not sent to a service that it would end", func(t *testing.T) {
		b, i := start(t, `echo up; while :; do sleep 0.05; done`, time.Millisecond)
		_, err := b.Signal(t.Context(), i, "SIGUSR1")
		if err == nil || !strings.Contains(err.Error(), "does not handle") {
			t.Errorf("got error %v, want one that says that the signal is not handled", err)
		}
		if got := only(t, b); got.State != stack.Running || !got.Started.Equal(i.Started) {
			t.Errorf("afterwards: got %+v, want the same life running", got)
		}
	})
	t.Run("warns of a service that ignores it", func(t *testing.T) {
		b, i := start(t, `trap '' USR1; echo up; while :; do sleep 0.05; done`, time.Minute)
		warning, err := b.Signal(t.Context(), i, "SIGUSR1")
		if err != nil || !strings.Contains(warning, "ignores SIGUSR1") {
			t.Errorf("got %q, %v, want a warning that it is ignored", warning, err)
		}
	})
	t.Run("is refused if there is none of that name", func(t *testing.T) {
		b, i := start(t, `echo up; while :; do sleep 0.05; done`, time.Millisecond)
		if _, err := b.Signal(t.Context(), i, "SIGNOTHING"); err == nil || !strings.Contains(err.Error(), "SIGNOTHING") {
			t.Errorf("got error %v, want one that names the signal", err)
		}
	})
}

func TestAnotherLifeIsLeftAlone(t *testing.T) {
	b := open(t, Options{Services: []stack.Service{beating("beater")}})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	lines(t, b, i, i.Started, "ready")
	other := i
	other.Started = i.Started.Add(1)
	if err := b.Pause(t.Context(), other); !errors.Is(err, stack.ErrGone) {
		t.Errorf("Pause: got %v, want ErrGone", err)
	}
	if err := b.Unpause(t.Context(), other); !errors.Is(err, stack.ErrGone) {
		t.Errorf("Unpause: got %v, want ErrGone", err)
	}
	if _, err := b.Signal(t.Context(), other, "SIGUSR1"); !errors.Is(err, stack.ErrGone) {
		t.Errorf("Signal: got %v, want ErrGone", err)
	}
	if command := b.FreeByHand(other); command != "" {
		t.Errorf("FreeByHand: got %q, want none", command)
	}
	other.ID = "nobody"
	if _, err := b.Inspect(t.Context(), other); !errors.Is(err, stack.ErrGone) {
		t.Errorf("Inspect of no service: got %v, want ErrGone", err)
	}
}

func TestWatchTellsOfEachChange(t *testing.T) {
	b := open(t, Options{Services: []stack.Service{beating("beater")}})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan struct{}, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		b.Watch(ctx, func() { told <- struct{}{} })
	}()
	<-told // at once
	mustPause(t, b, i)
	<-told
	mustUnpause(t, b, i)
	<-told
	// Somebody else's doing is seen as well.
	if err := unix.Kill(-pidOf(t, b, i), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-told
	inState(t, b, stack.Paused)
	mustUnpause(t, b, i)
	cancel()
	<-ended
}

func TestNewRefuses(t *testing.T) {
	cases := map[string]struct {
		options Options
		want    string
	}{
		"a service without a command": {Options{Services: []stack.Service{{Name: "a"}}}, "no command"},
		"two services of one name":    {Options{Services: []stack.Service{beating("a"), beating("a")}}, `"a"`},
		"a service without a name":    {Options{Services: []stack.Service{beating("")}}, "names"},
		"an unknown end":              {Options{OnExit: "maybe"}, `"maybe"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.options.State = t.TempDir()
			if _, err := New(c.options); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
	t.Run("no state folder", func(t *testing.T) {
		if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "state folder") {
			t.Errorf("got error %v, want one about the state folder", err)
		}
	})
}

// BenchmarkPauseUnpause is the part of a pause window that one service costs.
func BenchmarkPauseUnpause(b *testing.B) {
	backend, err := New(Options{Services: []stack.Service{beating("beater")}, State: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = backend.Close() })
	backend.Start(b.Context())
	var i stack.Instance
	for i.State != stack.Running {
		instances, err := backend.Instances(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		i = instances[0]
	}
	for b.Loop() {
		if err := backend.Pause(b.Context(), i); err != nil {
			b.Fatal(err)
		}
		if err := backend.Unpause(b.Context(), i); err != nil {
			b.Fatal(err)
		}
	}
}
