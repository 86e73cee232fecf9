package docker

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

func TestEngineAway(t *testing.T) {
	t.Run("every call says that the engine cannot be reached, and where", func(t *testing.T) {
		socket := filepath.Join(t.TempDir(), "none.sock")
		b := newBackend(t, Options{Host: "unix://" + socket, Services: []stack.Service{{Name: "a", Selector: "app=a"}}})
		i := stack.Instance{Service: "a", ID: "4f2a", Name: "a-1"}
		_, listErr := b.Instances(t.Context())
		_, inspectErr := b.Inspect(t.Context(), i)
		_, signalErr := b.Signal(t.Context(), i, "SIGUSR1")
		var logErr error
		for _, err := range b.Logs(t.Context(), i, time.Now()) {
			logErr = err
		}
		for name, err := range map[string]error{
			"Instances": listErr, "Inspect": inspectErr, "Signal": signalErr, "Logs": logErr,
			"Pause": b.Pause(t.Context(), i), "Unpause": b.Unpause(t.Context(), i),
		} {
			if !errors.Is(err, stack.ErrUnavailable) || !strings.Contains(err.Error(), socket) {
				t.Errorf("%s: got %v, want stack.ErrUnavailable and the socket", name, err)
			}
		}
	})
	t.Run("an engine that comes, goes and comes back is used", func(t *testing.T) {
		e := dockertest.New(t)
		d := newDoor(t, e)
		e.Run(scripted("one", labels(e, "one")))
		b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
		if _, err := b.Instances(t.Context()); !errors.Is(err, stack.ErrUnavailable) {
			t.Errorf("before the engine came: got %v, want stack.ErrUnavailable", err)
		}
		d.open()
		only(t, b)
		d.shut()
		if _, err := b.Instances(t.Context()); !errors.Is(err, stack.ErrUnavailable) {
			t.Errorf("when the engine had gone: got %v, want stack.ErrUnavailable", err)
		}
		d.open()
		only(t, b)
	})
	t.Run("an engine that hangs is given up when the context ends", func(t *testing.T) {
		release := make(chan struct{})
		host := fakeEngine(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		t.Cleanup(func() { close(release) })
		b := newBackend(t, Options{Host: host})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := b.Pause(ctx, stack.Instance{ID: "4f2a"})
		if !errors.Is(err, stack.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Pause: got %v, want stack.ErrUnavailable and context.DeadlineExceeded", err)
		}
	})
	t.Run("a context that was cancelled is not taken for an engine that is away", func(t *testing.T) {
		b := newBackend(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := b.Pause(ctx, stack.Instance{ID: "4f2a"})
		if errors.Is(err, stack.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("Pause: got %v, want context.Canceled alone", err)
		}
	})
}

// fakeEngine serves a handler over TCP, as an engine's address.
func fakeEngine(t *testing.T, h http.Handler) (host string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return "tcp://" + s.Listener.Addr().(*net.TCPAddr).String()
}

func TestAPIVersion(t *testing.T) {
	t.Run("the version agreed on is one that both the engine and the SDK speak", func(t *testing.T) {
		e := dockertest.New(t)
		b := newBackend(t, Options{})
		c, err := b.engine.client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ClientVersion(); versions.GreaterThan(got, e.APIVersion()) {
			t.Errorf("agreed on %s, and the engine speaks %s only", got, e.APIVersion())
		}
	})
	t.Run("an engine upgraded between two calls is spoken to in its new version", func(t *testing.T) {
		var version atomic.Value
		version.Store("1.41")
		host := fakeEngine(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			now := version.Load().(string)
			w.Header().Set("Api-Version", now)
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.URL.Path == "/_ping":
			case !strings.HasPrefix(r.URL.Path, "/v"+now+"/"):
				w.WriteHeader(http.StatusBadRequest)
				_ = json.NewEncoder(w).Encode(map[string]string{"message": "client version is too old"})
			default:
				_, _ = w.Write([]byte("[]"))
			}
		}))
		b := newBackend(t, Options{Host: host, Services: []stack.Service{{Name: "a", Selector: "app=a"}}})
		for _, v := range []string{"1.41", "1.44", "1.43"} {
			version.Store(v)
			if _, err := b.Instances(t.Context()); err != nil {
				t.Errorf("Instances with an engine of version %s: %v", v, err)
			}
			if c := b.engine.current.Load(); c == nil || c.ClientVersion() != v {
				t.Errorf("with an engine of version %s: the client is %v", v, clientVersion(c))
			}
		}
	})
}

func clientVersion(c *client.Client) string {
	if c == nil {
		return "none"
	}
	return c.ClientVersion()
}
