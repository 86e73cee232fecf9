package features

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// beat is the orchestrator's promise: a heartbeat line at least this often.
const beat = 100 * time.Millisecond

// TestZeroDowntime is the smoke test of the whole idea: across a Save & Restart under load nothing
// restarts, no candidate is lost, and the orchestrator is silent no longer than it was paused.
func TestZeroDowntime(t *testing.T) {
	c := runContainers(t, strings.Replace(referenceConfig(t), "interval_ms = 250 ", "interval_ms = 20 ", 1), "always")
	c.panel.start()
	before := map[string]dockertest.State{}
	for name, service := range c.service {
		before[name] = service.State()
	}
	c.service[orchestrator].WaitLog("scan seq=")

	// How long a busy machine lets a process wait is not Pitstop's doing: the bound holds if it can be
	// seen to hold, in one save of a few.
	var told []string
	for attempt := range 5 {
		pause, silence := c.silenceOfASave(fmt.Sprintf(`{"risk":{"max_position_usd":%d}}`, 8000+attempt))
		told = append(told, fmt.Sprintf("silent for %s with a pause window of %s", silence.Round(time.Millisecond), pause.Round(100*time.Microsecond)))
		if silence > 0 && silence <= pause+beat {
			break
		}
		if attempt == 4 {
			t.Errorf("the orchestrator was never silent for less than the pause window and one heartbeat (%s): %s", beat, strings.Join(told, "; "))
		}
	}
	figure(t, "zero downtime: across a save under load the orchestrator, which beats every 50 ms, was %s", strings.Join(told, ", before that "))
	scans := c.logged(orchestrator, "scan seq=")
	eventually(t, "scans after the save", func() (bool, string) {
		return c.logged(orchestrator, "scan seq=") > scans+20, "too few"
	})

	for name, service := range c.service {
		now := service.State()
		if was := before[name]; now.PID != was.PID || now.Restarts != was.Restarts || !now.Started.Equal(was.Started) {
			t.Errorf("%s was %+v and is %+v", name, was, now)
		}
	}
	if n := c.logged(orchestrator, "candidates lost"); n > 0 {
		t.Errorf("candidates were lost %d times", n)
	}
	// The scanner numbers its scans: a number that is missing was lost without a word.
	number := regexp.MustCompile(`scan seq=(\d+)`)
	next := 0
	for _, line := range c.service[orchestrator].Logs() {
		if m := number.FindStringSubmatch(line.Text); m != nil {
			seq, err := strconv.Atoi(m[1])
			must(t, err)
			if next != 0 && seq != next {
				t.Errorf("scan %d came where %d was due", seq, next)
			}
			next = seq + 1
		}
	}
}

// silenceOfASave makes a change and returns its pause window, and the longest time between two
// heartbeats of the orchestrator around it, by the engine's clock.
func (c *containers) silenceOfASave(patch string) (pause, silence time.Duration) {
	c.Helper()
	var report stack.Report
	status := c.panel.call("PATCH", "/api/v1/config", "application/merge-patch+json", patch, &report)
	if status != 200 || report.Outcome != stack.Applied {
		c.Fatalf("the save was answered %d: %+v", status, report)
	}
	beats := c.logged(orchestrator, "heartbeat")
	eventually(c, "heartbeats after the save", func() (bool, string) {
		return c.logged(orchestrator, "heartbeat") > beats+20, "too few"
	})
	var last time.Time
	for _, line := range c.service[orchestrator].Logs() {
		if !strings.Contains(line.Text, "heartbeat") {
			continue
		}
		if !last.IsZero() && line.Time.After(report.Started) && last.Before(report.Ended) {
			silence = max(silence, line.Time.Sub(last))
		}
		last = line.Time
	}
	return time.Duration(report.PauseMs * float64(time.Millisecond)), silence
}
