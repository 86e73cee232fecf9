package stack

import (
	"log/slog"
	"testing"

	"github.com/jonboulle/clockwork"
)

// A whole run may pass between the reading of the file and the word about it, which is old by then.
func TestWhatWasReadBeforeARunIsNotTakenForAChangeAfterIt(t *testing.T) {
	state := t.TempDir()
	k := openKnown(state, clockwork.NewRealClock(), slog.New(slog.DiscardHandler))
	if _, _, err := k.set([]byte("a = 1\n")); err != nil {
		t.Fatal(err)
	}
	n := k.times()
	if _, _, err := k.set([]byte("a = 2\n")); err != nil { // the run
		t.Fatal(err)
	}
	if was, _, ok := k.seeSince(n, []byte("a = 1\n")); ok {
		t.Errorf("the old file was taken for one that came after %s", was.Short())
	}
	if was, _, ok := k.seeSince(k.times(), []byte("a = 3\n")); !ok || was != RevisionOf([]byte("a = 2\n")) {
		t.Errorf("a change after the run: got %s, %v", was.Short(), ok)
	}
}
