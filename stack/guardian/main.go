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
)

// Main is the guardian's own program: what the hidden command `pitstop guardian` calls with its
// standard input and output. It returns nil if it was not needed, had to stand down, or has let all
// instances go on. It ignores the signals with which a service manager or a terminal ends the panel
// and the guardian at once, so the context should not end with them either.
//
// attach makes a backend that reaches instances which another process started, and starts none.
func Main(ctx context.Context, stdin io.Reader, stdout io.Writer, attach func() (stack.Backend, error), log *slog.Logger) error {
	ignored := []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE}
	for _, s := range ignored {
		signal.Ignore(s)
		defer signal.Reset(s)
	}
	lines := bufio.NewReader(stdin)
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the guardian got no order; it is started by Pitstop itself and by nobody else: %w", err)
	}
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		return fmt.Errorf("the guardian could not understand its order: %w", err)
	}
	backend, err := attach()
	if err != nil {
		return fmt.Errorf("the guardian could not reach the stack: %w", err)
	}
	defer func() { _ = backend.Close() }()
	if _, err := io.WriteString(stdout, readyWord+"\n"); err != nil {
		return fmt.Errorf("the guardian could not say that it is ready: %w", err)
	}
	word, err := lines.ReadString('\n')
	if strings.TrimSpace(word) == doneWord {
		return nil
	}
	log.Error("Pitstop died while it had the stack paused; the guardian unpauses it", "instances", len(o.Instances), "pipe", err)
	return free(ctx, o, backend, log)
}

// free unpauses every instance, each by itself, so that one that cannot be reached keeps no other
// waiting.
func free(ctx context.Context, o order, backend stack.Backend, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, giveUpAfter)
	defer cancel()
	failed := make([]error, len(o.Instances))
	var all sync.WaitGroup
	for n, i := range o.Instances {
		all.Go(func() { failed[n] = freeOne(ctx, o, backend, i, log.With("instance", i.Name, "service", i.Service)) })
	}
	all.Wait()
	return errors.Join(failed...)
}

func freeOne(ctx context.Context, o order, backend stack.Backend, i stack.Instance, log *slog.Logger) error {
	for delay := firstRetry; ; delay = min(2*delay, lastRetry) {
		var err error
		mine, watchErr := onWatch(ctx, o, func() {
			attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
			defer cancel()
			err = backend.Unpause(attempt, i)
		})
		switch {
		case watchErr != nil:
			err = watchErr
		case !mine:
			log.Info("a new Pitstop is at work; the guardian stands down")
			return nil
		case err == nil:
			log.Warn("the guardian unpaused the instance")
			return nil
		case errors.Is(err, stack.ErrGone):
			log.Info("the instance is gone; there is nothing to unpause")
			return nil
		}
		log.Error("the guardian could not unpause the instance", "error", err, "retry_in", delay)
		select {
		case <-ctx.Done():
			return fmt.Errorf("the guardian gave up; %s may still be paused, free it by hand (%s): %w", i.Name, backend.FreeByHand(i), err)
		case <-time.After(delay):
		}
	}
}
