package schedule

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack/durable"
)

// ErrRefused is wrapped by errors that are the asker's, such as an end that has passed.
var ErrRefused = errors.New("refused")

// MaxForce bounds how long trading may be forced on.
const MaxForce = 7 * 24 * time.Hour

// Gate is the trading_enabled flag. It follows the schedule's decisions unless a person halted it or
// forced it on. What a person said is kept twice, in trading.json and in the state folder: a halt in
// either of them is a halt, so that losing one of them does not lift it. Where the two cannot be
// understood, the gate is halted until a person looks. It is safe for concurrent use.
type Gate struct {
	file  gateFile // trading.json, which services read
	latch gateFile // gate.json in the state folder
	clock clockwork.Clock
	log   *slog.Logger

	mu       sync.Mutex // guards what follows, and orders the writes of both files
	held     GateState  // what a person last said: the mode, and its own since, until, by, reason
	decision State      // what the schedule last said, with the instant since when in fact
	looked   time.Time  // when it last said so; zero: not yet
	state    GateState  // what follows from both, as of the last look
	problem  string     // why trading.json does not say so; empty: it does
	unclear  time.Time  // since when it holds what somebody else wrote and nobody understands
	onChange []func()
	onRecord []func(GateState)
}

// OpenGate opens the gate whose file is path (trading.json beside the config file) and whose latch
// is kept in the folder state. It closes nothing and opens nothing by itself: until the first
// Follow a gate that is not halted reads as closed, and its file stays as it is.
func OpenGate(path, state string, clock clockwork.Clock, log *slog.Logger) (*Gate, error) {
	if clock == nil {
		clock = clockwork.NewRealClock()
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Gate{file: gateFile{path: path}, latch: gateFile{path: filepath.Join(state, "gate.json")}, clock: clock, log: log}
	for _, f := range []gateFile{g.file, g.latch} {
		if err := durable.Sweep(f.path); err != nil {
			log.Warn("what a killed Pitstop left of a write could not be removed", "path", f.path, "error", err)
		}
	}
	now := clock.Now().UTC()
	g.decision = State{Since: now, Reason: "Pitstop has started and has not looked at the schedule yet."}
	g.held = g.recall(now)
	g.state = g.decide(now)
	if g.held.Mode == FollowSchedule {
		return g, nil
	}
	g.log.Warn("the gate was left by a person", "mode", g.held.Mode, "by", g.held.By, "since", g.held.Since, "reason", g.held.Reason)
	if err := g.keep(); err != nil {
		// The gate still holds in this process, and every Beat tries again.
		g.log.Error("the gate's files could not be written", "error", err)
	}
	return g, nil
}

// recall is what a person last said, from both files. A halt wins.
func (g *Gate) recall(now time.Time) GateState {
	free := GateState{Mode: FollowSchedule, By: "schedule"}
	latch, latched, latchErr := g.latch.read()
	seen, found, fileErr := g.file.read()
	switch {
	case latchErr == nil && latched && latch.Mode == Halted:
		return latch
	case fileErr == nil && found && seen.Mode == Halted:
		return seen
	case latchErr != nil:
		return g.unsure(now, g.latch.path, latchErr)
	case fileErr != nil:
		return g.unsure(now, g.file.path, fileErr)
	case latched && latch.Mode == Forced:
		// Set back past the instant at which it was given, the clock would stretch it.
		if now.Before(*latch.Until) && !now.Before(latch.Since) {
			return latch
		}
		return free
	case latched:
		free.Since = latch.Since
	}
	return free
}

func (g *Gate) unsure(now time.Time, path string, err error) GateState {
	return GateState{
		Mode: Halted, Since: now, By: "pitstop",
		Reason: fmt.Sprintf("%s cannot be understood, so nobody knows whether trading was halted: %v. Look at it, then resume.", path, err),
	}
}

// State is the gate as it is now.
func (g *Gate) State() GateState {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.decide(g.clock.Now().UTC())
}

// Problem is a sentence if trading.json could not be written; empty if it says what State says.
func (g *Gate) Problem() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.problem
}

// OnChange registers a function that is called, and must be quick, after the state changed.
func (g *Gate) OnChange(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.onChange = append(g.onChange, f)
}

// OnRecord registers a function that is called with each new state, for the audit log. Of a state that
// follows from a person's word it has that person and reason, also where the file names the schedule.
func (g *Gate) OnRecord(f func(GateState)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.onRecord = append(g.onRecord, f)
}

