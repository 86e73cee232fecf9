package schedule

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"
	"time"

	"pitstop/schedule/calendar"
)

// askOrchestrator is the orchestrator's own arithmetic, asked line by line.
const askOrchestrator = `
import json, sys
from datetime import date
sys.path.insert(0, "../services/python-orchestrator")
from orchestrator.markets import MARKETS
from orchestrator.windows import parse_schedule
for line in sys.stdin:
    case = json.loads(line)
    if "market" in case:
        market = MARKETS.get(case["market"])
        days = [market and market.day(date.fromisoformat(day)) for day in case["days"]]
        print(json.dumps({"known": sorted(MARKETS), "days": days}))
        continue
    said = parse_schedule(case["table"]).at(case["at"])
    print(json.dumps({"open": said.open, "known": said.known, "since": said.since, "until": said.until}))
`

// askedOf gives questions to the orchestrator's arithmetic; each is a line, and so is each answer.
func askedOf(t *testing.T, questions *bytes.Buffer) *bufio.Scanner {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT TESTED: there is no python3 here, so nobody compares the panel's windows with the orchestrator's")
	}
	command := exec.CommandContext(t.Context(), python, "-B", "-c", askOrchestrator)
	command.Stdin = questions
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("asking the orchestrator: %v\n%s", err, problems.String())
	}
	answers := bufio.NewScanner(bytes.NewReader(output))
	answers.Buffer(nil, 1<<24)
	return answers
}

// What is asked: zones whose clocks change at midnight, by half an hour, over Ramadan, or by a whole
// day, in years with a rule of their own, with a last day that a rule forgets, and beyond the tables.
var (
	agreeZones = []string{
		"UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Chatham",
		"America/Havana", "Asia/Beirut", "Pacific/Apia", "Africa/Casablanca",
	}
	agreeYears = []int{2011, 2012, 2026, 2028, 2040}
	agreeDates = []int64{
		time.Date(2011, 12, 30, 0, 0, 0, 0, time.UTC).Unix(), // Samoa had none
		time.Date(2028, 12, 31, 12, 0, 0, 0, time.UTC).Unix(),
	}
	agreeCron = []string{
		"30 9 * * 1-5", "*/15 9-15/2 * * *", "0 2 * * sun", "30 2 1,15 * mon", "5/10 23 * * ?", "@daily",
		"@weekly", "@monthly", "@hourly", "0 0 29 2 *", "15,45 */3 * 1-12/2 *", "0 9 */2 * 1", "45 23 ? jan,MAR-dec *",
	}
	agreeSessions = []string{"open", "open+5m", "open-2h", "close", "close-1h", "close+24h", "02:00", "09:35", "15:30"}
)

type agreeQuestion struct {
	Table table `json:"table"`
	At    int64 `json:"at"`
}

// question draws a schedule and an instant, mostly near a change of the clocks or one of the dates.
func question(random *rand.Rand, market string) agreeQuestion {
	pick := func(of []string) string { return of[random.IntN(len(of))] }
	zone, err := loadZone(pick(agreeZones))
	if err != nil {
		panic(err)
	}
	year := agreeYears[random.IntN(len(agreeYears))]
	if market != "" {
		year = 2013 + random.IntN(23)
	}
	q := agreeQuestion{At: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() + random.Int64N(365*86400)}
	if market == "" && random.IntN(8) == 0 {
		q.At = agreeDates[random.IntN(len(agreeDates))] + random.Int64N(4*86400) - 2*86400
	} else if _, change := calendar.ZoneBounds(time.Unix(q.At, 0).In(zone)); !change.IsZero() && change.Year() < 2041 && random.IntN(2) == 0 {
		q.At = change.Unix() + random.Int64N(4*86400) - 2*86400
	}
	minute := random.IntN(24*4) * 15
	wall := func() string { return clock(random.IntN(24*4) * 15) }
	near := func() string {
		return cal(time.Unix(q.At, 0).UTC().Format(time.DateOnly)).AddDays(random.IntN(5) - 2).String()
	}
	q.Table = table{"start": clock(minute), "stop": wall(), "timezone": zone.String()}
	switch random.IntN(6) {
	case 0:
		q.Table["stop"] = clock((minute + 24*60 - 1) % (24 * 60)) // windows that nearly touch
	case 1:
		q.Table["start"], q.Table["stop"] = pick(agreeCron), pick(agreeCron)
	case 2:
		q.Table[pick([]string{"start", "stop"})] = pick(agreeCron)
	case 3:
		if market != "" {
			q.Table["start"], q.Table["stop"] = pick(agreeSessions), pick(agreeSessions)
		}
	}
	if market != "" {
		q.Table["calendar"] = market
	}
	if random.IntN(3) == 0 {
		q.Table["days"] = []any{"mon", "thu", "sat", "sun"}
	}
	if random.IntN(3) == 0 {
		q.Table["holidays"] = []any{near()}
	}
	if random.IntN(3) == 0 {
		q.Table["early_closes"] = map[string]any{near(): wall()}
	}
	return q
}

