package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// heartbeat is the longest silence at debug level; half of the 100 ms that are promised.
const heartbeat = 50 * time.Millisecond

// Scanner scans the market by its config and offers what it finds on its feed.
type Scanner struct {
	path   string
	listen string // overrides the config's address; empty: the config decides
	log    *slog.Logger
	level  *slog.LevelVar
	clock  clockwork.Clock
	feed   *Feed

	mu      sync.Mutex // guards what follows
	config  Config
	looked  look          // what the newest look at the file saw, valid or not
	changed chan struct{} // closed and replaced when config changes

	served net.Listener  // owned by adopt, which Run and watch never call at once
	done   chan struct{} // closed when the feed on served has ended
}

// look is what tells one state of the file from another: content decides, the rest is for the log.
type look struct {
	revision string      // empty: could not be read
	problem  string      // empty: valid
	file     os.FileInfo // nil: could not be told
}

func newScanner(path, listen string, log *slog.Logger, level *slog.LevelVar, clock clockwork.Clock) *Scanner {
	session := fmt.Sprintf("%x", clock.Now().UnixNano())
	return &Scanner{
		path: path, listen: listen, log: log, level: level, clock: clock,
		feed: newFeed(session, log), changed: make(chan struct{}),
	}
}

// Run loads the config, which must be good to begin with, and scans until the context ends.
func (s *Scanner) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	c, revision, file, err := loadConfig(s.path)
	if err != nil {
		cancel()
		return fmt.Errorf("Config load failed: %w", err)
	}
	if err := s.adopt(ctx, c); err != nil {
		cancel()
		return fmt.Errorf("Config load failed: %w", err)
	}
	s.looked = look{revision: revision, file: file}
	s.log.Info("Config loaded", "revision", revision)

	var tasks sync.WaitGroup
	tasks.Go(func() { s.beat(ctx) })
	tasks.Go(func() { s.scan(ctx) })
	err = watch(ctx, s.path, s.log, func() { s.look(ctx) })
	cancel()
	tasks.Wait()
	<-s.done
	if err != nil {
		return fmt.Errorf("cannot watch the folder of %s: %w", s.path, err)
	}
	return nil
}

// look adopts the file if its content is not what the last look saw, and says so. A bad file changes
// nothing but is remembered, so that putting the old one back counts as a change.
func (s *Scanner) look(ctx context.Context) {
	c, revision, file, err := loadConfig(s.path)
	seen := look{revision: revision, file: file}
	if err == nil && (seen.revision != s.looked.revision || s.looked.problem != "") {
		err = s.adopt(ctx, c)
	}
	if err != nil {
		seen.problem = err.Error()
	}
	before := s.looked
	s.looked = seen
	switch {
	case seen.problem != "" && (seen.problem != before.problem || seen.revision != before.revision):
		s.log.Error("Config reload failed: " + seen.problem)
	case seen.problem != "":
	case seen.revision != before.revision || before.problem != "" || !seen.sameFile(before):
		// Also for a file that was replaced by its like: a new config and its roll-back may both be
		// over before this look, and whoever did that waits to hear which one is in force.
		s.log.Info("Config reloaded", "revision", seen.revision)
	}
}

// adopt makes the config the one in force, or changes nothing and says why.
func (s *Scanner) adopt(ctx context.Context, c Config) error {
	if s.listen != "" {
		c.Listen = s.listen
	}
	if s.served == nil || s.config.Listen != c.Listen {
		l, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return fmt.Errorf("scanner.listen: %w", err)
		}
		if s.served != nil {
			s.served.Close()
			<-s.done
		}
		s.served, s.done = l, make(chan struct{})
		go func(done chan struct{}) {
			defer close(done)
			s.feed.Serve(ctx, l)
		}(s.done)
		s.log.Info("offering candidates", "address", l.Addr())
	}
	s.level.Set(c.LogLevel)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config = c
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *Scanner) current() (Config, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config, s.changed
}

// scan looks at the whole universe, again and again.
func (s *Scanner) scan(ctx context.Context) {
	began := s.clock.Now()
	for n := int64(0); ; n++ {
		c, changed := s.current()
		market := Market{Swing: swings[c.Universe]}
		found := Scan{Time: s.clock.Now().UTC(), ElapsedMs: s.clock.Since(began).Milliseconds(), Quotes: map[string]float64{}, Candidates: []Candidate{}}
		for _, symbol := range c.Symbols {
			price, score := market.Price(symbol, n), market.Score(symbol, n)
			found.Quotes[symbol] = price
			if score >= c.MinScore {
				found.Candidates = append(found.Candidates, Candidate{Symbol: symbol, Price: price, Score: score})
			}
		}
		found = s.feed.Publish(found)
		s.log.Debug("scanned", "seq", found.Seq, "candidates", len(found.Candidates))
		select {
		case <-s.clock.After(c.Interval):
		case <-changed: // a new interval or universe counts at once
		case <-ctx.Done():
			return
		}
	}
}

// beat writes a line so often that any silence of this process can be measured from outside.
func (s *Scanner) beat(ctx context.Context) {
	ticker := s.clock.NewTicker(heartbeat)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ticker.Chan():
			s.log.Debug("heartbeat", "n", n)
		case <-ctx.Done():
			return
		}
	}
}

// sameFile: it is the same file as at the other look, untouched.
func (l look) sameFile(other look) bool {
	if l.file == nil || other.file == nil {
		return l.file == other.file
	}
	return os.SameFile(l.file, other.file) && l.file.ModTime().Equal(other.file.ModTime())
}
