package docker

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// logging runs a container that writes what a shell script says.
func logging(t *testing.T, script string, tty bool) (*Backend, *dockertest.Container) {
	t.Helper()
	return one(t, dockertest.New(t), dockertest.Spec{Name: "one", Cmd: []string{"sh", "-c", script}, Tty: tty})
}

// read collects the lines until the log ends by itself.
func read(t *testing.T, b *Backend, i stack.Instance, since time.Time) (lines []stack.LogLine, end error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for l, err := range b.Logs(ctx, i, since) {
		if err != nil {
			end = err
			continue
		}
		lines = append(lines, l)
	}
	if ctx.Err() != nil {
		t.Fatal("the log did not end within a minute")
	}
	return lines, end
}

func texts(lines []stack.LogLine) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func TestLogs(t *testing.T) {
	t.Run("lines of both streams are followed until the container ends, which is no error", func(t *testing.T) {
		b, c := logging(t, "echo ready; echo oops >&2; while ! [ -e /end ]; do sleep 0.05; done; echo bye; printf 'no line end'", false)
		i := only(t, b)
		go c.Exec("touch", "/end")
		lines, err := read(t, b, i, time.Time{})
		if err != nil {
			t.Errorf("the log ended with %v, want no error", err)
		}
		got := texts(lines)
		slices.Sort(got) // the order of two streams is the engine's
		if want := []string{"bye", "no line end", "oops", "ready"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, l := range lines {
			if l.Time.Before(i.Started.Add(-time.Minute)) || time.Since(l.Time) < 0 {
				t.Errorf("line %q has the time %v, and the container was started at %v", l.Text, l.Time, i.Started)
			}
		}
	})
	t.Run("lines from before are left out to the nanosecond", func(t *testing.T) {
		b, c := logging(t, "echo ready; echo second; echo third", false)
		third := c.WaitLog("third")
		c.WaitState("has ended", func(s dockertest.State) bool { return s.Status == "exited" })
		i := only(t, b)
		lines, err := read(t, b, i, third.Time)
		if want := []string{"third"}; err != nil || !slices.Equal(texts(lines), want) {
			t.Errorf("since the third: got %q, %v; want %q", texts(lines), err, want)
		}
		lines, err = read(t, b, i, third.Time.Add(1))
		if err != nil || len(lines) != 0 {
			t.Errorf("since a nanosecond later: got %q, %v; want nothing", texts(lines), err)
		}
	})
	t.Run("a long line is one line, cut at the bound", func(t *testing.T) {
		b, c := logging(t, "echo ready; head -c 40000 /dev/zero | tr '\\0' x; echo; head -c 200000 /dev/zero | tr '\\0' y; echo; echo after", false)
		c.WaitLog("after")
		lines, err := read(t, b, only(t, b), time.Time{})
		if err != nil || len(lines) != 4 {
			t.Fatalf("got %d lines, %v; want 4", len(lines), err)
		}
		if want := strings.Repeat("x", 40000); lines[1].Text != want {
			t.Errorf("the long line came as %d bytes, not as the 40000 that were written", len(lines[1].Text))
		}
		if want := strings.Repeat("y", maxLine); lines[2].Text != want {
			t.Errorf("the endless line came as %d bytes, want the first %d", len(lines[2].Text), maxLine)
		}
		if lines[3].Text != "after" {
			t.Errorf("the line after it: got %q", lines[3].Text)
		}
	})
	t.Run("a container with a terminal is understood", func(t *testing.T) {
		b, c := logging(t, "echo ready; echo second", true)
		c.WaitLog("second")
		lines, err := read(t, b, only(t, b), time.Time{})
		if want := []string{"ready", "second"}; err != nil || !slices.Equal(texts(lines), want) {
			t.Errorf("got %q, %v; want %q", texts(lines), err, want)
		}
	})
	t.Run("a reader that has enough ends the stream", func(t *testing.T) {
		b, _ := one(t, dockertest.New(t), scripted("one", nil))
		n := 0
		for _, err := range b.Logs(t.Context(), only(t, b), time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 2 {
				break
			}
		}
	})
	t.Run("a stream that breaks while the container runs is an error, and the last thing", func(t *testing.T) {
		e := dockertest.New(t)
		d := newDoor(t, e)
		d.open()
		one(t, e, scripted("one", nil))
		b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
		broken := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, err := range b.Logs(ctx, only(t, b), time.Time{}) {
			if err != nil {
				broken++
				continue
			}
			if broken > 0 {
				t.Error("a line came after the error")
			}
			d.cut()
		}
		if broken != 1 {
			t.Errorf("got %d errors, want 1", broken)
		}
	})
	t.Run("a container in another life, or removed, is gone", func(t *testing.T) {
		b, c := one(t, dockertest.New(t), scripted("one", nil))
		i := only(t, b)
		c.Restart()
		if _, err := read(t, b, i, time.Time{}); !errors.Is(err, stack.ErrGone) {
			t.Errorf("restarted: got %v, want stack.ErrGone", err)
		}
		c.Remove()
		if _, err := read(t, b, i, time.Time{}); !errors.Is(err, stack.ErrGone) {
			t.Errorf("removed: got %v, want stack.ErrGone", err)
		}
	})
}

func TestALogBeginsWithItsLife(t *testing.T) {
	start := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return start.Add(d).Format(time.RFC3339Nano) }
	const never = "0001-01-01T00:00:00Z"
	for name, c := range map[string]struct {
		state container.State
		since time.Time
		want  time.Time
	}{
		"since the start of the first life is since ever":       {container.State{Status: "running", StartedAt: at(0), FinishedAt: never}, start, time.Time{}},
		"since the start of a later life is since the last end": {container.State{Status: "paused", StartedAt: at(0), FinishedAt: at(-time.Hour)}, start, start.Add(-time.Hour)},
		"a former life is left out":                             {container.State{Status: "running", StartedAt: at(0), FinishedAt: at(-time.Hour)}, start.Add(-2 * time.Hour), start.Add(-time.Hour)},
		"a later moment is itself":                              {container.State{Status: "running", StartedAt: at(0), FinishedAt: at(-time.Hour)}, start.Add(1), start.Add(1)},
		"of a life that ended, its own end is no bound":         {container.State{Status: "exited", StartedAt: at(0), FinishedAt: at(time.Hour)}, start, start.Add(-startLag)},
		"nor is it of one that is about to be restarted":        {container.State{Status: "restarting", StartedAt: at(0), FinishedAt: at(time.Hour)}, start, start.Add(-startLag)},
		"of what never ran, anything":                           {container.State{Status: "created", StartedAt: never, FinishedAt: never}, start, start},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sinceStart(c.since, &c.state); !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// FuzzFrames holds that no stream of frames, whatever it says, breaks the reader or its bound.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("2026-01-02T03:04:05.000000006Z hello\n"), []byte("2026-01-02T03:04:05.000000007Z wor"))
	f.Add([]byte("no time at all"), []byte("\n\n"))
	f.Add([]byte{}, []byte(" "))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var stream []byte
		for _, frame := range [][]byte{first, second} {
			stream = append(stream, 1, 0, 0, 0)
			stream = binary.BigEndian.AppendUint32(stream, uint32(len(frame)))
			stream = append(stream, frame...)
		}
		emit := func(l stack.LogLine) bool {
			if len(l.Text) > maxLine || strings.HasSuffix(l.Text, "\n") {
				t.Errorf("a line of %d bytes: %q", len(l.Text), l.Text)
			}
			return true
		}
		frames, lines := &frameWriter{emit: emit}, &lineWriter{emit: emit}
		if _, err := stdcopy.StdCopy(frames, frames, strings.NewReader(string(stream))); err != nil {
			t.Errorf("StdCopy: %v", err)
		}
		_ = frames.flush()
		for _, chunk := range [][]byte{first, second} {
			if _, err := lines.Write(chunk); err != nil {
				t.Errorf("Write: %v", err)
			}
		}
		_ = lines.flush()
	})
}
