package features

import (
	"bufio"
	"os"
	"syscall"
	"testing"

	"pitstop/stack"
)

// A panel that is started from a shell lives with what a shell does to it.

// TestALogWithoutAReader: `pitstop serve 2>&1 | tee log` goes on when tee dies, in the middle of a run too.
func TestALogWithoutAReader(t *testing.T) {
	c := newChaos(processRig(t, referenceConfig(t)))
	read, write, err := os.Pipe()
	must(t, err)
	c.log = write
	c.launch()
	must(t, write.Close())
	lines := bufio.NewScanner(read)
	for c.url == "" && lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			c.url = m[1]
		}
	}
	if c.url == "" {
		t.Fatalf("the panel does not serve: %v", lines.Err())
	}
	must(t, read.Close())
	c.settled()
	c.works()
	c.undoes()
}

// TestNohup: a panel that was started to outlive its terminal does.
func TestNohup(t *testing.T) {
	c := newChaos(processRig(t, referenceConfig(t)))
	c.command = []string{"nohup"}
	c.start()
	c.settled()
	must(t, c.process.Process.Signal(syscall.SIGHUP))
	s := c.newSave(false)
	a := <-c.put(s)
	if a.err != nil || a.report.Outcome != stack.Applied {
		t.Fatalf("after SIGHUP the save ended as %+v (%v), want it applied", a.report, a.err)
	}
	c.check(s, becomesNew)
}
