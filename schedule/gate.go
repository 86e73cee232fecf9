package schedule

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"pitstop/stack/durable"
)

// ErrRefused is wrapped by errors that are the asker's, such as an end that has passed.
var ErrRefused = errors.New("refused")

// patience is how long somebody else may take to write trading.json.
const patience = time.Second

// MaxForce bounds how long trading may be forced on.
const MaxForce = 7 * 24 * time.Hour

// Gate is the trading_enabled flag. It follows the schedule's decisions unless a person halted it or
// forced it on. What a person said is kept twice, in trading.json and in the state folder: a halt in
// either of them is a halt, so that losing one of them does not lift it. Where the two cannot be
// understood, the gate is halted until a person looks. It is safe for concurrent use.
type Gate struct {
	clock clockwork.Clock
	log   *slog.Logger

	// turn belongs to one who takes a word and makes it durable, and orders the writes of the latch. Only the
	// first step of a halt, which services see, does not wait for it.
	turn  sync.Mutex
	latch gateFile // gate.json in the state folder

	// mu guards what follows, and orders the looks at trading.json and what is put in its place. Nobody waits
	// for a disk to have written something with it.
	mu      sync.Mutex
	file    gateFile  // trading.json, which services read
	word              // what was last said; not yet in force where it enables
	looked  time.Time // when the schedule last said so; zero: not yet
	unclear time.Time // since when the file holds what somebody else wrote and nobody understands

	// readers guards what everybody may ask, and waits for no disk at all.
	readers  sync.Mutex
	shown    word      // what is in force
	state    GateState // what follows from it, as of the last look
	problem  string    // why trading.json does not say so; empty: it does
	onChange []func()
	onRecord []func(GateState)
}

// word is what a gate's state follows from.
type word struct {
	held     GateState // what a person last said: the mode, and its own since, until, by, reason
	decision State     // what the schedule last said, with the instant since when in fact
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
	g := &Gate{
		file:  gateFile{path: path, shared: true},
		latch: gateFile{path: filepath.Join(state, "gate.json")},
		clock: clock, log: log,
	}
	now := clock.Now().UTC()
	g.decision = State{Since: now, Reason: "Pitstop has started and has not looked at the schedule yet."}
	g.held = g.recall(now)
	g.show()
	g.state = g.decide(now)
	if g.held.Mode != FollowSchedule {
		g.log.Warn("the gate was left by a person", "mode", g.held.Mode, "by", g.held.By, "since", g.held.Since, "reason", g.held.Reason)
		if err := g.keep(); err != nil {
			// The gate still holds in this process, and every Beat tries again.
			g.log.Error("the gate's files could not be written", "error", err)
			return g, nil
		}
	}
	for _, path := range []string{g.file.path, g.latch.path} { // not before what they say is kept
		if err := durable.Sweep(path); err != nil {
			log.Warn("what a killed Pitstop left of a write could not be removed", "path", path, "error", err)
		}
	}
	return g, nil
}

