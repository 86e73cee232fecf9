package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watch calls look whenever something moves in the folder of the file, until the context ends. The
// folder, not the file: a rename onto the file, a write in place and the swap of a ConfigMap's
// `..data` link all show there. look decides by content whether anything changed.
//
// It looks once the folder has been quiet for a moment, so that a write in place is not read in its
// middle; but a folder that never rests does not put it off for long. Every few seconds it looks
// without cause, for file systems that tell nothing.
func watch(ctx context.Context, path string, log *slog.Logger, look func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(filepath.Dir(path)); err != nil {
		return err
	}
	look() // whatever happened before the watch stood
	const quiet, patience, anyway = 20 * time.Millisecond, 250 * time.Millisecond, 2 * time.Second
	due := time.NewTimer(anyway)
	defer due.Stop()
	var first time.Time // of the events not yet looked at; zero: none
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			if first.IsZero() {
				first = time.Now()
			}
			due.Reset(min(quiet, max(0, patience-time.Since(first))))
		case err, ok := <-w.Errors:
			if !ok {
				return nil
			}
			log.Warn("watching the config folder: events were lost; looking at the file", "error", err)
			due.Reset(0)
		case <-due.C:
			first = time.Time{}
			look()
			due.Reset(anyway)
		}
	}
}
