package schedule

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"
)

// askOrchestrator is the orchestrator's own arithmetic, asked line by line.
const askOrchestrator = `
import json, sys
sys.path.insert(0, "../services/python-orchestrator")
from orchestrator.windows import parse_schedule
for line in sys.stdin:
    case = json.loads(line)
    said = parse_schedule(case["table"]).at(case["at"])
    print(json.dumps({"open": said.open, "since": said.since, "until": said.until}))
`

// TestOrchestratorAgrees compares with the orchestrator's scheduler, which keeps the same windows by
// another program in another language, so that neither alone can leave trading on.
func TestOrchestratorAgrees(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT TESTED: there is no python3 here, so nobody compares the panel's windows with the orchestrator's")
	}
	type question struct {
		Table table `json:"table"`
		At    int64 `json:"at"`
	}
	random := rand.New(rand.NewPCG(7, 7))
	var questions []question
	var input bytes.Buffer
	for len(questions) < 2000 {
		q := question{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix() + random.Int64N(365*86400)}
		// Zones whose rules no edition of the zone database disputes.
		zone, err := loadZone([]string{"UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Chatham"}[random.IntN(5)])
		must(t, err)
		if _, change := time.Unix(q.At, 0).In(zone).ZoneBounds(); !change.IsZero() && random.IntN(2) == 0 {
			q.At = change.Unix() + random.Int64N(4*86400) - 2*86400
		}
		wall := func() string { return clock(random.IntN(24*4) * 15) }
		near := func() string {
			return cal(time.Unix(q.At, 0).UTC().Format(time.DateOnly)).AddDays(random.IntN(5) - 2).String()
		}
		q.Table = table{"start": wall(), "stop": wall(), "timezone": zone.String()}
		if random.IntN(3) == 0 {
			q.Table["days"] = []any{"mon", "thu", "sat", "sun"}
		}
		if random.IntN(3) == 0 {
			q.Table["holidays"] = []any{near()}
		}
		if random.IntN(3) == 0 {
			q.Table["early_closes"] = map[string]any{near(): wall()}
		}
		if q.Table["start"] == q.Table["stop"] {
			continue
		}
		must(t, json.NewEncoder(&input).Encode(q))
		questions = append(questions, q)
	}

	command := exec.CommandContext(t.Context(), python, "-B", "-c", askOrchestrator)
	command.Stdin = &input
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("asking the orchestrator: %v\n%s", err, problems.String())
	}
	answers := bufio.NewScanner(bytes.NewReader(output))
	for i, q := range questions {
		if !answers.Scan() {
			t.Fatalf("the orchestrator answered %d of %d questions", i, len(questions))
		}
		var said struct {
			Open         bool
			Since, Until *float64 // nil: not within the days that it looks at
		}
		must(t, json.Unmarshal(answers.Bytes(), &said))
		got := mustParse(t, q.Table).At(time.Unix(q.At, 0))
		same := func(at time.Time, told *float64) bool { return told == nil || at.Unix() == int64(*told) }
		if got.Open != said.Open || !same(got.Since, said.Since) || !same(got.Until, said.Until) {
			t.Errorf("%v at %s: got %+v, and the orchestrator says %s", q.Table, fmt.Sprint(time.Unix(q.At, 0).UTC()), got, answers.Text())
		}
	}
}
