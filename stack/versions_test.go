package stack_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
)

func TestVersions(t *testing.T) {
	edit := func(w *world, c *stack.Controller, content []byte) {
		time.Sleep(time.Second)
		w.config.Edit(content)
		c.ConfigTouched()
	}
	wantVersion := func(t *testing.T, c *stack.Controller, content []byte) {
		t.Helper()
		if got, ok := c.Version(stack.RevisionOf(content)); !ok || !bytes.Equal(got, content) {
			t.Errorf("%q is not to be had: %q, %v", content, got, ok)
		}
	}
	t.Run("what a run wrote and somebody overwrote is kept, over restarts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.Recover(t.Context())
			wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
			edit(w, c, []byte("outside = 1\n"))
			edit(w, c, []byte("outside = 2\n"))
			for range 2 {
				for _, content := range [][]byte{oldConfig, newConfig, []byte("outside = 1\n"), []byte("outside = 2\n")} {
					wantVersion(t, c, content)
				}
				c.Shutdown(t.Context())
				c = w.start(t)
			}
		})
	})
	t.Run("what was overwritten while the program was away is told key by key", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.Recover(t.Context())
			c.Shutdown(t.Context())
			w.config.Edit([]byte("outside = 1\n"))
			c = w.start(t, func(o *stack.Options) {
				o.Changed = func(old, new []byte) []string { return []string{string(old), string(new)} }
			})
			c.Recover(t.Context())
			got := c.Reports()
			if len(got) != 1 || strings.Join(got[0].Changed, "|") != string(oldConfig)+"|outside = 1\n" {
				t.Errorf("got %+v, want the change from the old config", got)
			}
		})
	})
	t.Run("they are bounded, the oldest go first, and one that came back is young again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.Recover(t.Context())
			numbered := func(i int) []byte { return fmt.Appendf(nil, "n = %d\n", i) }
			for i := range stack.KeepVersions - 1 {
				edit(w, c, numbered(i))
			}
			edit(w, c, oldConfig)
			edit(w, c, numbered(stack.KeepVersions))
			list, err := c.Versions()
			if err != nil || len(list) != stack.KeepVersions {
				t.Fatalf("%d are kept (%v), want %d", len(list), err, stack.KeepVersions)
			}
			wantVersion(t, c, oldConfig)
			wantVersion(t, c, numbered(1))
			if _, ok := c.Version(stack.RevisionOf(numbered(0))); ok {
				t.Error("the oldest is still kept")
			}
			if list[1].Revision != stack.RevisionOf(oldConfig) || !list[1].Time.Before(list[0].Time) || list[1].Size != int64(len(oldConfig)) {
				t.Errorf("the newest are %+v", list[:2])
			}
		})
	})
	t.Run("much of them is too much, however few", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.Recover(t.Context())
			for i := range 6 {
				edit(w, c, append(fmt.Appendf(nil, "n = %d\n#", i), bytes.Repeat([]byte("x"), 15<<20)...))
			}
			size := int64(0)
			list, _ := c.Versions()
			for _, v := range list {
				size += v.Size
			}
			if len(list) != 4 || size > 64<<20 {
				t.Errorf("%d versions of %d bytes are kept, want 4 of less than 64 MB", len(list), size)
			}
		})
	})
	t.Run("they are plain files for their owner alone, and ls tells when each was found", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.Recover(t.Context())
			dir := filepath.Join(w.state, "versions")
			name := time.Now().Local().Format("20060102_150405.000") + "_" + string(stack.RevisionOf(oldConfig)) + ".toml"
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, oldConfig) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, name): 0o600} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s has mode %v (%v), want %v", path, info.Mode(), err, want)
				}
			}
		})
	})
	t.Run("a file that does not hold what its name says is no version, and leftovers go", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.start(t)
			c.Recover(t.Context())
			dir := filepath.Join(w.state, "versions")
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			leftover := filepath.Join(dir, ".x.toml.tmp-1")
			for _, path := range append(files, leftover) {
				if err := os.WriteFile(path, []byte("other = 1\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok := c.Version(stack.RevisionOf(oldConfig)); ok || len(files) != 1 {
				t.Errorf("other bytes pass for the version; %d files", len(files))
			}
			w.start(t).Recover(t.Context())
			if _, err := os.Stat(leftover); err == nil {
				t.Error("the leftover is still there")
			}
		})
	})
	t.Run("a folder that cannot be used keeps nobody from saving", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			if err := os.MkdirAll(w.state, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(w.state, "versions"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c := w.start(t)
			c.Recover(t.Context())
			wantOutcome(t, save(t, c, newConfig), stack.Applied, "")
		})
	})
}
