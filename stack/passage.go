package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
)

// Passage is one way through the pause: which instances, which staged config, and what came of it.
// A run makes one, and another one if it is rolled back; the run's goroutine owns it. PauseStack,
// SaveConfig and UnpauseStack take it in this order; UnpauseStack must follow PauseStack whatever
// either of the others returned.
type Passage struct {
	instances []Instance // running when the passage was prepared
	idle      []string   // IDs of the others
	staged    Staged
	points    passagePoints

	// stuck is told what is still paused after an attempt, nothing at the end. It may be nil.
	stuck func([]StillPaused)

	began    time.Time // MaxPause counts from here: before a guardian began to count, or anybody was paused
	opened   time.Time // first pause request sent
	closed   time.Time // last unpause acknowledged
	held     time.Time // every instance stood still: log lines from here on follow the change
	replaced time.Time // the staged config was known to be in place
	overdue  context.Context
	cancel   context.CancelFunc
	standing bool   // it holds Controller.standing
	gone     []bool // by instance: vanished, died or was replaced before it was unpaused
	doubt    []bool // by instance: the request to pause it failed, and may take effect late
	unheard  []bool // of those: it was cut short, or its connection broke, so that nobody has refused it

	old     []byte // put back over a file that a Commit damaged
	oldIn   string // the backup that has them
	inPlace bool   // the staged config is
	backup  string
	commit  chan commitResult // filled by SaveConfig's goroutine
}

type passagePoints struct{ guarded, firstPaused, paused, saved, firstUnpaused, unpaused string }

var (
	forwardPoints = passagePoints{PointGuarded, PointFirstPaused, PointPaused, PointSaved, PointFirstUnpaused, PointUnpaused}
	undoPoints    = passagePoints{paused: PointUndoPaused, saved: PointUndoSaved, unpaused: PointUndoUnpaused}
	recoverPoints = passagePoints{unpaused: PointRecoveredUnpaused}
)

type commitResult struct {
	backup string
	err    error
}

var (
	errMaxPause      = errors.New("max_pause is over")
	errPausedTooLong = errors.New("the pause outlasted max_pause, and the config file was left alone")
	errStoodStill    = errors.New("the panel itself stood still for longer than max_pause before it could pause anything")
	errFreed         = errors.New("the stack was unpaused by the guardian before the config file was replaced")
)

// window is the pause window.
func (p *Passage) window() time.Duration {
	if p.opened.IsZero() || p.closed.IsZero() {
		return 0
	}
	return p.closed.Sub(p.opened)
}

// alive are the instances that the passage has paused and unpaused, living the same life.
func (p *Passage) alive() []Instance {
	var alive []Instance
	for n, i := range p.instances {
		if p.gone == nil || !p.gone[n] { // nil: it was never paused
			alive = append(alive, i)
		}
	}
	return alive
}

// grace is how long the other requests may take to end once one has failed: not long, since the
// stack stands still for nothing; and long enough that they end by themselves, since what a request
// that was cut short will do is not known.
const grace = time.Second

// prepare waits until the stack stands still for nobody else, and begins to count MaxPause. A guardian is
// started after it and before PauseStack: whenever this process is stopped, and for how long, it finds its
// own time over before the guardian's was.
func (c *Controller) prepare(ctx context.Context, p *Passage) error {
	p.gone, p.doubt, p.unheard = make([]bool, len(p.instances)), make([]bool, len(p.instances)), make([]bool, len(p.instances))
	if p.standing = c.stand(ctx); !p.standing { // from here on, nobody else unpauses what this passage pauses
		return ctx.Err()
	}
	p.began = c.o.Clock.Now()
	return nil
}

