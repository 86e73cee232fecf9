package dockertest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/pkg/stdcopy"
)

// Spec is a container to run.
type Spec struct {
	Name    string // its beginning; a random word follows
	Image   string // empty: Base
	Cmd     []string
	Env     []string
	Labels  map[string]string
	Binds   []string // HOST:CONTAINER, or HOST:CONTAINER:ro
	Restart string   // restart policy; empty: none
	Network string   // empty: none, for an address that comes or goes makes Chromium drop its requests
	Alias   string   // its name for others in Network
	User    string
	Tty     bool
}

// Container is one that this test made.
type Container struct {
	ID   string
	Name string

	e *Engine
}

// State is what the engine says of a container.
type State struct {
	Status   string // running, paused, restarting, exited, …
	PID      int    // on the engine's machine
	Started  time.Time
	Restarts int
	ExitCode int
}

// Line is a line of a container's log.
type Line struct {
	Time time.Time
	Text string
}

// Create makes a container and does not start it.
func (e *Engine) Create(s Spec) *Container {
	e.t.Helper()
	ctx, cancel := e.context()
	defer cancel()
	if s.Image == "" {
		s.Image = Base
	}
	labels := maps.Clone(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[Label] = e.Unique
	var networks *network.NetworkingConfig
	if s.Network != "" && s.Alias != "" {
		networks = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
			s.Network: {Aliases: []string{s.Alias}},
		}}
	}
	name := fmt.Sprintf("%s-%s-%s", s.Name, e.Unique, strings.ToLower(rand.Text()[:4]))
	init := false
	made, err := e.client.ContainerCreate(ctx,
		&container.Config{Image: s.Image, Cmd: s.Cmd, Env: s.Env, Labels: labels, User: s.User, Tty: s.Tty},
		&container.HostConfig{
			Binds:         s.Binds,
			NetworkMode:   container.NetworkMode(cmp.Or(s.Network, "none")),
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(s.Restart)},
			Init:          &init,
		},
		networks, nil, name)
	if cerrdefs.IsNotFound(err) {
		e.t.Fatalf("the engine has no image %s: run make engine (%v)", s.Image, err)
	}
	e.must(err, "make container "+name)
	c := &Container{ID: made.ID, Name: name, e: e}
	e.t.Cleanup(c.remove)
	return c
}

// Run makes a container and starts it.
func (e *Engine) Run(s Spec) *Container {
	e.t.Helper()
	c := e.Create(s)
	c.Start()
	return c
}

// Container finds one that something else made by its name or ID. It is not removed with the test.
func (e *Engine) Container(name string) *Container {
	e.t.Helper()
	ctx, cancel := e.context()
	defer cancel()
	d, err := e.client.ContainerInspect(ctx, name)
	e.must(err, "find container "+name)
	return &Container{ID: d.ID, Name: strings.TrimPrefix(d.Name, "/"), e: e}
}

// Start starts the container.
func (c *Container) Start() {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	c.e.must(c.e.client.ContainerStart(ctx, c.ID, container.StartOptions{}), "start "+c.Name)
}

// Stop stops it at once.
func (c *Container) Stop() {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	now := 0
	c.e.must(c.e.client.ContainerStop(ctx, c.ID, container.StopOptions{Timeout: &now}), "stop "+c.Name)
}

// Restart stops it at once and starts it again: the same container in another life.
func (c *Container) Restart() {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	now := 0
	c.e.must(c.e.client.ContainerRestart(ctx, c.ID, container.StopOptions{Timeout: &now}), "restart "+c.Name)
}

// Pause pauses it, as somebody else than Pitstop.
func (c *Container) Pause() {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	c.e.must(c.e.client.ContainerPause(ctx, c.ID), "pause "+c.Name)
}

// Unpause lets it go on.
func (c *Container) Unpause() {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	c.e.must(c.e.client.ContainerUnpause(ctx, c.ID), "unpause "+c.Name)
}

// Kill sends a signal through the engine.
func (c *Container) Kill(signal string) {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	c.e.must(c.e.client.ContainerKill(ctx, c.ID, signal), "send "+signal+" to "+c.Name)
}

