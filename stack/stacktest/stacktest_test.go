package stacktest

import (
	"testing"
	"time"

	"pitstop/stack"
)

func TestBackendInMemory(t *testing.T) {
	TestBackend(t, func(t *testing.T) Harness {
		services := []stack.Service{{Name: "zeta", Reload: stack.Reload{Signal: "SIGUSR1"}}, {Name: "alpha", Reload: stack.Reload{Signal: "SIGUSR1"}}}
		b := New(t, services...)
		b.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			log("signal USR1")
			return true
		})
		var all []stack.Instance
		for _, s := range services {
			i := b.Add(s.Name, s.Name+"-1")
			b.Log(i, "ready")
			all = append(all, i)
		}
		end := make(chan struct{})
		t.Cleanup(func() { close(end) })
		go func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-end:
					return
				case <-tick.C:
					for _, i := range all {
						b.Log(i, "beat")
					}
				}
			}
		}()
		return Harness{
			Backend: b, Services: services,
			Kill:   func(t *testing.T, i stack.Instance) { b.Kill(i) },
			Remove: func(t *testing.T, i stack.Instance) { b.Remove(i) },
		}
	})
}

func TestConfigInMemory(t *testing.T) {
	TestConfigStore(t, func(t *testing.T, content []byte) ConfigHarness {
		c := NewConfig(content, 3)
		return ConfigHarness{
			Store:  c,
			Edit:   func(t *testing.T, content []byte) { c.Edit(content) },
			Staged: func(t *testing.T) []string { return c.StagedFiles() },
		}
	})
}
