package process

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/jonboulle/clockwork"
	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

// strays is a service below whose main process stand a process with a session of its own ("beside"), and
// another one below a process in the middle ("below").
type strays struct {
	*Backend
	i      stack.Instance
	middle process
	far    map[string]int // those with sessions of their own
}

func startStrays(t *testing.T, which ...string) *strays {
	t.Helper()
	folder := t.TempDir()
	script := "cd " + folder
	for _, name := range which {
		script += map[string]string{"below": `
		sh -c 'echo $$ >middle.new; mv middle.new middle; setsid sh -c "echo \$\$ >below.new; mv below.new below; while :; do sleep 1; done"; true' &`,
			"beside": `
		setsid sh -c 'echo $$ >beside.new; mv beside.new beside; while :; do sleep 1; done' &`}[name]
	}
	script += `
		while :; do wait; sleep 1; done`
	// The clock stands: a main process that dies is not started again.
	s := &strays{Backend: open(t, Options{Services: []stack.Service{shell("tree", script)}, Clock: clockwork.NewFakeClock()})}
	s.Start(t.Context())
	s.i = inState(t, s.Backend, stack.Running)
	s.far = map[string]int{}
	for _, name := range which {
		s.far[name] = pidIn(t, filepath.Join(folder, name))
	}
	middle, ok := readProcess(pidIn(t, filepath.Join(folder, "middle")))
	if !ok {
		t.Fatal("there is no process in the middle")
	}
	s.middle = middle
	return s
}

func (s *strays) killMiddle(t *testing.T) {
	t.Helper()
	if err := linuxproc.Signal(s.middle.pid, s.middle.start, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the one in the middle is dead", func() bool { return !linuxproc.Alive(s.middle.pid, s.middle.start) })
}

// pause stops them all.
func (s *strays) pause(t *testing.T) {
	t.Helper()
	mustPause(t, s.Backend, s.i)
	for name, pid := range s.far {
		if !paused(pid) {
			t.Fatalf("%s is not paused", name)
		}
	}
}

// goOn waits until they all do.
func (s *strays) goOn(t *testing.T) {
	t.Helper()
	for name, pid := range s.far {
		eventually(t, name+" goes on", func() bool {
			state, err := linuxproc.State(pid)
			return err == nil && state != 'T'
		})
	}
}

func TestAProcessWithASessionOfItsOwn(t *testing.T) {
	t.Run("goes on although the one between it and the main process has died", func(t *testing.T) {
		s := startStrays(t, "below", "beside")
		s.pause(t)
		s.killMiddle(t)
		mustUnpause(t, s.Backend, s.i)
		s.goOn(t)
	})
	t.Run("goes on although it was paused again after that", func(t *testing.T) {
		s := startStrays(t, "below")
		s.pause(t)
		s.killMiddle(t)
		s.pause(t)
		mustUnpause(t, s.Backend, s.i)
		s.goOn(t)
	})
	t.Run("goes on although the main process has died", func(t *testing.T) {
		s := startStrays(t, "below", "beside")
		s.pause(t)
		kill(t, s.Backend, s.i)
		s.goOn(t) // by whoever supervises
	})
	t.Run("goes on when a guardian unpauses a main process that has died", func(t *testing.T) {
		s := startStrays(t, "below", "beside")
		s.pause(t)
		kill(t, s.Backend, s.i)
		s.goOn(t)
		// As if nobody had supervised: stopped once more, behind the back of the supervisor.
		for _, pid := range s.far {
			if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is stopped", func() bool { return paused(pid) })
		}
		guardian, err := Attach(Options{Services: s.options.Services, State: filepath.Dir(s.options.State)})
		if err != nil {
			t.Fatal(err)
		}
		if err := guardian.Unpause(t.Context(), s.i); !errors.Is(err, stack.ErrGone) {
			t.Errorf("Unpause: got %v, want ErrGone", err)
		}
		s.goOn(t)
	})
	t.Run("is left alone when it belongs to another life", func(t *testing.T) {
		s := startStrays(t, "below", "beside")
		s.pause(t)
		before := s.i
		before.Started = before.Started.Add(-1)
		if err := s.Unpause(t.Context(), before); !errors.Is(err, stack.ErrGone) {
			t.Errorf("Unpause: got %v, want ErrGone", err)
		}
		for name, pid := range s.far {
			if !paused(pid) {
				t.Errorf("%s was let go on", name)
			}
		}
		mustUnpause(t, s.Backend, s.i)
		s.goOn(t)
	})
}
