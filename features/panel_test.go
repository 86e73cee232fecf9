package features

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pitstop/stack/linuxproc"
)

// patience is how long a test waits for what must come. It is long, for it costs nothing where the
// thing comes, and a busy machine is no failure.
const patience = 60 * time.Second

// eventually waits until ok says so, and fails with what it said last.
func eventually(t testing.TB, what string, ok func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		done, seen := ok()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s; last seen: %s", patience, what, seen)
		}
		time.Sleep(20 * time.Millisecond) // between two looks, never instead of one
	}
}

// panel is Pitstop as a real process, with everything it needs in folders of its own.
type panel struct {
	testing.TB
	folder   string // of settings, state and config
	config   string // path of config.toml
	settings string
	env      []string
	command  []string // what to start the panel with, such as nice; empty: nothing
	log      *os.File // where the panel writes; nil: to output
	url      string
	process  *exec.Cmd
	ended    chan struct{} // closed when process has ended
	output   *output
}

// newPanel writes settings and config; start starts it. services is the TOML of [[stack.service]].
func newPanel(t testing.TB, backend, config, services string) *panel {
	t.Helper()
	folder := t.TempDir()
	p := &panel{TB: t, folder: folder, config: filepath.Join(folder, "config", "config.toml"), settings: filepath.Join(folder, "pitstop.toml")}
	t.Cleanup(func() { // the one of a panel that died looks out for a late pause, for some seconds
		p.TB = t
		p.endGuardians()
	})
	must(t, os.Mkdir(filepath.Dir(p.config), 0o755))
	must(t, os.WriteFile(p.config, []byte(config), 0o644))
	must(t, os.WriteFile(p.settings, fmt.Appendf(nil, `listen = "127.0.0.1:0"
config = %q
state = %q
[auth]
mode = "none"
[stack]
backend = %q
reload_timeout = "30s"
%s`, p.config, filepath.Join(folder, "state"), backend, services), 0o644))
	return p
}

var address = regexp.MustCompile(`Pitstop is at (http://\S+)`)

// start starts the panel and waits until it serves. It is stopped with the test.
func (p *panel) start() {
	p.Helper()
	p.launch()
	p.serves()
}

// launch starts the panel. It is stopped with the test.
func (p *panel) launch() {
	p.Helper()
	p.output = &output{}
	command := append(slices.Clone(p.command), binary, "serve", "--settings", p.settings)
	p.process = exec.Command(command[0], command[1:]...)
	p.process.Dir = p.folder
	p.process.Env = append(os.Environ(), p.env...)
	log := p.log
	read := make(chan struct{}) // closed when output is complete
	if log == nil {
		in, out, err := os.Pipe()
		must(p.TB, err)
		defer out.Close()
		log = out
		to := p.output
		go func() {
			defer close(read)
			defer in.Close()
			_, _ = io.Copy(to, in)
		}()
	} else {
		close(read)
	}
	p.process.Stdout, p.process.Stderr = log, log
	p.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(p.TB, p.process.Start())
	p.ended = make(chan struct{})
	process, ended, out := p.process, p.ended, p.output
	go func() {
		_ = process.Wait()
		select {
		case <-read:
		case <-time.After(100 * time.Millisecond): // its guardian outlives it, and writes there too
		}
		close(ended)
	}()
	p.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = process.Process.Kill()
			<-ended
			p.Errorf("the panel did not stop within %s of SIGTERM", patience)
		}
		if p.Failed() {
			p.Logf("the panel's output:\n%s", out)
		}
	})
}

// serves waits until the panel serves.
func (p *panel) serves() {
	p.Helper()
	eventually(p.TB, "the panel to serve", func() (bool, string) {
		select {
		case <-p.ended:
			p.Fatalf("the panel ended:\n%s", p.output)
		default:
		}
		m := address.FindStringSubmatch(p.output.String())
		if m != nil {
			p.url = m[1]
		}
		return m != nil, p.output.String()
	})
}

// kill ends the panel as a crash does, and waits until it is gone.
func (p *panel) kill() {
	p.Helper()
	if err := p.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Fatal("the panel lives on after SIGKILL")
	}
}

// stands waits until the panel stands still, having been stopped by a signal.
func (p *panel) stands() {
	p.Helper()
	eventually(p.TB, "the panel to stand still", func() (bool, string) {
		state, err := linuxproc.State(p.process.Process.Pid)
		return err == nil && state == 'T', fmt.Sprintf("state %c (%v):\n%s", state, err, p.output)
	})
}

// killBoth ends the panel together with its guardians, as a crash of their container or their machine
// does: neither sees the other die.
func (p *panel) killBoth() {
	p.Helper()
	if err := p.process.Process.Signal(syscall.SIGSTOP); err == nil { // else it has ended
		p.stands()
	}
	p.endGuardians()
	p.kill()
}

// endGuardians kills this panel's guardians, and waits until they are gone.
func (p *panel) endGuardians() {
	p.Helper()
	eventually(p.TB, "the guardians to be gone", func() (bool, string) {
		pids := p.guardians()
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return len(pids) == 0, fmt.Sprint(pids)
	})
}

// call makes one API call and decodes its JSON answer.
func (p *panel) call(method, path, contentType, body string, answer any) (status int) {
	p.Helper()
	request, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	must(p.TB, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	client := http.Client{Timeout: patience + 30*time.Second}
	response, err := client.Do(request)
	must(p.TB, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	must(p.TB, err)
	if answer != nil {
		if err := json.Unmarshal(content, answer); err != nil {
			p.Fatalf("%s %s answered %d, not JSON: %v\n%s", method, path, response.StatusCode, err, content)
		}
	}
	return response.StatusCode
}

func (p *panel) readConfig() string {
	p.Helper()
	content, err := os.ReadFile(p.config)
	must(p.TB, err)
	return string(content)
}

// backups are the base names of the backups beside the config file.
func (p *panel) backups() []string {
	p.Helper()
	found, err := filepath.Glob(p.config + ".bak.*")
	must(p.TB, err)
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found
}

// output is a process's output, readable while it grows.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) Close() error { return nil }

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
