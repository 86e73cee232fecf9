package docker

import (
	"context"
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
		<-s.release
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, what)
	w.WriteHeader(http.StatusNoContent)
}

func TestAnUnpauseNeverOvertakesThePauseThatItUndoes(t *testing.T) {
	slow := &slowEngine{release: make(chan struct{})}
	release := sync.OnceFunc(func() { close(slow.release) })
	b := newBackend(t, Options{Host: fakeEngine(t, slow)})
	t.Cleanup(release) // before the fake engine closes, which waits for its requests
	i := stack.Instance{ID: "4f2a", Name: "scanner"}

	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Pause(soon, i); err == nil {
		t.Fatal("Pause: got no error from an engine that did not answer")
	}
	soon, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
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
