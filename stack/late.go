package stack

import (
	"context"
	"slices"
	"time"
)

// An engine that was stuck may carry out a request to pause that nobody waits for any more: one that
// was cut short or failed, or one of a process that died. This file unpauses what is paused so late.

// lookAgain watches for so long over the instances of a passage that are in doubt, or until ctx ends;
// it looks a last time then. While a run has the stack paused it stands aside.
func (c *Controller) lookAgain(ctx context.Context, p *Passage, long time.Duration) {
	doubted := false
	for n := range p.instances {
		doubted = doubted || p.doubt[n] && !p.gone[n]
	}
	end := c.o.Clock.Now().Add(long)
	for more := doubted; more; {
		more = c.sleep(ctx, c.call/20) && c.o.Clock.Now().Before(end)
		if !c.stand(c.life) {
			return
		}
		each(p.instances, func(n int, i Instance) error {
			if !p.doubt[n] || p.gone[n] {
				return nil
			}
			call, cancel := c.within(context.Background())
			defer cancel()
			now, err := c.o.Backend.Inspect(call, i)
			if err != nil || !sameLife(now, i) || now.State != Paused {
				return err
			}
			c.o.Log.Warn("A request to pause took effect after the stack was unpaused. Unpausing again.", "instance", i.Name)
			return c.unpause(p, n)
		})
		<-c.standing
	}
}

// lookAgainMeanwhile is lookAgain for requests of which no run has to wait to know more: those that a
// process made before it died, and those that the engine itself has refused. Nobody waits for it but
// Shutdown.
func (c *Controller) lookAgainMeanwhile(p *Passage, long time.Duration) {
	late := &Passage{instances: p.instances, gone: slices.Clone(p.gone), doubt: p.doubt}
	c.work.Go(func() { c.lookAgain(c.going, late, long) })
}

// stand waits until the stack does not stand still for anybody else, or returns false because ctx ended.
func (c *Controller) stand(ctx context.Context) bool {
	select {
	case c.standing <- struct{}{}:
		return true
	default:
	}
	select {
	case c.standing <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
