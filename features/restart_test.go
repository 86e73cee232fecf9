package features

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pitstop/stack"
)

// restartBound is how long the stack may stand still for a panel that is started again at once. It is
// far above what it takes, since the machine may be busy; the test prints what it took.
const restartBound = 30 * time.Second

// TestRestart measures the way back without a guardian: panel and guardian die together, as they do
// with the container that they share, and the panel is started again at once.
func TestRestart(t *testing.T) {
	c := newChaos(containerRig(t, referenceConfig(t)))
	c.env = append(c.env, "PITSTOP_CHAOS_KILL_AT="+stack.PointPaused)
	// The first process of a PID namespace takes everything in it along. It cannot kill itself, so it
	// stands still at the point until the test kills it.
	c.command = []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}
	c.start()
	c.settled()
	s := c.newSave(false)
	c.put(s)
	eventually(t, "the stack to be paused", func() (bool, string) {
		not := c.standing()
		return len(not) == 2, fmt.Sprint(not)
	})
	// The guardian first, which would else live long enough now and then to see the panel die.
	for _, pid := range c.guardians() {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	c.kill()
	died := time.Now()
	eventually(t, "panel and guardian to be gone", func() (bool, string) {
		pids := c.guardians()
		return len(pids) == 0, fmt.Sprint(pids)
	})
	if not := c.standing(); len(not) != 2 {
		t.Fatalf("of the stack there stand still %v, want everything: nobody is there to unpause it", not)
	}
	s.journal = exists(c.journal())
	c.env, c.command = nil, nil
	c.launch()
	eventually(t, "the stack to run again", func() (bool, string) {
		not := c.standing()
		return len(not) == 0, strings.Join(not, ", ")
	})
	took := time.Since(died)
	c.serves()
	t.Logf("from the panel's death to a stack that ran again: %s; to a panel that served again: %s",
		took.Round(time.Millisecond), time.Since(died).Round(time.Millisecond))
	if took > restartBound {
		t.Errorf("the stack stood still for %s after the panel's death, want less than %s", took, restartBound)
	}
	c.check(s, staysOld)
}

// TestShutdown: SIGTERM in the middle of a run finishes or undoes it first; a second one, and a third,
// change nothing; and the streams that show it end cleanly. So it is with the SIGHUP of a terminal that
// is closed.
func TestShutdown(t *testing.T) {
	for name, signals := range map[string][]syscall.Signal{
		"one SIGTERM": {syscall.SIGTERM}, "three": {syscall.SIGTERM, syscall.SIGTERM, syscall.SIGTERM},
		"a SIGHUP, and a SIGTERM": {syscall.SIGHUP, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChaos(processRig(t, referenceConfig(t)))
			for _, refused := range []bool{false, true} {
				c.start()
				c.settled()
				streams := c.listen("/api/v1/events", "/events?page=overview")
				s := c.newSave(refused)
				answered := c.put(s)
				eventually(t, "the run to get under way", func() (bool, string) {
					return exists(c.journal()) || len(answered) > 0, "no journal"
				})
				for _, s := range signals {
					must(t, c.process.Process.Signal(s))
				}
				select {
				case <-c.ended:
				case <-time.After(patience):
					t.Fatalf("the panel did not end within %s of %s:\n%s", patience, signals[0], c.panel.output)
				}
				if code := c.process.ProcessState.ExitCode(); code != 0 {
					t.Errorf("the panel ended with status %d, want 0:\n%s", code, c.panel.output)
				}
				if exists(c.journal()) {
					t.Error("the panel left a journal behind: the run was neither finished nor undone")
				}
				if not := c.standing(); len(not) > 0 {
					t.Errorf("the panel ended, and %v", not)
				}
				for path, err := range streams() {
					if err != nil {
						t.Errorf("the stream %s did not end cleanly: %v", path, err)
					}
				}
				if a := <-answered; a.err != nil {
					t.Errorf("whoever saved got no answer: %v", a.err)
				} else if refused == (a.report.Outcome == stack.Applied) {
					t.Errorf("the run ended as %q: %s", a.report.Outcome, a.report.Message)
				}
				want := becomesNew
				if refused {
					want = staysOld
				}
				c.start()
				c.check(s, want)
				c.kill()
			}
		})
	}
}

// listen opens event streams. The function it returns waits for their end and says how each ended.
func (c *chaos) listen(paths ...string) (ends func() map[string]error) {
	c.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	ended := map[string]error{}
	for _, path := range paths {
		request, err := http.NewRequest("GET", c.url+path, nil)
		must(c.TB, err)
		request.Header.Set("Accept", "text/event-stream")
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		must(c.TB, err)
		if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
			c.Fatalf("%s answered %d with %q, want a stream", path, response.StatusCode, kind)
		}
		all.Go(func() {
			defer response.Body.Close()
			_, err := io.Copy(io.Discard, response.Body) // nil at a clean end; a cut is an error
			mu.Lock()
			defer mu.Unlock()
			ended[path] = err
		})
	}
	return func() map[string]error {
		all.Wait()
		return ended
	}
}

