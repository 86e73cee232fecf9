package features

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/process"
)

// rig is a panel and its stack, as the tests that break things see them: from outside only.
type rig struct {
	*panel
	// standing are the instances that do not run, in words; none is good.
	standing func() []string
	// output is what a service has written so far, in its present life.
	output func(service string) []string
	// lives name the present life of each instance; they differ after a restart.
	lives func() string
	// end ends the services of a processRig for good. Containers are removed with their test anyway.
	end func()
}

var (
	builtScanner     string
	builtScannerOnce sync.Once
)

// scannerBinary builds the scanner, once for all tests, beside the panel.
func scannerBinary(t testing.TB) string {
	t.Helper()
	builtScannerOnce.Do(func() {
		path := filepath.Join(filepath.Dir(binary), "go-scanner")
		build := exec.Command("go", "build", "-o", path, "pitstop/services/go-scanner")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("cannot build the scanner: %v\n%s", err, out)
		}
		builtScanner = path
	})
	if builtScanner == "" {
		t.Fatal("the scanner could not be built; an earlier test says why")
	}
	return builtScanner
}

// loopback is an address that no other stack on this machine uses: each has one of its own.
func loopback() string {
	return fmt.Sprintf("127.%d.%d.%d:7070", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
}

// orchestratorProgram is where the reference orchestrator lies.
func orchestratorProgram(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../services/python-orchestrator/main.py")
	must(t, err)
	return path
}

// processRig is the reference stack as local processes. They outlive each panel, and end with the test.
func processRig(t testing.TB, config string) *rig {
	t.Helper()
	services := []stack.Service{
		{Name: orchestrator, Command: []string{"/usr/bin/python3", "-B", orchestratorProgram(t)}},
		{Name: scanner, Command: []string{scannerBinary(t)}},
	}
	command := func(n int) string {
		text, err := json.Marshal(services[n].Command) // JSON's lists of strings are TOML's
		must(t, err)
		return string(text)
	}
	p := newPanel(t, "process", config, fmt.Sprintf(`on_exit = "keep"
[[stack.service]]
name = "python-orchestrator"
command = %s
reload = { signal = "SIGUSR1", confirm = "Config reloaded revision={revision}" }
[[stack.service]]
name = "go-scanner"
command = %s
reload = { watch = true, confirm = "Config reloaded revision={revision}" }
`, command(0), command(1)))
	address := loopback()
	p.env = []string{"SCANNER_ADDRESS=" + address, "SCANNER_LISTEN=" + address}
	options := process.Options{Services: services, State: p.state(), OnExit: process.Stop}
	end := func() {
		b, err := process.New(options)
		if err == nil {
			err = b.Close()
		}
		if err != nil {
			t.Errorf("services may have been left behind: %v", err)
		}
	}
	t.Cleanup(end)
	instances := func() []stack.Instance {
		view, err := process.Attach(options)
		must(p.TB, err)
		defer view.Close()
		list, err := view.Instances(context.Background())
		must(p.TB, err)
		return list
	}
	return &rig{
		panel: p,
		standing: func() (not []string) {
			for _, i := range instances() {
				if i.State != stack.Running {
					not = append(not, fmt.Sprintf("%s is %s", i.Name, i.State))
				}
			}
			return not
		},
		lives: func() string { return livesOf(instances()) },
		end:   end,
		output: func(service string) []string {
			files, err := filepath.Glob(filepath.Join(p.state(), "process", "service-"+service, "*.log"))
			must(p.TB, err)
			if len(files) == 0 {
				return nil
			}
			content, err := os.ReadFile(files[len(files)-1]) // the names are times
			must(p.TB, err)
			return strings.Split(string(content), "\n")
		},
	}
}

func livesOf(instances []stack.Instance) string {
	var text []string
	for _, i := range instances {
		text = append(text, fmt.Sprintf("%s since %s", i.Name, i.Started.Format(time.RFC3339Nano)))
	}
	return strings.Join(text, ", ")
}

// containerRig is the reference stack in containers on the shared engine.
func containerRig(t testing.TB, config string) *rig {
	t.Helper()
	return rigOf(runContainers(t, config, "always"))
}

func rigOf(c *containers) *rig {
	return &rig{
		panel: c.panel,
		standing: func() (not []string) {
			for name, service := range c.service {
				s := service.State()
				frozen, known := frozen(s.PID)
				switch {
				case known && frozen:
					not = append(not, name+" is frozen; the engine says that it is "+s.Status)
				case known && s.Status == "paused": // as an engine that was killed may go on saying
				case s.Status != "running":
					not = append(not, name+" is "+s.Status)
				}
			}
			return not
		},
		lives: func() string {
			var text []string
			for _, service := range c.both() {
				text = append(text, fmt.Sprintf("%s since %s", service.Name, service.State().Started))
			}
			return strings.Join(text, ", ")
		},
		output: func(service string) (lines []string) {
			for _, line := range c.service[service].Logs() {
				lines = append(lines, line.Text)
			}
			return lines
		},
	}
}

// frozen asks the kernel, which knows better than the engine, whether its cgroup holds a process.
// Where the cgroups are not in sight, the engine's word must do.
func frozen(pid int) (frozen, known bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return false, false
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		file := "/sys/fs/cgroup" + parts[2] + "/cgroup.freeze"
		if parts[1] == "freezer" {
			file = "/sys/fs/cgroup/freezer" + parts[2] + "/freezer.state"
		}
		if state, err := os.ReadFile(file); err == nil {
			word := strings.TrimSpace(string(state))
			return word != "THAWED" && word != "0", true
		}
	}
	return false, false
}

var loaded = regexp.MustCompile(`Config (?:re)?loaded revision=([0-9a-f]{12})`)

// said is the revision that a service last said it loaded.
func (r *rig) said(service string) (revision string) {
	for _, line := range r.output(service) {
		if m := loaded.FindStringSubmatch(line); m != nil {
			revision = m[1]
		}
	}
	return revision
}

// silence is the longest time between two lines of the orchestrator since then. It beats every 50 ms
// while it runs, so this is how long it stood still, told by itself.
func (r *rig) silence(since time.Time) (longest time.Duration) {
	var last time.Time
	for _, line := range r.output(orchestrator) {
		stamp, _, _ := strings.Cut(line, " ")
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			continue
		}
		if !last.IsZero() && at.After(since) {
			longest = max(longest, at.Sub(last))
		}
		last = at
	}
	return longest
}

// set replaces a part of the settings, for the next start.
func (p *panel) set(old, new string) {
	p.Helper()
	text, err := os.ReadFile(p.settings)
	must(p.TB, err)
	if !strings.Contains(string(text), old) {
		p.Fatalf("the settings have no %q:\n%s", old, text)
	}
	must(p.TB, os.WriteFile(p.settings, []byte(strings.Replace(string(text), old, new, 1)), 0o644))
}

func (p *panel) state() string { return filepath.Join(p.folder, "state") }

// guardians are the guardians of this panel that live.
func (p *panel) guardians() (pids []int) {
	entries, err := os.ReadDir("/proc")
	must(p.TB, err)
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && strings.HasSuffix(string(text), "\x00guardian\x00--settings\x00"+p.settings+"\x00") {
			pids = append(pids, pid)
		}
	}
	return pids
}