// recall is what a person last said, from both files. A halt wins.
func (g *Gate) recall(now time.Time) GateState {
	free := GateState{Mode: FollowSchedule, By: "schedule"}
	latch, latched, latchErr := g.latch.read()
	seen, found, fileErr := g.file.read()
	left, halted := g.file.left()
	switch {
	case latchErr == nil && latched && latch.Mode == Halted:
		return latch
	case fileErr == nil && found && seen.Mode == Halted:
		return seen
	case halted:
		return left
	case latchErr != nil:
		return g.unsure(now, &g.latch, latchErr)
	case fileErr != nil:
		return g.unsure(now, &g.file, fileErr)
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

// unsure is the halt that stands where a file cannot be understood. What the file held is kept beside it,
// for it is about to be written over.
func (g *Gate) unsure(now time.Time, f *gateFile, why error) GateState {
	kept, err := f.setAside()
	if err != nil {
		kept = "It could not be kept: Pitstop's log has how it began."
	}
	content, _ := os.ReadFile(f.path)
	g.log.Error("a file of the gate cannot be understood", "path", f.path, "error", why, "kept", err == nil, "beginning", head(content))
	return GateState{
		Mode: Halted, Since: now, By: "pitstop",
		Reason: fmt.Sprintf("%s cannot be understood, so nobody knows whether trading was halted: %v. %s Look at it, then resume.", f.path, why, kept),
	}
}

// head is enough of a file to see what it is.
func head(content []byte) string {
	const enough = 300
	return string(content[:min(len(content), enough)])
}

// State is the gate as it is now. It waits for no disk.
func (g *Gate) State() GateState {
	g.readers.Lock()
	defer g.readers.Unlock()
	return g.shown.decide(g.clock.Now().UTC())
}

// Problem is a sentence if trading.json could not be written; empty if it says what State says.
func (g *Gate) Problem() string {
	g.readers.Lock()
	defer g.readers.Unlock()
	return g.problem
}

// OnChange registers a function that is called, and must be quick, after the state changed.
func (g *Gate) OnChange(f func()) {
	g.readers.Lock()
	defer g.readers.Unlock()
	g.onChange = append(g.onChange, f)
}

// OnRecord registers a function that is called with each new state, for the audit log. Of a state that
// follows from a person's word it has that person and reason, also where the file names the schedule.
func (g *Gate) OnRecord(f func(GateState)) {
	g.readers.Lock()
	defer g.readers.Unlock()
	g.onRecord = append(g.onRecord, f)
}

// show puts in force what was said. The lock is held.
func (g *Gate) show() {
	g.readers.Lock()
	defer g.readers.Unlock()
	g.shown = g.word
}

// Halt stops order entry until a person resumes it. Services see it before it is on the disk, and before
// whatever else waits for the disk; when Halt returns it is on it. It holds even when it returns an error:
// then a file could not be written, and services may not have heard of it.
func (g *Gate) Halt(by, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		reason = "Trading was halted by hand."
	}
	said := GateState{Mode: Halted, By: by, Reason: reason}
	g.mu.Lock()
	if said.Since = g.clock.Now().UTC(); g.held.Mode == Halted {
		said.Since = g.held.Since
	}
	g.held = said
	g.show()
	err := g.file.put(said)
	g.mu.Unlock()
	seen := g.changes(err, &said)
	seen.tell()

	g.turn.Lock()
	kept := g.changes(g.keep(), &said)
	g.turn.Unlock()
	seen.record()
	kept.tell()
	kept.record()
	return kept.err
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

// errUnclear means that trading.json holds what somebody else wrote and cannot be understood (yet).
var errUnclear = fmt.Errorf("somebody is writing trading.json at this very moment, and it may be a halt: try again in a second: %w", ErrRefused)

// hold takes a person's word other than a halt.
func (g *Gate) hold(said GateState) error {
	g.turn.Lock()
	g.mu.Lock()
	now := g.clock.Now().UTC()
	said.Since = now
	heard, unclear := g.heed(now)
	before := g.held
	refused := !heard && (unclear || said.Mode == Forced && before.Mode == Halted)
	if !heard && !refused {
		g.held = said
	}
	g.mu.Unlock()
	switch {
	case heard:
		return g.haltedMeanwhile()
	case refused:
		g.turn.Unlock()
		if unclear {
			return errUnclear
		}
		return fmt.Errorf("trading is halted by %s: resume the schedule before forcing trading on: %w", before.By, ErrRefused)
	}
	err := g.keep()
	g.mu.Lock()
	halted := g.held.Mode == Halted
	if err != nil && !halted {
		g.held = before // nothing is enabled that a restart would forget or a service would not hear of
	}
	g.mu.Unlock()
	switch {
	case halted:
		return g.haltedMeanwhile()
	case err == nil:
		return g.release(nil, &said)
	}
	err = errors.Join(err, g.keep())
	if errors.Is(err, errUnclear) {
		_ = g.release(nil, nil)
		return errUnclear
	}
	return g.release(err, &said)
}

// haltedMeanwhile refuses what came together with a halt, and ends the turn.
func (g *Gate) haltedMeanwhile() error {
	g.mu.Lock()
	by := g.held.By
	g.mu.Unlock()
	_ = g.release(g.keep(), nil) // it is told as the gate's problem
	return fmt.Errorf("trading was halted a moment ago by %s: look at the reason first: %w", by, ErrRefused)
}

// heed takes notice of a halt that somebody else wrote into trading.json, and reports whether there was a
// new one. unclear means that somebody wrote what cannot be understood, less than a second ago: it may be
// half of a halt. After that it is one, as at the start: no service trades by such a file, and only a
// person may have that changed. The lock is held.
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
		if now.Sub(g.unclear).Abs() < patience {
			return false, true
		}
		g.unclear = time.Time{}
		unsure := g.unsure(now, &g.file, err)
		if g.held.Mode == Halted {
			return false, false // by somebody who says more
		}
		g.held = unsure
		return true, false
	case said.Mode != Halted:
		return false, false
	}
	if said.By == "" {
		said.By = g.file.path
	}
	if said.Since.IsZero() {
		said.Since = now
	}
	said.TradingEnabled, said.Until = false, nil
	if g.held.Mode == Halted && said.same(g.held) {
		return false, false
	}
	g.held = *said
	return true, false
}

