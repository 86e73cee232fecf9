package configfile

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestUnrest(t *testing.T) {
	// after says when the timer fires if the file is touched at these times.
	after := func(t *testing.T, at ...time.Duration) time.Duration {
		start, u := time.Now(), newUnrest(quiet)
		for _, d := range at {
			select {
			case <-u.timer.C:
				return time.Since(start)
			case <-time.After(time.Until(start.Add(d))):
				u.touched()
			}
		}
		<-u.timer.C
		u.over()
		return time.Since(start)
	}
	t.Run("one touch is told when it has been quiet for a while", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if got := after(t, 0); got != quiet {
				t.Errorf("told after %s, want %s", got, quiet)
			}
		})
	})
	t.Run("a file that is emptied and then written is told once, as written", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if got, want := after(t, 0, 200*time.Millisecond, 400*time.Millisecond), 400*time.Millisecond+quiet; got != want {
				t.Errorf("told after %s, want %s", got, want)
			}
		})
	})
	t.Run("one that is never quiet is told in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var at []time.Duration
			for d := time.Duration(0); d < 10*time.Second; d += 100 * time.Millisecond {
				at = append(at, d)
			}
			if got := after(t, at...); got != longestUnrest {
				t.Errorf("told after %s, want %s", got, longestUnrest)
			}
		})
	})
	t.Run("each unrest is counted from its own beginning", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			u := newUnrest(quiet)
			for range 3 {
				u.touched()
				<-u.timer.C
				u.over()
				time.Sleep(time.Minute)
			}
			start := time.Now()
			u.touched()
			<-u.timer.C
			if got := time.Since(start); got != quiet {
				t.Errorf("told after %s, want %s", got, quiet)
			}
		})
	})
}
