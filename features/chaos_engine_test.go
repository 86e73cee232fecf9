package features

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

// ownEngine is a Docker engine that belongs to one test, which may kill it. It shares nothing with
// the machine's own but the kernel: no bridge, no firewall rules, folders and a socket of its own.
type ownEngine struct {
	testing.TB
	stack   *containers // what runs on it
	folder  string
	flags   []string
	process *exec.Cmd
	ended   chan struct{}
	log     *output
}

// startEngine starts one, and ends it with the test. A machine that cannot run it fails the test.
func startEngine(t testing.TB, flags ...string) *ownEngine {
	t.Helper()
	// Not t.TempDir: the path of a socket must be short.
	folder, err := os.MkdirTemp("", "ps-engine-")
	must(t, err)
	e := &ownEngine{TB: t, folder: folder, flags: flags, log: &output{}}
	t.Cleanup(e.end)
	e.start()
	return e
}

func (e *ownEngine) socket() string { return filepath.Join(e.folder, "docker.sock") }
func (e *ownEngine) host() string   { return "unix://" + e.socket() }

// begin starts the engine and does not wait for it.
func (e *ownEngine) begin() {
	e.Helper()
	word := filepath.Base(e.folder)
	e.process = exec.Command("dockerd", append([]string{
		"--data-root", filepath.Join(e.folder, "data"), "--exec-root", filepath.Join(e.folder, "run"),
		"--pidfile", filepath.Join(e.folder, "docker.pid"), "--host", e.host(),
		"--containerd-namespace", word, "--containerd-plugins-namespace", word + "-plugins",
		"--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
	}, e.flags...)...)
	e.process.Stdout, e.process.Stderr = e.log, e.log
	e.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	e.process.WaitDelay = time.Second // its containerd may outlive it, and hold its output
	if err := e.process.Start(); err != nil {
		e.Fatalf("this test needs a Docker engine of its own, to kill it: %v", err)
	}
	e.ended = make(chan struct{})
	process, ended := e.process, e.ended
	go func() { _ = process.Wait(); close(ended) }()
}

// start starts the engine and waits until it answers.
func (e *ownEngine) start() {
	e.Helper()
	e.begin()
	e.answers()
}

func (e *ownEngine) answers() {
	e.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", e.socket())
		},
	}}
	eventually(e.TB, "the test's own engine to answer", func() (bool, string) {
		select {
		case <-e.ended:
			e.Fatalf("this test needs a Docker engine of its own, to kill it, and it ended:\n%s", e.log)
		default:
		}
		response, err := client.Get("http://engine/_ping")
		if err != nil {
			return false, fmt.Sprintf("%v\n%s", err, e.log)
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK, response.Status
	})
}

// kill ends the engine as a crash does, and its containerd with it. The containers go on.
func (e *ownEngine) kill() {
	e.Helper()
	must(e.TB, e.process.Process.Kill())
	<-e.ended
	// A containerd that is about to end would be taken for a living one by the next engine.
	file := filepath.Join(e.folder, "run", "containerd", "containerd.pid")
	text, err := os.ReadFile(file)
	must(e.TB, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(e.TB, err)
	eventually(e.TB, "the end of the engine's containerd", func() (bool, string) {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || !bytes.Contains(command, []byte(e.folder+"/")) { // gone, or a zombie
			return true, ""
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
		return false, "it lives"
	})
	must(e.TB, os.Remove(file))
}

// end takes the engine down, with everything that it started.
func (e *ownEngine) end() {
	if e.process != nil {
		_ = e.process.Process.Signal(syscall.SIGTERM)
		select {
		case <-e.ended:
		case <-time.After(patience):
			_ = e.process.Process.Kill()
			<-e.ended
		}
	}
	if e.Failed() {
		lines := strings.Split(e.log.String(), "\n")
		e.Logf("the end of the engine's log:\n%s", strings.Join(lines[max(0, len(lines)-60):], "\n"))
	}
	// Its containerd and shims carry the folder in their command lines, which is nobody else's.
	for attempt := 0; ; attempt++ {
		left := e.processes()
		if len(left) == 0 {
			break
		}
		if attempt == 50 {
			e.Errorf("the engine left processes behind: %v", left)
			break
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond) // between two looks
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		e.Error(err)
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], e.folder+"/") {
			points = append(points, fields[4])
		}
	}
	for _, point := range slices.Backward(points) {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
			e.Errorf("the engine left a mount behind, %s: %v", point, err)
		}
	}
	if err := os.RemoveAll(e.folder); err != nil {
		e.Errorf("the engine's folder was left behind: %v", err)
	}
}