// PauseStack pauses every instance at once. When one cannot be paused it returns the reason; which of
// them stand still is then unknown, and UnpauseStack frees all. An instance that is gone is no error.
// MaxPause counts from here, or from an earlier prepare.
func (c *Controller) PauseStack(ctx context.Context, p *Passage) error {
	if p.began.IsZero() {
		if err := c.prepare(ctx, p); err != nil {
			return err
		}
	}
	if c.outlasted(p) {
		return fmt.Errorf("%w (%v)", errStoodStill, c.o.MaxPause)
	}
	p.overdue, p.cancel = clockwork.WithTimeout(ctx, c.o.Clock, c.o.MaxPause-c.o.Clock.Now().Sub(p.began))
	pausing, giveUp := context.WithCancel(p.overdue)
	defer giveUp()
	var first, failed atomic.Bool
	p.opened = c.o.Clock.Now()
	errs := each(p.instances, func(n int, i Instance) error {
		ctx, cancel := c.within(pausing)
		defer cancel()
		err := c.o.Backend.Pause(ctx, i)
		switch {
		case errors.Is(err, ErrGone):
			p.gone[n] = true
			return nil
		case err != nil:
			p.doubt[n], p.unheard[n] = true, ctx.Err() != nil || errors.Is(err, ErrUnavailable)
			if pausing.Err() != nil && p.overdue.Err() == nil {
				return errGaveUp // because of another's failure: not worth telling
			}
			if failed.CompareAndSwap(false, true) {
				c.o.Clock.AfterFunc(grace, giveUp)
			}
			return fmt.Errorf("%s could not be paused: %w", i.Name, err)
		}
		if first.CompareAndSwap(false, true) {
			c.point(p.points.firstPaused)
		}
		return nil
	})
	p.held = c.o.Clock.Now()
	if err := joinReal(errs); err != nil {
		return err
	}
	c.point(p.points.paused)
	return nil
}

var errGaveUp = errors.New("given up because another instance could not be paused")

// joinReal joins the errors but leaves out those that only follow from another.
func joinReal(errs []error) error {
	var real []error
	for _, err := range errs {
		if err != nil && !errors.Is(err, errGaveUp) {
			real = append(real, err)
		}
	}
	if len(real) == 0 {
		return errors.Join(errs...)
	}
	return errors.Join(real...)
}

// SaveConfig backs the config file up and replaces it by the staged one. When MaxPause is over already
// it returns errPausedTooLong and has done nothing. When the disk takes longer than MaxPause leaves, it
// returns errMaxPause while the disk still works: settle waits for that.
func (c *Controller) SaveConfig(ctx context.Context, p *Passage) error {
	if p.overdue != nil {
		ctx = p.overdue
	}
	if ctx.Err() != nil || c.outlasted(p) {
		return fmt.Errorf("%w (%v)", errPausedTooLong, c.o.MaxPause)
	}
	p.commit = make(chan commitResult, 1)
	go func() { p.commit <- c.replace(p) }() // not joined at Shutdown: nothing can end a call that hangs in the disk
	select {
	case done := <-p.commit:
		p.replaced = c.o.Clock.Now()
		if c.outlasted(p) {
			p.commit <- done
			return errMaxPause
		}
		return c.committed(p, done)
	case <-ctx.Done():
		return errMaxPause
	}
}

// outlasted asks the clock whether MaxPause is over. A process that was stopped and has just been set going
// again can be late before the timer of its context has said so, and somebody else may have unpaused
// the stack meanwhile.
func (c *Controller) outlasted(p *Passage) bool {
	return !p.began.IsZero() && c.o.Clock.Now().Sub(p.began) >= c.o.MaxPause
}

// committed is take, when the stack may still be paused.
func (c *Controller) committed(p *Passage, done commitResult) error {
	p.commit = nil
	if err := p.take(done); err != nil {
		return err
	}
	c.point(p.points.saved)
	return nil
}

// take notes what replace has come to.
func (p *Passage) take(done commitResult) error {
	if done.err == nil {
		p.inPlace, p.backup = true, done.backup
	}
	return done.err
}

