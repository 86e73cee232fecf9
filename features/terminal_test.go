package features

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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

// TestALogThatNobodyReads: whoever reads the log stands still, and its pipe is full. The gate is kept to the
// second all the same, a halt is answered, and so is a save.
func TestALogThatNobodyReads(t *testing.T) {
	c := newChaos(processRig(t, referenceConfig(t)))
	read, write, err := os.Pipe()
	must(t, err)
	defer read.Close()
	c.log = write
	c.launch()
	lines := bufio.NewReader(read)
	for c.url == "" {
		line, err := lines.ReadString('\n')
		must(t, err)
		if m := address.FindStringSubmatch(line); m != nil {
			c.url = m[1]
		}
	}
	full, err := syscall.Open(fmt.Sprintf("/proc/self/fd/%d", write.Fd()), syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
	must(t, err)
	for err == nil { // to the last byte
		_, err = syscall.Write(full, []byte("."))
	}
	must(t, syscall.Close(full))
	must(t, write.Close())
	c.settled()
	client := http.Client{Timeout: 10 * time.Second}
	for _, mode := range []string{"halted", "schedule", "halted"} {
		request, err := http.NewRequest("PUT", c.url+"/api/v1/trading", strings.NewReader(fmt.Sprintf(`{"mode": %q}`, mode)))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(request)
		if err != nil {
			t.Fatalf("%s got no answer: %v", mode, err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: got status %d", mode, answer.StatusCode)
		}
	}
	beat := func() time.Time {
		info, err := os.Stat(filepath.Join(filepath.Dir(c.config), "trading.json"))
		must(t, err)
		return info.ModTime()
	}
	first := beat()
	eventually(t, "the panel to keep trading.json", func() (bool, string) { return beat().After(first), "it does not" })
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
