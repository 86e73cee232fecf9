package stack

import (
	"context"
	"sync"
	"time"
)

// Log lines count from a moment on. When the clock is set back behind that moment, what is logged
// next bears a time before it, and would be taken for old.

// setBack is how much earlier lines count, once the clock was found set back: some may have been
// logged before that was seen.
const setBack = time.Second

// behind says whether the clock shows a time before since. Wall time is what lines bear.
func (c *Controller) behind(since time.Time) bool {
	return c.o.Clock.Now().Round(0).Before(since.Round(0))
}

// notAhead is since, or what the clock shows now if it was set back behind since meanwhile.
func (c *Controller) notAhead(since time.Time) time.Time {
	if c.behind(since) {
		return c.o.Clock.Now().Round(0).Add(-setBack)
	}
	return since
}

// whileNotBehind is ctx until the clock is set back behind since. stop releases what it holds.
func (c *Controller) whileNotBehind(ctx context.Context, since time.Time) (until context.Context, stop func()) {
	until, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for c.sleep(until, setBack/2) {
			if c.behind(since) {
				cancel()
			}
		}
	})
	return until, func() {
		cancel()
		watching.Wait()
	}
}
