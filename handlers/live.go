package handlers

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// liveConfig is the config file as it is on disk. Exactly one of Unusable and Value is set.
type liveConfig struct {
	Content  []byte
	Revision stack.Revision
	Value    map[string]any
	// Problems are what is wrong with it; an unusable file has them too, where a place is known.
	Problems []stack.Problem
	// Unusable says why the file cannot be read or parsed.
	Unusable string
	Missing  bool // there is none
}

// configCache holds what was made of the newest files, by revision: a page is drawn far more often
// than the file changes, and a form that was drawn from an earlier one is still to be understood.
type configCache struct {
	mu     sync.Mutex
	recent []liveConfig // newest last
}

// How many revisions, and how much of them together, are remembered.
const (
	recentRevisions = 16
	recentBytes     = 32 << 20
)

func (cc *configCache) get(r stack.Revision) (liveConfig, bool) {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	for _, l := range cc.recent {
		if l.Revision == r {
			return l, true
		}
	}
	return liveConfig{}, false
}

func (cc *configCache) put(l liveConfig) {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	kept, size := []liveConfig{l}, len(l.Content)
	for i := len(cc.recent) - 1; i >= 0 && len(kept) < recentRevisions; i-- {
		old := cc.recent[i]
		if size += len(old.Content); old.Revision != l.Revision && size <= recentBytes {
			kept = append([]liveConfig{old}, kept...)
		}
	}
	cc.recent = kept
}

// live reads the config file.
func (s *Server) live() liveConfig {
	content, err := s.o.Store.Read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return liveConfig{Missing: true, Unusable: fmt.Sprintf("There is no config file %s. Put it there, or name another in pitstop.toml.", s.o.Store.Path())}
	case err != nil:
		s.log.Error("the config file cannot be read", "path", s.o.Store.Path(), "error", err)
		return liveConfig{Unusable: fmt.Sprintf("The config file %s cannot be read: %v.", s.o.Store.Path(), plainCause(err))}
	}
	revision := stack.RevisionOf(content)
	if l, ok := s.config.get(revision); ok {
		return l
	}
	l := s.understand(content, revision)
	s.config.put(l)
	return l
}

// understand parses and checks one version of the config.
func (s *Server) understand(content []byte, revision stack.Revision) liveConfig {
	l := liveConfig{Content: content, Revision: revision}
	doc, err := configfile.Parse(content)
	if err != nil {
		l.Unusable = "The config file is not valid TOML: " + err.Error()
		var syntax *configfile.SyntaxError
		if errors.As(err, &syntax) {
			l.Problems = []stack.Problem{{Line: syntax.Line, Column: syntax.Column, Message: syntax.Message}}
			l.Unusable = "The config file is not valid TOML. Correct it as TOML or where it lies."
		}
		return l
	}
	l.Value = doc.Value()
	l.Problems = s.o.Check(content)
	return l
}

// version finds the config of an earlier revision: the live one, one drawn lately, one of the versions
// that are kept, or a backup.
func (s *Server) version(r stack.Revision) (liveConfig, bool) {
	if l := s.live(); l.Revision == r {
		return l, true
	}
	if l, ok := s.config.get(r); ok {
		return l, true
	}
	if content, ok := s.o.Controller.Version(r); ok {
		return s.understand(content, r), true
	}
	backups, err := s.o.Store.Backups()
	if err != nil {
		return liveConfig{}, false
	}
	for _, b := range backups {
		if b.Revision != r {
			continue
		}
		if content, err := s.o.Store.Backup(b.Name); err == nil && stack.RevisionOf(content) == r {
			return s.understand(content, r), true
		}
	}
	return liveConfig{}, false
}

// usable is the live config, or the refusal that a request gets where there is none.
func (s *Server) usable() (liveConfig, error) {
	l := s.live()
	if l.Unusable != "" {
		r := refuse(http.StatusServiceUnavailable, l.Unusable)
		r.problems = l.Problems
		return l, r
	}
	return l, nil
}

// readable is the live config, which need not be valid, or the refusal where there is none.
func (s *Server) readable() (liveConfig, error) {
	l := s.live()
	if l.Revision == "" {
		return l, refuse(http.StatusServiceUnavailable, l.Unusable)
	}
	return l, nil
}

// plainCause is the innermost reason of a file error, without the path that was said already.
func plainCause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// schemaProblems are problems as the form takes them.
func schemaProblems(list []stack.Problem) []schema.Problem {
	out := make([]schema.Problem, len(list))
	for i, p := range list {
		out[i] = schema.Problem(p)
	}
	return out
}

// stackProblems are the form's problems as everybody else takes them.
func stackProblems(list []schema.Problem) []stack.Problem {
	out := make([]stack.Problem, len(list))
	for i, p := range list {
		out[i] = stack.Problem(p)
	}
	return out
}
