package configfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pitstop/stack"
)

func TestAConfigFileThatIsGoneIsPutBackAsReadableAsItWas(t *testing.T) {
	s := newStore(t, "a = 1\n")
	if err := os.Chmod(s.Path(), 0o640); err != nil {
		t.Fatal(err)
	}
	save(t, s, "a = 2\n")
	if err := s.Recreate([]byte("a = 3\n")); !errors.Is(err, stack.ErrConflict) {
		t.Errorf("over a file that is there: %v, want a conflict", err)
	}
	wantFile(t, s.Path(), "a = 2\n")
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	if err := s.Recreate([]byte("a = 2\n")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, s.Path(), "a = 2\n")
	if info, err := os.Stat(s.Path()); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v (%v), want 0640", info.Mode(), err)
	}
	list, err := s.Backups()
	if err != nil || len(list) != 1 {
		t.Errorf("there are %d backups (%v), want the one that there was", len(list), err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Path()), ".*"))
	if len(left) > 0 {
		t.Errorf("left over: %s", strings.Join(left, " "))
	}
}
