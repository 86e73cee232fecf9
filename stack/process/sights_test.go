package process

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheNextPanelKnowsWhenLinesWereWritten(t *testing.T) {
	reopen := func(t *testing.T, o *output) *output {
		t.Helper()
		if err := o.close(); err != nil {
			t.Fatal(err)
		}
		again, err := openOutput(o.path, o.most, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = again.close() })
		return again
	}
	t.Run("those of before the crash, and those of while there was no panel", func(t *testing.T) {
		o, file := written(t, 1<<20)
		write(t, file, "old\n")
		crash := settle(o)
		o = reopen(t, o)
		write(t, file, "new\n")
		if got, want := texts(t, o, crash), []string{"new"}; !slices.Equal(got, want) {
			t.Errorf("since the crash: got %q, want %q", got, want)
		}
		if got, want := texts(t, o, time.Time{}), []string{"old", "new"}; !slices.Equal(got, want) {
			t.Errorf("since ever: got %q, want %q", got, want)
		}
	})
	t.Run("if the file has lost its beginning", func(t *testing.T) {
		const most = 1 << 20
		o, file := written(t, most)
		for range 3 {
			write(t, file, strings.Repeat(strings.Repeat("x", 99)+"\n", most/100))
			o.look()
		}
		write(t, file, "old\n")
		crash := settle(o)
		write(t, file, "new\n")
		o.look()
		o = reopen(t, o)
		if got, want := texts(t, o, crash), []string{"new"}; !slices.Equal(got, want) {
			t.Errorf("since the crash: got %q, want %q", got, want)
		}
	})
	t.Run("if there were more than the book holds", func(t *testing.T) {
		o, file := written(t, 1<<20)
		for n := range int64(mostSights + 10) {
			o.book.note(sight{end: 1, at: time.Unix(0, n)}, 0)
		}
		write(t, file, "old\n")
		crash := settle(o)
		write(t, file, "new\n")
		o.look()
		o = reopen(t, o)
		if got, want := texts(t, o, crash), []string{"new"}; !slices.Equal(got, want) {
			t.Errorf("since the crash: got %q, want %q", got, want)
		}
	})
}
