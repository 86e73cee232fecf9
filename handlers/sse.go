package handlers

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/static"
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
	mu  sync.Mutex
	w   io.Writer
	rc  *http.ResponseController
	zip *zipped // between w and the response; nil: the stream is sent as it is
}

// openStream begins one: the status and headers are sent when it returns.
func openStream(c echo.Context) (*stream, error) { return beginStream(c, false) }

// openPageStream begins the stream of a page. Its first event is the whole page once more, and is
// compressed if the browser takes that. Each event is compressed by itself, so that none waits for the
// next in a buffer, and an open page costs no memory between two.
func openPageStream(c echo.Context) (*stream, error) {
	return beginStream(c, static.AcceptsGzip(c.Request().Header.Get("Accept-Encoding")))
}

func beginStream(c echo.Context, compressed bool) (*stream, error) {
	s := &stream{w: c.Response(), rc: http.NewResponseController(c.Response())}
	h := c.Response().Header()
	if compressed {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		s.zip = &zipped{to: s.w}
		s.w = s.zip
	}
	for name := range ofPages { // which a stream is not, whatever it is taken for: there is no sniffing
		h.Del(name)
	}
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	return s, s.write(": pitstop\n\n")
}

// end closes a compressed stream, so that a browser takes its end for one and not for a broken connection.
func (s *stream) end() {
	if s.zip == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	_ = s.zip.Close() // to a client that is gone
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
