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

// What others have for their part, such as the services for their word, counts only while this process
// runs. One that was stopped finds every timer over when it comes to, and the answers that have come
// meanwhile unread.

const (
	// nap is at most how much of a wait is counted at once: so much counts of a stop, however long.
	nap = 2 * time.Second
	// overslept is how late a timer is that was not only waiting for a free core.
	overslept = time.Second
)

// patience is a context that ends after d, as one with a timeout does, but for stops of this process.
// After a stop there is always some of it left.
func (c *Controller) patience(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	p := &patience{Context: ctx, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(ctx)
	c.work.Go(func() {
		defer close(p.done)
		for left := d; left > 0; {
			one, began := min(left, nap), c.o.Clock.Now()
			if !c.sleep(ctx, one) {
				p.err = ctx.Err()
				return
			}
			left -= one
			if c.o.Clock.Since(began)-one > overslept {
				left += one / 2 // not all of it, so that it ends also where every timer is late
			}
		}
		p.err = context.DeadlineExceeded
	})
	return p, cancel
}

type patience struct {
	context.Context
	done chan struct{}
	err  error // set before done is closed
}

func (p *patience) Done() <-chan struct{} { return p.done }

func (p *patience) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}
