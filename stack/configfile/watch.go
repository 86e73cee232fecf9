package configfile

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// lookAgain is how long a change can go unseen where the kernel tells nothing of it, as on a network
// filesystem.
const lookAgain = 5 * time.Second

// Many editors empty a file before they write it anew. Nobody is told before the folder has been
// quiet for a while, lest the empty file be taken for what somebody meant; or at the latest after
// longestUnrest, should it never be.
const (
	quiet         = 300 * time.Millisecond
	longestUnrest = 2 * time.Second
)

// Watch calls changed, never concurrently, soon after the config file may have been changed by
// anybody, until the context ends. It watches the folder: a watch on the file itself is lost with the
// first rename over it.
func (s *Store) Watch(ctx context.Context, log *slog.Logger, changed func()) {
	s.watch(ctx, log, lookAgain, quiet, changed)
}

func (s *Store) watch(ctx context.Context, log *slog.Logger, every, quiet time.Duration, changed func()) {
	var events chan fsnotify.Event
	var stumbles chan error
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		err = watcher.Add(filepath.Dir(s.path))
	}
	if err != nil {
		log.Warn("the config's folder cannot be watched; a change by another program shows some seconds late", "folder", filepath.Dir(s.path), "error", err)
	} else {
		events, stumbles = watcher.Events, watcher.Errors
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	unrest := newUnrest(quiet)
	defer unrest.timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-unrest.timer.C:
			unrest.over()
			changed()
		case <-tick.C:
			unrest.touched()
		case event, open := <-events:
			if !open {
				events = nil
			} else if filepath.Base(event.Name) == filepath.Base(s.path) || filepath.Base(event.Name) == "..data" {
				unrest.touched()
			}
		case err, open := <-stumbles: // unread, it would keep the watcher from telling anything more
			if !open {
				stumbles = nil
				continue
			}
			log.Warn("the watch over the config's folder stumbled, and may have missed a change", "error", err)
			unrest.touched()
		}
	}
}

// unrest gathers what happens in quick succession. Its timer fires when that is over.
type unrest struct {
	timer *time.Timer
	quiet time.Duration
	since time.Time // zero: all is quiet
}

func newUnrest(quiet time.Duration) *unrest {
	u := &unrest{timer: time.NewTimer(time.Hour), quiet: quiet}
	u.timer.Stop()
	return u
}

func (u *unrest) touched() {
	now := time.Now()
	if u.since.IsZero() {
		u.since = now
	}
	u.timer.Reset(min(u.quiet, max(0, longestUnrest-now.Sub(u.since))))
}

// over is to be called when the timer has fired.
func (u *unrest) over() { u.since = time.Time{} }
