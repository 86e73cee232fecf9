package stack_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// TestChance lets everything go wrong at once, by dice: calls fail in each way, instances die and
// come back, somebody edits the file and pauses things, services refuse or die of it at each start, and the process is killed
// and started again. When that is over, the promise holds. A seed that fails is tried again with
// go test -run 'TestChance/seed_17$'.
func TestChance(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 50
	}
	outcomes := map[stack.Outcome]int{}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chance(t, uint64(seed), outcomes) })
		})
	}
	t.Logf("%d rounds ended: %v", seeds, outcomes)
	for _, o := range []stack.Outcome{stack.Applied, stack.RolledBack, stack.Failed} {
		if outcomes[o] == 0 {
			t.Errorf("no run ended %s, of %v: the dice are loaded", o, outcomes)
		}
	}
}

func chance(t *testing.T, seed uint64, outcomes map[stack.Outcome]int) {
	var mu sync.Mutex // guards dice, and what the dice did
	dice := rand.New(rand.NewPCG(seed, 1))
	roll := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(n)
	}
	w := newWorld(t)
	third := w.backend.Add(scanner.Name, "scanner-2")
	time.Sleep(time.Minute)
	written := [][]byte{oldConfig, newConfig}
	byHand := map[string]bool{} // instances that somebody paused, so that they may be paused

	if roll(3) == 0 {
		w.backend.SetProgram(refuse(orchestrator.Name, newConfig))
	}
	if roll(3) == 0 {
		w.backend.Revive = 100 * time.Millisecond
		w.backend.SetStart(dieOf([]string{orchestrator.Name, scanner.Name}[roll(2)], newConfig))
	}
	odds := []int{0, 40, 15, 5}[roll(4)]
	fault := func(c stacktest.Call) stacktest.Fault {
		if odds == 0 || c.Method == "Discard" || c.Method == "Sweep" || roll(odds) != 0 {
			return stacktest.Fault{}
		}
		switch c.Method {
		case "Read", "Stage", "Commit", "Prune", "Backup", "BackupOf":
			return stacktest.Fault{Err: errInjected, Done: c.Method == "Commit" && roll(2) == 0}
		}
		return []stacktest.Fault{{Err: errInjected}, {Err: errInjected, Done: true}, {Hang: true}, {Hang: true, Done: true}}[roll(4)]
	}
	w.backend.SetFault(fault)
	w.config.SetFault(fault)
	event := func() {
		if roll(40) != 0 {
			return
		}
		i := []stack.Instance{w.orch, w.scan, third}[roll(3)]
		switch roll(5) {
		case 0:
			w.backend.Kill(i)
		case 1:
			w.backend.Restart(i)
		case 2:
			w.backend.Remove(i)
		case 3:
			mu.Lock()
			theirs := fmt.Appendf(nil, "theirs = %d\n", len(written))
			written = append(written, theirs)
			mu.Unlock()
			w.config.Edit(theirs)
		case 4:
			mu.Lock()
			byHand[i.ID] = true
			mu.Unlock()
			w.backend.PauseByHand(i)
		}
	}

	// Up to three lives of the process, each of which may be killed at any place.
	for range roll(3) {
		w.crash(t, 1+roll(60), "", func(c *stack.Controller) {
			c.Recover(t.Context())
			if run := c.Current(); run != nil {
				run.Wait(t.Context())
			}
			saving(t)(c)
		})
		time.Sleep(time.Minute)
	}
	c := w.start(t, func(o *stack.Options) {
		o.Log = nil
		o.Hook = func(string) { event() }
	})
	if err := c.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if run := c.Current(); run != nil {
		r, _ := run.Wait(t.Context())
		mu.Lock()
		outcomes[r.Outcome]++
		mu.Unlock()
	}
	r := save(t, c, newConfig)
	outcomes[r.Outcome]++
	time.Sleep(time.Minute)

	live := w.config.Live()
	if !slices.ContainsFunc(written, func(b []byte) bool { return string(b) == string(live) }) {
		t.Errorf("the file is %q, which nobody wrote", live)
	}
	for _, i := range w.backend.Now() {
		if i.State == stack.Paused && !byHand[i.ID] {
			t.Errorf("%s is paused, and nobody has paused it\n%s", i.Name, story(r))
		}
	}
	w.checkTidy(t)
	if len(r.StillPaused) > 0 {
		t.Errorf("the report says that somebody is still paused: %+v", r.StillPaused)
	}
	// Whatever happened, the next save works once nothing fails any more.
	w.backend.SetFault(nil)
	w.config.SetFault(nil)
	w.backend.SetProgram(nil)
	w.backend.SetStart(nil)
	time.Sleep(time.Minute) // those that come up again are up
	next := w.start(t, func(o *stack.Options) { o.Log = nil })
	if err := next.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := []byte("again = true\n")
	wantOutcome(t, save(t, next, again), stack.Applied, "")
	w.checkFile(t, again)
}
