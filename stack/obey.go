package stack

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lookBack is how far back a log is read when Pitstop begins to follow it: a day, since a service
// speaks of the gate at its edges, and some more, since one day has 25 hours.
const lookBack = 26 * time.Hour

// obeyer reads in the services' logs what they themselves say: whether they trade, and which config
// they loaded or refused. Pitstop's own word on either is something else.
type obeyer struct {
	c *Controller

	mu    sync.Mutex // guards what follows, and what lives hold
	lives map[life]*follower
	trade map[string]bool // the services that have ever said whether they trade

	running sync.WaitGroup
}

// life names one life of an instance.
type life struct {
	id      string
	started int64
}

// follower is one instance's log, followed.
type follower struct {
	instance Instance
	cancel   context.CancelFunc

	loaded   Revision
	refused  string
	obeys    *Obeyed
	loadedAt time.Time
	obeysAt  time.Time
}

func newObeyer(c *Controller) *obeyer {
	return &obeyer{c: c, lives: map[life]*follower{}, trade: map[string]bool{}}
}

// follow makes the followers match the instances that run, or are paused. What an instance said in
// a life that has ended is forgotten.
func (o *obeyer) follow(ctx context.Context, instances []Instance) {
	o.mu.Lock()
	defer o.mu.Unlock()
	alive := map[life]bool{}
	for _, i := range instances {
		if i.State != Running && i.State != Paused {
			continue
		}
		l := life{i.ID, i.Started.UnixNano()}
		alive[l] = true
		if o.lives[l] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		f := &follower{instance: i, cancel: cancel}
		o.lives[l] = f
		o.running.Go(func() { o.read(ctx, f) })
	}
	for l, f := range o.lives {
		if !alive[l] {
			f.cancel()
			delete(o.lives, l)
		}
	}
}

// stop ends every follower and waits for it.
func (o *obeyer) stop() {
	o.mu.Lock()
	for l, f := range o.lives {
		f.cancel()
		delete(o.lives, l)
	}
	o.mu.Unlock()
	o.running.Wait()
}

// read follows one log until its context ends, which follow sees to. A stream that breaks is opened
// again where it broke.
func (o *obeyer) read(ctx context.Context, f *follower) {
	svc := o.c.service(f.instance.Service)
	since := o.c.o.Clock.Now().Add(-lookBack)
	for backoff := 250 * time.Millisecond; ; backoff = min(2*backoff, 10*time.Second) {
		for line, err := range o.c.o.Backend.Logs(ctx, f.instance, since) {
			if err != nil {
				break
			}
			backoff = 250 * time.Millisecond
			if line.Time.After(since) {
				since = line.Time
			}
			if o.take(svc, f, line) {
				o.c.tellChange()
			}
		}
		if !o.c.sleep(ctx, backoff) {
			return
		}
	}
}

// take learns from a line, and says whether it told anything new.
func (o *obeyer) take(svc Service, f *follower, line LogLine) bool {
	trading, isTrading := parseObeyed(line)
	loaded, refused := svc.Reload.said(line.Text)
	if !isTrading && loaded == "" && refused == "" {
		return false
	}
	// What a service says may quote a secret: a refusal the very value that it is about.
	trading.Reason = o.c.o.Hide(trading.Reason)
	if refused != "" {
		refused = o.c.o.Hide(WithoutLogPrefix(refused))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	news := false
	if isTrading && !line.Time.Before(f.obeysAt) {
		f.obeysAt, o.trade[svc.Name] = line.Time, true
		if f.obeys == nil || f.obeys.TradingEnabled != trading.TradingEnabled || f.obeys.Reason != trading.Reason {
			f.obeys, news = &trading, true
		}
	}
	if (loaded != "" || refused != "") && !line.Time.Before(f.loadedAt) {
		f.loadedAt = line.Time
		news = news || f.refused != refused || loaded != "" && f.loaded != loaded
		f.refused = refused
		if loaded != "" {
			f.loaded = loaded
		}
	}
	return news
}

// saidOf is what this life last said of the config: which one it loaded, or why it refused one.
func (o *obeyer) saidOf(i Instance) (loaded Revision, refused string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f := o.lives[life{i.ID, i.Started.UnixNano()}]; f != nil {
		return f.loaded, f.refused
	}
	return "", ""
}

// fill adds to a service what its living instances said, the newest word of each kind.
func (o *obeyer) fill(s *ServiceStatus) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s.Trades = o.trade[s.Name]
	var loadedAt, obeysAt time.Time
	for _, f := range o.lives {
		if f.instance.Service != s.Name {
			continue
		}
		if f.obeys != nil && !f.obeysAt.Before(obeysAt) {
			said := *f.obeys
			said.Said = f.obeysAt
			s.Obeys, obeysAt = &said, f.obeysAt
		}
		if !f.loadedAt.IsZero() && !f.loadedAt.Before(loadedAt) {
			s.Loaded, s.Refused, loadedAt = f.loaded, f.refused, f.loadedAt
		}
	}
}

// startedWith is what the reference services log, with the revision, of the config they begin with.
const startedWith = "Config loaded"

// said is what a line tells of the config: a revision loaded (short form), or a refusal.
func (r Reload) said(line string) (loaded Revision, refused string) {
	if r.Reject != "" && strings.Contains(line, r.Reject) {
		return "", line
	}
	confirm, _, _ := strings.Cut(r.Confirm, "{revision}")
	if confirm == "" {
		confirm = "Config reloaded"
	}
	says := strings.Contains(line, strings.TrimSpace(confirm)) || strings.Contains(line, startedWith)
	if rev := revisionIn(line); rev != "" && says {
		return Revision(rev.Short()), ""
	}
	return "", ""
}

// parseObeyed understands `trading_enabled=true|false reason=…`, wherever in the line it stands. The
// reason is quoted, or goes to the end of the line.
func parseObeyed(line LogLine) (Obeyed, bool) {
	_, rest, found := strings.Cut(line.Text, "trading_enabled=")
	if !found {
		return Obeyed{}, false
	}
	value, rest, _ := strings.Cut(rest, " ")
	enabled, err := strconv.ParseBool(strings.ToLower(strings.Trim(value, `",`)))
	if err != nil {
		return Obeyed{}, false
	}
	reason := ""
	if _, after, found := strings.Cut(" "+rest, " reason="); found {
		reason = after
		if quoted, err := strconv.QuotedPrefix(after); err == nil {
			reason, _ = strconv.Unquote(quoted)
		}
	}
	return Obeyed{TradingEnabled: enabled, Reason: strings.TrimSpace(reason), Since: line.Time, Said: line.Time}, true
}
