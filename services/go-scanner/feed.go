package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Scan is one message of the feed, one line of JSON: what one pass over the universe saw. Seq counts
// from 1 without gaps within a session, so that a client knows whether it lost any.
type Scan struct {
	Session    string             `json:"session"`
	Seq        int64              `json:"seq"`
	Time       time.Time          `json:"time"`
	ElapsedMs  int64              `json:"elapsed_ms"` // since the session began, however the wall clock is set
	Quotes     map[string]float64 `json:"quotes"`
	Candidates []Candidate        `json:"candidates"`
}

// Candidate is a symbol that looks worth an order.
type Candidate struct {
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"`
	Score  float64 `json:"score"`
}

// hello is the one line that a client sends: where it stopped reading, if it has read before.
type hello struct {
	Session string `json:"session"`
	After   int64  `json:"after"`
}

// kept is how many scans a client may be away without losing any: 17 minutes at four a second.
const kept = 4096

// Feed keeps the newest scans and serves them to any number of clients. It is a log with a cursor per
// client: a client that is slow, or frozen, holds nobody up, and finds on return what it missed.
type Feed struct {
	session string
	log     *slog.Logger

	mu    sync.Mutex
	scans []Scan        // the newest, at most kept
	last  int64         // Seq of the newest
	more  chan struct{} // closed and replaced at every scan
}

func newFeed(session string, log *slog.Logger) *Feed {
	return &Feed{session: session, log: log, more: make(chan struct{})}
}

// Publish appends a scan and gives it its number.
func (f *Feed) Publish(s Scan) Scan {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	s.Session, s.Seq = f.session, f.last
	f.scans = append(f.scans, s)
	if len(f.scans) > kept {
		f.scans = append([]Scan(nil), f.scans[len(f.scans)-kept:]...)
	}
	close(f.more)
	f.more = make(chan struct{})
	return s
}

// after returns the scans beyond that number, and a channel that closes when there are more.
func (f *Feed) after(seq int64) ([]Scan, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := len(f.scans) - int(min(f.last-seq, int64(len(f.scans))))
	return append([]Scan(nil), f.scans[from:]...), f.more
}

// cursor is where a client begins: where it says it was in this session, else at what comes next.
func (f *Feed) cursor(h hello) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.Session == f.session && h.After >= 0 && h.After <= f.last {
		return h.After
	}
	return f.last
}

// Serve accepts clients until the context ends or the listener is closed, and joins them.
func (f *Feed) Serve(ctx context.Context, l net.Listener) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var clients sync.WaitGroup
	defer clients.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				cancel()
				return
			}
			f.log.Warn("cannot accept a client; trying again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		clients.Go(func() { f.client(ctx, conn) })
	}
}

func (f *Feed) client(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	lines := bufio.NewReaderSize(conn, 4096)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var h hello
	line, err := lines.ReadSlice('\n')
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	if err != nil {
		f.log.Warn("a client did not say where to begin", "client", conn.RemoteAddr(), "error", err)
		return
	}
	at := f.cursor(h)
	f.log.Info("client connected", "client", conn.RemoteAddr(), "after", at)
	out := bufio.NewWriter(conn)
	encoder := json.NewEncoder(out)
	for {
		scans, more := f.after(at)
		for _, s := range scans {
			if err := encoder.Encode(s); err != nil {
				f.left(conn, err)
				return
			}
			at = s.Seq
		}
		// A frozen client fills the socket and then waits here; it may take a long pause, not forever.
		conn.SetWriteDeadline(time.Now().Add(10 * time.Minute))
		if err := out.Flush(); err != nil {
			f.left(conn, err)
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

func (f *Feed) left(conn net.Conn, err error) {
	f.log.Info("client left", "client", conn.RemoteAddr(), "error", err)
}
