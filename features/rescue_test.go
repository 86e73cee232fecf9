package features

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
)

// TestAStartThatFailsUnpauses: panel and guardian died in the pause, and the panel that is started again
// cannot serve. The stack goes on all the same, and the start that succeeds finishes the story.
func TestAStartThatFailsUnpauses(t *testing.T) {
	for name, prevent := range map[string]struct {
		how  func(t *testing.T, c *chaos) (undo func())
		says string
	}{
		"its address is taken": {says: "cannot listen on", how: func(t *testing.T, c *chaos) func() {
			taken, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			other := `listen = "` + taken.Addr().String() + `"`
			c.set(`listen = "127.0.0.1:0"`, other)
			return func() {
				taken.Close()
				c.set(other, `listen = "127.0.0.1:0"`)
			}
		}},
		"its state folder is read-only": {says: "read-only", how: func(t *testing.T, c *chaos) func() {
			must(t, unix.Mount(c.state(), c.state(), "", unix.MS_BIND, ""))
			undo := func() { _ = unix.Unmount(c.state(), unix.MNT_DETACH) }
			t.Cleanup(undo)
			must(t, unix.Mount("", c.state(), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""))
			return undo
		}},
		"the config folder is gone": {says: "the folder of the config file", how: func(t *testing.T, c *chaos) func() {
			folder := filepath.Dir(c.config)
			must(t, os.Rename(folder, folder+".away"))
			undo := func() { _ = os.Rename(folder+".away", folder) }
			t.Cleanup(undo)
			return undo
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChaos(processRig(t, referenceConfig(t)))
			services := c.env
			c.env = append(services, "PITSTOP_CHAOS_STOP_AT="+stack.PointPaused)
			c.start()
			c.settled()
			s := c.newSave(false)
			c.put(s)
			c.stands()
			c.killBoth()
			if not := c.standing(); len(not) != 2 {
				t.Fatalf("of the stack there stand still %v, want everything: nobody is there to unpause it", not)
			}
			c.env = services
			s.journal = true
			undo := prevent.how(t, c)
			c.launch()
			select {
			case <-c.ended:
			case <-time.After(patience):
				t.Fatalf("the panel serves all the same:\n%s", c.panel.output)
			}
			if code := c.process.ProcessState.ExitCode(); code != 1 {
				t.Errorf("the panel ended with status %d, want 1", code)
			}
			eventually(t, "the panel's last words", func() (bool, string) {
				text := c.panel.output.String()
				return strings.Contains(text, prevent.says) && strings.Contains(text, "The journal of the interrupted run was left"), text
			})
			if not := c.standing(); len(not) > 0 {
				t.Errorf("after the start that failed, %v", not)
			}
			if !exists(c.journal()) {
				t.Error("the journal is gone, though nobody has finished or undone the run")
			}
			undo()
			c.start()
			c.check(s, staysOld)
		})
	}
}
