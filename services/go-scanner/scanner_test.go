package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

const good = `[scanner]
listen = "127.0.0.1:0"
interval_ms = 250
symbols = ["AAPL", "MSFT"]
min_score = 0.0
log_level = "debug"
`

// lines is a log that tests can wait on.
type lines struct {
	mu   sync.Mutex
	text string
	more chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(p)
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return len(p), nil
}

// wait returns once the log holds the text at least n times.
func (l *lines) wait(t *testing.T, n int, text string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		l.mu.Lock()
		if strings.Count(l.text, text) >= n {
			l.mu.Unlock()
			return
		}
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("the log never held %q %d times; it is:\n%s", text, n, l.String())
		}
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// started runs a scanner on this file until the test ends.
func started(t *testing.T, path string) (*Scanner, *clockwork.FakeClock, *lines) {
	t.Helper()
	out, level, clock := new(lines), new(slog.LevelVar), clockwork.NewFakeClock()
	s := newScanner(path, "", newLogger(out, level), level, clock)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	})
	out.wait(t, 1, "Config loaded revision=")
	return s, clock, out
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replace renames a new file over the path, as Pitstop does.
func replace(t *testing.T, path, content string) {
	t.Helper()
	write(t, path+".new", content)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func reloaded(content string) string {
	return "INFO Config reloaded revision=" + revisionOf([]byte(content)) + "\n"
}

func TestScannerFollowsItsConfig(t *testing.T) {
	other := strings.Replace(good, "250", "500", 1)
	bad := strings.Replace(good, "min_score = 0.0", "min_score = 2.0", 1)

	t.Run("a file renamed onto it is loaded, again and again", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, good)
		_, _, out := started(t, path)
		for n := range 3 {
			replace(t, path, other)
			out.wait(t, n+1, reloaded(other))
			replace(t, path, good)
			out.wait(t, n+1, reloaded(good))
		}
	})
	t.Run("a write in place is loaded", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, good)
		_, _, out := started(t, path)
		write(t, path, other)
		out.wait(t, 1, reloaded(other))
	})
	t.Run("the swap of a ConfigMap's data link is loaded", func(t *testing.T) {
		folder := t.TempDir()
		for name, content := range map[string]string{"one": good, "two": other} {
			if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(folder, name, "config.toml"), content)
		}
		link := func(target, name string) {
			if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
		}
		link("one", "..data")
		link("..data/config.toml", "config.toml")
		_, _, out := started(t, filepath.Join(folder, "config.toml"))
		link("two", "..data_tmp")
		if err := os.Rename(filepath.Join(folder, "..data_tmp"), filepath.Join(folder, "..data")); err != nil {
			t.Fatal(err)
		}
		out.wait(t, 1, reloaded(other))
	})
	t.Run("a bad file is refused, the old config kept, and the old file put back is confirmed", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, good)
		s, _, out := started(t, path)
		replace(t, path, bad)
		out.wait(t, 1, "ERROR Config reload failed: scanner.min_score is 2; it must be between 0 and 1\n")
		if c, _ := s.current(); c.MinScore != 0 {
			t.Errorf("min_score after a bad file: got %v, want the old 0", c.MinScore)
		}
		replace(t, path, good)
		out.wait(t, 1, reloaded(good))
	})
	t.Run("a file replaced by its like is confirmed and nothing else", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, good)
		s, _, out := started(t, path)
		_, changed := s.current()
		replace(t, path, good)
		out.wait(t, 1, reloaded(good))
		select {
		case <-changed:
			t.Error("the config was adopted again; its content had not changed")
		default:
		}
	})
	t.Run("other files in the folder are no reload", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, good)
		_, _, out := started(t, path)
		write(t, filepath.Join(filepath.Dir(path), "trading.json"), "{}")
		write(t, path+".bak.20260304_120000", good)
		replace(t, path, other)
		out.wait(t, 1, reloaded(other))
		if got := strings.Count(out.String(), "Config reloaded"); got != 1 {
			t.Errorf("got %d reloads, want only the one of the config:\n%s", got, out)
		}
	})
	t.Run("an address that is taken is refused and the old one kept", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		path := filepath.Join(t.TempDir(), "config.toml")
		write(t, path, good)
		s, _, out := started(t, path)
		replace(t, path, strings.Replace(good, "127.0.0.1:0", taken.Addr().String(), 1))
		out.wait(t, 1, "Config reload failed: scanner.listen: ")
		if c, _ := s.current(); c.Listen != "127.0.0.1:0" {
			t.Errorf("listen after a taken address: got %q, want the old one", c.Listen)
		}
	})
}