// TestEngineAway: the panel starts without an engine, says so, refuses to save, and needs no help when
// the engine comes, goes, and comes again.
func TestEngineAway(t *testing.T) {
	c := newChaos(containerRig(t, referenceConfig(t)))
	door := &door{TB: t, path: filepath.Join(shortFolder(t), "docker.sock"), engine: engineSocket(t)}
	t.Cleanup(door.shut)
	c.env = append(c.env, "DOCKER_HOST=unix://"+door.path)
	c.start()
	problem := func() string {
		var status struct{ Problem string }
		c.call("GET", "/api/v1/status", "", "", &status)
		return status.Problem
	}
	eventually(t, "the panel to say that there is no engine", func() (bool, string) {
		p := problem()
		return strings.Contains(p, "engine"), p
	})
	s := c.newSave(false)
	if status := c.call("PUT", "/api/v1/config", "application/toml", s.new, nil); status != http.StatusBadGateway {
		t.Errorf("a save without an engine got %d, want 502", status)
	}
	if live := c.readConfig(); live != s.old {
		t.Errorf("a save without an engine changed the file:\n%s", live)
	}
	for range 2 {
		door.open()
		eventually(t, "the panel to find the engine", func() (bool, string) {
			p := problem()
			return p == "", p
		})
		c.settled()
		s := c.newSave(false)
		if a := <-c.put(s); a.err != nil || a.report.Outcome != stack.Applied {
			t.Fatalf("with the engine back, a save ended as %+v (%v)", a.report, a.err)
		}
		c.check(s, becomesNew)
		door.shut()
		eventually(t, "the panel to say that the engine is away", func() (bool, string) {
			p := problem()
			return p != "", p
		})
	}
}

// engineSocket is where the engine of these tests listens.
func engineSocket(t testing.TB) string {
	t.Helper()
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		return "/var/run/docker.sock"
	}
	path, found := strings.CutPrefix(host, "unix://")
	if !found {
		t.Fatalf("this test needs an engine behind a socket of this machine; DOCKER_HOST is %s", host)
	}
	return path
}

func shortFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "ps-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// door is a way to the engine that can be shut: to whoever comes through it, the engine is away then.
type door struct {
	testing.TB
	path, engine string
	listener     net.Listener
	mu           sync.Mutex
	inside       map[net.Conn]bool
	all          sync.WaitGroup
}

func (d *door) open() {
	d.Helper()
	listener, err := net.Listen("unix", d.path)
	must(d.TB, err)
	d.listener, d.inside = listener, map[net.Conn]bool{}
	d.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			d.all.Go(func() { d.pass(conn) })
		}
	})
}

func (d *door) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("unix", d.engine)
	if err != nil {
		return
	}
	defer out.Close()
	d.mu.Lock()
	if d.inside == nil {
		d.mu.Unlock()
		return
	}
	d.inside[in], d.inside[out] = true, true
	d.mu.Unlock()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(in, out)
		_ = in.(*net.UnixConn).CloseWrite()
	}()
	_, _ = io.Copy(out, in)
	_ = out.(*net.UnixConn).CloseWrite()
	<-back
	d.mu.Lock()
	delete(d.inside, in)
	delete(d.inside, out)
	d.mu.Unlock()
}

// shut breaks what is under way, too. A door that is shut can be shut.
func (d *door) shut() {
	if d.listener == nil {
		return
	}
	_ = d.listener.Close()
	d.mu.Lock()
	for conn := range d.inside {
		_ = conn.Close()
	}
	d.inside = nil
	d.mu.Unlock()
	d.all.Wait()
	d.listener = nil
}

// TestAJournalThatCannotBeRead never keeps the panel from starting; a person learns of it.
func TestAJournalThatCannotBeRead(t *testing.T) {
	c := newChaos(processRig(t, referenceConfig(t)))
	for name, content := range map[string]string{
		"a torn one":               `{"version":1,"run":"2026`,
		"one of another version":   `{"version":99,"run":"20261125T093000.000Z-000000","phase":"somewhere"}`,
		"one with nothing in it":   "",
		"one that is not a record": "\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			c.TB = t
			must(t, os.MkdirAll(c.state(), 0o700))
			must(t, os.WriteFile(c.journal(), []byte(content), 0o600))
			c.start()
			c.settled()
			reports := c.audited()
			if len(reports) == 0 {
				t.Fatal("the audit log says nothing")
			}
			if r := reports[len(reports)-1]; r.Kind != stack.KindRecover || r.Outcome != stack.Failed || !strings.Contains(r.Message, "journal") {
				t.Errorf("the audit log says %+v, want a recovery that failed because of the journal", r)
			}
			if exists(c.journal()) {
				t.Error("the journal is still there, and the next start would meet it again")
			}
			s := c.newSave(false)
			if a := <-c.put(s); a.err != nil || a.report.Outcome != stack.Applied {
				t.Errorf("a save ended as %+v (%v), want it applied", a.report, a.err)
			}
			aside, err := filepath.Glob(c.journal() + ".unreadable-*")
			if err != nil || len(aside) != 1 {
				t.Errorf("set aside: %v (%v), want one journal for a person to read", aside, err)
			}
			for _, path := range aside {
				must(t, os.Remove(path))
			}
			c.check(s, becomesNew)
		})
	}
}

// TestUnitLetsTheGuardianLive: with another KillMode systemd would kill the guardian and the services
// of the process backend together with the panel; with another OOMPolicy it would stop the panel for a
// service that the kernel killed for want of memory.
func TestUnitLetsTheGuardianLive(t *testing.T) {
	unit, err := os.ReadFile("../deploy/pitstop.service")
	must(t, err)
	for _, want := range []string{"\nKillMode=process\n", "\nRestart=always\n", "\nOOMPolicy=continue\n"} {
		if !bytes.Contains(unit, []byte(want)) {
			t.Errorf("deploy/pitstop.service has no line %q", strings.TrimSpace(want))
		}
	}
}
