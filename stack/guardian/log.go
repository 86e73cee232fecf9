package guardian

import (
	"io"
	"log/slog"
	"time"
)

const (
	// unwritten is how many lines wait for their reader; more are dropped.
	unwritten = 256
	// lastWords is how long the guardian's end waits for them to be written.
	lastWords = time.Second
)

// patientLog is a log that nobody waits for. The guardian shares its standard error with the panel,
// and a reader of it that stands still may be the very reason why the panel hangs.
func patientLog(w io.Writer) (log *slog.Logger, flush func()) {
	lines := make(lines, unwritten)
	last, done := make(chan struct{}), make(chan struct{})
	go func() { // ends after flush, or with the program
		defer close(done)
		for {
			select {
			case line := <-lines:
				_, _ = w.Write(line)
				continue
			default:
			}
			select {
			case line := <-lines:
				_, _ = w.Write(line)
			case <-last:
				return
			}
		}
	}()
	return slog.New(slog.NewTextHandler(lines, nil)), func() {
		close(last)
		select {
		case <-done:
		case <-time.After(lastWords):
		}
	}
}

type lines chan []byte

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- append([]byte(nil), line...):
	default:
	}
	return len(line), nil
}
