package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
)

// panelRole makes the test binary a panel that a test can kill: it supervises the beating service in
// the given state folder until then.
const panelRole = "test-role-panel"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == panelRole {
		b, err := New(Options{Services: []stack.Service{beating("beater")}, State: os.Args[2], OnExit: Keep})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		b.Start(context.Background())
		select {}
	}
	os.Exit(m.Run())
}

// beat is the program that stacktest asks for.
const beat = `trap 'echo signal USR1' USR1; echo ready; while :; do echo beat; sleep 0.05 & wait $!; done`

func shell(name, script string) stack.Service {
	return stack.Service{Name: name, Command: []string{"/bin/sh", "-c", script}}
}

func beating(name string) stack.Service { return shell(name, beat) }

// open makes a backend whose processes are gone after the test, whatever the test did to it.
func open(t *testing.T, options Options) *Backend {
	t.Helper()
	if options.State == "" {
		options.State = t.TempDir()
	}
	if options.StopTimeout == 0 {
		options.StopTimeout = 5 * time.Second
	}
	sweepAtEnd(t, options.State)
	b, err := New(options)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// sweepAtEnd kills what carries the mark of this state folder when the test ends.
func sweepAtEnd(t *testing.T, state string) {
	t.Helper()
	t.Cleanup(func() {
		eventually(t, "no process of this test is left", func() bool {
			ours := markedUnder(t, state)
			for _, p := range ours {
				_ = linuxproc.Signal(p.pid, p.start, unix.SIGKILL)
			}
			return len(ours) == 0
		})
	})
}

// markedUnder lists the living processes that carry a mark of this state folder.
func markedUnder(t *testing.T, state string) []process {
	t.Helper()
	folder, err := filepath.EvalSymlinks(state)
	if err != nil {
		t.Fatal(err)
	}
	var ours []process
	for _, p := range everyProcess() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		if err != nil || p.state == 'Z' || p.state == 'X' {
			continue
		}
		for _, entry := range strings.Split(string(text), "\x00") {
			value, found := strings.CutPrefix(entry, lifeVariable+"=")
			if _, at, _ := strings.Cut(value, "@"); found && strings.HasPrefix(at, folder+"/") {
				ours = append(ours, p)
			}
		}
	}
	return ours
}

// leaders counts the copies of services that run.
func leaders(t *testing.T, state string) (pids []int) {
	t.Helper()
	for _, p := range markedUnder(t, state) {
		if p.session == p.pid {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// eventually waits for what has to come true; its deadline is only for what never does.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func only(t *testing.T, b *Backend) stack.Instance {
	t.Helper()
	instances, err := b.Instances(t.Context())
	if err != nil || len(instances) != 1 {
		t.Fatalf("Instances: got %v, %v, want one", instances, err)
	}
	return instances[0]
}

// inState waits until the only instance is in that state, and returns it.
func inState(t *testing.T, b *Backend, want stack.State) (i stack.Instance) {
	t.Helper()
	eventually(t, "the instance is "+string(want), func() bool {
		i = only(t, b)
		return i.State == want
	})
	return i
}

func pidOf(t *testing.T, b *Backend, i stack.Instance) int {
	t.Helper()
	_, l, err := b.life(t.Context(), i)
	if err != nil {
		t.Fatalf("the process of %s: %v", i.Name, err)
	}
	return l.pid
}

// kill ends the main process of the instance from outside, and returns when it is dead.
func kill(t *testing.T, b *Backend, i stack.Instance) {
	t.Helper()
	_, l, err := b.life(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	if err := linuxproc.Signal(l.pid, l.start, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the killed process is dead", func() bool { return !l.alive() })
}

// lines follows the instance's output until a line contains want, and returns all up to it.
func lines(t *testing.T, b stack.Backend, i stack.Instance, since time.Time, want string) []stack.LogLine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	var got []stack.LogLine
	for line, err := range b.Logs(ctx, i, since) {
		if err != nil {
			t.Fatalf("Logs: %v", err)
		}
		got = append(got, line)
		if strings.Contains(line.Text, want) {
			return got
		}
	}
	t.Fatalf("the output ended without %q; got %v", want, got)
	return nil
}

func mustPause(t *testing.T, b stack.Backend, i stack.Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if err := b.Pause(ctx, i); err != nil {
		t.Fatalf("Pause: %v", err)
	}
}

func mustUnpause(t *testing.T, b stack.Backend, i stack.Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if err := b.Unpause(ctx, i); err != nil {
		t.Fatalf("Unpause: %v", err)
	}
}
