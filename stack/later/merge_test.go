package later

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestAQueuedChangeOverAFileThatSomebodyElseChanged(t *testing.T) {
	const (
		a = "# the first\n[[hosts]]\nname = \"a\"\nport = 1\n"
		b = "# the second\n[[hosts]]\nname = \"b\"\nport = 1\n"
	)
	changed := strings.Replace(a, "= 1", "= 9", 1)
	t.Run("reaches its table wherever that was moved", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{Base: []byte(a + b), Content: []byte(changed + b), When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = b + a })
		w.pass(time.Minute)
		w.becomes(Done)
		w.wantFile(b + changed)
	})
	t.Run("is held where that table is gone", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{Base: []byte(a + b), Content: []byte(changed + b), When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = b })
		w.pass(time.Minute)
		if e := w.becomes(Held); len(e.Clashes) != 1 || e.Clashes[0] != "/hosts" {
			t.Errorf("the clashes are %q", e.Clashes)
		}
		w.wantFile(b)
	})
	t.Run("brings its comments", func(t *testing.T) {
		w := newWorld(t)
		w.put(Request{Base: []byte(file), Content: []byte("# agreed\na = 5 # one, by phone\nb = 2\n"), When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = "a = 1 # one\nb = 3 # theirs\n" })
		w.pass(time.Minute)
		if e := w.becomes(Done); e.Content != "" || e.Base != "" {
			t.Errorf("it is still kept: %+v", e)
		}
		w.wantFile("# agreed\na = 5 # one, by phone\nb = 3 # theirs\n")
	})
	t.Run("says which it could not bring, and keeps them until that was read", func(t *testing.T) {
		w := newWorld(t)
		const mine = "a = 5 # mine\nb = 2\n"
		w.put(Request{Base: []byte(file), Content: []byte(mine), When: AtTime, At: noon.Add(time.Minute)})
		w.with(func() { w.file = "a = 1 # theirs\nb = 2\n" })
		w.pass(time.Minute)
		e := w.becomes(Done)
		if e.Content != mine || e.Base != "" || !strings.Contains(e.Message, "could not be taken along") {
			t.Errorf("it is told as %+v", e)
		}
		w.wantFile("a = 5 # theirs\nb = 2\n")
		if _, err := w.ApplyNow(e.ID, "ada"); err == nil {
			t.Error("it can be applied once more")
		}
		if err := w.Remove(e.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(w.path); !os.IsNotExist(err) {
			t.Errorf("later.json is still there: %v", err)
		}
	})
}
