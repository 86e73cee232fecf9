package features

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"pitstop/stack"
)

// The config file as people's machines have it: the real panel and the real services on real file
// systems. These tests take the right to mount; without it they fail.

func mount(t testing.TB, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		t.Fatalf("mounting %s: %v (this test needs the right to mount: run it as root, in a container with CAP_SYS_ADMIN)", target, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", target, err)
		}
	})
}

// onDisk is a stack of processes whose config folder is prepared before anything starts.
func onDisk(t *testing.T, prepare func(r *rig)) *chaos {
	r := processRig(t, referenceConfig(t))
	prepare(r)
	t.Cleanup(r.end) // before what prepare has mounted is gone, and with it what tells of the services
	c := newChaos(r)
	c.start()
	c.settled()
	return c
}

// failsHarmlessly saves, and checks that it fails with that word, with nothing changed or paused.
func (c *chaos) failsHarmlessly(because string) {
	c.Helper()
	s := c.newSave(false)
	backups := len(c.backups())
	var problem struct{ Title, Detail string }
	status := c.call("PUT", "/api/v1/config", "application/toml", s.new, &problem)
	if status < http.StatusInternalServerError {
		c.Fatalf("the save got %d, want a failure: %+v", status, problem)
	}
	if text := problem.Title + " " + problem.Detail; !strings.Contains(text, because) {
		c.Errorf("the answer does not say %q, but %q", because, text)
	}
	if live := c.readConfig(); live != s.old {
		c.Errorf("the config file has changed:\n%s", live)
	}
	if n := len(c.backups()); n != backups {
		c.Errorf("a save that changed nothing made a backup: %v", c.backups())
	}
	if c.paused(s) {
		c.Error("the stack was paused for a save that could not work")
	}
	c.settled()
	if lives := c.lives(); lives != s.lives {
		c.Errorf("services were restarted:\nbefore %s\nafter  %s", s.lives, lives)
	}
	if exists(c.journal()) {
		c.Error("a journal was left behind")
	}
}

// paused says whether the stack was paused for this save.
func (c *chaos) paused(s *save) bool {
	var reports []stack.Report
	c.call("GET", "/api/v1/runs", "", "", &reports)
	for _, r := range reports {
		if r.Revision.To == s.revision() && r.PauseMs > 0 {
			return true
		}
	}
	return false
}

// works saves, and checks everything that a round of chaos checks.
func (c *chaos) works() {
	c.Helper()
	s := c.newSave(false)
	a := <-c.put(s)
	if a.err != nil || a.report.Outcome != stack.Applied {
		c.Fatalf("the save ended as %d %+v (%v), want it applied", a.status, a.report, a.err)
	}
	c.check(s, becomesNew)
}

// undoes saves what a service refuses, and checks that the old config is back.
func (c *chaos) undoes() {
	c.Helper()
	s := c.newSave(true)
	a := <-c.put(s)
	if a.err != nil || a.report.Outcome != stack.RolledBack {
		c.Fatalf("the save ended as %d %+v (%v), want it rolled back", a.status, a.report, a.err)
	}
	c.check(s, staysOld)
}

// fill fills a file system, and returns what makes room again.
func fill(t testing.TB, folder string) (free func()) {
	t.Helper()
	path := filepath.Join(folder, "ballast")
	file, err := os.Create(path)
	must(t, err)
	defer file.Close()
	for block := bytes.Repeat([]byte("x"), 4096); ; {
		if _, err := file.Write(block); err != nil {
			break
		}
	}
	return func() { must(t, os.Remove(path)) }
}

