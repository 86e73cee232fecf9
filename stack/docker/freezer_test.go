package docker

import (
	"os"
	"testing"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// An engine that was killed at the wrong moment believes the opposite of what is true. These tests
// get there by turning the kernel's switch behind the engine's back.
func TestAnEngineThatLostTrackOfAPause(t *testing.T) {
	turn := func(t *testing.T, c *dockertest.Container, freeze bool) {
		t.Helper()
		f, found := freezerOf(c.ID, c.State().PID)
		if !found {
			t.Fatal("the freezer of a container is not found: this test needs to run on the engine's machine, with /sys/fs/cgroup in sight")
		}
		word := f.thaw
		want := stack.Running
		if freeze {
			word, want = f.frozen, stack.Paused
		}
		if err := os.WriteFile(f.file, []byte(word), 0); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the kernel has it as "+string(want), func() bool {
			now, err := f.state()
			return err == nil && now == want
		})
	}
	state := func(t *testing.T, b *Backend, i stack.Instance, want stack.State) {
		t.Helper()
		now, err := b.Inspect(t.Context(), i)
		if err != nil || now.State != want {
			t.Errorf("Inspect: got %s, %v, want %s", now.State, err, want)
		}
	}
	t.Run("it says running of a frozen container", func(t *testing.T) {
		b, c := one(t, dockertest.New(t), scripted("lost", nil))
		i := only(t, b)
		turn(t, c, true)
		state(t, b, i, stack.Paused)
		if err := b.Unpause(t.Context(), i); err != nil {
			t.Errorf("Unpause: %v", err)
		}
		state(t, b, i, stack.Running)
	})
	t.Run("it says paused of one that runs", func(t *testing.T) {
		b, c := one(t, dockertest.New(t), scripted("lost", nil))
		i := only(t, b)
		c.Pause()
		c.WaitState("is paused", func(s dockertest.State) bool { return s.Status == "paused" })
		turn(t, c, false)
		state(t, b, i, stack.Running)
		if err := b.Unpause(t.Context(), i); err != nil {
			t.Errorf("Unpause: %v", err)
		}
		if warning, err := b.Signal(t.Context(), i, "SIGUSR1"); err != nil || warning != "" {
			t.Errorf("Signal: %q, %v", warning, err)
		}
		c.WaitLog("signal USR1")
	})
}

func TestNoFreezerOfStrangers(t *testing.T) {
	for name, pid := range map[string]int{"no process": 0, "a process that is none of the container's": os.Getpid()} {
		if f, found := freezerOf("0123456789abcdef", pid); found {
			t.Errorf("%s: got %+v, want none", name, f)
		}
	}
}
