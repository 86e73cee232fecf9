package durable

import (
	"errors"
	"testing"
)

func TestAFolderHasOneHolderAtATime(t *testing.T) {
	folder := t.TempDir()
	unlock, err := Lock(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(folder); !errors.Is(err, ErrLocked) {
		t.Errorf("second: got %v, want ErrLocked", err)
	}
	unlock()
	again, err := Lock(folder)
	if err != nil {
		t.Fatalf("after the first let go: %v", err)
	}
	again()
}
