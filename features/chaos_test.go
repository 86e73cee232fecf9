package features

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"pitstop/stack"
)

// A round of chaos is one save that something kills. These tests run it at every named point of the
// workflow and at random instants, and check after each that nothing is lost and nothing stays
// paused (see check). `make chaos` runs hundreds of rounds; without PITSTOP_CHAOS_ROUNDS it is a
// short form.

// chaosRounds is how many rounds `make chaos` asks for; 0: the short form.
func chaosRounds(t *testing.T) int {
	text := os.Getenv("PITSTOP_CHAOS_ROUNDS")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("PITSTOP_CHAOS_ROUNDS is %q, not how many rounds to run", text)
	}
	return n
}

// blow says how one save is broken.
type blow struct {
	refused bool // the orchestrator does not take the new config, so that the run rolls back
	// point is where the panel dies. Empty: at a random instant of the save; if aimed, of its pause.
	point string
	aimed bool
	// both: its guardian dies with it, and only the next start is left to help.
	both bool
	// again is where the panel that recovers dies as well; empty: it lives.
	again string
}

func (b blow) String() string {
	text := "killed at a random instant"
	switch {
	case b.point != "":
		text = "killed at " + b.point
	case b.aimed:
		text = "killed at a random instant of the pause"
	}
	if b.both {
		text += " together with its guardian"
	}
	if b.again != "" {
		text += " and again at " + b.again
	}
	if b.refused {
		text += ", the config being refused"
	}
	return text
}

var (
	forward = []string{
		stack.PointStaged, stack.PointJournalWritten, stack.PointGuarded, stack.PointFirstPaused, stack.PointPaused, stack.PointSaved,
		stack.PointFirstUnpaused, stack.PointUnpaused, stack.PointReloading, stack.PointReloaded, stack.PointConfirmed,
		stack.PointAudited, stack.PointJournalRemoved,
	}
	undo = []string{
		stack.PointUndoBegun, stack.PointUndoJournalWritten, stack.PointUndoPaused, stack.PointUndoSaved,
		stack.PointUndoUnpaused, stack.PointUndoReloaded, stack.PointUndoConfirmed,
	}
	recovering = []string{stack.PointRecovering, stack.PointRecoveredUnpaused}
)

// eachPoint is every named point once.
func eachPoint() (blows []blow) {
	for _, p := range forward {
		blows = append(blows, blow{point: p})
	}
	for _, p := range undo {
		blows = append(blows, blow{point: p, refused: true})
	}
	for _, p := range recovering {
		blows = append(blows, blow{point: stack.PointPaused, again: p})
	}
	return blows
}

// everyWay is every point in every run that passes it, and every way to die twice.
func everyWay() []blow {
	blows := eachPoint()
	for _, p := range forward {
		if p != stack.PointConfirmed { // a config that is refused is not confirmed
			blows = append(blows, blow{point: p, refused: true})
		}
	}
	finishing := []string{stack.PointReloading, stack.PointReloaded, stack.PointConfirmed, stack.PointAudited, stack.PointJournalRemoved}
	for _, p := range append(recovering, finishing...) {
		blows = append(blows, blow{point: stack.PointSaved, again: p})
	}
	for _, p := range undo {
		blows = append(blows, blow{point: stack.PointSaved, again: p, refused: true})
	}
	for _, p := range []string{stack.PointRecovering, stack.PointRecoveredUnpaused, stack.PointReloaded, stack.PointUndoConfirmed, stack.PointAudited} {
		blows = append(blows, blow{point: stack.PointUndoSaved, again: p, refused: true})
	}
	return blows
}

// randomly is n random blows.
func randomly(n int) (blows []blow) {
	for i := range n {
		blows = append(blows, blow{aimed: i%2 == 0, refused: rand.IntN(3) == 0})
	}
	return blows
}

// someWithGuardian makes every third blow one that the guardian does not survive; which ones, differs
// from time to time.
func someWithGuardian(blows []blow) []blow {
	first := rand.IntN(3)
	for n := range blows {
		blows[n].both = n%3 == first
	}
	return blows
}

