package features

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
	"pitstop/stack/linuxproc"
)

// composed is the stack of deploy/compose.yaml, brought up by Compose as a project of this test alone.
type composed struct {
	testing.TB
	engine  *dockertest.Engine
	folder  string // what Compose finds in place of the repository's root
	command []string
}

// composeCommand is the plugin, or Debian's docker-compose.
func composeCommand(t testing.TB) []string {
	t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	path, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Fatalf("this test needs Compose; .ci/install compose installs it: %v", err)
	}
	return []string{path}
}

// composeUp brings up the file that is shipped, with the images that the other tests use and the panel's
// own. What differs lies in a second file: names, labels and addresses, so that no other stack is met,
// and the machine's own network, since a network that comes or goes makes Chromium drop its requests.
func composeUp(t testing.TB, config, stopAt string) (*composed, *chaos) {
	t.Helper()
	engine := dockertest.New(t)
	c := &composed{TB: t, engine: engine, folder: t.TempDir()}
	project, image := "pitstop-"+engine.Unique, "pitstop-compose-"+engine.Unique
	label := func(name string) string { return name + "-" + engine.Unique }
	listen, offers := freeAddress(t), loopback()

	p := &panel{TB: t, folder: c.folder, url: "http://" + listen, config: filepath.Join(c.folder, "config", "config.toml"), settings: filepath.Join(c.folder, "deploy", "pitstop.toml")}
	shipped := func(name string) string {
		content, err := os.ReadFile(filepath.Join("..", "deploy", name))
		must(t, err)
		return string(content)
	}
	for name, content := range map[string]string{
		"config/config.toml":  config,
		"deploy/compose.yaml": shipped("compose.yaml"),
		"deploy/Dockerfile":   shipped("Dockerfile"),
		"deploy/pitstop.toml": shipped("pitstop.toml"),
		"deploy/test.yaml":    composeOverlay(image, label, engine.Unique, offers, stopAt),
	} {
		path := filepath.Join(c.folder, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o644))
	}
	p.set(`listen = "127.0.0.1:8080"`, fmt.Sprintf("listen = %q", listen))
	for _, name := range []string{orchestrator, scanner} {
		p.set(fmt.Sprintf(`selector = "app=%s"`, name), fmt.Sprintf(`selector = "app=%s"`, label(name)))
	}
	must(t, os.Mkdir(filepath.Join(c.folder, "bin"), 0o755))
	content, err := os.ReadFile(binary)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(c.folder, "bin", "pitstop"), content, 0o755))

	c.command = append(composeCommand(t), "--project-name", project, "-f", filepath.Join(c.folder, "deploy", "compose.yaml"), "-f", filepath.Join(c.folder, "deploy", "test.yaml"))
	t.Cleanup(func() { // also if it did not come up
		if t.Failed() {
			out, _ := c.compose("logs", "--no-color", "--tail", "60", "pitstop")
			t.Logf("the panel's log:\n%s", out)
		}
		if out, err := c.compose("down", "--volumes", "--timeout", "5"); err != nil {
			t.Errorf("the project was left behind: %v\n%s", err, out)
		}
		if out, err := exec.Command("docker", "image", "rm", image).CombinedOutput(); err != nil && !strings.Contains(string(out), "No such image") {
			t.Errorf("the image was left behind: %v\n%s", err, out)
		}
	})
	for _, arguments := range [][]string{{"build", "pitstop"}, {"up", "-d"}} {
		if out, err := c.compose(arguments...); err != nil {
			t.Fatalf("compose %s: %v\n%s", arguments, err, out)
		}
	}
	stack := &containers{TB: t, engine: engine, panel: p, service: map[string]*dockertest.Container{orchestrator: c.container(orchestrator), scanner: c.container(scanner)}}
	return c, &chaos{rig: rigOf(stack), began: time.Now(), counts: map[string]int{}}
}

// composeOverlay is the second file.
func composeOverlay(image string, label func(string) string, unique, offers, stopAt string) string {
	mark := fmt.Sprintf("%s: %q", dockertest.Label, unique)
	text := fmt.Sprintf(`services:
  pitstop:
    image: %s
    build: { labels: { %s } }
    labels: { %s }
    environment: { PITSTOP_CHAOS_STOP_AT: %q }
`, image, mark, mark, stopAt)
	for _, name := range []string{scanner, orchestrator} {
		text += fmt.Sprintf(`  %s:
    image: pitstop/%s:test
    labels: { app: %s, %s }
    network_mode: host
    environment: { SCANNER_ADDRESS: %q, SCANNER_LISTEN: %q }
`, name, name, label(name), mark, offers, offers)
	}
	return text
}

func (c *composed) compose(arguments ...string) (output string, err error) {
	command := exec.Command(c.command[0], append(c.command[1:], arguments...)...)
	// Without BuildKit: it may not be there.
	command.Env = append(os.Environ(), "CONFIG_FOLDER="+filepath.Join(c.folder, "config"), "DOCKER_BUILDKIT=0", "COMPOSE_DOCKER_CLI_BUILD=0")
	out, err := command.CombinedOutput()
	return string(out), err
}

// container is the one of a service.
func (c *composed) container(service string) *dockertest.Container {
	c.Helper()
	out, err := c.compose("ps", "-q", service)
	must(c.TB, err)
	return c.engine.Container(strings.TrimSpace(out))
}

