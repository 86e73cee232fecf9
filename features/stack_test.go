package features

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pitstop/stack/docker/dockertest"
)

const (
	orchestrator = "python-orchestrator"
	scanner      = "go-scanner"
)

// containers are the reference stack on the real engine, with a config folder of its own. They use the
// machine's own network: a network that comes or goes makes Chromium drop its requests.
type containers struct {
	testing.TB
	engine  *dockertest.Engine
	events  *dockertest.Recorder
	service map[string]*dockertest.Container
	panel   *panel
}

// referenceConfig is the shipped config with debug logs, so that each heartbeat is seen.
func referenceConfig(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile("../deploy/config.toml")
	must(t, err)
	return strings.ReplaceAll(string(content), `log_level        = "info"`, `log_level        = "debug"`)
}

// runContainers starts both services on the engine and prepares a panel for them; env is for the services.
func runContainers(t testing.TB, config, restart string, env ...string) *containers {
	t.Helper()
	engine := dockertest.New(t)
	offers := freeAddress(t)
	label := func(name string) string { return name + "-" + engine.Unique }
	c := &containers{TB: t, engine: engine, service: map[string]*dockertest.Container{}}
	c.panel = newPanel(t, "docker", config, fmt.Sprintf(`
[[stack.service]]
name = "python-orchestrator"
selector = "app=%s"
reload = { signal = "SIGUSR1", confirm = "Config reloaded" }
[[stack.service]]
name = "go-scanner"
selector = "app=%s"
reload = { watch = true, confirm = "Config reloaded" }
`, label(orchestrator), label(scanner)))
	folder := filepath.Dir(c.panel.config)
	c.events = engine.Events()
	for _, name := range []string{scanner, orchestrator} {
		c.service[name] = engine.Run(dockertest.Spec{
			Name: name, Image: "pitstop/" + name + ":test", Labels: map[string]string{"app": label(name)},
			Binds: []string{folder + ":/config"}, Network: "host", Restart: restart,
			Env: append([]string{"SCANNER_ADDRESS=" + offers, "SCANNER_LISTEN=" + offers}, env...),
		})
	}
	for _, container := range c.service {
		container.WaitLog("Config loaded revision=")
	}
	return c
}

// both are the containers in the order of the settings.
func (c *containers) both() []*dockertest.Container {
	return []*dockertest.Container{c.service[orchestrator], c.service[scanner]}
}

// logged counts the lines of a service that contain text.
func (c *containers) logged(name, text string) int {
	n := 0
	for _, line := range c.service[name].Logs() {
		if strings.Contains(line.Text, text) {
			n++
		}
	}
	return n
}

// freeAddress is an address on this machine that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return listener.Addr().String()
}
