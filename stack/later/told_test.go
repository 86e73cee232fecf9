package later

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pitstop/stack"
)

// wantTold waits until the history has been told these things: "source by: part of the message".
func (w *world) wantTold(want ...string) []stack.Report {
	w.Helper()
	var told []stack.Report
	w.until("told", func(Entry) bool {
		w.with(func() { told = slices.Clone(w.told) })
		return len(told) >= len(want)
	})
	for i, r := range told {
		if i == len(want) {
			w.Errorf("told %s %s besides: %s", r.Source, r.By, r.Message)
			break
		}
		who, text, _ := strings.Cut(want[i], ": ")
		if r.Kind != stack.KindLater || r.Source+" "+r.By != who || !strings.Contains(r.Message, text) {
			w.Errorf("told %s %s: %s; want %q", r.Source, r.By, r.Message, want)
		}
	}
	return told
}

func TestTheHistoryIsToldWhatNoRunTells(t *testing.T) {
	t.Run("queued, moved, replaced and withdrawn, by whom", func(t *testing.T) {
		w := newWorld(t)
		e := w.put(Request{When: NextClose, Note: "before the call", Changed: []string{"/a"}})
		if _, err := w.Move(e.ID, AtTime, noon.Add(time.Hour), "bob"); err != nil {
			t.Fatal(err)
		}
		other := w.put(Request{When: NextClose, Replaces: e.ID, By: "eve"})
		if err := w.Remove(other.ID, "bob"); err != nil {
			t.Fatal(err)
		}
		told := w.wantTold("queued ada: Queued for the next close, 2026-03-02 11:00 EST.",
			"moved bob: The queued change of ada waits for 2026-03-02 08:00 EST now.",
			"replaced eve: Queued for the next close, 2026-03-02 11:00 EST, in place of the change that ada had queued.",
			"withdrawn bob: The queued change of eve was withdrawn.")
		if r := told[0]; r.Note != "before the call" || !slices.Equal(r.Changed, []string{"/a"}) || !r.Started.Equal(noon) || r.Outcome != "" {
			t.Errorf("the first is %+v", r)
		}
	})
	t.Run("what a run tells is not told twice, nor that somebody has read it", func(t *testing.T) {
		w := newWorld(t)
		e := w.put(Request{When: AtTime, At: noon.Add(time.Hour)})
		if _, err := w.ApplyNow(e.ID, "bob"); err != nil {
			t.Fatal(err)
		}
		w.becomes(Done)
		if err := w.Remove(e.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		w.wantTold("queued ada: Queued for 2026-03-02 08:00 EST.", "moved bob: is to be applied at once.")
	})
	t.Run("missed, and held because the run did not begin", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{When: AtTime, At: noon.Add(time.Minute)})
		w.restart(time.Hour)
		e := w.becomes(Held)
		w.wantTold("queued ada: ", "missed pitstop: when it was due, and for some time after, Pitstop was off")
		w.with(func() {
			w.answer = func(stack.Change) (stack.Report, error) { return stack.Report{}, errors.New("no room") }
		})
		if _, err := w.ApplyNow(e.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		told := w.wantTold("queued ada: ", "missed pitstop: ", "moved ada: ", "held pitstop: the run did not begin: no room")
		if told[1].Outcome != stack.Rejected || told[3].Outcome != stack.Rejected {
			t.Errorf("they are told as %q and %q", told[1].Outcome, told[3].Outcome)
		}
	})
	t.Run("a queue that cannot be read", func(t *testing.T) {
		w := newWorld(t)
		w.Shutdown()
		w.stop = nil
		if err := os.WriteFile(filepath.Join(w.folder, "later.json"), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.wantTold("held pitstop: its file could not be understood")
	})
}
