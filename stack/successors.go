package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A service that ran when the run began has to confirm by its end, also if its engine has started it
// anew meanwhile: the config that it reads then may be the very one that it cannot run with. This
// file finds the lives that took the place of those that the run had listed.

// withSuccessors adds to those that lived through the pause the lives that took the place of the
// others. It waits, no longer than ReloadTimeout, until each service that has lost one runs again and
// nobody is starting any more. A service of which nobody comes up is an error. Only a roll-back puts
// up with one that is gone for good: nobody is left there who could run with the wrong config.
func (w *workflow) withSuccessors(lived []Instance) (all []Instance, err error) {
	c := w.c
	lost := map[string]bool{}
	for _, i := range w.journal.Before {
		if !livesIn(lived, i) {
			lost[i.Service] = true
		}
	}
	if len(lost) == 0 {
		return lived, nil
	}
	var missing []string // the newest picture, for when the time is over
	starting := false
	ctx, cancel := c.patience(c.life, c.o.ReloadTimeout)
	defer cancel()
	err = c.insist(ctx, func(ctx context.Context) error {
		list, err := c.o.Backend.Instances(ctx)
		if err != nil {
			return fmt.Errorf("the services could not be listed anew: %w", err)
		}
		all, missing, starting = w.successors(list, lived, lost)
		if starting || len(missing) > 0 {
			return errNotUp
		}
		return nil
	})
	switch {
	case err == nil:
		return all, nil
	case c.life.Err() != nil:
		return nil, errAbandoned
	case len(missing) == 0 && !starting: // it could never be listed
		return nil, err
	case w.journal.Phase.undoing() && !starting:
		for _, service := range missing {
			w.warn(fmt.Sprintf("No instance of %s runs any more. There was none that could confirm the old config.", service))
		}
		return all, nil
	}
	return nil, fmt.Errorf("%s ran when the run began, was started anew or ended since, and did not come up within %v",
		strings.Join(missing, ", "), c.o.ReloadTimeout)
}

var errNotUp = errors.New("not everybody is up")

// successors are those of the list who have to confirm. missing are the services that do not run
// enough: none of their instances is up, or one is starting that was not already before the run.
func (w *workflow) successors(list, lived []Instance, lost map[string]bool) (all []Instance, missing []string, starting bool) {
	all = slices.Clone(lived)
	up := map[string]bool{}
	for _, i := range lived {
		up[i.Service] = true
	}
	for _, i := range list {
		if !lost[i.Service] || livesIn(lived, i) {
			continue
		}
		idle := slices.Contains(w.journal.Idle, i.ID)
		switch {
		case i.State == Running, i.State == Paused && !idle: // a paused one is left alone, which the report says
			all = append(all, i)
			up[i.Service] = true
		case i.State == Starting && !idle:
			missing = append(missing, i.Service)
			starting = true
		}
	}
	for service := range lost {
		if !up[service] {
			missing = append(missing, service)
		}
	}
	slices.Sort(missing)
	return all, slices.Compact(missing), starting
}

// survivors waits until one of these has ended, or until ctx does, and returns those that are left; false
// if all are.
func (w *workflow) survivors(ctx context.Context, asked []Instance) (left []Instance, fewer bool) {
	c := w.c
	err := c.insist(ctx, func(ctx context.Context) error {
		list, err := c.o.Backend.Instances(ctx)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(i Instance) bool { return i.State != Running && i.State != Paused })
		left = slices.DeleteFunc(slices.Clone(asked), func(i Instance) bool { return !livesIn(list, i) })
		if len(left) == len(asked) {
			return errAllLive
		}
		return nil
	})
	return left, err == nil
}

var errAllLive = errors.New("nobody has ended")

// ranBefore says whether the service had a running instance when the run began, which is known once
// there is a journal.
func (w *workflow) ranBefore(service string) bool {
	return slices.ContainsFunc(w.journal.Before, func(i Instance) bool { return i.Service == service })
}

func livesIn(list []Instance, i Instance) bool {
	return slices.ContainsFunc(list, func(o Instance) bool { return sameLife(o, i) })
}
