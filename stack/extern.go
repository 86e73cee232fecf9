package stack

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jonboulle/clockwork"

	"pitstop/stack/durable"
)

// knownConfig is the config that Pitstop last saw or wrote, by which a change from outside is told.
// Its revision outlives the program, and so do its bytes and those of the ones before.
type knownConfig struct {
	path     string
	versions *versions
	clock    clockwork.Clock
	log      *slog.Logger

	mu      sync.Mutex
	rev     Revision
	content []byte // nil after a start, until the file was read
	seen    int    // how often something was
}

func openKnown(state string, clock clockwork.Clock, log *slog.Logger) *knownConfig {
	k := &knownConfig{
		path: filepath.Join(state, "revision"), versions: &versions{dir: filepath.Join(state, "versions")},
		clock: clock, log: log,
	}
	if b, err := os.ReadFile(k.path); err == nil {
		k.rev = Revision(strings.TrimSpace(string(b)))
	}
	return k
}

// set makes content the known one, after a crash too, and returns what was known before; its bytes are
// nil where they are not to be had any more.
func (k *knownConfig) set(content []byte) (rev Revision, old []byte, err error) {
	rev, old = k.see(content)
	if rev != RevisionOf(content) {
		err = k.note()
	}
	return rev, old, err
}

// see is set until the program ends: note makes it last. In between a change can be put on record, so
// that a crash loses none of it. The version itself is kept at once: one whose revision is noted is
// found again.
func (k *knownConfig) see(content []byte) (rev Revision, old []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seeLocked(content)
}

// seeSince is see for a file that was read when seen was n. It does nothing if something was seen since: a
// run has written the file, and what was read is old.
func (k *knownConfig) seeSince(n int, content []byte) (rev Revision, old []byte, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen != n {
		return "", nil, false
	}
	rev, old = k.seeLocked(content)
	return rev, old, true
}

func (k *knownConfig) times() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}

func (k *knownConfig) seeLocked(content []byte) (rev Revision, old []byte) {
	rev, old = k.rev, k.content
	k.rev, k.content = RevisionOf(content), content
	k.seen++
	if err := k.versions.keep(content, k.clock.Now()); err != nil {
		k.log.Warn("This version of the config file cannot be kept: once it is overwritten from outside it can be neither compared nor restored.",
			"revision", k.rev.Short(), "folder", k.versions.dir, "error", err)
	}
	if old == nil && rev != "" && rev != k.rev {
		old, _ = k.versions.find(rev)
	}
	return rev, old
}

func (k *knownConfig) note() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return durable.WriteFile(k.path, []byte(k.rev+"\n"), 0o600)
}

// seq counts the runs begun, and says whether one is under way.
func (c *Controller) seq() (n int, busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun, c.current != nil
}

// ConfigTouched looks at the config file now and, if its content is not what Pitstop last saw or
// wrote, records a change from outside in the history. During a run it does nothing: the run looks
// when it has ended.
func (c *Controller) ConfigTouched() {
	if c.lookForChange() {
		c.o.OnSaved()
	}
}

// lookForChange is ConfigTouched up to the word to others, and says whether that is due.
func (c *Controller) lookForChange() bool {
	c.touch.Lock()
	defer c.touch.Unlock()
	before, busy := c.seq()
	if busy {
		return false
	}
	seen := c.known.times()
	content, err := c.o.Config.Read()
	if err != nil {
		c.o.Log.Warn("The config file cannot be read.", "path", c.o.Config.Path(), "error", err)
		return false
	}
	if now, _ := c.seq(); now != before {
		return false // a run has begun meanwhile, and may have written what is known
	}
	rev := RevisionOf(content)
	was, old, ok := c.known.seeSince(seen, content)
	if !ok || was == rev {
		return false
	}
	defer func() {
		if err := c.known.note(); err != nil {
			c.o.Log.Warn("The revision of the config file could not be noted; after a restart the same change may be told again.", "error", err)
		}
	}()
	if was == "" || c.audit.tells(was, rev) {
		return false
	}
	r := Report{
		Kind: KindExtern, Revision: Revisions{From: was, To: rev},
		Message: "The config file was changed without Pitstop.",
	}
	if old != nil && c.o.Changed != nil {
		r.Changed, r.MoreChanged = FewChanged(c.o.Changed(old, content))
	}
	c.o.Log.Info("The config file was changed without Pitstop.", "from", was.Short(), "to", rev.Short())
	c.AppendAudit(r)
	return true
}
