package stacktest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pitstop/stack"
)

// Config is a config file in memory: a [stack.ConfigStore], and the hands that edit the file
// without it.
type Config struct {
	// Changed is called after every change of the live file; a Backend's FileChanged fits.
	Changed func()
	// Replacing is called whenever a Commit is about to have its effect. It may be nil.
	Replacing func()

	mu      sync.Mutex // guards what follows
	live    []byte
	staged  map[string][]byte
	backups map[string][]byte
	names   []string // of the backups, oldest first
	keep    int
	serial  int
	chosen  string // the backup name of what was staged last
	fault   func(Call) Fault
	count   map[string]int
	release chan struct{} // closed: calls that hang go on
}

var _ stack.ConfigStore = (*Config)(nil)

// NewConfig is a config file that holds content, and keeps so many backups.
func NewConfig(content []byte, keep int) *Config {
	return &Config{
		Changed: func() {}, live: content, keep: keep, release: make(chan struct{}),
		staged: map[string][]byte{}, backups: map[string][]byte{}, count: map[string]int{},
	}
}

// SetFault has f decide over every call from now on; nil: all pass. A Fault with Hang waits for
// Release, since a disk knows no contexts, and then does what Done and Err say.
func (c *Config) SetFault(f func(Call) Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

// Release lets the calls that hang go on.
func (c *Config) Release() { close(c.release) }

// Edit changes the live file as somebody else would.
func (c *Config) Edit(content []byte) {
	c.mu.Lock()
	c.live = bytes.Clone(content)
	c.mu.Unlock()
	c.Changed()
}

// Live is the file as it is, without a call.
func (c *Config) Live() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.live)
}

// StagedFiles are the names of the staged files that lie about.
func (c *Config) StagedFiles() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.staged))
}

// do is every call. effect runs under the lock.
func (c *Config) do(method, on string, effect func() error) error {
	c.mu.Lock()
	c.count[method]++
	var f Fault
	if c.fault != nil {
		f = c.fault(Call{method, on, c.count[method]})
	}
	c.mu.Unlock()
	if f.Hang {
		<-c.release
	}
	if method == "Commit" && c.Replacing != nil && (f.Err == nil || f.Done) {
		c.Replacing()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Err != nil && !f.Done {
		return f.Err
	}
	return errors.Join(effect(), f.Err)
}

// Path implements stack.ConfigStore. There is no such file.
func (c *Config) Path() string { return "/memory/config.toml" }

// Read implements stack.ConfigStore.
func (c *Config) Read() (content []byte, err error) {
	err = c.do("Read", "", func() error {
		content = bytes.Clone(c.live)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return content, nil
}

// Stage implements stack.ConfigStore.
func (c *Config) Stage(content []byte, at time.Time) (s stack.Staged, err error) {
	err = c.do("Stage", stack.RevisionOf(content).Short(), func() error {
		c.serial++
		s = stack.Staged{
			Path:   fmt.Sprintf("/memory/.config.toml.staged-%d", c.serial),
			Backup: c.free("config.toml.bak." + at.Format("20060102_150405")),
			From:   stack.RevisionOf(c.live), To: stack.RevisionOf(content),
		}
		c.staged[s.Path] = bytes.Clone(content)
		c.chosen = s.Backup
		return nil
	})
	if err != nil {
		return stack.Staged{}, err
	}
	return s, nil
}

func (c *Config) free(name string) string {
	try := name
	for n := 2; c.backups[try] != nil; n++ {
		try = fmt.Sprintf("%s_%d", name, n)
	}
	return try
}

// Commit implements stack.ConfigStore.
func (c *Config) Commit(s stack.Staged) (backup string, err error) {
	replaced := false
	err = c.do("Commit", s.To.Short(), func() error {
		content, ok := c.staged[s.Path]
		if !ok {
			return fmt.Errorf("%s is not staged", s.Path)
		}
		if stack.RevisionOf(c.live) != s.From {
			return stack.ErrConflict
		}
		backup = c.free(s.Backup)
		c.backups[backup] = c.live
		c.names = append(c.names, backup)
		c.live = content
		delete(c.staged, s.Path)
		replaced = true
		return nil
	})
	if replaced {
		c.Changed()
	}
	if err != nil {
		return "", err
	}
	return backup, nil
}

// Discard implements stack.ConfigStore.
func (c *Config) Discard(s stack.Staged) error {
	return c.do("Discard", s.To.Short(), func() error {
		delete(c.staged, s.Path)
		return nil
	})
}

// Sweep removes every staged file.
func (c *Config) Sweep(...string) error {
	return c.do("Sweep", "", func() error {
		clear(c.staged)
		return nil
	})
}

// Backup implements stack.ConfigStore.
func (c *Config) Backup(name string) (content []byte, err error) {
	err = c.do("Backup", name, func() error {
		b, ok := c.backups[name]
		if !ok || name != filepath.Base(name) {
			return fmt.Errorf("there is no backup %q", name)
		}
		content = bytes.Clone(b)
		return nil
	})
	return content, err
}

// TakeName puts a file of somebody else's where the backup of what is staged was to be.
func (c *Config) TakeName() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backups[c.chosen] = []byte("# somebody else's\n")
	c.names = append(c.names, c.chosen)
}

// BackupOf is the oldest backup of a revision by this name or a later one.
func (c *Config) BackupOf(revision stack.Revision, since string) (name string, err error) {
	err = c.do("BackupOf", since, func() error {
		for _, n := range c.names {
			if n >= since && stack.RevisionOf(c.backups[n]) == revision {
				name = n
				return nil
			}
		}
		return fmt.Errorf("no backup since %s holds %s", since, revision.Short())
	})
	return name, err
}

// Prune implements stack.ConfigStore.
func (c *Config) Prune(except ...string) error {
	return c.do("Prune", "", func() error {
		for n := 0; len(c.names)-n > c.keep; n++ {
			if name := c.names[n]; !slices.Contains(except, name) {
				delete(c.backups, name)
			}
		}
		c.names = slices.DeleteFunc(c.names, func(n string) bool { return c.backups[n] == nil })
		return nil
	})
}
