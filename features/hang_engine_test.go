package features

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"pitstop/stack"
)

// TestAnEngineThatHangs stops a real engine in the middle of a run, which then neither answers nor breaks a
// connection. The page and the API say who may stand still and how a person lets it go on; what the
// engine carries out when it comes to, in whatever order, leaves nothing paused.
func TestAnEngineThatHangs(t *testing.T) {
	e := startEngine(t, liveRestore)
	c := newChaos(ownContainers(t, e))
	c.restarts = true // a run may fail
	c.set("[stack]", "[stack]\nmax_pause = \"6s\"")
	wake := func() { _ = e.process.Process.Signal(syscall.SIGCONT) }
	t.Cleanup(wake) // before it is to end
	services := c.env
	for _, when := range []struct {
		name, at string
		frozen   bool // while it hangs
		want     fate
		outcome  stack.Outcome
	}{
		{"before the first pause", stack.PointJournalWritten, false, staysOld, stack.Failed},
		{"with the stack paused", stack.PointPaused, true, becomesNew, stack.Applied},
	} {
		t.Run(when.name, func(t *testing.T) {
			c.TB, e.TB = t, t
			c.env = append(services, "PITSTOP_CHAOS_STOP_AT="+when.at)
			c.start()
			c.settled()
			pids := map[string]int{}
			for name, container := range e.stack.service {
				pids[name] = container.State().PID
			}
			page := tab(t, look{})
			open(t, page, c.url+"/")
			s := c.newSave(false)
			answered := c.put(s)
			c.stands()
			must(t, e.process.Process.Signal(syscall.SIGSTOP))
			hung := time.Now()
			must(t, c.process.Process.Signal(syscall.SIGCONT))

			c.toldStuck(e)
			for _, container := range e.stack.both() {
				see(t, page, "#run .stuck", container.Name+" is still paused")
				see(t, page, "#run .stuck code", fmt.Sprintf("docker --host %s unpause %s", e.host(), container.Name))
			}
			eventually(t, "the guardian to try as well", func() (bool, string) {
				text := c.panel.output.String()
				return strings.Contains(text, "the guardian could not unpause"), text
			})
			for name, pid := range pids {
				if is, known := frozen(pid); known && is != when.frozen {
					t.Errorf("while the engine hangs, %s is frozen: %v, want %v", name, is, when.frozen)
				}
			}
			if len(answered) > 0 {
				t.Errorf("the save was answered while the engine hung: %+v", <-answered)
			}

			took := time.Since(hung)
			wake()
			woken := time.Now()
			if a := <-answered; a.err != nil {
				t.Errorf("whoever saved got no answer: %v", a.err)
			}
			t.Logf("the engine hung for %s; %s later the run had ended", took.Round(time.Millisecond), time.Since(woken).Round(time.Millisecond))
			if story := c.lastStory(s); story.Outcome != when.outcome {
				t.Errorf("the run ended as %s, want %s: %s", story.Outcome, when.outcome, story.Message)
			}
			see(t, page, "#run h2", "Save & Restart")
			if err := page.Locator("#run[aria-busy=false]").WaitFor(); err != nil {
				t.Errorf("the page does not show the run's end: %v", err)
			}
			if n, err := page.Locator("#run .stuck").Count(); n > 0 || err != nil {
				t.Errorf("the page says of %d instances that they are still paused (%v), though everything runs", n, err)
			}
			c.check(s, when.want)
			for name, pid := range pids {
				if is, known := frozen(pid); known && is {
					t.Errorf("%s is frozen after the run", name)
				}
			}
			c.kill()
		})
	}
}

// toldStuck waits until the API names both containers as still paused, with the way to free them.
func (c *chaos) toldStuck(e *ownEngine) {
	c.Helper()
	eventually(c.TB, "the API to say who is still paused", func() (bool, string) {
		var status struct{ Run *stack.Report }
		c.call("GET", "/api/v1/status", "", "", &status)
		if status.Run == nil {
			return false, "no run"
		}
		found := 0
		for _, container := range e.stack.both() {
			for _, p := range status.Run.StillPaused {
				if p.Instance.Name == container.Name && strings.Contains(p.ByHand, "unpause "+container.Name) && p.Error != "" {
					found++
				}
			}
		}
		return found == 2, fmt.Sprintf("%+v", status.Run.StillPaused)
	})
}

// lastStory is what the audit log says of the save.
func (c *chaos) lastStory(s *save) (told stack.Report) {
	for _, r := range c.audited() {
		if r.Revision.To == s.revision() && r.Kind.IsRun() {
			told = r
		}
	}
	return told
}