// Follow takes the schedule's word. It changes nothing while a person's holds, but is remembered.
func (g *Gate) Follow(d State) error {
	g.turn.Lock()
	g.mu.Lock()
	now := g.clock.Now().UTC()
	d.Since = g.changedAt(d, now)
	g.decision, g.looked = d, now
	g.mu.Unlock()
	return g.release(g.refresh(), nil)
}

// changedAt is since when, in fact, it is as the schedule says now. The schedule's own word on that is
// right of every edge that has come since it was last looked at, and of one that the panel slept or was
// off through. But a schedule that is changed at noon, to have closed at eleven, closes at noon; and one
// that is changed to have opened later than it did was open all the while. The lock is held.
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
// could not be written, takes notice of what somebody else wrote into trading.json (a halt, or what
// cannot be understood, holds; anything else is put right), and sets its time of modification, by which
// services see that somebody keeps it.
func (g *Gate) Beat() error {
	g.turn.Lock()
	err := g.refresh()
	if err == nil {
		g.mu.Lock()
		err = g.file.touch(g.clock.Now())
		g.mu.Unlock()
	}
	return g.release(err, nil)
}

// refresh heeds a halt of somebody else's before it could write over it, ends a Force whose time has
// come, and writes what is not in the files.
func (g *Gate) refresh() error {
	g.mu.Lock()
	now := g.clock.Now().UTC()
	heard, unclear := g.heed(now)
	ended := g.held.Mode == Forced && (!now.Before(*g.held.Until) || now.Before(g.held.Since))
	if ended && !unclear {
		g.held = GateState{Mode: FollowSchedule, Since: now, By: "schedule"}
	}
	held, told := g.held, g.file.tells(g.decide(now))
	g.mu.Unlock()
	var err error
	switch {
	case unclear: // nobody trades by it meanwhile
	case ended: // the file first: a latch whose time has come says nothing any more
		err = errors.Join(g.tell(), g.latch.write(held))
	case heard, held.Mode != FollowSchedule && !g.latch.tells(held):
		err = g.keep()
	case !told:
		err = g.tell()
	}
	if errors.Is(err, errUnclear) {
		return nil
	}
	return err
}

// keep writes both files. A halt goes to the services first and into the latch after; what lifts
// one goes the other way: a crash in between leaves it halted.
func (g *Gate) keep() error {
	g.mu.Lock()
	held := g.held
	g.mu.Unlock()
	if held.Mode == Halted {
		return errors.Join(g.tell(), g.latch.write(held))
	}
	if err := g.latch.write(held); err != nil {
		return err
	}
	return g.tell()
}

