package configfile

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// saveFor names, to this program started anew as another user, the config file that it is to save.
const saveFor = "PITSTOP_TEST_SAVE"

// saveAsSomebody is the life of a panel that is not root: it opens the file and saves it, and tells
// what came of it.
func saveAsSomebody(path string) string {
	s, err := Open(path, 0, nil)
	if err != nil {
		return "open: " + err.Error()
	}
	st, err := s.Stage([]byte("a = 2\n"), noon)
	if err != nil {
		return "stage: " + err.Error()
	}
	if _, err = s.Commit(st); err != nil {
		return "commit: " + err.Error()
	}
	return "saved"
}

const somebody, theirGroup = 12345, 54321

func TestAPanelThatIsNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("starting a program as another user takes root")
	}
	type file struct {
		uid, gid int
		mode     fs.FileMode
	}
	for name, c := range map[string]struct {
		folder, config file
		want           string // %s: the config file
	}{
		"saves what is its own, in its own folder": {
			file{somebody, theirGroup, 0o755}, file{somebody, theirGroup, 0o600}, "saved"},
		"saves what everybody may read, in its own folder": {
			file{somebody, theirGroup, 0o755}, file{0, 0, 0o644}, "saved"},
		"without write permission in the folder stages nothing": {
			file{0, 0, 0o755}, file{somebody, theirGroup, 0o644},
			"stage: the new config cannot be staged beside %s, so nothing was changed: permission denied"},
		"without read permission for the folder stages nothing": {
			file{0, 0, 0o733}, file{somebody, theirGroup, 0o644},
			"stage: the new config cannot be staged beside %s, so nothing was changed: the backups of %[1]s cannot be listed: permission denied"},
		"without read permission for the file stages nothing": {
			file{somebody, theirGroup, 0o755}, file{0, 0, 0o640},
			"stage: the new config cannot be staged beside %s, so nothing was changed: permission denied"},
		"shuts out nobody who reads the file as its owner": {
			file{somebody, theirGroup, 0o755}, file{0, theirGroup, 0o640},
			"stage: the new config cannot be staged beside %s, so nothing was changed: its owner, user 0, cannot be kept by Pitstop, which runs as user 12345, and mode 0640 lets not everybody read it, so services might be shut out; run Pitstop as root, or as the file's owner, or let everybody read the file: permission denied"},
		"in a sticky folder stages no other user's file": {
			file{0, 0, fs.ModeSticky | 0o777}, file{0, 0, 0o644},
			"stage: the new config cannot be staged beside %s, so nothing was changed: its folder is sticky, so only user 0, whose file it is, may replace it, and Pitstop runs as user 12345: permission denied"},
		"in a sticky folder saves its own": {
			file{0, 0, fs.ModeSticky | 0o777}, file{somebody, theirGroup, 0o640}, "saved"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // or nobody else gets there
				t.Fatal(err)
			}
			config := filepath.Join(dir, "config.toml")
			if err := os.WriteFile(config, []byte("a = 1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for path, f := range map[string]file{dir: c.folder, config: c.config} {
				if err := os.Chown(path, f.uid, f.gid); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, f.mode); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("/proc/self/exe") // by its own path it might be out of somebody's reach
			cmd.Env = append(os.Environ(), saveFor+"="+config)
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: somebody, Gid: theirGroup}}
			out, err := cmd.CombinedOutput()
			want := c.want
			if strings.Contains(want, "%") {
				want = fmt.Sprintf(want, config)
			}
			if err != nil || string(out) != want {
				t.Fatalf("as another user:\ngot  %s (%v)\nwant %s", out, err, want)
			}
			s := reopen(t, config, nil)
			list, err := s.Backups()
			if err != nil {
				t.Fatal(err)
			}
			wantOnly(t, s, "config.toml")
			if want != "saved" {
				wantFile(t, config, "a = 1\n")
				if len(list) != 0 {
					t.Errorf("backups %v were made", list)
				}
				return
			}
			wantFile(t, config, "a = 2\n")
			if len(list) != 1 {
				t.Fatalf("there are the backups %v, want one", list)
			}
			wantBackup(t, s, list[0].Name, "a = 1\n")
			if info, err := os.Stat(config); err != nil || info.Mode() != c.config.mode {
				t.Errorf("the mode is %v (%v), want %v", info.Mode(), err, c.config.mode)
			}
		})
	}
}
