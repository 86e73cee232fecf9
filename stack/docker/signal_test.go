package docker

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// errHidden is what signalling a process of this machine says where Pitstop cannot see it.
var errHidden = errors.New("the process is out of sight")

func hideProcesses(b *Backend) {
	b.signalProcess = func(string, int, syscall.Signal) error { return errHidden }
}

func TestRestartPolicySurvivesASignal(t *testing.T) {
	for _, policy := range []string{"always", "unless-stopped"} {
		for _, way := range []string{"as a process of this machine", "from within the container"} {
			t.Run("a container under "+policy+" signalled "+way+" is restarted after a crash", func(t *testing.T) {
				e := dockertest.New(t)
				spec := scripted("one", nil)
				spec.Restart = policy
				b, c := one(t, e, spec)
				if strings.HasPrefix(way, "from") {
					hideProcesses(b)
				} else {
					b.signalProcess = func(id string, pid int, signal syscall.Signal) error {
						err := signalProcess(id, pid, signal)
						if err != nil {
							t.Errorf("signalling the process itself: %v", err)
						}
						return err
					}
				}
				warning, err := b.Signal(t.Context(), only(t, b), "SIGUSR1")
				if err != nil || warning != "" {
					t.Fatalf("Signal: got warning %q and error %v, want neither", warning, err)
				}
				c.WaitLog("signal USR1")
				before := c.State()
				c.Exec("touch", "/crash")
				c.WaitState("was restarted by its engine", func(s dockertest.State) bool {
					return s.Status == "running" && s.Restarts == before.Restarts+1 && s.Started.After(before.Started)
				})
			})
		}
	}
}

func TestSignal(t *testing.T) {
	t.Run("a paused container is refused and stays paused", func(t *testing.T) {
		e := dockertest.New(t)
		b, c := one(t, e, scripted("one", nil))
		c.Pause()
		_, err := b.Signal(t.Context(), only(t, b), "SIGUSR1")
		if err == nil || !strings.Contains(err.Error(), "it is paused") {
			t.Errorf("Signal: got %v, want an error that says that it is paused", err)
		}
		c.WaitState("is paused", func(s dockertest.State) bool { return s.Status == "paused" })
	})
	t.Run("a container that was never started is refused", func(t *testing.T) {
		e := dockertest.New(t)
		e.Create(scripted("one", labels(e, "one")))
		b := newBackend(t, Options{Services: []stack.Service{app(e, "one")}})
		i := only(t, b)
		if i.State != stack.Starting || !i.Started.IsZero() {
			t.Errorf("got %s since %v, want starting without a start", i.State, i.Started)
		}
		_, err := b.Signal(t.Context(), i, "SIGUSR1")
		if err == nil || !strings.Contains(err.Error(), "still starting") || errors.Is(err, stack.ErrGone) {
			t.Errorf("Signal: got %v, want an error that says that it is starting", err)
		}
	})
	t.Run("a container in another life is gone and not signalled", func(t *testing.T) {
		e := dockertest.New(t)
		b, c := one(t, e, scripted("one", nil))
		old := only(t, b)
		c.Restart()
		if _, err := b.Signal(t.Context(), old, "SIGUSR1"); !errors.Is(err, stack.ErrGone) {
			t.Errorf("Signal: got %v, want stack.ErrGone", err)
		}
	})
	t.Run("a word that is no signal is named", func(t *testing.T) {
		b := newBackend(t, Options{})
		_, err := b.Signal(t.Context(), stack.Instance{ID: "x"}, "SIGNONE")
		if err == nil || !strings.Contains(err.Error(), `"SIGNONE" is no signal`) {
			t.Errorf("Signal: got %v", err)
		}
	})
	t.Run("an image without a shell is signalled through the engine, with a warning", func(t *testing.T) {
		program := filepath.Join(t.TempDir(), "bare")
		build := exec.Command("go", "build", "-o", program, "./testdata/bare")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		e := dockertest.New(t)
		b, c := one(t, e, dockertest.Spec{Name: "bare", Image: e.Scratch(program)})
		hideProcesses(b)
		warning, err := b.Signal(t.Context(), only(t, b), "USR1")
		if err != nil || !strings.Contains(warning, c.Name) || !strings.Contains(warning, "may not restart it") {
			t.Errorf("Signal: got warning %q, error %v", warning, err)
		}
		c.WaitLog("signal USR1")
	})
	t.Run("a process that is not the container's is left alone", func(t *testing.T) {
		bystander := exec.Command("sleep", "600")
		if err := bystander.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = bystander.Process.Kill()
			_ = bystander.Wait()
		})
		err := signalProcess(strings.Repeat("ab", 32), bystander.Process.Pid, syscall.SIGUSR1)
		if err == nil || !strings.Contains(err.Error(), "not one of the container") {
			t.Errorf("signalProcess: got %v", err)
		}
	})
}
