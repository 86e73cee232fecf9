// Package dockertest is what tests see of a real Docker engine: containers of their own, the
// engine's event stream, and pauses without Pitstop in between. It holds the Docker SDK so that no
// test outside stack/docker needs it.
//
// Everything that a test makes carries the label pitstop.test, has a name with a random part, and is
// removed when the test ends. Nothing else on the engine is touched.
package dockertest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// Base is the image with a shell that `make engine` makes.
const Base = "debian:bookworm-slim"

// Label marks what tests made; its value is the test's own random word.
const Label = "pitstop.test"

// patience is how long a test waits for the engine. It only ever matters to a test that fails.
const patience = 60 * time.Second

// Engine is the real Docker engine, as one test sees it. Whatever fails, fails the test.
type Engine struct {
	// Unique is a word that no other test has, for labels and names.
	Unique string

	t      testing.TB
	client *client.Client
}

// New connects to the engine that DOCKER_HOST names, or the usual one. A test that needs an engine
// and finds none fails.
func New(t testing.TB) *Engine {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatalf("the Docker engine's address cannot be understood: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	e := &Engine{Unique: strings.ToLower(rand.Text()[:10]), t: t, client: c}
	ctx, cancel := e.context()
	defer cancel()
	if _, err := c.Ping(ctx); err != nil {
		t.Fatalf("this test needs a Docker engine, and none answers at %s: run make engine (%v)", c.DaemonHost(), err)
	}
	return e
}

// Host is the engine's address.
func (e *Engine) Host() string { return e.client.DaemonHost() }

// APIVersion is what the engine itself speaks.
func (e *Engine) APIVersion() string {
	e.t.Helper()
	ctx, cancel := e.context()
	defer cancel()
	v, err := e.client.ServerVersion(ctx)
	e.must(err, "ask the engine for its version")
	return v.APIVersion
}

// Network makes a network in which containers find each other by Spec.Alias, and returns its name.
func (e *Engine) Network() string {
	e.t.Helper()
	ctx, cancel := e.context()
	defer cancel()
	name := "pitstop-" + e.Unique + "-" + strings.ToLower(rand.Text()[:4])
	_, err := e.client.NetworkCreate(ctx, name, network.CreateOptions{Labels: map[string]string{Label: e.Unique}})
	e.must(err, "make a network")
	e.t.Cleanup(func() {
		ctx, cancel := e.context()
		defer cancel()
		if err := e.client.NetworkRemove(ctx, name); err != nil {
			e.t.Logf("the network %s was left behind: %v", name, err)
		}
	})
	return name
}

// context is for one call. It is not the test's own, which ends before the test is cleaned up.
func (e *Engine) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func (e *Engine) must(err error, what string) {
	if err != nil {
		e.t.Helper()
		e.t.Fatalf("could not %s: %v", what, err)
	}
}

// eventually waits for a condition. state tells what is there instead, should it not come.
func (e *Engine) eventually(what string, ok func() bool, state func() string) {
	e.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	e.t.Fatal(fmt.Sprintf("not within %v: %s; ", patience, what), state())
}