func TestScannerRefusesToStartWithoutAConfig(t *testing.T) {
	var out strings.Builder
	err := run(t.Context(), []string{"-config", filepath.Join(t.TempDir(), "none.toml")}, func(string) string { return "" }, &out)
	if err == nil || !strings.Contains(out.String(), "ERROR Config load failed: ") {
		t.Errorf("got error %v and output %q, want a failed load", err, out.String())
	}
}

// client connects, says where it was, and returns a function that reads the next scan.
func client(t *testing.T, address string, h hello) func() Scan {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := json.NewEncoder(conn).Encode(h); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	return func() Scan {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		line, err := in.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var s Scan
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestFeedLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	write(t, path, good)
	s, clock, out := started(t, path)
	address := s.served.Addr().String()
	scan := func(n int) { // scan n has been published; let there be the next
		out.wait(t, 1, fmt.Sprintf("scanned seq=%d ", n))
		if err := clock.BlockUntilContext(t.Context(), 2); err != nil { // the scan's timer and the heartbeat's
			t.Fatal(err)
		}
		clock.Advance(250 * time.Millisecond)
	}
	next := client(t, address, hello{})
	out.wait(t, 1, "client connected")
	for n := 1; n <= 5; n++ {
		scan(n)
	}
	var seen []int64
	first := next()
	seen = append(seen, first.Seq)
	for seen[len(seen)-1] < 6 {
		seen = append(seen, next().Seq)
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] != seen[i-1]+1 {
			t.Fatalf("numbers: got %v, want no gap", seen)
		}
	}
	again := client(t, address, hello{Session: first.Session, After: 2})
	if got := again().Seq; got != 3 {
		t.Errorf("a client that returns after 2: got %d first, want 3", got)
	}
	if len(first.Quotes) != 2 || len(first.Candidates) != 2 {
		t.Errorf("first scan: got %+v, want both symbols quoted and offered", first)
	}
}

func TestHeartbeatIsOftenEnough(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	write(t, path, good)
	_, clock, out := started(t, path)
	for n := 1; n <= 3; n++ {
		if err := clock.BlockUntilContext(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		clock.Advance(100 * time.Millisecond)
		out.wait(t, n, "DEBUG heartbeat n=")
	}
}

func TestMarketIsTheSameEveryTime(t *testing.T) {
	m := Market{Swing: swings["large-cap"]}
	for scan := range int64(2000) {
		price, score := m.Price("AAPL", scan), m.Score("AAPL", scan)
		if price != m.Price("AAPL", scan) || score != m.Score("AAPL", scan) {
			t.Fatalf("scan %d: two answers", scan)
		}
		if price <= 0 || score < 0 || score > 1 {
			t.Fatalf("scan %d: got price %v and score %v, want a positive price and a score from 0 to 1", scan, price, score)
		}
	}
}

func TestParseConfigSaysWhatIsWrong(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, test := range []struct{ name, content, want string }{
		{"broken TOML", "[scanner\n", "line 1, column "},
		{"an address without a port", with("127.0.0.1:0", "localhost"), "scanner.listen"},
		{"an interval that spins", with("250", "1"), "scanner.interval_ms is 1"},
		{"no symbols", with(`"AAPL", "MSFT"`, ""), "scanner.symbols is empty"},
		{"an empty symbol", with(`"AAPL"`, `" "`), "scanner.symbols holds an empty symbol"},
		{"a score that is no number", with("= 0.0", "= nan"), "scanner.min_score is NaN"},
		{"an unknown universe", good + "universe = \"moon\"\n", "scanner.universe"},
		{"an unknown level", with("debug", "loud"), "scanner.log_level"},
		{"the wrong type", with("250", `"often"`), "line 3, column "},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseConfig([]byte(test.content))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	t.Run("the shipped config is good", func(t *testing.T) {
		content, err := os.ReadFile("../../deploy/config.toml")
		if err != nil {
			t.Fatal(err)
		}
		c, err := parseConfig(content)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(c.Symbols, "AAPL") || c.Interval != 250*time.Millisecond {
			t.Errorf("got %+v, want what the file says", c)
		}
	})
}
