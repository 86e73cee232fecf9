package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// heartbeat is how long a stream is silent at most, so that proxies keep it and a client that is
	// gone is noticed.
	heartbeat = 15 * time.Second
	// writeTimeout is what one write may take. The server's own WriteTimeout would cut the stream.
	writeTimeout = 10 * time.Second
)

// stream is a response of server-sent events. Its methods are safe for concurrent use.
type stream struct {
	mu sync.Mutex
	w  http.ResponseWriter
	rc *http.ResponseController
}

// openStream begins one: the status and headers are sent when it returns.
func openStream(c echo.Context) (*stream, error) {
	s := &stream{w: c.Response(), rc: http.NewResponseController(c.Response())}
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	return s, s.write(": pitstop\n\n")
}

// send writes one event; id and name may be empty.
func (s *stream) send(id, name, data string) error {
	var b strings.Builder
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	if name != "" {
		fmt.Fprintf(&b, "event: %s\n", name)
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(data, "\r", ""), "\n") {
		b.WriteString("data: ")
		b.WriteString(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return s.write(b.String())
}

// beat writes a comment, which clients ignore.
func (s *stream) beat() error { return s.write(":\n\n") }

func (s *stream) write(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}

// beating keeps a stream alive while its handler waits elsewhere; end stops that, and waits for it.
func (s *stream) beating() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if s.beat() != nil {
					return // the handler's next write, or the request's context, ends the stream
				}
			case <-stop:
				return
			}
		}
	}()
	return func() { close(stop); <-done }
}