// Halt stops order entry until a person resumes it. It holds even when it returns an error: then a
// file could not be written, and services may not have heard of it.
func (g *Gate) Halt(by, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		reason = "Trading was halted by hand."
	}
	return g.hold(GateState{Mode: Halted, By: by, Reason: reason})
}

// Force enables trading until an instant, whatever the schedule says; then the schedule decides
// again. It does not lift a halt: Resume does.
func (g *Gate) Force(by string, until time.Time, reason string) error {
	now := g.clock.Now()
	switch {
	case !until.After(now):
		return fmt.Errorf("trading cannot be forced on until %s, which has passed: %w", until.UTC().Format(time.RFC3339), ErrRefused)
	case until.Sub(now) > MaxForce:
		return fmt.Errorf("trading cannot be forced on until %s: at most %d days: %w", until.UTC().Format(time.RFC3339), int(MaxForce.Hours()/24), ErrRefused)
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		reason = "Trading was enabled by hand."
	}
	until = until.UTC()
	return g.hold(GateState{TradingEnabled: true, Mode: Forced, By: by, Reason: reason, Until: &until})
}

// Resume lets the schedule decide again: it lifts a halt and ends a Force. If a file cannot be
// written, the halt stays. It lifts no halt that nobody can have seen yet.
func (g *Gate) Resume(by, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		reason = "The schedule was resumed."
	}
	return g.hold(GateState{Mode: FollowSchedule, By: by, Reason: reason})
}

// hold takes a person's word.
func (g *Gate) hold(said GateState) error {
	g.mu.Lock()
	now := g.clock.Now().UTC()
	said.Since = now
	if heard, _ := g.heed(now); heard && said.Mode != Halted {
		by := g.held.By
		_ = g.release(g.keep(), nil) // it is told as the gate's problem
		return fmt.Errorf("trading was halted a moment ago by %s: look at the reason first: %w", by, ErrRefused)
	}
	before := g.held
	if said.Mode == Forced && before.Mode == Halted {
		g.mu.Unlock()
		return fmt.Errorf("trading is halted by %s: resume the schedule before forcing trading on: %w", before.By, ErrRefused)
	}
	if said.Mode == Halted && before.Mode == Halted {
		said.Since = before.Since
	}
	g.held = said
	err := g.keep()
	if err != nil && said.Mode != Halted {
		// Nothing is enabled that a restart would forget or a service would not hear of.
		g.held = before
		err = errors.Join(err, g.keep())
	}
	return g.release(err, &said)
}

// heed takes notice of a halt that somebody else wrote into trading.json, and reports whether there was a
// new one. unclear means that somebody wrote what cannot be understood, less than a second ago: it may be
// half of a halt.
func (g *Gate) heed(now time.Time) (heard, unclear bool) {
	said, err := g.file.byOthers()
	if said == nil || err == nil {
		g.unclear = time.Time{}
	}
	switch {
	case said == nil:
		return false, false
	case err != nil:
		if g.unclear.IsZero() {
			g.unclear = now
		}
		return false, now.Sub(g.unclear).Abs() < time.Second
	case said.Mode != Halted || g.held.Mode == Halted:
		return false, false
	}
	if said.By == "" {
		said.By = g.file.path
	}
	if said.Since.IsZero() {
		said.Since = now
	}
	g.held = *said
	return true, false
}

// Follow takes the schedule's word. It changes nothing while a person's holds, but is remembered.
func (g *Gate) Follow(d State) error {
	g.mu.Lock()
	now := g.clock.Now().UTC()
	d.Since = g.changedAt(d, now)
	g.decision, g.looked = d, now
	return g.release(g.refresh(), nil)
}

// changedAt is since when, in fact, it is as the schedule says now. The schedule's own word on that is
// right of every edge that has come since it was last looked at, and of one that the panel slept or was
// off through. But a schedule that is changed at noon, to have closed at eleven, closes at noon; and one
// that is changed to have opened later than it did was open all the while.
func (g *Gate) changedAt(d State, now time.Time) time.Time {
	open, since, looked := g.decision.Open, g.decision.Since, g.looked
	if looked.IsZero() {
		told := g.file.content
		if told.Mode != FollowSchedule || told.Since.IsZero() {
			open, since = d.Open, now // nothing is known of before
		} else {
			open, since, looked = told.TradingEnabled, told.Since, told.Since
		}
	}
	switch {
	case d.Since.After(looked):
		return d.Since
	case open == d.Open:
		return since
	}
	return now
}

