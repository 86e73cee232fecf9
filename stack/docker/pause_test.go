package docker

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pitstop/stack"
)

// slowEngine is an engine that takes its time for a pause. It tells what it did, in order.
type slowEngine struct {
	came    chan struct{} // closed when it is asked for a pause, which is once
	release chan struct{} // a pause waits for it
	mu      sync.Mutex
	done    []string
}

func (s *slowEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	if r.Method != http.MethodPost {
		return
	}
	what := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if what == "pause" {
		close(s.came)
		<-s.release
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, what)
	w.WriteHeader(http.StatusNoContent)
}

func TestAnUnpauseNeverOvertakesThePauseThatItUndoes(t *testing.T) {
	slow := &slowEngine{came: make(chan struct{}), release: make(chan struct{})}
	release := sync.OnceFunc(func() { close(slow.release) })
	b := newBackend(t, Options{Host: fakeEngine(t, slow)})
	t.Cleanup(release) // before the fake engine closes, which waits for its requests
	i := stack.Instance{ID: "4f2a", Name: "scanner"}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-slow.came
		cancel()
	}()
	if err := b.Pause(ctx, i); err == nil {
		t.Fatal("Pause: got no error from an engine that did not answer")
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Unpause(soon, i); err == nil {
		t.Fatal("Unpause: got no error while the pause was unanswered")
	}
	if err := b.Unpause(soon, stack.Instance{ID: "77aa", Name: "other"}); err == nil {
		t.Error("Unpause with a context that has ended: got no error")
	}
	unpaused := make(chan error, 1)
	go func() { unpaused <- b.Unpause(t.Context(), i) }()
	release()
	if err := <-unpaused; err != nil {
		t.Errorf("Unpause once the engine answers: %v", err)
	}
	slow.mu.Lock()
	defer slow.mu.Unlock()
	if want := []string{"pause", "unpause"}; !slices.Equal(slow.done, want) {
		t.Errorf("the engine did %q, want %q", slow.done, want)
	}
}

// lateEngine is an engine that is behind with containerd's events: it says once more that a frozen
// container runs, refuses to unpause it, and then learns that it is frozen.
type lateEngine struct {
	mu     sync.Mutex
	frozen bool
	looks  int // until it learns
}

func (l *lateEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/unpause") && l.looks > 0:
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"message":"the container is not paused"}`)
	case strings.HasSuffix(r.URL.Path, "/unpause"):
		l.frozen = false
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/json"):
		status := "running"
		if l.looks--; l.looks <= 0 && l.frozen {
			status = "paused"
		}
		_, _ = fmt.Fprintf(w, `{"Id":"4f2a","Name":"/scanner","State":{"Status":%q,"Running":true},"Config":{},"HostConfig":{}}`, status)
	}
}

func TestAFrozenContainerIsUnpausedThoughTheEngineSaysThatItRuns(t *testing.T) {
	late := &lateEngine{frozen: true, looks: 3}
	b := newBackend(t, Options{Host: fakeEngine(t, late)})
	if err := b.Unpause(t.Context(), stack.Instance{ID: "4f2a", Name: "scanner"}); err != nil {
		t.Errorf("Unpause: %v", err)
	}
	late.mu.Lock()
	defer late.mu.Unlock()
	if late.frozen {
		t.Error("the container is still frozen")
	}
}
