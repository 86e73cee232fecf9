package features

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"pitstop/stack"
)

// TestAPanelThatHangs: the panel stands still in the middle of the pause, as under Ctrl-Z, with a log that
// nobody reads or in a deadlock. Its guardian lets the stack go on once max_pause is over, and the panel
// that comes to finds itself late. So it does if it stood still just before the pause, and comes to when the
// guardian is about to undo whatever pause it finds.
func TestAPanelThatHangs(t *testing.T) {
	for name, start := range map[string]func(testing.TB, string) *rig{"processes": processRig, "containers": containerRig} {
		for _, point := range []string{stack.PointPaused, stack.PointGuarded} {
			t.Run(name+", at "+point, func(t *testing.T) {
				hang(t, newChaos(start(t, referenceConfig(t))), point)
			})
		}
	}
}

func hang(t *testing.T, c *chaos, point string) {
	c.set("[stack]", "[stack]\nmax_pause = \"2s\"")
	c.env = append(c.env, "PITSTOP_CHAOS_STOP_AT="+point)
	c.start()
	c.settled()
	s := c.newSave(false)
	answered := c.put(s)
	c.stands()
	t.Cleanup(func() { _ = c.process.Process.Signal(syscall.SIGCONT) }) // or it could not end
	if point == stack.PointPaused {
		if not := c.standing(); len(not) != 2 {
			t.Fatalf("of the stack there stand still %v, want everything", not)
		}
	}
	eventually(t, "the guardian to unpause everything", func() (bool, string) {
		not := c.standing()
		return len(not) == 0, strings.Join(not, ", ")
	})
	if point == stack.PointGuarded {
		time.Sleep(8 * time.Second) // a second into the ten in which the guardian looks for a late pause
	}
	c.stands()
	if pids := c.guardians(); len(pids) != 1 {
		t.Errorf("guardians: %v, want that one goes on waiting", pids)
	}
	must(t, c.process.Process.Signal(syscall.SIGCONT))
	if a := <-answered; a.err != nil {
		t.Errorf("whoever saved got no answer: %v", a.err)
	}
	reports := c.audited()
	told := reports[len(reports)-1]
	if told.Outcome != stack.Failed || !strings.Contains(told.Message, "max_pause") {
		t.Errorf("the audit log says %+v, want that nothing was changed because of max_pause", told)
	}
	if live := c.readConfig(); live != s.old {
		t.Errorf("the config file is not the old one:\n%s", live)
	}
	if pids := c.guardians(); len(pids) > 0 {
		t.Errorf("after the run there are guardians: %v", pids)
	}
	c.settled()
	if lives := c.lives(); lives != s.lives {
		t.Errorf("services were restarted:\nbefore %s\nafter  %s", s.lives, lives)
	}
	t.Logf("the orchestrator stood still for %s", c.silence(s.began).Round(1e6))
}
