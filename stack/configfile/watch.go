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
	events := make(chan fsnotify.Event)
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		err = watcher.Add(filepath.Dir(s.path))
	}
	if err != nil {
		log.Warn("the config's folder cannot be watched; a change by another program shows some seconds late", "folder", filepath.Dir(s.path), "error", err)
	} else {
		events = watcher.Events
	}
	tick := time.NewTicker(lookAgain)
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
		}
	}
}
