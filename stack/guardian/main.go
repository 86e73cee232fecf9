package guardian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
)

const (
	// firstRetry and lastRetry bound the delay before an instance is tried again.
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
	// attemptTimeout is for one attempt at one instance. The next guardian waits longer than this for
	// the watch, so a hanging engine cannot keep it from starting.
	attemptTimeout = 3 * time.Second
	// giveUpAfter bounds the whole: by then a person has looked.
	giveUpAfter = time.Hour
	// lateness is how long after an instance was freed a request to pause it may take effect that the
	// panel had sent before it died. Nobody who could know of such a request is left.
	lateness  = 10 * time.Second
	lookAgain = 250 * time.Millisecond
)

// Main is the guardian's own program: what the hidden command `pitstop guardian` calls with its
// standard input and outputs. It returns nil if it was not needed, had to stand down, or has let all
// instances go on. It ignores the signals with which a service manager or a terminal ends the panel
// and the guardian at once, so the context should not end with them either.
//
// attach makes a backend that reaches instances which another process started, and starts none. It is
// given Options.Reach.
func Main(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, attach func(reach json.RawMessage, log *slog.Logger) (stack.Backend, error)) error {
	ignored := []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE}
	for _, s := range ignored {
		signal.Ignore(s)
		defer signal.Reset(s)
	}
	return obey(ctx, stdin, stdout, stderr, attach)
}

// obey is Main without the signals.
func obey(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, attach func(reach json.RawMessage, log *slog.Logger) (stack.Backend, error)) error {
	log, flush := patientLog(stderr)
	defer flush()
	lines := bufio.NewReader(stdin)
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the guardian got no order; it is started by Pitstop itself and by nobody else: %w", err)
	}
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		return fmt.Errorf("the guardian could not understand its order: %w", err)
	}
	backend, err := attach(o.Reach, log)
	if err != nil {
		return fmt.Errorf("the guardian could not reach the stack: %w", err)
	}
	defer func() { _ = backend.Close() }()
	if _, err := io.WriteString(stdout, readyWord+"\n"); err != nil {
		return fmt.Errorf("the guardian could not say that it is ready: %w", err)
	}
	g := &guardian{order: o, backend: backend, log: log, ready: time.Now()}
	died, err := g.watch(ctx, func() (string, error) { return lines.ReadString('\n') })
	if died {
		return err
	}
	_, _ = io.WriteString(stdout, g.answer()+"\n") // a panel that dies of all times now asks nobody any more
	return nil
}

// guardian is one at work.
type guardian struct {
	order
	backend stack.Backend
	log     *slog.Logger
	unsure  sync.Once // told that it cannot be seen who is on watch
	ready   time.Time
	alarm   sync.Once // told that the panel hangs
	freed   time.Time // when it was; zero: it was not
}

// answer is what a panel hears that has said that all is well.
func (g *guardian) answer() string {
	if g.freed.IsZero() {
		return keptWord
	}
	return freedWord + " " + g.freed.Sub(g.ready).String()
}

// watch waits for the panel's word that all is well, or for its death, which it mourns. A panel that has
// neither said the word nor died by the time of FreeAfter hangs, if somebody stands still: its instances
// are freed, and the wait goes on, for it may come to, and die only then.
func (g *guardian) watch(ctx context.Context, word func() (string, error)) (died bool, err error) {
	type heard struct {
		line string
		err  error
	}
	pipe := make(chan heard, 1)
	go func() {
		line, err := word()
		pipe <- heard{line, err}
	}()
	var hangs <-chan time.Time
	if g.FreeAfter > 0 {
		hangs = time.After(g.FreeAfter)
	}
	early, stop := context.WithCancel(ctx)
	defer stop()
	var freeing sync.WaitGroup
	for {
		select {
		case h := <-pipe:
			stop() // before this ends, so that nothing is touched after it
			freeing.Wait()
			if strings.TrimSpace(h.line) == doneWord {
				return false, nil
			}
			g.log.Error("Pitstop died while it had the stack paused; the guardian unpauses it", "instances", len(g.Instances), "pipe", h.err)
			return true, g.each(ctx, g.freeOne)
		case <-hangs:
			freeing.Go(func() {
				if err := g.each(early, g.freeHung); err != nil && early.Err() == nil {
					g.log.Error("the guardian could not unpause everything for a panel that hangs", "error", err)
				}
			})
		}
	}
}

