package configfile

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// watching watches a store's file without a look by the clock and without waiting for quiet, until the test ends. Each call of
// changed is told, and kept waiting until the test has taken it.
func watching(t *testing.T, s *Store) (told <-chan struct{}) {
	t.Helper()
	calls := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() {
		s.watch(ctx, slog.New(slog.DiscardHandler), time.Hour, 0, func() {
			select {
			case calls <- struct{}{}:
			case <-ctx.Done():
			}
		})
	})
	t.Cleanup(func() { cancel(); ended.Wait() })
	// The watch has begun once it tells of a change.
	for begun := false; !begun; {
		if err := os.WriteFile(s.Path(), []byte("a = 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		select {
		case <-calls:
			begun = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	return calls
}

// wantTold takes what is told until the watch has told of everything so far, which a change made by
// do must be a part of.
func wantTold(t *testing.T, told <-chan struct{}, what string, do func() error) {
	t.Helper()
	for drained := false; !drained; {
		select {
		case <-told:
		case <-time.After(300 * time.Millisecond):
			drained = true
		}
	}
	if err := do(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-told:
	case <-time.After(40 * time.Second):
		t.Fatalf("the watch did not tell of %s", what)
	}
}

func TestEveryKindOfChangeIsTold(t *testing.T) {
	s := newStore(t, "a = 1\n")
	told := watching(t, s)
	for range 2 { // a watch on the file itself would be lost with the first rename
		wantTold(t, told, "a rename over the file", func() error {
			other := s.Path() + ".other"
			if err := os.WriteFile(other, []byte("a = 2\n"), 0o600); err != nil {
				return err
			}
			return os.Rename(other, s.Path())
		})
	}
	wantTold(t, told, "a write in place", func() error { return os.WriteFile(s.Path(), []byte("a = 3\n"), 0o600) })
	wantTold(t, told, "the swap of a ConfigMap", func() error {
		return os.Symlink("somewhere", filepath.Join(filepath.Dir(s.Path()), "..data"))
	})
	wantTold(t, told, "the removal", func() error { return os.Remove(s.Path()) })
}

func TestAWatchSurvivesMoreEventsThanTheKernelKeeps(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Fatal(err)
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t, "a = 1\n")
	told := watching(t, s)
	wantTold(t, told, "the overflow", func() error {
		// Nobody takes what is told of this, so the watch stands still while the kernel's queue fills.
		if err := os.WriteFile(s.Path(), []byte("a = 2\n"), 0o600); err != nil {
			return err
		}
		noise := filepath.Join(filepath.Dir(s.Path()), "noise")
		for range most { // each makes two events
			if err := os.Symlink("x", noise); err != nil {
				return err
			}
			if err := os.Remove(noise); err != nil {
				return err
			}
		}
		return nil
	})
	wantTold(t, told, "a change after the overflow", func() error { return os.WriteFile(s.Path(), []byte("a = 3\n"), 0o600) })
}
