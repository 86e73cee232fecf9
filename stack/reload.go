package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// youth is how old a process must be to be signalled: one that has just begun may not have its
// handler yet, and would die of the signal. Those are the instances that were started anew meanwhile.
const youth = time.Second

var errAbandoned = errors.New("pitstop is shutting down")

// reload is ReloadServices and ConfirmReload for these instances, which lived through the pause, and
// for those that took the place of others. since is a time at which they stood still, or an earlier
// one: what they log from then on counts. The error says which service did not take the config, and why.
//
// In a roll-back a life that had begun with the config that is being taken back may die of it only
// now. That says nothing of the old one: what counts is its next life.
func (w *workflow) reload(rev Revision, since time.Time, lived []Instance) (detail string, err error) {
	c := w.c
	patience, stop := c.patience(c.life, c.o.ReloadTimeout)
	defer stop()
	for {
		var asked []Instance
		asked, detail, err = w.ask(rev, since, lived)
		if err == nil || len(asked) == 0 || errors.Is(err, errAbandoned) || !w.journal.Phase.undoing() {
			return detail, err
		}
		fewer := false
		if lived, fewer = w.survivors(patience, asked); !fewer {
			if c.life.Err() != nil {
				err = errAbandoned
			}
			return detail, err
		}
	}
}

// ask is reload, once. It also returns who was asked.
func (w *workflow) ask(rev Revision, since time.Time, lived []Instance) (instances []Instance, detail string, err error) {
	c := w.c
	done := w.begin(ReloadServices)
	if instances, err = w.withSuccessors(lived); err != nil {
		done(err, "")
		return nil, "", err
	}
	ctx, cancel := context.WithCancel(c.life)
	defer cancel()
	answers := make(chan answer, len(instances)) // one for each that is waited for
	var followers sync.WaitGroup
	defer followers.Wait()
	defer cancel()

	waiting := make([]bool, len(instances))
	told := make([]string, len(instances))
	signalling, stop := c.patience(ctx, c.o.ReloadTimeout)
	errs := each(instances, func(n int, i Instance) error {
		svc := c.service(i.Service)
		skip, err := w.ready(signalling, i)
		if err != nil || skip {
			return err
		}
		if svc.Reload.Confirm != "" {
			waiting[n] = true
			from := since
			if begun := i.Started.Add(-youth); !livesIn(lived, i) && begun.Before(since) && !w.journal.Phase.undoing() {
				from = begun // it may have said its word as it began, before its engine noted the time
			}
			followers.Go(func() { answers <- answer{i, c.confirmation(ctx, svc, i, rev, from)} })
		}
		told[n], err = w.signal(signalling, svc, i)
		return err
	})
	stop()
	if c.life.Err() != nil {
		done(errAbandoned, "")
		return instances, "", errAbandoned
	}
	if err := errors.Join(errs...); err != nil {
		done(err, "")
		return instances, "", err
	}
	slices.Sort(told)
	done(nil, strings.Join(slices.DeleteFunc(slices.Compact(told), func(s string) bool { return s == "" }), ", "))
	c.point(w.pick(PointReloaded, PointUndoReloaded))

	done = w.begin(ConfirmReload)
	detail, err = w.confirm(rev, instances, waiting, answers)
	if c.life.Err() != nil && err != nil {
		err = errAbandoned
	}
	done(err, detail)
	return instances, detail, err
}

func (w *workflow) pick(forward, undo string) string {
	if w.undoing {
		return undo
	}
	return forward
}

// ready looks at an instance before it is signalled. skip means that it is left alone, which the
// report says.
func (w *workflow) ready(ctx context.Context, i Instance) (skip bool, err error) {
	now, err := w.c.look(ctx, i)
	starting := false
	for err == nil && now.State == Starting { // it ran, so its life is over: the engine has not begun the next one
		starting = true
		w.c.sleep(ctx, youth/10)
		now, err = w.c.look(ctx, i)
	}
	if starting && ctx.Err() != nil { // whichever of the two calls the time ran out in
		return false, fmt.Errorf("%s is being started again, and did not come up within %v", i.Name, w.c.o.ReloadTimeout)
	}
	if err != nil {
		return false, err
	}
	if now.State == Paused {
		w.missed(i.Service, i.Name+" was paused by somebody else meanwhile. It was not told of the new config and not waited for.")
		return true, nil
	}
	if age := w.c.o.Clock.Since(now.Started); w.c.service(i.Service).Reload.Signal != "" && age >= 0 && age < youth {
		w.c.sleep(ctx, youth-age)
		_, err = w.c.look(ctx, i)
	}
	return false, err
}

// look inspects an instance until the backend answers. An instance that does not run its one life
// any more is an error, in words that say so.
func (c *Controller) look(ctx context.Context, i Instance) (now Instance, err error) {
	err = c.insist(ctx, func(ctx context.Context) error {
		now, err = c.o.Backend.Inspect(ctx, i)
		switch {
		case errors.Is(err, ErrGone):
			return final{fmt.Errorf("%s is gone", i.Name)}
		case err != nil:
			return fmt.Errorf("%s could not be looked at: %w", i.Name, err)
		case !sameLife(now, i):
			return final{fmt.Errorf("%s died and was started again", i.Name)}
		case now.State == Stopped:
			return final{fmt.Errorf("%s died", i.Name)}
		}
		return nil
	})
	return now, err
}

