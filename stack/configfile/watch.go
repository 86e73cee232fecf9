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

// Watch calls changed, never concurrently, whenever the config file may have been changed by anybody,
// until the context ends. It watches the folder: a watch on the file itself is lost with the first
// rename over it.
func (s *Store) Watch(ctx context.Context, log *slog.Logger, changed func()) {
	s.watch(ctx, log, lookAgain, changed)
}

func (s *Store) watch(ctx context.Context, log *slog.Logger, every time.Duration, changed func()) {
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
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			changed()
		case event, open := <-events:
			if !open {
				events = nil
			} else if filepath.Base(event.Name) == filepath.Base(s.path) || filepath.Base(event.Name) == "..data" {
				changed()
			}
		case err, open := <-stumbles: // unread, it would keep the watcher from telling anything more
			if !open {
				stumbles = nil
				continue
			}
			log.Warn("the watch over the config's folder stumbled, and may have missed a change", "error", err)
			changed()
		}
	}
}