func TestAFullDisk(t *testing.T) {
	t.Run("of the config file: nothing is paused, and with room again it works", func(t *testing.T) {
		c := onDisk(t, func(r *rig) {
			config := r.readConfig()
			mount(t, "tmpfs", filepath.Dir(r.config), "tmpfs", 0, "size=128k,mode=755")
			must(t, os.WriteFile(r.config, []byte(config), 0o644))
		})
		free := fill(t, filepath.Dir(c.config))
		c.failsHarmlessly("no space left on device")
		free()
		c.works()
		c.undoes()
	})
	t.Run("of the config file, once the new config is there: the old one is put back all the same", func(t *testing.T) {
		c := onDisk(t, func(r *rig) {
			config := r.readConfig()
			mount(t, "tmpfs", filepath.Dir(r.config), "tmpfs", 0, "size=128k,mode=755")
			must(t, os.WriteFile(r.config, []byte(config), 0o644))
		})
		folder := filepath.Dir(c.config)
		free := fill(t, folder)
		info, err := os.Stat(filepath.Join(folder, "ballast"))
		must(t, err)
		need := (int64(len(c.readConfig())) + 4095) &^ 4095 // for the new config, and not a block for the old one
		must(t, os.Truncate(filepath.Join(folder, "ballast"), (info.Size()&^4095)-need))
		c.undoes()
		var room unix.Statfs_t
		must(t, unix.Statfs(folder, &room))
		if room.Bavail != 0 {
			t.Errorf("%d blocks are free, so this showed nothing", room.Bavail)
		}
		free()
		c.works()
		c.undoes()
	})
	t.Run("of the state: no journal, no pause", func(t *testing.T) {
		c := onDisk(t, func(r *rig) {
			must(t, os.MkdirAll(r.state(), 0o700))
			mount(t, "tmpfs", r.state(), "tmpfs", 0, "size=4m,mode=700")
		})
		free := fill(t, c.state())
		c.failsHarmlessly("no space left on device")
		free()
		c.works()
		c.undoes()
		for _, r := range c.audited() {
			if r.Outcome == stack.Failed {
				return
			}
		}
		t.Error("the audit log does not tell of the save that failed, though there is room again")
	})
}

func TestAReadOnlyDisk(t *testing.T) {
	c := onDisk(t, func(r *rig) {
		folder := filepath.Dir(r.config)
		mount(t, folder, folder, "", unix.MS_BIND, "")
	})
	folder := filepath.Dir(c.config)
	remount := func(flags uintptr) {
		t.Helper()
		must(t, unix.Mount("", folder, "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""))
	}
	remount(unix.MS_RDONLY)
	c.failsHarmlessly("read-only file system")
	remount(0)
	c.works()
	c.undoes()
}

func TestModeAndOwnerAreKept(t *testing.T) {
	const user, group, mode = 12345, 23456, 0o640
	c := onDisk(t, func(r *rig) {
		must(t, os.Chown(r.config, user, group))
		must(t, os.Chmod(r.config, mode))
	})
	kept := func(path string) {
		t.Helper()
		info, err := os.Stat(path)
		must(t, err)
		is := info.Sys().(*syscall.Stat_t)
		if is.Uid != user || is.Gid != group || info.Mode().Perm() != mode {
			t.Errorf("%s belongs to %d:%d with mode %o, want %d:%d with %o",
				filepath.Base(path), is.Uid, is.Gid, info.Mode().Perm(), user, group, mode)
		}
	}
	c.works()
	kept(c.config)
	c.undoes()
	kept(c.config)
	for _, name := range c.backups() {
		kept(filepath.Join(filepath.Dir(c.config), name))
	}
}

func TestALinkedConfigFile(t *testing.T) {
	var target string
	c := onDisk(t, func(r *rig) {
		target = filepath.Join(filepath.Dir(r.config), "linked.toml")
		must(t, os.Rename(r.config, target))
		must(t, os.Symlink(filepath.Base(target), r.config))
	})
	s := c.newSave(false)
	a := <-c.put(s)
	if a.err != nil || a.report.Outcome != stack.Applied {
		t.Fatalf("the save ended as %d %+v (%v), want it applied", a.status, a.report, a.err)
	}
	c.settled()
	if to, err := os.Readlink(c.config); err != nil || to != filepath.Base(target) {
		t.Errorf("the link is %q (%v), want it to lead to %s as before", to, err, filepath.Base(target))
	}
	if content, err := os.ReadFile(target); err != nil || string(content) != s.new {
		t.Errorf("the file behind the link is not the new one (%v):\n%s", err, content)
	}
}

// TestAMountedConfigFile: the file itself is a mount point, so it cannot be replaced, only written.
func TestAMountedConfigFile(t *testing.T) {
	c := onDisk(t, func(r *rig) {
		behind := filepath.Join(r.folder, "behind.toml")
		must(t, os.WriteFile(behind, []byte(r.readConfig()), 0o644))
		mount(t, behind, r.config, "", unix.MS_BIND, "")
	})
	c.works()
	c.undoes()
	for _, point := range []string{stack.PointPaused, stack.PointSaved} {
		c.kill()
		c.dies(point)
	}
}

// dies is a round of chaos with a panel that is down before and up after.
func (c *chaos) dies(point string) {
	c.Helper()
	services := c.env
	c.env = append(services, "PITSTOP_CHAOS_KILL_AT="+point)
	c.start()
	c.settled()
	s := c.newSave(false)
	c.died(point, c.put(s))
	s.journal = exists(c.journal())
	c.env = services
	c.start()
	c.check(s, blow{point: point}.fate())
}
