package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"pitstop/stack"
)

// idleConnections is how many connections are kept open between calls, so that a pause of a whole
// stack at once needn't first connect once per container. The SDK alone would keep two.
const idleConnections = 64

// connecting is how long an engine may take to answer the first call. Other calls wait for it.
const connecting = 10 * time.Second

// engine is the connection to a Docker engine. The SDK's client agrees on an API version once, and
// only ever goes down, which is wrong for an engine that comes back upgraded: so the client is
// dropped whenever the connection breaks, and the next call makes another.
type engine struct {
	host    string
	log     *slog.Logger
	turn    chan struct{} // held by the one call that connects
	current atomic.Pointer[client.Client]
}

func newEngine(host string, log *slog.Logger) (*engine, error) {
	c, err := newClient(host)
	if err != nil {
		return nil, fmt.Errorf("could not understand the Docker engine's address %q: %w", host, err)
	}
	if scheme, _, _ := strings.Cut(c.DaemonHost(), "://"); scheme != "unix" && scheme != "tcp" {
		_ = c.Close()
		return nil, fmt.Errorf("could not use the Docker engine's address %q: Pitstop speaks unix:// and tcp:// only; forward the engine's socket to reach it over %s", c.DaemonHost(), scheme)
	}
	return &engine{host: c.DaemonHost(), log: log, turn: make(chan struct{}, 1)}, nil
}

// newClient makes a client with a transport of its own. It does not connect.
func newClient(host string) (*client.Client, error) {
	// The transport comes before the host, which tells it how to dial.
	options := []client.Opt{
		client.WithHTTPClient(&http.Client{
			Transport: &http.Transport{
				MaxIdleConns:        idleConnections,
				MaxIdleConnsPerHost: idleConnections,
				IdleConnTimeout:     90 * time.Second,
			},
			CheckRedirect: client.CheckRedirect,
		}),
		client.WithTLSClientConfigFromEnv(),
	}
	// Never left out: without it the SDK leaves a transport of ours not knowing how to dial.
	host = cmp.Or(host, os.Getenv(client.EnvOverrideHost), client.DefaultDockerHost)
	return client.NewClientWithOpts(append(options, client.WithHost(host))...)
}

// client returns the client in use, or connects and agrees on an API version.
func (e *engine) client(ctx context.Context) (*client.Client, error) {
	if c := e.current.Load(); c != nil {
		return c, nil
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := e.current.Load(); c != nil { // another call connected meanwhile
		return c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	c, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	e.current.Store(c)
	e.log.Debug("connected to the Docker engine", "host", e.host, "api", c.ClientVersion())
	return c, nil
}

func (e *engine) connect(ctx context.Context) (*client.Client, error) {
	c, err := newClient(e.host)
	if err != nil {
		return nil, err
	}
	ping, err := c.Ping(ctx)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	c.NegotiateAPIVersionPing(ping)
	return c, nil
}

// drop forgets a client, unless another has taken its place already.
func (e *engine) drop(c *client.Client) {
	if e.current.CompareAndSwap(c, nil) {
		_ = c.Close()
	}
}

func (e *engine) close() {
	if c := e.current.Swap(nil); c != nil {
		_ = c.Close()
	}
}

// call makes one call to the engine. The error is a sentence that begins with what could not be
// done, and wraps stack.ErrUnavailable if the engine did not answer.
func call[T any](ctx context.Context, e *engine, what string, f func(*client.Client) (T, error)) (T, error) {
	var none T
	c, err := e.client(ctx)
	if err != nil {
		return none, e.explain(what, err)
	}
	v, err := f(c)
	if err != nil && cerrdefs.IsInvalidArgument(err) {
		if other := e.upgraded(ctx, c); other != nil {
			v, err = f(other)
		}
	}
	if err != nil {
		if unreachable(err) {
			e.drop(c)
		}
		return none, e.explain(what, err)
	}
	return v, nil
}

// do is call for calls without an answer.
func do(ctx context.Context, e *engine, what string, f func(*client.Client) error) error {
	_, err := call(ctx, e, what, func(c *client.Client) (struct{}, error) { return struct{}{}, f(c) })
	return err
}

// upgraded returns a new client if the engine now speaks another API version than this one was made
// for: it was replaced between two calls, and refused the old version.
func (e *engine) upgraded(ctx context.Context, c *client.Client) *client.Client {
	other, err := e.connect(ctx)
	if err != nil {
		return nil
	}
	if other.ClientVersion() == c.ClientVersion() {
		_ = other.Close()
		return nil
	}
	e.drop(c)
	e.current.CompareAndSwap(nil, other)
	e.log.Info("the Docker engine was replaced", "host", e.host, "api", other.ClientVersion())
	return other
}

func (e *engine) explain(what string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("gave up when asked to %s: %w", what, err)
	case errors.Is(err, context.DeadlineExceeded):
		return &away{fmt.Sprintf("could not %s: the Docker engine at %s did not answer in time", what, e.host), err}
	case unreachable(err):
		return &away{fmt.Sprintf("could not %s: the Docker engine at %s does not answer (%s)", what, e.host, plain(err)), err}
	default:
		return fmt.Errorf("could not %s: %w", what, err)
	}
}

// away is an error of an engine that cannot be reached. Its text is one sentence; the SDK's own repeats
// the address and asks whether the daemon is running.
type away struct {
	text  string
	cause error
}

func (a *away) Error() string   { return a.text }
func (a *away) Unwrap() []error { return []error{stack.ErrUnavailable, a.cause} }

// plain is the system's own reason why a connection failed, where there is one.
func plain(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	if client.IsErrConnectionFailed(err) {
		return "is it running?"
	}
	return err.Error()
}

// unreachable tells errors of the connection from the engine's own answers.
func unreachable(err error) bool {
	var network net.Error
	return client.IsErrConnectionFailed(err) ||
		cerrdefs.IsUnavailable(err) ||
		errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
