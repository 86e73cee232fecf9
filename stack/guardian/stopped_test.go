package guardian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// A panel and its guardian both count the pause, and the one may be stopped when the other is not. If a run
// says that it applied a config, then everybody stood still as the file was replaced.
func TestAPanelThatIsStoppedAroundThePause(t *testing.T) {
	const (
		maxPause = 30 * time.Second
		before   = "before it pauses"
		as       = "as it pauses"
		after    = "after it has paused"
	)
	for _, test := range []struct {
		stopped time.Duration
		where   string
		disk    time.Duration
		outcome stack.Outcome
		freed   bool
	}{
		{0, before, time.Second, stack.Applied, false},
		{20 * time.Second, before, time.Second, stack.Applied, false},
		{20 * time.Second, before, 20 * time.Second, stack.RolledBack, false}, // the two together are too long
		{31 * time.Second, before, time.Second, stack.Failed, false},
		{36 * time.Second, before, time.Second, stack.Failed, false}, // and the guardian looks out for late pauses
		{44 * time.Second, before, time.Second, stack.Failed, false},
		{time.Hour, before, time.Second, stack.Failed, false},
		{31 * time.Second, as, time.Second, stack.Failed, false},
		{36 * time.Second, as, time.Second, stack.Failed, false}, // the panel is quicker than the guardian's next look
		{44 * time.Second, as, time.Second, stack.Failed, false},
		{time.Hour, as, time.Second, stack.Failed, false}, // the guardian does not look any more
		{20 * time.Second, after, time.Second, stack.Applied, false},
		{36 * time.Second, after, time.Second, stack.Failed, true},
		{time.Hour, after, time.Second, stack.Failed, true},
	} {
		inNoTime(t, fmt.Sprintf("for %v %s, and the disk takes %v", test.stopped, test.where, test.disk), func(t *testing.T) {
			service := stack.Service{Name: "scanner", Reload: stack.Reload{Signal: "SIGUSR1", Confirm: "Config reloaded"}}
			backend := stacktest.New(t, service)
			config := stacktest.NewConfig([]byte("a = 1\n"), 50)
			backend.Reads, backend.Latency = config.Live, time.Millisecond
			scanner := backend.Add("scanner", "scanner-1")
			time.Sleep(time.Minute) // it is not young any more
			ran := false
			c, err := stack.New(stack.Options{
				Services: []stack.Service{service}, State: t.TempDir(), MaxPause: maxPause,
				Validate: func([]byte) []stack.Problem { return nil },
				Guard: func(pausing []stack.Instance) (func() time.Time, error) {
					return inside(t, backend, order{Instances: pausing, FreeAfter: maxPause + 5*time.Second})
				},
				Hook: func(point string) {
					if point == map[string]string{before: stack.PointGuarded, after: stack.PointPaused}[test.where] {
						time.Sleep(test.stopped)
					}
				},
				Backend: &slowToPause{backend, func() {
					if test.where == as {
						time.Sleep(test.stopped)
					}
				}},
				Config: &slowDisk{config, test.disk, func() { ran = ran || backend.Now()[0].State == stack.Running }},
			})
			if err != nil {
				t.Fatal(err)
			}
			run, err := c.SaveAndRestart(t.Context(), stack.Change{Content: []byte("a = 2\n")})
			if err != nil {
				t.Fatal(err)
			}
			r, err := run.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != test.outcome {
				t.Errorf("the run ended as %s, want %s: %s", r.Outcome, test.outcome, r.Message)
			}
			if r.Outcome == stack.Applied && ran {
				t.Error("it says applied, and the file was replaced while the stack ran")
			}
			if freed := strings.Contains(strings.Join(r.Warnings, " "), "guardian unpaused"); freed != test.freed {
				t.Errorf("it says that the guardian unpaused: %v, want %v: %q", freed, test.freed, r.Warnings)
			}
			if now, _ := backend.Inspect(t.Context(), scanner); now.State != stack.Running {
				t.Errorf("the scanner is %s", now.State)
			}
			if err := c.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// inside starts a guardian in this process, as Start starts one of its own.
func inside(t *testing.T, backend stack.Backend, o order) (release func() time.Time, err error) {
	o.Watch = watchPath(t.TempDir())
	if o.Name, err = takeWatch(t.Context(), o.Watch); err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	stdin, say := io.Pipe()
	hear, stdout := io.Pipe()
	begun := time.Now()
	go func() {
		if err := obey(t.Context(), stdin, stdout, io.Discard, func(json.RawMessage, *slog.Logger) (stack.Backend, error) { return backend, nil }); err != nil {
			t.Error(err)
		}
	}()
	heard := bufio.NewReader(hear)
	if _, err := fmt.Fprintf(say, "%s\n", text); err != nil {
		return nil, err
	}
	if word, err := heard.ReadString('\n'); err != nil || strings.TrimSpace(word) != readyWord {
		return nil, fmt.Errorf("the guardian said %q, %w", word, err)
	}
	return func() time.Time {
		_, _ = io.WriteString(say, doneWord+"\n")
		answer, err := heard.ReadString('\n')
		if err != nil {
			t.Errorf("the guardian did not answer: %v", err)
		}
		synctest.Wait() // until it has ended
		return freedAfter(begun, answer)
	}, nil
}

// slowToPause is stopped before it sends a request to pause, which it sends all the same.
type slowToPause struct {
	*stacktest.Backend
	stop func()
}

func (b *slowToPause) Pause(ctx context.Context, i stack.Instance) error {
	b.stop()
	return errors.Join(b.Backend.Pause(context.WithoutCancel(ctx), i), ctx.Err())
}

// slowDisk takes its time to replace the file.
type slowDisk struct {
	*stacktest.Config
	takes     time.Duration
	replacing func()
}

func (d *slowDisk) Commit(s stack.Staged) (string, error) {
	time.Sleep(d.takes)
	d.replacing()
	return d.Config.Commit(s)
}
