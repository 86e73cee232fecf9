package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// lineHandler writes one plain line per record, `TIME LEVEL message key=value`, because people and
// Pitstop read these lines by their exact words.
type lineHandler struct {
	mu    *sync.Mutex
	out   io.Writer
	level slog.Leveler
	attrs []slog.Attr
}

func newLogger(out io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(lineHandler{mu: new(sync.Mutex), out: out, level: level})
}

func (h lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), r.Level, r.Message)
	write := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value.Resolve())
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(write)
	line := strings.ReplaceAll(b.String(), "\n", " ") + "\n"
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, line)
	return err
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(append([]slog.Attr(nil), h.attrs...), attrs...)
	return h
}

// WithGroup is part of slog.Handler; this program has no groups, so their names are left out.
func (h lineHandler) WithGroup(string) slog.Handler { return h }