// tell has trading.json say what was said. What disables trading is in force at once, is seen by services
// before it is on the disk, and is written even where there is no room for a new file; what enables it is
// in force when it is on the disk. A halt that somebody else writes in the same moment is heeded.
func (g *Gate) tell() error {
	g.mu.Lock()
	state := g.decide(g.clock.Now().UTC())
	if state.TradingEnabled {
		g.mu.Unlock()
		return g.tellOpen(state)
	}
	g.show()
	var err error
	if !state.same(g.file.content) || !g.file.settled() {
		err = g.file.put(state)
	}
	n, synced := g.file.placed, g.file.synced
	g.mu.Unlock()
	if err != nil || synced {
		return g.yielded(err)
	}
	err = g.file.sync()
	g.mu.Lock()
	g.file.kept(n, err)
	g.mu.Unlock()
	return err
}

func (g *Gate) tellOpen(state GateState) error {
	d, err := g.file.draft(state)
	if err == nil {
		defer d.Discard()
		err = g.file.wait(d.Sync)
	}
	g.mu.Lock()
	if err == nil && !g.decide(g.clock.Now().UTC()).same(state) { // it was halted meanwhile, or its end has come
		g.mu.Unlock()
		return g.tell()
	}
	if err == nil {
		err = g.file.place(d)
	}
	n := g.file.placed
	g.mu.Unlock()
	if err == nil {
		err = g.file.wait(g.file.syncEntry)
	}
	g.mu.Lock()
	g.file.kept(n, err)
	g.mu.Unlock()
	return g.yielded(err)
}

// yielded heeds what a write has yielded to.
func (g *Gate) yielded(err error) error {
	if !errors.Is(err, errTheirs) {
		return err
	}
	g.mu.Lock()
	heard, _ := g.heed(g.clock.Now().UTC())
	g.mu.Unlock()
	if heard {
		return g.keep()
	}
	return errUnclear
}

// decide is the state that follows from a person's word and the schedule's.
func (w word) decide(now time.Time) GateState {
	held, d := w.held, w.decision
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

// release ends the turn, and tells those who asked for it what has changed. said is the word of a
// person from which the change follows; nil: it follows from none.
func (g *Gate) release(err error, said *GateState) error {
	g.mu.Lock()
	g.show()
	g.mu.Unlock()
	c := g.changes(err, said)
	g.turn.Unlock()
	c.tell()
	c.record()
	return err
}

// changes is what others have not been told yet.
type changes struct {
	err          error
	tell, record func()
}

// changes is what has changed since the last call.
func (g *Gate) changes(err error, said *GateState) changes {
	g.readers.Lock()
	defer g.readers.Unlock()
	before, problem := g.state, g.problem
	g.state = g.shown.decide(g.clock.Now().UTC())
	g.problem = ""
	if err != nil {
		g.problem = fmt.Sprintf("%s may not say what the gate is: %v", g.file.path, err)
	}
	state, changed := g.state, !g.state.same(before)
	onChange, onRecord := g.onChange, g.onRecord
	c := changes{err: err, tell: func() {}, record: func() {}}
	if changed {
		g.log.Info("trading", "enabled", state.TradingEnabled, "mode", state.Mode, "by", state.By, "reason", state.Reason)
		record := state
		if said != nil && said.Mode == FollowSchedule && state.Mode == FollowSchedule {
			record.By, record.Reason = said.By, finished(said.Reason)+" "+state.Reason
		}
		c.record = func() {
			for _, f := range onRecord {
				f(record)
			}
		}
	}
	if changed || problem != g.problem {
		c.tell = func() {
			for _, f := range onChange {
				f()
			}
		}
	}
	return c
}

// finished is a person's reason as a sentence that another can follow.
func finished(reason string) string {
	if strings.ContainsAny(reason[len(reason)-1:], ".!?") {
		return reason
	}
	return reason + "."
}