// each frees every instance, each by itself, so that one that cannot be reached keeps no other waiting.
func (g *guardian) each(ctx context.Context, free func(context.Context, stack.Instance, *slog.Logger) error) error {
	ctx, cancel := context.WithTimeout(ctx, giveUpAfter)
	defer cancel()
	failed := make([]error, len(g.Instances))
	var all sync.WaitGroup
	for n, i := range g.Instances {
		all.Go(func() { failed[n] = free(ctx, i, g.log.With("instance", i.Name, "service", i.Service)) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// freeHung is freeOne for an instance of a panel that lives. That may have unpaused everything and be busy
// with something else, such as its own lookout for late pauses.
func (g *guardian) freeHung(ctx context.Context, i stack.Instance, log *slog.Logger) error {
	if !g.mayStandStill(ctx, i) && !g.pausedLate(ctx, i, time.Now().Add(lateness)) {
		return nil
	}
	g.alarm.Do(func() {
		g.freed = time.Now()
		g.log.Error("Pitstop has not unpaused the stack in time, and may hang; the guardian unpauses it", "instances", len(g.Instances), "after", g.FreeAfter)
	})
	return g.freeOne(ctx, i, log)
}

// mayStandStill looks at an instance. Of one that cannot be looked at, it is to be feared.
func (g *guardian) mayStandStill(ctx context.Context, i stack.Instance) bool {
	var now stack.Instance
	mine, err := g.attempt(ctx, func(ctx context.Context) (err error) {
		now, err = g.backend.Inspect(ctx, i)
		return err
	})
	if err != nil {
		return !errors.Is(err, stack.ErrGone)
	}
	return mine && now.State == stack.Paused
}

// freeOne unpauses an instance, and again if it is paused late. A person who pauses it in these
// seconds is taken for that.
func (g *guardian) freeOne(ctx context.Context, i stack.Instance, log *slog.Logger) error {
	var end time.Time // until when a late pause is reckoned with; zero: it was not freed yet
	for delay := firstRetry; ; {
		mine, err := g.attempt(ctx, func(ctx context.Context) error { return g.backend.Unpause(ctx, i) })
		switch {
		case !mine && err == nil:
			log.Info("a new Pitstop is at work; the guardian stands down")
			return nil
		case err == nil, errors.Is(err, stack.ErrGone):
			if err == nil {
				log.Warn("the guardian unpaused the instance")
			} else {
				log.Info("the instance is gone; there is nothing to unpause", "why", err)
			}
			if end.IsZero() {
				end = time.Now().Add(lateness)
			}
			if !g.pausedLate(ctx, i, end) {
				return nil
			}
			log.Warn("a request to pause took effect only now; the guardian unpauses the instance again")
			delay = firstRetry
			continue
		case ctx.Err() == nil:
			log.Error("the guardian could not unpause the instance", "error", err, "retry_in", delay)
		}
		if !sleep(ctx, delay) {
			return fmt.Errorf("the guardian gave up; %s may still be paused, free it by hand (%s): %w", i.Name, g.backend.FreeByHand(i), err)
		}
		delay = min(2*delay, lastRetry)
	}
}

// pausedLate looks at an instance that was freed, until it is paused once more or the time is over. A
// look that fails does not count: an engine that hangs may still have the request. It looks at
// whatever life the instance leads, for an engine pauses the one that it finds.
func (g *guardian) pausedLate(ctx context.Context, i stack.Instance, end time.Time) bool {
	for delay := lookAgain; sleep(ctx, delay); {
		over := !time.Now().Before(end)
		var now stack.Instance
		mine, err := g.attempt(ctx, func(ctx context.Context) (err error) {
			now, err = g.backend.Inspect(ctx, i)
			return err
		})
		switch {
		case !mine && err == nil, errors.Is(err, stack.ErrGone):
			return false
		case err != nil:
			delay = min(2*delay, lastRetry)
			continue
		case now.State == stack.Paused:
			return true
		case over:
			return false
		}
		delay = lookAgain
	}
	return false
}

// attempt makes one call, if this guardian is still on watch.
func (g *guardian) attempt(ctx context.Context, call func(context.Context) error) (mine bool, err error) {
	mine, unsure := onWatch(ctx, g.order, func() {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		err = call(ctx)
	})
	if unsure == nil {
		return mine, err
	}
	if !mine {
		return false, unsure
	}
	g.unsure.Do(func() {
		g.log.Warn("it cannot be told whether a new Pitstop is at work; the guardian acts as if there were none", "error", unsure)
	})
	return true, err
}

func sleep(ctx context.Context, delay time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(delay):
		return true
	}
}
