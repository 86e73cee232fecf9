package docker

import (
	"context"
	"errors"
	"time"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"

	"pitstop/stack"
)

// An engine on another machine, or in a virtual one, has a clock of its own, and lines bear its times. Who
// follows a log reckons by this machine's clock: so times are turned from the one into the other here. A
// start is the engine's own word in both directions, since it names a life.

const (
	// clockKnown is how long an answer of the engine's counts.
	clockKnown = time.Minute
	// clockAsked is how long the question may take. Without an answer the clocks count as they did before.
	clockAsked = 2 * time.Second
)

// clock is what is known of the engine's.
type clock struct {
	turn  chan struct{} // held by the one that asks
	asked time.Time
	ahead time.Duration // how much this machine's is ahead of it; negative: behind
}

// ahead is how much this machine's clock is ahead of the engine's. It asks the engine now and then, and is
// no question for the pause window.
func (b *Backend) ahead(ctx context.Context) time.Duration {
	c := &b.clock
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return 0 // nobody asks any more
	}
	if since := time.Since(c.asked); !c.asked.IsZero() && since >= 0 && since < clockKnown {
		return c.ahead
	}
	ctx, cancel := context.WithTimeout(ctx, clockAsked)
	defer cancel()
	sent := time.Now()
	info, err := call(ctx, b.engine, "ask for the engine's time", func(c *client.Client) (system.Info, error) { return c.Info(ctx) })
	came := time.Now()
	if errors.Is(err, stack.ErrUnavailable) && ctx.Err() == nil {
		return c.ahead // it may be another engine that comes back
	}
	c.asked = came
	at, parseErr := time.Parse(time.RFC3339Nano, info.SystemTime)
	if err = errors.Join(err, parseErr); err != nil {
		b.log.Debug("the engine does not tell its time", "error", err)
		return c.ahead
	}
	// By the engine's clock it was at some instant between sent and came. What fits that, such as one clock for
	// both, is kept.
	least, most := sent.Round(0).Sub(at), came.Round(0).Sub(at)
	if least <= most && (c.ahead < least || c.ahead > most) {
		c.ahead = most
		b.log.Info("the engine's clock is not this machine's; times of log lines are put right", "ahead", c.ahead)
	}
	return c.ahead
}