// TestOrchestratorAgrees compares with the orchestrator's scheduler, which keeps the same windows by
// another program in another language, so that neither alone can leave trading on. Of an exchange the
// orchestrator knows an outer bound: it may never call closed for sure what the panel has open.
func TestOrchestratorAgrees(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	markets := calendar.Names()
	var asked []agreeQuestion
	var plans []*Schedule
	var input bytes.Buffer
	for len(asked) < 1600 {
		market := ""
		if len(asked)%4 == 0 {
			market = markets[random.IntN(len(markets))]
		}
		q := question(random, market)
		plan, problems := Parse(q.Table.doc(), time.UTC)
		if len(problems) > 0 {
			continue // such as a stop that is the start
		}
		must(t, json.NewEncoder(&input).Encode(q))
		asked, plans = append(asked, q), append(plans, plan)
	}

	answers := askedOf(t, &input)
	told, bounded, missed := 0, 0, 0
	for i, q := range asked {
		if !answers.Scan() {
			t.Fatalf("the orchestrator answered %d of %d questions", i, len(asked))
		}
		var said struct {
			Open, Known  bool
			Since, Until *float64 // nil: not within the days that it looks at
		}
		must(t, json.Unmarshal(answers.Bytes(), &said))
		at := time.Unix(q.At, 0).UTC()
		got := plans[i].At(at)
		if q.Table["calendar"] != nil {
			if said.Open || said.Known && got.Open {
				t.Errorf("%v at %s: got %+v, and the orchestrator says %s", q.Table, at, got, answers.Text())
			}
			if said.Known {
				bounded++
			} else if !got.Open {
				missed++
			}
			continue
		}
		same := func(at time.Time, told *float64) bool { return told == nil || at.Unix() == int64(*told) }
		if got.Open != said.Open || !said.Known || !same(got.Since, said.Since) || !same(got.Until, said.Until) {
			t.Errorf("%v at %s: got %+v, and the orchestrator says %s", q.Table, at, got, answers.Text())
		}
		if said.Since != nil && said.Until != nil {
			told++
		}
	}
	t.Logf("of %d schedules with a calendar %d were known to be closed, and %d were closed by the panel's word alone", len(asked)/4, bounded, missed)
	if told < len(asked)/2 || bounded < len(asked)/16 {
		t.Errorf("the orchestrator told both edges of %d schedules and the bound of %d: too few to compare", told, bounded)
	}
}

// TestOrchestratorKnowsTheDaysOfEachExchange holds the bounds that it has for each exchange against
// every session that the panel's calendars know.
func TestOrchestratorKnowsTheDaysOfEachExchange(t *testing.T) {
	type question struct {
		Market string   `json:"market"`
		Days   []string `json:"days"`
	}
	var input bytes.Buffer
	sessions := map[string][]calendar.Session{}
	for _, name := range calendar.Names() {
		market, _ := calendar.Lookup(name)
		from, to := market.Known()
		sessions[name] = market.Sessions(from.At(0, time.UTC), to.AddDays(1).At(0, time.UTC))
		q := question{Market: name}
		for _, s := range sessions[name] {
			q.Days = append(q.Days, s.Date.String())
		}
		must(t, json.NewEncoder(&input).Encode(q))
	}
	answers := askedOf(t, &input)
	for _, name := range calendar.Names() {
		if !answers.Scan() {
			t.Fatal("the orchestrator stopped answering")
		}
		var said struct {
			Known []string
			Days  [][]float64
		}
		must(t, json.Unmarshal(answers.Bytes(), &said))
		if !slices.Equal(said.Known, calendar.Names()) {
			t.Fatalf("the orchestrator knows %v, and the panel %v", said.Known, calendar.Names())
		}
		for i, s := range sessions[name] {
			if day := said.Days[i]; day == nil || float64(s.Open.Unix()) < day[0] || float64(s.Close.Unix()) > day[1] {
				t.Errorf("%s: the session of %s is from %s to %s; the orchestrator has it within %v", name, s.Date, s.Open, s.Close, day)
			}
		}
	}
}
