package handlers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"pitstop/schema"
)

// formRounds are what the medians are of, however little time the benchmark is given.
const formRounds = 15

// BenchmarkForm measures what somebody waits for who edits a config of hundreds of keys by a schema in
// the style of a chart's values: the page, and a save with its run to the end. The floor is the least
// that any editor has to do, decoding the file and validating it, once; both take turns in one run, so
// that whatever else the machine does slows both. It is run by `make bench ROW=form`.
func BenchmarkForm(b *testing.B) {
	golden := filepath.Join("..", "schema", "testdata", "golden")
	content, err := os.ReadFile(filepath.Join(golden, "values.toml"))
	if err != nil {
		b.Fatal(err)
	}
	p := newPanelUnder(b, b.TempDir(), filepath.Join(golden, "values.schema.json"))
	p.write(string(content))
	fields := 0
	eachSection(p.o.Schema.Form(p.live().Value).Sections, func(s schema.Section) { fields += len(s.Fields) })

	var floor, page, answer, save []float64
	took := func(list *[]float64, f func()) {
		start := time.Now()
		f()
		*list = append(*list, float64(time.Since(start).Microseconds())/1000)
	}
	played := 0
	round := func() {
		form := p.form()
		form.Set("worker.replicaCount", strconv.Itoa(3+played%2))
		played++
		took(&floor, func() {
			var v map[string]any
			if err := toml.Unmarshal(p.content(), &v); err != nil {
				b.Fatal(err)
			}
			p.o.Schema.Validate(v, nil)
		})
		took(&page, func() { p.get("/config").want(b, 200) })
		took(&save, func() {
			took(&answer, func() { p.post("/config/run", form).want(b, 303) })
			p.ended()
		})
	}
	round() // the first warms up, and does not count
	floor, page, answer, save = nil, nil, nil, nil
	for b.Loop() {
		for range formRounds {
			round()
		}
	}
	middle := func(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }
	b.ReportMetric(0, "ns/op") // a round is no operation that anybody waits for
	b.ReportMetric(middle(floor), "floor-ms")
	b.ReportMetric(middle(page), "page-ms")
	b.ReportMetric(middle(page)/middle(floor), "page-ratio")
	b.ReportMetric(middle(save), "save-ms")
	b.ReportMetric(middle(save)/middle(floor), "save-ratio")
	fmt.Printf("\n%d fields, medians of %d rounds: decoding and validating once %.1f ms; GET /config %.1f ms (%.1f times that);\n"+
		"POST /config/run answered after %.1f ms, its run ended after %.1f ms (%.1f times)\n", fields, len(floor), middle(floor), middle(page), middle(page)/middle(floor),
		middle(answer), middle(save), middle(save)/middle(floor))
}
