package process

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pitstop/stack"
)

// written is an output that the test writes itself.
func written(t *testing.T, most int64) (*output, *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	o, err := openOutput(path, most, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = o.close(), file.Close() })
	return o, file
}

func write(t *testing.T, file *os.File, text string) {
	t.Helper()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// texts are the lines since then of a writer that has ended.
func texts(t *testing.T, o *output, since time.Time) (got []string) {
	t.Helper()
	o.follow(t.Context(), since, func() bool { return true }, func(line stack.LogLine, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		if line.Time.Before(since) {
			t.Errorf("line %q of %v is from before %v", line.Text, line.Time, since)
		}
		got = append(got, line.Text)
		return true
	})
	return got
}

// settle returns a moment that is certainly after all that was written before.
func settle(o *output) time.Time {
	o.look()
	after := time.Now()
	for !time.Now().After(after.Add(2 * slack)) {
		o.look()
	}
	return time.Now()
}

func TestLines(t *testing.T) {
	o, file := written(t, 0)
	write(t, file, "one\r\ntwo\nbeg")
	moment := settle(o)
	write(t, file, "un\n\nlast")
	check := func(name string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	check("all", texts(t, o, time.Time{}), []string{"one", "two", "begun", "", "last"})
	check("those that ended since the moment", texts(t, o, moment), []string{"begun", "", "last"})
	check("those of the future", texts(t, o, time.Now().Add(time.Hour)), nil)

	again, err := openOutput(o.path, 0, o.log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.close() }()
	check("those since then, after a restart", texts(t, again, settle(again)), nil)
	check("all, after a restart", texts(t, again, time.Time{}), []string{"one", "two", "begun", "", "last"})
}

func TestALineWithoutEndIsBroken(t *testing.T) {
	o, file := written(t, 0)
	write(t, file, strings.Repeat("x", 2*longestLine+10)+"\n")
	var total int
	for _, line := range texts(t, o, time.Time{}) {
		if len(line) > longestLine+64<<10 {
			t.Errorf("a line has %d bytes", len(line))
		}
		total += len(line)
	}
	if want := 2*longestLine + 10; total != want {
		t.Errorf("got %d bytes in all, want %d", total, want)
	}
}

func TestALongOutputLosesItsBeginning(t *testing.T) {
	const most = 1 << 20
	o, file := written(t, most)
	reader := make(chan stack.LogLine)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.follow(ctx, time.Time{}, func() bool { return false }, func(line stack.LogLine, err error) bool {
			if err != nil {
				t.Errorf("follow: %v", err)
			}
			select {
			case reader <- line:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	// A follower that keeps up sees each line, whole, however often the file is shortened meanwhile.
	for n := range 3000 {
		want := fmt.Sprintf("%06d %s", n, strings.Repeat("y", 1000))
		write(t, file, want+"\n")
		o.look()
		if got := (<-reader).Text; got != want {
			t.Fatalf("line %d: got %.20q, want %.20q", n, got, want)
		}
	}
	cancel()
	<-ended
	if o.rigid {
		t.Log("this file system can neither shorten a file at its front nor punch holes")
		return
	}
	if kept := o.end - o.first; kept > most {
		t.Errorf("kept %d bytes, want at most %d", kept, most)
	}
	got := texts(t, o, time.Time{})
	if last := got[len(got)-1]; !strings.HasPrefix(last, "002999 ") || len(got) < 400 {
		t.Errorf("got %d lines, the last %.20q, want hundreds up to 002999", len(got), last)
	}
}

func TestTheRememberedPastIsBounded(t *testing.T) {
	o, _ := written(t, 0)
	begin := time.Now()
	for n := range int64(20 * mostSights) {
		o.remember(sight{end: n + 1, at: begin.Add(time.Duration(n) * time.Millisecond)})
	}
	if len(o.sights) > mostSights {
		t.Errorf("remembers %d sights, want at most %d", len(o.sights), mostSights)
	}
	for n := int64(1); n < o.end; n += 997 {
		wrote := begin.Add(time.Duration(n-1) * time.Millisecond)
		if at := o.writtenAt(n); at.Before(wrote) {
			t.Fatalf("byte %d: got %v, which is before it was written, %v", n, at, wrote)
		}
		if reach := o.writtenBefore(wrote); reach >= n {
			t.Fatalf("before byte %d was written, the file is said to have reached %d", n, reach)
		}
	}
}

func TestWhatWasWrittenBeforeAPauseIsNotTakenForWhatCameAfter(t *testing.T) {
	count := `n=1000000; while :; do n=$((n+1)); echo $n; sleep 0.002; done`
	b := open(t, Options{Services: []stack.Service{shell("counter", count)}})
	b.Start(t.Context())
	i := inState(t, b, stack.Running)
	lines(t, b, i, i.Started, "1000003")
	_, l, err := b.life(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		mustPause(t, b, i)
		moment := time.Now()
		text, err := os.ReadFile(l.output.path)
		if err != nil {
			t.Fatal(err)
		}
		old := strings.Fields(string(text))
		mustUnpause(t, b, i)
		last := old[len(old)-1]
		if got := lines(t, b, i, moment, "1")[0]; got.Text <= last {
			t.Fatalf("the first line since the pause is %s, which was there before; the last from before is %s", got.Text, last)
		}
	}
}

func TestOutputsOfOldLivesAreRemoved(t *testing.T) {
	folder := t.TempDir()
	begin := time.Now()
	var want []string
	for n := range keptOutputs + 3 {
		_, file, err := newLife(folder, begin) // the same moment: each takes the next free name
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		if n >= 3 {
			want = append(want, file.Name())
		}
	}
	pruneOutputs(folder)
	got, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want the newest: %v", got, err, want)
	}
}