// answers says whether the panel serves.
func (p *panel) answers() bool {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(p.url + "/healthz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// killBoth kills the panel that stands still in its container, and its guardian before it: the end of
// the container kills that too, but sometimes later than it takes to unpause.
func (c *composed) killBoth(panel *dockertest.Container) {
	c.Helper()
	pid := panel.State().PID
	eventually(c.TB, "the panel to stand still", func() (bool, string) {
		state, err := linuxproc.State(pid)
		return err == nil && state == 'T', fmt.Sprintf("state %c (%v)", state, err)
	})
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	must(c.TB, err)
	for _, list := range lists {
		children, err := os.ReadFile(list)
		must(c.TB, err)
		for _, field := range strings.Fields(string(children)) {
			child, err := strconv.Atoi(field)
			must(c.TB, err)
			must(c.TB, syscall.Kill(child, syscall.SIGKILL))
		}
	}
	must(c.TB, syscall.Kill(pid, syscall.SIGKILL))
}

// TestCompose: what is shipped for Compose comes up, and when panel and guardian are killed in the middle
// of the pause, the restart policy brings the panel back, which lets the stack go on.
func TestCompose(t *testing.T) {
	project, c := composeUp(t, referenceConfig(t), stack.PointPaused)
	eventually(t, "the panel to serve", func() (bool, string) { return c.answers(), "it does not answer" })
	c.settled()
	s := c.newSave(false)
	panel := project.container("pitstop")
	answered := c.put(s)
	project.killBoth(panel)
	died := time.Now()
	if a := <-answered; a.err == nil {
		t.Fatalf("the run ended all the same: %d %+v", a.status, a.report)
	}
	eventually(t, "the stack to run again", func() (bool, string) {
		not := c.standing()
		return len(not) == 0, strings.Join(not, ", ")
	})
	ran := time.Since(died)
	eventually(t, "the panel to serve again", func() (bool, string) { return c.answers(), "it does not answer" })
	served := time.Since(died)
	c.settled()
	t.Logf("from the panel's death to a stack that ran again: %s; to a panel that served again: %s",
		ran.Round(time.Millisecond), served.Round(time.Millisecond))
	if ran > restartBound {
		t.Errorf("the stack stood still for %s after the panel's death, want less than %s", ran, restartBound)
	}
	if n := panel.State().Restarts; n != 1 {
		t.Errorf("the engine restarted the panel %d times, want once", n)
	}
	if live := c.readConfig(); live != s.old {
		t.Errorf("the config file is not the old one:\n%s", live)
	}
	if lives := c.lives(); lives != s.lives {
		t.Errorf("services were restarted:\nbefore %s\nafter  %s", s.lives, lives)
	}
	var reports []stack.Report
	c.call("GET", "/api/v1/runs", "", "", &reports)
	if len(reports) == 0 || reports[0].Kind != stack.KindRecover || reports[0].Outcome != stack.RolledBack || reports[0].Interrupted == "" {
		t.Errorf("the history says %+v, want a recovery that undid the run", reports)
	}
}

// TestAPanelThatItsOwnSelectorChooses: a selector that matches the whole project chooses the panel's container
// too. Paused, the panel could unpause nobody, and its guardian in there neither.
func TestAPanelThatItsOwnSelectorChooses(t *testing.T) {
	project, c := composeUp(t, referenceConfig(t), "")
	was, with := `selector = "app=`+scanner+"-"+project.engine.Unique+`"`, fmt.Sprintf("selector = \"com.docker.compose.project=pitstop-%s,app!=%s-%[1]s\"", project.engine.Unique, orchestrator)
	c.set(was, with)
	if out, err := project.compose("up", "-d", "--force-recreate", "pitstop"); err != nil {
		t.Fatalf("compose up: %v\n%s", err, out)
	}
	eventually(t, "the panel to serve", func() (bool, string) { return c.answers(), "it does not answer" })
	c.settled()
	panel := project.container("pitstop")
	happened := project.engine.Events()
	s := c.newSave(false)
	a := <-c.put(s)
	if a.err != nil || a.report.Outcome != stack.Applied {
		t.Fatalf("the save ended as %+v (%v), want it applied", a.report, a.err)
	}
	happened.Wait("unpause", 1, project.container(scanner), project.container(orchestrator))
	if n := happened.Count("pause", panel); n > 0 {
		t.Errorf("the panel's own container was paused %d times", n)
	}
	var status struct {
		Services []struct {
			Name      string
			Instances []struct{ ID, Name string }
		}
	}
	c.call("GET", "/api/v1/status", "", "", &status)
	for _, service := range status.Services {
		if len(service.Instances) != 1 || service.Instances[0].ID == panel.ID {
			t.Errorf("%s has the instances %+v, want its own alone", service.Name, service.Instances)
		}
	}
	response, err := http.Get(c.url + "/")
	must(t, err)
	page, err := io.ReadAll(response.Body)
	response.Body.Close()
	must(t, err)
	if !strings.Contains(string(page), "Pitstop&#39;s own container") {
		t.Errorf("the overview does not say that its container is left out:\n%s", page)
	}
	if out, _ := project.compose("logs", "--no-color", "pitstop"); !strings.Contains(out, "a selector chooses Pitstop's own container") {
		t.Errorf("nor does the log:\n%s", out)
	}
}