// final is an error that another attempt will not mend.
type final struct{ error }

// insist calls f, each time with the deadline of one call, until it succeeds, fails for good, or
// ctx ends.
func (c *Controller) insist(ctx context.Context, f func(context.Context) error) error {
	for backoff := 50 * time.Millisecond; ; backoff = min(2*backoff, time.Second) {
		call, cancel := c.within(ctx)
		err := f(call)
		cancel()
		var end final
		if errors.As(err, &end) {
			return end.error
		}
		if err == nil || !c.sleep(ctx, backoff) {
			return err
		}
	}
}

// signal tells one instance of the new config, and returns for the report what it did.
func (w *workflow) signal(ctx context.Context, svc Service, i Instance) (told string, err error) {
	if svc.Reload.Signal == "" {
		return svc.Name + " watches the file", nil
	}
	err = w.c.insist(ctx, func(ctx context.Context) error {
		warning, err := w.c.o.Backend.Signal(ctx, i, svc.Reload.Signal)
		if warning != "" {
			w.warn(i.Name + ": " + warning)
		}
		if errors.Is(err, ErrGone) {
			return final{fmt.Errorf("%s died before it could be signalled", i.Name)}
		}
		if err != nil {
			return fmt.Errorf("%s could not be sent %s: %w", i.Name, svc.Reload.Signal, err)
		}
		return nil
	})
	return svc.Reload.Signal + " to " + svc.Name, err
}

// answer is what one instance made of the config: nil if it confirmed.
type answer struct {
	instance Instance
	err      error
}

// confirm waits for the answers, no longer than ReloadTimeout. The first bad one ends it.
func (w *workflow) confirm(rev Revision, instances []Instance, waiting []bool, answers <-chan answer) (detail string, err error) {
	c := w.c
	open := map[string]Instance{}
	var confirmed, unasked []string
	for n, i := range instances {
		if waiting[n] {
			open[i.ID] = i
		} else if c.service(i.Service).Reload.Confirm == "" {
			unasked = append(unasked, i.Service)
		}
	}
	patience, stop := c.patience(c.life, c.o.ReloadTimeout)
	defer stop()
	for len(open) > 0 {
		var a answer
		select {
		case a = <-answers:
		case <-patience.Done():
			select {
			case a = <-answers: // it came at the last moment
			default:
				if c.life.Err() != nil {
					return "", errAbandoned
				}
				return "", c.late(open, rev)
			}
		}
		if a.err != nil {
			return "", a.err
		}
		delete(open, a.instance.ID)
		confirmed = append(confirmed, a.instance.Service)
	}
	w.confirmed = len(confirmed)
	var parts []string
	if len(confirmed) > 0 {
		parts = append(parts, names(confirmed)+" confirmed "+rev.Short())
	}
	if len(unasked) > 0 {
		parts = append(parts, names(unasked)+" unconfirmed (no confirm pattern is set)")
	}
	if len(parts) == 0 {
		return "no service was running that had to confirm it", nil
	}
	return strings.Join(parts, "; "), nil
}

// late words a timeout.
func (c *Controller) late(open map[string]Instance, rev Revision) error {
	var errs []string
	for _, i := range open {
		pattern := strings.ReplaceAll(c.service(i.Service).Reload.Confirm, "{revision}", rev.Short())
		errs = append(errs, fmt.Sprintf("%s did not log %q for %s within %v", i.Name, pattern, rev.Short(), c.o.ReloadTimeout))
	}
	slices.Sort(errs)
	return errors.New(strings.Join(errs, "; "))
}

// confirmation follows one instance's log until it confirms (nil), refuses, or dies.
func (c *Controller) confirmation(ctx context.Context, svc Service, i Instance, rev Revision, since time.Time) error {
	for backoff := 50 * time.Millisecond; ; backoff = min(2*backoff, time.Second) {
		since = c.notAhead(since)
		var lastWords string
		stream, stop := c.whileNotBehind(ctx, since)
		said, verdict := "", verdictNone
		for line, err := range c.o.Backend.Logs(stream, i, since) {
			if err != nil {
				break // the stream broke: look, and read again from since
			}
			said = line.Text
			if verdict = svc.Reload.verdict(said, rev); verdict != verdictNone {
				break
			}
			lastWords = said
		}
		stop()
		switch verdict {
		case verdictLoaded:
			return nil
		case verdictRefused:
			return fmt.Errorf("%s refused the config: %s", i.Name, c.o.Hide(WithoutLogPrefix(said)))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := c.look(ctx, i); err != nil {
			if lastWords != "" {
				return fmt.Errorf("%w; the last that it logged was: %s", err, c.o.Hide(WithoutLogPrefix(lastWords)))
			}
			return err
		}
		if !c.sleep(ctx, backoff) {
			return ctx.Err()
		}
	}
}

// names lists services once each, sorted.
func names(services []string) string {
	s := slices.Sorted(slices.Values(services))
	return strings.Join(slices.Compact(s), ", ")
}