// settle waits for a Commit that SaveConfig left behind. It returns as committed does, or the
// context's error.
func (c *Controller) settle(ctx context.Context, p *Passage) error {
	select {
	case done := <-p.commit:
		return c.committed(p, done)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// UnpauseStack unpauses every instance that PauseStack may have paused, all at once, and again with
// growing pauses until each has said so or is gone. It hangs on nobody's context: only a Shutdown
// that waits no longer ends it early, with an error, after a last attempt.
func (c *Controller) UnpauseStack(p *Passage) error {
	recovering := p.gone == nil // another process has paused them
	if recovering {
		p.gone, p.doubt = make([]bool, len(p.instances)), slices.Repeat([]bool{true}, len(p.instances))
	}
	defer c.letGo(p)
	if p.cancel != nil {
		defer p.cancel()
	}
	if !recovering && p.opened.IsZero() { // nobody was asked to pause
		return nil
	}
	waiting := make([]int, len(p.instances))
	for n := range waiting {
		waiting[n] = n
	}
	var first atomic.Bool
	backoff := 50 * time.Millisecond
	for attempt := 1; ; attempt++ {
		last := c.life.Err() != nil
		errs := each(waiting, func(_ int, n int) error {
			err := c.unpause(p, n)
			if err == nil && first.CompareAndSwap(false, true) {
				c.point(p.points.firstUnpaused)
			}
			return err
		})
		p.closed = c.o.Clock.Now()
		var still []int
		var report []StillPaused
		for k, n := range waiting {
			if errs[k] == nil {
				continue
			}
			i := p.instances[n]
			still = append(still, n)
			report = append(report, StillPaused{Instance: i, Error: errs[k].Error(), ByHand: c.o.Backend.FreeByHand(i)})
			c.o.Log.Error("STILL PAUSED: an instance could not be unpaused. Trying again.",
				"instance", i.Name, "service", i.Service, "attempt", attempt, "by_hand", c.o.Backend.FreeByHand(i), "error", errs[k])
		}
		if p.stuck != nil && (len(report) > 0 || attempt > 1) {
			p.stuck(report)
		}
		waiting = still
		if len(waiting) == 0 {
			c.point(p.points.unpaused)
			c.letGo(p)
			switch {
			case recovering: // as long as a call would have lasted at most, and then as long as after one that was cut short
				c.lookAgainMeanwhile(p, 2*c.call)
			case slices.Contains(p.unheard, true):
				c.lookAgain(c.life, p, c.call)
			default:
				c.lookAgainMeanwhile(p, c.call)
			}
			return nil
		}
		if last {
			return fmt.Errorf("%d instances may still be paused: %s", len(report), report[0].Error)
		}
		c.sleep(c.life, backoff)
		backoff = min(2*backoff, 5*time.Second)
	}
}

// letGo ends what PauseStack began for the passage: the stack does not stand still for it any more.
func (c *Controller) letGo(p *Passage) {
	if p.standing {
		p.standing = false
		<-c.standing
	}
}

// unpause frees one instance. When the backend reports an error it looks for itself.
func (c *Controller) unpause(p *Passage, n int) error {
	i := p.instances[n]
	ctx, cancel := c.within(context.Background())
	err := c.o.Backend.Unpause(ctx, i)
	cancel()
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrGone) {
		p.gone[n] = true
		return nil
	}
	ctx, cancel = c.within(context.Background())
	defer cancel()
	now, look := c.o.Backend.Inspect(ctx, i)
	switch {
	case errors.Is(look, ErrGone), look == nil && !sameLife(now, i), look == nil && now.State == Stopped:
		p.gone[n] = true
		return nil
	case look == nil && now.State == Running:
		return nil
	}
	return fmt.Errorf("%s could not be unpaused: %w", i.Name, err)
}

func sameLife(a, b Instance) bool { return a.ID == b.ID && a.Started.Equal(b.Started) }

// point is hook for the points that not every passage has.
func (c *Controller) point(name string) {
	if name != "" {
		c.hook(name)
	}
}
