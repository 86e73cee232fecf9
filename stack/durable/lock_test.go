package durable

import (
	"errors"
	"os"
	"testing"
)

func TestAFolderHasOneHolderAtATime(t *testing.T) {
	for name, c := range map[string]struct {
		lock   func(string) (func(), error)
		leaves int
	}{
		"by a file in it":                       {Lock, 1},
		"by itself, which leaves nothing in it": {LockFolder, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for the holder's patience
			folder := t.TempDir()
			unlock, err := c.lock(folder)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.lock(folder); !errors.Is(err, ErrLocked) {
				t.Errorf("second: got %v, want ErrLocked", err)
			}
			unlock()
			again, err := c.lock(folder)
			if err != nil {
				t.Fatalf("after the first let go: %v", err)
			}
			again()
			if entries, err := os.ReadDir(folder); err != nil || len(entries) != c.leaves {
				t.Errorf("the folder holds %v (%v), want %d files", entries, err, c.leaves)
			}
		})
	}
}