func (e *ownEngine) processes() (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		e.Error(err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		text, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		if err == nil && bytes.Contains(text, []byte(e.folder+"/")) && !bytes.HasPrefix(text, []byte(binary+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// ownContainers runs the reference stack on the test's own engine. Its image is empty, and the
// machine's own Python and libraries are mounted: loading the real images would take longer than
// everything else.
func ownContainers(t *testing.T, e *ownEngine) *rig {
	t.Helper()
	t.Setenv("DOCKER_HOST", e.host())
	load := exec.Command("docker", "--host", e.host(), "import", "-", "pitstop-empty")
	load.Stdin = bytes.NewReader(make([]byte, 1024)) // a tar archive's end
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("an empty image cannot be made: %v\n%s", err, out)
	}
	engine := dockertest.New(t)
	label := func(name string) string { return name + "-" + engine.Unique }
	c := &containers{TB: t, engine: engine, service: map[string]*dockertest.Container{}}
	e.stack = c
	c.panel = newPanel(t, "docker", referenceConfig(t), fmt.Sprintf(`
[[stack.service]]
name = "python-orchestrator"
selector = "app=%s"
reload = { signal = "SIGUSR1", confirm = "Config reloaded revision={revision}" }
[[stack.service]]
name = "go-scanner"
selector = "app=%s"
reload = { watch = true, confirm = "Config reloaded revision={revision}" }
`, label(orchestrator), label(scanner)))
	program, address := orchestratorProgram(t), loopback()
	binds := []string{
		"/usr:/usr:ro", "/lib:/lib:ro", "/lib64:/lib64:ro",
		filepath.Dir(c.panel.config) + ":/config",
		filepath.Dir(program) + ":/orchestrator:ro", filepath.Dir(scannerBinary(t)) + ":/scanner:ro",
	}
	for name, command := range map[string][]string{
		orchestrator: {"/usr/bin/python3", "-B", "/orchestrator/main.py"},
		scanner:      {"/scanner/go-scanner"},
	} {
		c.service[name] = engine.Run(dockertest.Spec{
			Name: name, Image: "pitstop-empty", Cmd: command, Labels: map[string]string{"app": label(name)},
			Binds: binds, Network: "host", Restart: "always",
			Env: []string{"SCANNER_ADDRESS=" + address, "SCANNER_LISTEN=" + address, "PITSTOP_CONFIG=/config/config.toml"},
		})
	}
	for _, container := range c.service {
		container.WaitLog("Config loaded revision=")
	}
	t.Cleanup(func() { // before the containers are removed, whatever the test left
		select {
		case <-e.ended:
			e.start()
		default:
		}
	})
	r := rigOf(c)
	r.output = func(service string) []string { return e.written(c.service[service]) }
	return r
}

var logEntry = regexp.MustCompile(`"log":"((?:[^"\\]|\\.)*)"`)

// written is what a container has written, from the engine's own file: an engine that is killed while
// it writes an entry leaves a torn one, behind which it reads nothing any more.
func (e *ownEngine) written(container *dockertest.Container) (lines []string) {
	e.Helper()
	content, err := os.ReadFile(filepath.Join(e.folder, "data", "containers", container.ID, container.ID+"-json.log"))
	must(e.TB, err)
	for _, entry := range logEntry.FindAllSubmatch(content, -1) {
		text, err := strconv.Unquote(`"` + string(entry[1]) + `"`)
		if err == nil {
			lines = append(lines, strings.TrimSuffix(text, "\n"))
		}
	}
	return lines
}

// stroke says how a save is broken whose engine is killed.
type stroke struct {
	both  bool   // the panel dies too
	point string // with both: where the panel dies, and the engine right after; empty: at a random instant
	late  bool   // with both: the panel is up again before the engine is
}

func (s stroke) String() string {
	text := "engine killed in the pause"
	switch {
	case s.point != "":
		text = "panel killed at " + s.point + " and the engine with it"
	case s.both:
		text = "engine and panel killed in the pause"
	}
	if s.late {
		text += ", the engine back last"
	}
	return text
}

// liveRestore lets containers outlive their engine.
const liveRestore = "--live-restore"

// TestChaosEngine kills the engine in the middle of runs, and panel and engine together: one engine
// whose containers outlive it (live-restore), and one that starts them again.
func TestChaosEngine(t *testing.T) {
	strokes := []stroke{{both: true, point: stack.PointSaved, late: true}}
	engines := map[string][]string{"with live-restore": {liveRestore}}
	if n := chaosRounds(t); n > 0 {
		engines["without live-restore"] = nil
		strokes = nil
		for i := range max(n/10, 4) {
			strokes = append(strokes, stroke{}, stroke{both: true, late: i%2 == 0})
		}
		for _, p := range []string{stack.PointPaused, stack.PointSaved, stack.PointUnpaused, stack.PointReloaded} {
			strokes = append(strokes, stroke{both: true, point: p}, stroke{both: true, point: p, late: true})
		}
	}
	for name, flags := range engines {
		t.Run(name, func(t *testing.T) {
			e := startEngine(t, flags...)
			c := newChaos(ownContainers(t, e))
			c.restarts = true
			defer c.tell(t)
			for n, s := range strokes {
				passed := t.Run(fmt.Sprintf("%03d %s", n+1, s), func(t *testing.T) { c.engineRound(t, e, s) })
				if !passed {
					return
				}
			}
		})
	}
}

// engineRound is one save whose engine is killed.
func (c *chaos) engineRound(t *testing.T, e *ownEngine, k stroke) {
	c.TB, e.TB = t, t
	services := c.env
	defer func() { c.env = services }()
	// An engine that was killed in the middle of an unpause may refuse every pause from then on, until
	// the container lives anew.
	for _, container := range e.stack.both() {
		container.Restart()
	}
	c.env = append(services, "PITSTOP_CHAOS_KILL_AT="+k.point)
	c.start()
	c.settled()
	s := c.newSave(k.point == "" && rand.IntN(4) == 0)
	answered := c.put(s)
	if k.point != "" {
		c.died(k.point, answered)
		e.kill()
	} else {
		eventually(t, "the run to get under way", func() (bool, string) {
			return exists(c.journal()) || len(answered) > 0, "no journal"
		})
		time.Sleep(rand.N(60 * time.Millisecond)) // the random instant
		e.kill()
		if k.both {
			c.kill()
		}
	}
	s.journal = k.both && exists(c.journal())
	c.env = services
	if k.late {
		c.start()
	}
	e.start()
	if k.both && !k.late {
		c.start()
	}
	if !k.both {
		select {
		case <-answered:
		case <-time.After(2 * patience):
			t.Fatalf("the save got no answer in %s after the engine was back:\n%s", 2*patience, c.panel.output)
		}
	}
	c.check(s, either)
}