// Remove removes it, whatever it does. Removing it twice is no error.
func (c *Container) Remove() {
	c.e.t.Helper()
	c.remove()
}

func (c *Container) remove() {
	ctx, cancel := c.e.context()
	defer cancel()
	_ = c.e.client.ContainerUnpause(ctx, c.ID) // an engine may not be able to end a paused one
	err := c.e.client.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !cerrdefs.IsNotFound(err) {
		c.e.t.Errorf("container %s was left behind: %v", c.Name, err)
	}
}

// State asks the engine.
func (c *Container) State() State {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	d, err := c.e.client.ContainerInspect(ctx, c.ID)
	c.e.must(err, "inspect "+c.Name)
	started, _ := time.Parse(time.RFC3339Nano, d.State.StartedAt)
	return State{
		Status:   d.State.Status,
		PID:      d.State.Pid,
		Started:  started,
		Restarts: d.RestartCount,
		ExitCode: d.State.ExitCode,
	}
}

// WaitState waits until its state is as wanted.
func (c *Container) WaitState(what string, ok func(State) bool) State {
	c.e.t.Helper()
	var s State
	c.e.eventually(c.Name+" "+what, func() bool { s = c.State(); return ok(s) },
		func() string { return fmt.Sprintf("it is %+v", s) })
	return s
}

// Logs is what it has written so far, both streams.
func (c *Container) Logs() []Line {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	stream, err := c.e.client.ContainerLogs(ctx, c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true})
	c.e.must(err, "read the log of "+c.Name)
	defer func() { _ = stream.Close() }()
	var text bytes.Buffer
	if d, inspectErr := c.e.client.ContainerInspect(ctx, c.ID); inspectErr == nil && d.Config.Tty {
		_, err = io.Copy(&text, stream)
	} else {
		_, err = stdcopy.StdCopy(&text, &text, stream)
	}
	c.e.must(err, "read the log of "+c.Name)
	var lines []Line
	for l := range strings.Lines(text.String()) {
		stamp, rest, _ := strings.Cut(strings.TrimRight(l, "\r\n"), " ")
		at, _ := time.Parse(time.RFC3339Nano, stamp)
		lines = append(lines, Line{Time: at, Text: rest})
	}
	return lines
}

// WaitLog waits for a line that contains text, and returns the first.
func (c *Container) WaitLog(text string) Line {
	c.e.t.Helper()
	var found Line
	c.e.eventually(c.Name+" logs "+text, func() bool {
		for _, l := range c.Logs() {
			if strings.Contains(l.Text, text) {
				found = l
				return true
			}
		}
		return false
	}, func() string { return fmt.Sprintf("its log: %v", c.Logs()) })
	return found
}

// Exec runs a command in the container, and returns what it wrote and its exit status.
func (c *Container) Exec(command ...string) (output string, status int) {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	what := fmt.Sprintf("run %q in %s", command, c.Name)
	made, err := c.e.client.ContainerExecCreate(ctx, c.ID, container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	c.e.must(err, what)
	stream, err := c.e.client.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	c.e.must(err, what)
	defer stream.Close()
	var text bytes.Buffer
	_, err = stdcopy.StdCopy(&text, &text, stream.Reader)
	c.e.must(err, what)
	result, err := c.e.client.ContainerExecInspect(ctx, made.ID)
	c.e.must(err, what)
	return text.String(), result.ExitCode
}

// CopyOut is the content of a file in the container.
func (c *Container) CopyOut(path string) []byte {
	c.e.t.Helper()
	ctx, cancel := c.e.context()
	defer cancel()
	what := "copy " + path + " out of " + c.Name
	stream, _, err := c.e.client.CopyFromContainer(ctx, c.ID, path)
	c.e.must(err, what)
	defer func() { _ = stream.Close() }()
	archive := tar.NewReader(stream)
	_, err = archive.Next()
	c.e.must(err, what)
	content, err := io.ReadAll(archive)
	c.e.must(err, what)
	return content
}
