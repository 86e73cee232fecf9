package features

import (
	"strings"
	"testing"
	"time"

	"pitstop/stack"
)

// TestGuardian: the panel dies inside the pause, and nobody starts it again.
func TestGuardian(t *testing.T) {
	for name, start := range map[string]func(testing.TB, string) *rig{"processes": processRig, "containers": containerRig} {
		t.Run(name, func(t *testing.T) {
			c := newChaos(start(t, referenceConfig(t)))
			c.TB = t
			services := c.env
			for _, point := range []string{stack.PointPaused, stack.PointSaved} {
				c.env = append(services, "PITSTOP_CHAOS_KILL_AT="+point)
				c.start()
				c.settled()
				s := c.newSave(false)
				c.died(point, c.put(s))
				eventually(t, "the guardian to unpause everything", func() (bool, string) {
					not := c.standing()
					return len(not) == 0, strings.Join(not, ", ")
				})
				if !exists(c.journal()) {
					t.Error("the journal is gone, though nobody has finished or undone the run")
				}
				s.journal = true
				c.env = services
				c.start() // and the next panel finds nothing that the guardian has spoilt
				c.check(s, blow{point: point}.fate())
				t.Logf("killed at %s: the orchestrator stood still for %s", point, c.silence(s.began).Round(time.Millisecond))
				c.kill()
			}
			c.mourned()
		})
	}
}

// TestNoGuardianWithoutAPause: it lives for the time of the pause only, however the run ends.
func TestNoGuardianWithoutAPause(t *testing.T) {
	c := newChaos(processRig(t, referenceConfig(t)))
	c.start()
	c.settled()
	for _, refused := range []bool{false, true} {
		want := stack.Applied
		if refused {
			want = stack.RolledBack
		}
		a := <-c.put(c.newSave(refused))
		if a.err != nil || a.report.Outcome != want {
			t.Fatalf("the run ended as %+v (%v), want %s", a.report, a.err, want)
		}
		if pids := c.guardians(); len(pids) > 0 {
			t.Errorf("after the run there are guardians: %v", pids)
		}
	}
	// Whoever pauses the stack now is no concern of a guardian, though the panel dies.
	c.kill()
	if pids := c.guardians(); len(pids) > 0 {
		t.Errorf("after the panel's death there are guardians: %v", pids)
	}
}
