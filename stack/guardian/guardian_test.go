package guardian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/linuxproc"
	"pitstop/stack/process"
)

// The test binary is also the panel that a test kills, and the guardian that this panel starts.
const (
	panelRole    = "test-role-panel"
	guardianRole = "test-role-guardian"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 {
		var err error
		switch state := os.Args[2]; os.Args[1] {
		case panelRole:
			err = panel(state)
		case guardianRole:
			err = Main(context.Background(), os.Stdin, os.Stdout, io.Discard, func(json.RawMessage, *slog.Logger) (stack.Backend, error) {
				return process.Attach(options(state))
			})
		default:
			os.Exit(m.Run())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func options(state string) process.Options {
	service := stack.Service{Name: "beater", Command: []string{"/bin/sh", "-c", "while :; do echo beat; sleep 0.05; done"}}
	return process.Options{Services: []stack.Service{service}, State: state, OnExit: process.Keep}
}

// briefly is when a panel that lives is taken to hang, where the test says "guard briefly".
const briefly = 300 * time.Millisecond

// panel does what a line on its standard input says, and answers each with a line.
func panel(state string) error {
	ctx := context.Background()
	b, err := process.New(options(state))
	if err != nil {
		return err
	}
	b.Start(ctx)
	for { // the record, which the test sees, is written before the panel itself counts the service as running
		instances, err := b.Instances(ctx)
		if err != nil {
			return err
		}
		if instances[0].State == stack.Running {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	var release func() time.Time
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		instances, err := b.Instances(ctx)
		if err != nil {
			return err
		}
		switch lines.Text() {
		case "guard", "guard briefly":
			o := Options{Args: []string{guardianRole, state}, Instances: instances, State: state}
			if lines.Text() == "guard briefly" {
				o.FreeAfter = briefly
			}
			release, err = Start(ctx, o)
		case "release":
			release()
		case "pause":
			err = b.Pause(ctx, instances[0])
		case "unpause":
			err = b.Unpause(ctx, instances[0])
		}
		if err != nil {
			return err
		}
		fmt.Println("ok")
	}
	return lines.Err()
}

// rig is a panel in a process of its own, with a service, and a view of that service from outside.
type rig struct {
	state   string
	command *exec.Cmd
	ask     func(what string)
	view    *process.Backend
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{state: t.TempDir()}
	// Registered first, so run last: a supervisor that finds the processes, to end them.
	t.Cleanup(func() {
		end := options(r.state)
		end.OnExit = process.Stop
		b, err := process.New(end)
		if err != nil {
			t.Errorf("could not clean up: %v", err)
			return
		}
		if err := b.Close(); err != nil {
			t.Errorf("could not clean up: %v", err)
		}
	})
	r.command = exec.Command(os.Args[0], panelRole, r.state)
	r.command.Stderr = os.Stderr
	stdin, err := r.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := r.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.kill()
		for _, pid := range r.guardians(t) { // such as look out for a late pause
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	})
	answers := bufio.NewReader(stdout)
	r.ask = func(what string) {
		t.Helper()
		if _, err := io.WriteString(stdin, what+"\n"); err != nil {
			t.Fatal(err)
		}
		if answer, err := answers.ReadString('\n'); answer != "ok\n" {
			t.Fatalf("%s: the panel answered %q, %v", what, answer, err)
		}
	}
	if r.view, err = process.Attach(options(r.state)); err != nil {
		t.Fatal(err)
	}
	r.inState(t, stack.Running)
	return r
}

func (r *rig) kill() {
	_ = r.command.Process.Kill()
	_ = r.command.Wait()
}

func (r *rig) instance(t *testing.T) stack.Instance {
	t.Helper()
	instances, err := r.view.Instances(t.Context())
	if err != nil || len(instances) != 1 {
		t.Fatalf("Instances: got %v, %v, want one", instances, err)
	}
	return instances[0]
}

func (r *rig) inState(t *testing.T, want stack.State) {
	t.Helper()
	eventually(t, "the service is "+string(want), func() bool { return r.instance(t).State == want })
}

// guardians lists the guardians of this rig that live.
func (r *rig) guardians(t *testing.T) (found []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && strings.HasSuffix(string(text), guardianRole+"\x00"+r.state+"\x00") {
			found = append(found, pid)
		}
	}
	return found
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestAPanelKilledInsideThePause(t *testing.T) {
	r := newRig(t)
	r.ask("guard")
	if got := r.guardians(t); len(got) != 1 {
		t.Fatalf("guardians: got %v, want one", got)
	}
	before := r.instance(t)
	r.ask("pause")
	r.inState(t, stack.Paused)
	r.kill()
	r.inState(t, stack.Running)
	if after := r.instance(t); !after.Started.Equal(before.Started) {
		t.Errorf("got %+v, want the same life as %+v", after, before)
	}
	eventually(t, "the guardian is gone", func() bool { return len(r.guardians(t)) == 0 })
}

func TestAPanelThatStandsStillInsideThePause(t *testing.T) {
	r := newRig(t)
	before := r.instance(t)
	r.ask("guard briefly")
	r.ask("pause")
	r.inState(t, stack.Paused)
	if err := r.command.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.inState(t, stack.Running)
	if after := r.instance(t); !after.Started.Equal(before.Started) {
		t.Errorf("got %+v, want the same life as %+v", after, before)
	}
	if got := r.guardians(t); len(got) != 1 {
		t.Errorf("guardians: got %v, want that one goes on waiting", got)
	}
	// It comes to, and finds the guardian where it left it.
	if err := r.command.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.ask("unpause")
	r.ask("release")
	if got := r.guardians(t); len(got) != 0 {
		t.Errorf("after the release: guardians %v, want none", got)
	}
	r.inState(t, stack.Running)
}

func TestSignalsForThePanelSpareTheGuardian(t *testing.T) {
	r := newRig(t)
	r.ask("guard")
	r.ask("pause")
	guardian := r.guardians(t)[0]
	if session, err := unix.Getsid(guardian); err != nil || session != guardian {
		t.Errorf("the guardian's session: got %d, %v, want its own", session, err)
	}
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
		if err := unix.Kill(guardian, s); err != nil {
			t.Fatal(err)
		}
	}
	r.kill()
	r.inState(t, stack.Running)
}

func TestAfterTheReleaseNothingIsTouched(t *testing.T) {
	r := newRig(t)
	r.ask("guard")
	r.ask("release")
	if got := r.guardians(t); len(got) != 0 {
		t.Errorf("after the release: guardians %v, want none", got)
	}
	r.ask("release")
	// Paused by somebody who is no concern of the run that ended, the panel being gone or not.
	r.ask("pause")
	r.kill()
	if got := r.instance(t).State; got != stack.Paused {
		t.Errorf("got %s, want it left %s", got, stack.Paused)
	}
}

func TestAGuardianThatIsKilledDoesNoHarm(t *testing.T) {
	r := newRig(t)
	r.ask("guard")
	guardian := r.guardians(t)[0]
	start, err := linuxproc.StartTime(guardian)
	if err != nil {
		t.Fatal(err)
	}
	if err := linuxproc.Signal(guardian, start, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.ask("pause")
	r.ask("unpause")
	r.ask("release")
	r.inState(t, stack.Running)
	r.ask("guard")
	r.ask("release")
}

func TestStartSaysWhyItFailed(t *testing.T) {
	t.Run("no such program", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Executable: "/nonexistent/pitstop", State: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "/nonexistent/pitstop") {
			t.Errorf("got error %v, want one that names the program", err)
		}
	})
	t.Run("a program that is no guardian", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Executable: "/bin/echo", Args: []string{"hello"}, State: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "guardian") {
			t.Errorf("got error %v, want one that tells of the guardian", err)
		}
	})
	t.Run("a program that never gets ready", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := Start(ctx, Options{Executable: "/bin/sleep", Args: []string{"1000"}, State: t.TempDir()})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want that the time was over", err)
		}
	})
	t.Run("no state folder", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Executable: "/bin/cat", State: t.TempDir() + "/none"})
		if err == nil || !strings.Contains(err.Error(), "watch") {
			t.Errorf("got error %v, want one about the watch", err)
		}
	})
}
