// Package patient writes a log that nobody waits for. Whoever reads a program's output may stand still, as
// a full pipe or a terminal does in which somebody marks text, and what the program has to do may be urgent.
package patient

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// unwritten is how many lines wait for their reader; more are dropped.
	unwritten = 1000
	// lastWords is how long Close waits for them to be written.
	lastWords = time.Second
)

// Writer writes lines, one a call, in their order. It is safe for concurrent use.
type Writer struct {
	to    io.Writer
	last  chan struct{} // closed by Close
	ended chan struct{}
	close sync.Once

	mu      sync.Mutex // guards what follows, and what is put into lines
	lines   chan []byte
	dropped int // since the last line that was taken in
}

// New makes a writer. It is to be closed.
func New(to io.Writer) *Writer {
	w := &Writer{to: to, lines: make(chan []byte, unwritten), last: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write never waits and never fails. How many lines it had to drop is told as soon as one can be written
// again, where they would have been.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.lines <- append(w.told(), line...):
		w.dropped = 0
	default:
		w.dropped++
	}
	return len(line), nil
}

// told is the line about those that were dropped; nothing if none were. The lock is held.
func (w *Writer) told() []byte {
	if w.dropped == 0 {
		return nil
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Warn("lines of this log were dropped, for nobody read them", "dropped", w.dropped)
	return b.Bytes()
}

func (w *Writer) run() { // ends after Close, or with the program
	defer close(w.ended)
	for {
		select {
		case line := <-w.lines:
			_, _ = w.to.Write(line)
			continue
		default:
		}
		w.mu.Lock()
		line := w.told()
		w.dropped = 0
		w.mu.Unlock()
		if line != nil {
			_, _ = w.to.Write(line)
		}
		select {
		case line := <-w.lines:
			_, _ = w.to.Write(line)
		case <-w.last:
			if len(w.lines) == 0 {
				return
			}
		}
	}
}

// Close waits until everything is written, or a moment if nobody reads it.
func (w *Writer) Close() {
	w.close.Do(func() { close(w.last) })
	select {
	case <-w.ended:
	case <-time.After(lastWords):
	}
}
