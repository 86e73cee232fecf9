package docker

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
	"pitstop/stack/stacktest"
)

// script is a service as stacktest wants it. Told so by a file, it crashes.
const script = `trap 'echo signal USR1' USR1
echo ready
while :; do
	if [ -e /crash ]; then rm /crash; exit 3; fi
	echo beat
	sleep 0.05 & wait $!
done`

func scripted(name string, labels map[string]string) dockertest.Spec {
	return dockertest.Spec{Name: name, Cmd: []string{"sh", "-c", script}, Labels: labels}
}

// app is a service whose label no other test has.
func app(e *dockertest.Engine, name string) stack.Service {
	return stack.Service{Name: name, Selector: "app=" + name + "-" + e.Unique}
}

func labels(e *dockertest.Engine, name string) map[string]string {
	return map[string]string{"app": name + "-" + e.Unique}
}

func newBackend(t *testing.T, o Options) *Backend {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// one starts a container of a service, waits until it can take signals, and returns it with the
// backend that knows it.
func one(t *testing.T, e *dockertest.Engine, spec dockertest.Spec) (*Backend, *dockertest.Container) {
	t.Helper()
	spec.Labels = labels(e, "one")
	c := e.Run(spec)
	c.WaitLog("ready")
	return newBackend(t, Options{Services: []stack.Service{app(e, "one")}, ConfigPath: "/config/config.toml"}), c
}

// only is the one instance that there is.
func only(t *testing.T, b *Backend) stack.Instance {
	t.Helper()
	all, err := b.Instances(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("Instances: got %v, %v; want one", all, err)
	}
	return all[0]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

// door is a socket of its own before the real engine. It can be shut, opened again, and cut off in
// the middle of whatever goes through.
type door struct {
	t      *testing.T
	socket string
	// swallow tells of which requests the engine's answer never comes back. Nil: of none.
	swallow func(*http.Request) bool
	// refuse tells which requests get 403 and no further. Nil: none.
	refuse func(*http.Request) bool
	// behind is how much the clock of the engine that is seen through the door is behind the real one's.
	behind time.Duration
	// deaf drops every new request without an answer. What goes through already, goes on.
	deaf atomic.Bool

	mu     sync.Mutex
	server *http.Server
	conns  map[net.Conn]bool
}

func newDoor(t *testing.T, e *dockertest.Engine) *door {
	t.Helper()
	folder, err := os.MkdirTemp("", "door") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	address, err := client.ParseHostURL(e.Host())
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, socket: filepath.Join(folder, "s"), conns: map[net.Conn]bool{}}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, address.Scheme, address.Host+address.Path)
	}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "engine"})
			d.askInItsTime(r.Out)
		},
		Transport:     transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if d.swallow != nil && d.swallow(r.Request) {
				panic(http.ErrAbortHandler)
			}
			return d.answerInItsTime(r)
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	d.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.deaf.Load() {
			panic(http.ErrAbortHandler)
		}
		if d.refuse != nil && d.refuse(r) {
			http.Error(w, `{"message":"the proxy does not allow this"}`, http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, r)
	})}
	t.Cleanup(func() {
		d.shut()
		transport.CloseIdleConnections()
	})
	return d
}

func (d *door) host() string { return "unix://" + d.socket }

func (d *door) open() {
	d.t.Helper()
	listener, err := net.Listen("unix", d.socket)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.server = &http.Server{Handler: d.server.Handler, ConnState: d.track}
	go func(s *http.Server) { _ = s.Serve(listener) }(d.server)
}

func (d *door) track(c net.Conn, s http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s {
	case http.StateNew:
		d.conns[c] = true
	case http.StateClosed:
		delete(d.conns, c)
	}
}

// cut ends every connection that there is; new ones are welcome.
func (d *door) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		_ = c.Close()
	}
}

// shut ends every connection and lets none in.
func (d *door) shut() {
	d.mu.Lock()
	server := d.server
	d.mu.Unlock()
	_ = server.Close()
	d.cut()
}

func TestContract(t *testing.T) {
	contract(t, func(*testing.T, *dockertest.Engine) string { return "" })
}

// contract is the contract kept by a backend that reaches the engine at this address.
func contract(t *testing.T, host func(*testing.T, *dockertest.Engine) string) {
	stacktest.TestBackend(t, func(t *testing.T) stacktest.Harness {
		e := dockertest.New(t)
		services := []stack.Service{app(e, "first"), app(e, "second")}
		byID := map[string]*dockertest.Container{}
		for _, name := range []string{"first", "second"} {
			c := e.Run(scripted(name, labels(e, name)))
			byID[c.ID] = c
		}
		return stacktest.Harness{
			Backend:  newBackend(t, Options{Host: host(t, e), Services: services}),
			Services: services,
			Kill: func(t *testing.T, i stack.Instance) {
				byID[i.ID].Kill("SIGKILL")
				byID[i.ID].WaitState("has ended", func(s dockertest.State) bool { return s.Status == "exited" })
			},
			Remove: func(t *testing.T, i stack.Instance) { byID[i.ID].Remove() },
		}
	})
}
