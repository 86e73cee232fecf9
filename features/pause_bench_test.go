package features

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/docker"
	"pitstop/stack/docker/dockertest"
)

// rounds are what the medians are of, however little time the benchmark is given.
const rounds = 15

// BenchmarkPause measures the pause window, which is what the trader pays, against its floor: the
// same containers paused and unpaused at once through the bare SDK, with no config saved in between.
// Both take turns in one run, so that whatever else the machine does slows both. It is run by
// `make bench ROW=pause`; a round is one of each.
func BenchmarkPause(b *testing.B) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "containers\trounds\tfloor ms\tpitstop ms\tratio\tPauseStack ms\tSaveConfig ms\tUnpauseStack ms\t")
	for _, n := range []int{2, 10, 40} {
		b.Run(fmt.Sprintf("containers=%d", n), func(b *testing.B) {
			p := newPauseBench(b, n)
			p.round(b) // the first connects and warms up, and does not count
			p.measured = measured{}
			for b.Loop() {
				for range rounds {
					p.round(b)
				}
			}
			floor, window := median(p.floor), median(p.window)
			b.ReportMetric(0, "ns/op") // a round is no operation that anybody waits for
			b.ReportMetric(floor, "floor-ms")
			b.ReportMetric(window, "pitstop-ms")
			b.ReportMetric(window/floor, "ratio")
			_, _ = fmt.Fprintf(w, "%d\t%d\t%.1f\t%.1f\t%.2f\t%.1f\t%.1f\t%.1f\t\n", n, len(p.floor), floor, window, window/floor,
				median(p.steps[stack.PauseStack]), median(p.steps[stack.SaveConfig]), median(p.steps[stack.UnpauseStack]))
		})
	}
	_ = w.Flush()
	// Not b.Log: what a benchmark with parts logs is only shown when it fails.
	fmt.Printf("\nThe pause window and its floor, medians:\n%s\n", table.String())
}

// pauseBench is a stack of containers that do nothing, and what was measured on it.
type pauseBench struct {
	engine     *dockertest.Engine
	containers []*dockertest.Container
	controller *stack.Controller
	played     int // rounds so far
	measured
}

// measured are times in milliseconds, one of each per round.
type measured struct {
	floor, window []float64
	steps         map[stack.Step][]float64
}

func newPauseBench(b *testing.B, n int) *pauseBench {
	b.Helper()
	p := &pauseBench{engine: dockertest.New(b)}
	selector := "app=bench-" + p.engine.Unique
	for range n {
		p.containers = append(p.containers, p.engine.Run(dockertest.Spec{
			Name: "bench", Cmd: []string{"sleep", "infinity"}, Labels: map[string]string{"app": "bench-" + p.engine.Unique},
		}))
	}
	path := filepath.Join(b.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte("round = 0\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	store, err := configfile.Open(path, 3, nil)
	if err != nil {
		b.Fatal(err)
	}
	services := []stack.Service{{Name: "bench", Selector: selector, Reload: stack.Reload{Watch: true}}}
	backend, err := docker.New(docker.Options{Services: services, ConfigPath: path})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = backend.Close() })
	p.controller, err = stack.New(stack.Options{
		Services: services,
		Backend:  backend,
		Config:   store,
		Validate: func([]byte) []stack.Problem { return nil },
		State:    b.TempDir(),
	})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// breather lies between two measurements. The engine works off the events of a pause and an unpause
// a little late; until then it may call a running container paused and refuse to pause it.
const breather = 500 * time.Millisecond

// round measures the floor and Pitstop once each, the other one first every second time.
func (p *pauseBench) round(b *testing.B) {
	b.Helper()
	p.played++
	both := []func(*testing.B){p.bare, p.save}
	if p.played%2 == 0 {
		slices.Reverse(both)
	}
	for _, measure := range both {
		time.Sleep(breather)
		measure(b)
	}
}

func (p *pauseBench) bare(b *testing.B) {
	b.Helper()
	began := time.Now()
	if err := p.engine.PauseAll(p.containers); err != nil {
		b.Fatal(err)
	}
	if err := p.engine.UnpauseAll(p.containers); err != nil {
		b.Fatal(err)
	}
	p.floor = append(p.floor, time.Since(began).Seconds()*1000)
}

func (p *pauseBench) save(b *testing.B) {
	b.Helper()
	run, err := p.controller.SaveAndRestart(b.Context(), stack.Change{
		Kind: stack.KindSave, Content: fmt.Appendf(nil, "round = %d\n", p.played), By: "bench",
	})
	if err != nil {
		b.Fatal(err)
	}
	report, err := run.Wait(b.Context())
	if err != nil || report.Outcome != stack.Applied {
		b.Fatalf("a save ended as %q: %s (%v)", report.Outcome, report.Message, err)
	}
	p.window = append(p.window, report.PauseMs)
	if p.steps == nil {
		p.steps = map[stack.Step][]float64{}
	}
	for _, s := range report.Steps {
		p.steps[s.Name] = append(p.steps[s.Name], s.Ms)
	}
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