// closedAt is when trading.json last told of the schedule's closing, if it did.
func (g *Gate) closedAt() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if told := g.file.content; told.Mode == FollowSchedule && !told.TradingEnabled {
		return told.Since
	}
	return time.Time{}
}

// Beat is to be called about once a second: it ends a Force whose time has come, tries again what
// could not be written, takes notice of a halt that somebody else wrote into trading.json, puts
// right whatever else was done to it, and sets its time of modification, by which services see that
// somebody keeps it.
func (g *Gate) Beat() error {
	g.mu.Lock()
	err := g.refresh()
	if err == nil {
		err = g.file.touch(g.clock.Now())
	}
	return g.release(err, nil)
}

// refresh heeds a halt of somebody else's before it could write over it, ends a Force whose time has
// come, and writes what is not in the files.
func (g *Gate) refresh() error {
	now := g.clock.Now().UTC()
	switch heard, unclear := g.heed(now); {
	case heard:
		return g.keep()
	case unclear:
		return nil // nobody trades by it meanwhile
	}
	if g.held.Mode == Forced && (!now.Before(*g.held.Until) || now.Before(g.held.Since)) {
		g.held = GateState{Mode: FollowSchedule, Since: now, By: "schedule"}
		return g.keep()
	}
	if g.held.Mode != FollowSchedule && !(g.latch.settled() && g.held.same(g.latch.content)) {
		return g.keep()
	}
	if state := g.decide(now); !state.same(g.file.content) || !g.file.settled() {
		return g.tell(state)
	}
	return nil
}

// keep writes both files. A halt goes to the services first and into the latch after; what lifts
// one goes the other way: a crash in between leaves it halted.
func (g *Gate) keep() error {
	state := g.decide(g.clock.Now().UTC())
	if g.held.Mode == Halted {
		return errors.Join(g.tell(state), g.latch.write(g.held))
	}
	if err := g.latch.write(g.held); err != nil {
		return err
	}
	return g.tell(state)
}

// tell writes trading.json. What closes it is written even where there is no room for a new file.
func (g *Gate) tell(state GateState) error {
	if state.TradingEnabled {
		return g.file.write(state)
	}
	return g.file.writeAnyhow(state)
}

// decide is the state that follows from a person's word and the schedule's.
func (g *Gate) decide(now time.Time) GateState {
	held, d := g.held, g.decision
	switch {
	case held.Mode == Halted:
		held.TradingEnabled, held.Until = false, nil
		return held
	case held.Mode == Forced && now.Before(*held.Until) && !now.Before(held.Since):
		held.TradingEnabled = true
		return held
	}
	state := GateState{TradingEnabled: d.Open, Mode: FollowSchedule, Reason: d.Reason, Since: d.Since.UTC(), By: "schedule"}
	if held.Mode == FollowSchedule {
		state.Since = maxTime(state.Since, held.Since)
	}
	switch {
	case d.Until.IsZero():
	case d.Open && !now.Before(d.Until):
		// Nobody has looked at the schedule since: what was open does not stay so.
		state.TradingEnabled, state.Since, state.Reason = false, d.Until.UTC(), "The window has ended."
	default:
		until := d.Until.UTC()
		state.Until = &until
	}
	return state
}

// release unlocks the gate, and tells those who asked for it what has changed. said is the word of a
// person from which the change follows; nil: it follows from none.
func (g *Gate) release(err error, said *GateState) error {
	before, problem := g.state, g.problem
	g.state = g.decide(g.clock.Now().UTC())
	g.problem = ""
	if err != nil {
		g.problem = fmt.Sprintf("%s may not say what the gate is: %v", g.file.path, err)
	}
	state, changed := g.state, !g.state.same(before)
	notify := changed || problem != g.problem
	onChange, onRecord := g.onChange, g.onRecord
	g.mu.Unlock()

	if changed {
		g.log.Info("trading", "enabled", state.TradingEnabled, "mode", state.Mode, "by", state.By, "reason", state.Reason)
		record := state
		if said != nil && said.Mode == FollowSchedule && state.Mode == FollowSchedule {
			record.By, record.Reason = said.By, finished(said.Reason)+" "+state.Reason
		}
		for _, f := range onRecord {
			f(record)
		}
	}
	if notify {
		for _, f := range onChange {
			f()
		}
	}
	return err
}

// finished is a person's reason as a sentence that another can follow.
func finished(reason string) string {
	if strings.ContainsAny(reason[len(reason)-1:], ".!?") {
		return reason
	}
	return reason + "."
}
