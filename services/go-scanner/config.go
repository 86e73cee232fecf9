package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Config is the scanner's part of the stack's config file.
type Config struct {
	Listen   string
	Interval time.Duration
	Universe string
	Symbols  []string
	MinScore float64
	LogLevel slog.Level
}

// swings are the universes, and how far prices move in each within one scan.
var swings = map[string]float64{"large-cap": 0.002, "mid-cap": 0.004, "small-cap": 0.008}

// revisionOf names the bytes as Pitstop does: the first 12 digits of their SHA-256.
func revisionOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:12]
}

// parseConfig reads the table [scanner] and leaves the others to their owners. Its errors name the
// key, what it holds and what it may hold.
func parseConfig(content []byte) (Config, error) {
	file := struct {
		Scanner struct {
			Listen     string   `toml:"listen"`
			IntervalMs int64    `toml:"interval_ms"`
			Universe   string   `toml:"universe"`
			Symbols    []string `toml:"symbols"`
			MinScore   float64  `toml:"min_score"`
			LogLevel   string   `toml:"log_level"`
		} `toml:"scanner"`
	}{}
	s := &file.Scanner
	s.Listen, s.IntervalMs, s.Universe, s.MinScore, s.LogLevel = "127.0.0.1:7070", 250, "large-cap", 0.6, "info"
	if err := toml.NewDecoder(bytes.NewReader(content)).Decode(&file); err != nil {
		var where *toml.DecodeError
		if errors.As(err, &where) {
			line, column := where.Position()
			return Config{}, fmt.Errorf("line %d, column %d: %v", line, column, err)
		}
		return Config{}, err
	}
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return Config{}, fmt.Errorf("scanner.listen %q is not an address such as \"127.0.0.1:7070\"", s.Listen)
	}
	if s.IntervalMs < 10 || s.IntervalMs > 60_000 {
		return Config{}, fmt.Errorf("scanner.interval_ms is %d; it must be between 10 and 60000", s.IntervalMs)
	}
	if _, ok := swings[s.Universe]; !ok {
		return Config{}, fmt.Errorf("scanner.universe %q is not one of large-cap, mid-cap, small-cap", s.Universe)
	}
	if len(s.Symbols) == 0 {
		return Config{}, errors.New("scanner.symbols is empty; name at least one symbol to scan")
	}
	for _, symbol := range s.Symbols {
		if strings.TrimSpace(symbol) == "" {
			return Config{}, errors.New("scanner.symbols holds an empty symbol")
		}
	}
	if !(s.MinScore >= 0 && s.MinScore <= 1) { // written so that NaN is refused too
		return Config{}, fmt.Errorf("scanner.min_score is %v; it must be between 0 and 1", s.MinScore)
	}
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[s.LogLevel]
	if !ok {
		return Config{}, fmt.Errorf("scanner.log_level %q is not one of debug, info, warning, error", s.LogLevel)
	}
	return Config{
		Listen: s.Listen, Interval: time.Duration(s.IntervalMs) * time.Millisecond,
		Universe: s.Universe, Symbols: s.Symbols, MinScore: s.MinScore, LogLevel: level,
	}, nil
}

// loadConfig reads and checks the file. The revision is that of the bytes read, valid or not, and the
// file is the very one that they were read from; both are empty when they could not be read.
func loadConfig(path string) (c Config, revision string, file os.FileInfo, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, "", nil, err
	}
	defer f.Close()
	if file, err = f.Stat(); err != nil {
		return Config{}, "", nil, err
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return Config{}, "", nil, err
	}
	c, err = parseConfig(content)
	return c, revisionOf(content), file, err
}