// TestEveryPointHasItsRound keeps a new point from being forgotten here.
func TestEveryPointHasItsRound(t *testing.T) {
	met := map[string]bool{}
	for _, b := range eachPoint() {
		met[b.point], met[b.again] = true, true
	}
	for _, p := range stack.Points {
		if !met[p] {
			t.Errorf("no round of chaos kills the panel at %q", p)
		}
	}
}

// TestChaosPanel kills the panel of a stack of local processes.
func TestChaosPanel(t *testing.T) {
	blows := append(eachPoint(), randomly(6)...)
	if n := chaosRounds(t); n > 0 {
		blows = everyWay()
		blows = append(blows, randomly(max(n-len(blows), 50))...)
	}
	kill(t, processRig(t, referenceConfig(t)), someWithGuardian(blows))
}

// TestChaosContainers kills the panel of a stack of containers.
func TestChaosContainers(t *testing.T) {
	blows := []blow{{point: stack.PointPaused}, {point: stack.PointSaved}, {point: stack.PointUndoSaved, refused: true, both: true}, {aimed: true}}
	if n := chaosRounds(t); n > 0 {
		blows = someWithGuardian(append(everyWay(), randomly(n/4)...))
	}
	kill(t, containerRig(t, referenceConfig(t)), blows)
}

// kill runs one round for each blow, and tells what came of them.
func kill(t *testing.T, r *rig, blows []blow) {
	c := newChaos(r)
	defer c.tell(t)
	for n, b := range blows {
		passed := t.Run(fmt.Sprintf("%03d %s", n+1, b), func(t *testing.T) { c.round(t, b) })
		if !passed {
			return // what the next rounds would find is this one's doing
		}
	}
	if c.TB = t; chaosRounds(t) > 0 { // the short form does not wait for it
		c.mourned()
	}
}

// round is one save that is broken, and the start after it.
func (c *chaos) round(t *testing.T, b blow) {
	c.TB = t
	services := c.env
	defer func() { c.env = services }()
	c.env = append(services, "PITSTOP_CHAOS_KILL_AT="+b.point)
	if b.both {
		c.env = append(services, "PITSTOP_CHAOS_STOP_AT="+b.point)
	}
	c.start()
	c.settled()
	s := c.newSave(b.refused)
	switch answered := c.put(s); {
	case b.point == "":
		c.killWithin(b, answered)
	case b.both:
		c.stands()
		c.killBoth()
	default:
		c.died(b.point, answered)
	}
	s.journal = exists(c.journal())
	if b.again != "" {
		c.env = append(services, "PITSTOP_CHAOS_KILL_AT="+b.again)
		c.launch()
		c.died(b.again, nil)
		s.journal = s.journal || exists(c.journal())
	}
	c.env = services
	c.start()
	c.check(s, b.fate())
}

// fate is what must come of the file, where the point tells.
func (b blow) fate() fate {
	if b.refused {
		return staysOld
	}
	for _, p := range forward {
		switch {
		case b.point == "":
			return either
		case p == stack.PointSaved:
			return becomesNew
		case p == b.point:
			return staysOld
		}
	}
	return becomesNew
}

// killWithin kills the panel at a random instant.
func (c *chaos) killWithin(b blow, answered <-chan answer) {
	began := time.Now()
	after := rand.N(c.usual + c.usual/5)
	if b.aimed {
		eventually(c.TB, "the run to get under way", func() (bool, string) {
			return exists(c.journal()) || len(answered) > 0, "no journal"
		})
		after = rand.N(30 * time.Millisecond)
	}
	select {
	case a := <-answered:
		c.usual = min(c.usual, max(time.Since(began), 100*time.Millisecond))
		if a.err != nil {
			c.Fatalf("the save got no answer: %v", a.err)
		}
	case <-time.After(after):
	}
	if b.both {
		c.killBoth()
	} else {
		c.kill()
	}
}
