package features

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/jonboulle/clockwork"

	"pitstop/schedule"
	"pitstop/stack/configfile"
	"pitstop/stack/docker/dockertest"
	"pitstop/stack/rules"
)

// movedClock is something that trades by a clock which a scenario moves.
type movedClock interface {
	// begin starts it with a config, its clock showing this instant.
	begin(config string, now time.Time)
	now() time.Time
	// reach lets time pass until an instant.
	reach(at time.Time)
	// setBack sets the clock back, as an administrator does; time does not pass.
	setBack(by time.Duration)
	// restart ends it and starts it anew.
	restart()
	// says is whether trading is enabled, by its own word, once it has looked at its clock.
	says() bool
	// saidAt is since when it says so, by its own clock.
	saidAt() time.Time
}

// settableClock is a fake clock that can also be set: what waits for time to pass does not notice.
type settableClock struct {
	*clockwork.FakeClock
	shift atomic.Int64
}

func (c *settableClock) Now() time.Time {
	return c.FakeClock.Now().Add(time.Duration(c.shift.Load()))
}

// mockedPanel is the panel's own gate and scheduler over real files, on a mocked clock.
type mockedPanel struct {
	testing.TB
	folder    string
	clock     *settableClock
	store     *configfile.Store
	gate      *schedule.Gate
	scheduler *schedule.Scheduler
}

func (m *mockedPanel) begin(config string, now time.Time) {
	m.folder = m.TempDir()
	must(m.TB, os.WriteFile(filepath.Join(m.folder, "config.toml"), []byte(config), 0o644))
	must(m.TB, os.Mkdir(filepath.Join(m.folder, "state"), 0o755))
	m.clock = &settableClock{FakeClock: clockwork.NewFakeClockAt(now)}
	m.restart()
}

func (m *mockedPanel) restart() {
	if m.scheduler != nil {
		m.scheduler.Shutdown()
		m.store.Close()
	}
	var err error
	m.store, err = configfile.Open(filepath.Join(m.folder, "config.toml"), 5, nil)
	must(m.TB, err)
	m.gate, err = schedule.OpenGate(filepath.Join(m.folder, "trading.json"), filepath.Join(m.folder, "state"), m.clock, nil)
	must(m.TB, err)
	m.scheduler = schedule.NewScheduler(m.gate, rules.New("", nil).ScheduleOf(m.store), m.clock, nil)
	must(m.TB, m.scheduler.Start(context.Background()))
	m.Cleanup(m.scheduler.Shutdown)
	m.Cleanup(m.store.Close)
}

func (m *mockedPanel) now() time.Time { return m.clock.Now() }

func (m *mockedPanel) reach(at time.Time) {
	before := at.Add(-time.Second)
	if early := before.Sub(m.now()); early > 0 {
		m.clock.Advance(early)
		m.looked()
	}
	m.clock.Advance(at.Sub(m.now()))
	m.looked()
}

func (m *mockedPanel) setBack(by time.Duration) {
	m.clock.shift.Add(int64(-by))
	m.looked()
}

// looked waits until the scheduler has looked at the clock as it is.
func (m *mockedPanel) looked() {
	m.Helper()
	eventually(m.TB, "the scheduler to look at the clock", func() (bool, string) {
		m.scheduler.Replan()
		status := m.scheduler.Status()
		return status.At.Equal(m.now()), fmt.Sprintf("%+v", status)
	})
}

func (m *mockedPanel) says() bool {
	m.Helper()
	m.looked()
	told := m.told()
	if own := m.gate.State(); own.TradingEnabled != told.TradingEnabled {
		m.Fatalf("the gate is %+v, but trading.json says %+v", own, told)
	}
	return told.TradingEnabled
}

func (m *mockedPanel) saidAt() time.Time { return m.told().Since }

// told is trading.json.
func (m *mockedPanel) told() schedule.GateState {
	m.Helper()
	return readGate(m.TB, m.folder)
}

func readGate(t testing.TB, folder string) (told schedule.GateState) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "trading.json"))
	must(t, err)
	must(t, json.Unmarshal(content, &told))
	return told
}

// movedContainer is the reference orchestrator in its container, under libfaketime. No panel keeps
// its gate.
type movedContainer struct {
	testing.TB
	container *dockertest.Container
	folder    string // of the clock
	offset    time.Duration
}

func (m *movedContainer) begin(config string, now time.Time) {
	m.Helper()
	libraries, err := filepath.Glob("/usr/lib/*/faketime")
	if err != nil || len(libraries) != 1 {
		m.Fatalf("libfaketime is not installed (%v, %v); run .ci/install", libraries, err)
	}
	engine := dockertest.New(m.TB)
	folder := m.TempDir()
	must(m.TB, os.WriteFile(filepath.Join(folder, "config.toml"), []byte(config), 0o644))
	m.folder = m.TempDir()
	m.set(now)
	m.container = engine.Run(dockertest.Spec{
		Name: orchestrator, Image: "pitstop/" + orchestrator + ":test",
		Binds: []string{folder + ":/config", m.folder + ":/clock:ro", libraries[0] + ":/faketime:ro"},
		Env: []string{
			"LD_PRELOAD=/faketime/libfaketime.so.1", "FAKETIME_TIMESTAMP_FILE=/clock/offset",
			"FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
		},
	})
	m.container.WaitLog("Config loaded revision=")
}

// set sets the container's clock. The file is replaced whole, for it may be read at any time.
func (m *movedContainer) set(now time.Time) {
	m.Helper()
	m.offset = time.Until(now).Truncate(time.Second)
	path := filepath.Join(m.folder, "offset")
	must(m.TB, os.WriteFile(path+".new", fmt.Appendf(nil, "%+d\n", int(m.offset.Seconds())), 0o644))
	must(m.TB, os.Rename(path+".new", path))
}

func (m *movedContainer) now() time.Time { return time.Now().Add(m.offset) }

func (m *movedContainer) reach(at time.Time) {
	m.Helper()
	m.set(at.Add(-2 * time.Second))
	m.passed(at)
}

// passed waits until the container's clock shows at least this.
func (m *movedContainer) passed(at time.Time) {
	eventually(m.TB, "the container's clock", func() (bool, string) { return m.now().After(at), m.now().String() })
}

func (m *movedContainer) setBack(by time.Duration) {
	m.Helper()
	// Its scheduler looks ten times a second: it remembers a close from its next look on.
	m.container.WaitLog("time to stop trading")
	m.passed(m.now().Add(time.Second))
	m.set(m.now().Add(-by))
	m.container.WaitLog("the clock was set back")
}

func (m *movedContainer) restart() {
	m.Helper()
	m.container.Restart()
}

// says is what it said last. Right after an edge that is still what it said before.
func (m *movedContainer) says() bool { return strings.Contains(m.said(), "trading_enabled=true") }

func (m *movedContainer) saidAt() time.Time {
	m.Helper()
	stamp, _, _ := strings.Cut(m.said(), " ")
	at, err := time.Parse(time.RFC3339, stamp)
	must(m.TB, err)
	return at
}

// said is its last line on whether it trades.
func (m *movedContainer) said() (last string) {
	m.Helper()
	for _, line := range m.container.Logs() {
		if strings.Contains(line.Text, "trading_enabled=") {
			last = line.Text
		}
	}
	return last
}

// movedSteps are those of scenarios in which the clock is moved.
func (w *world) movedSteps(sc *godog.ScenarioContext) {
	clock := movedClock(&mockedPanel{TB: w.TB})
	table := map[string]string{"start": "09:30", "stop": "16:00", "timezone": "America/New_York"}
	config := func() string { return withSchedule(w.TB, referenceConfig(w.TB), table) }
	zone := func() *time.Location {
		zone, err := time.LoadLocation(table["timezone"])
		must(w.TB, err)
		return zone
	}
	// next is when the clocks of the zone next show a time.
	next := func(from time.Time, text string) time.Time {
		wall, err := time.Parse("15:04", text)
		must(w.TB, err)
		local := from.In(zone())
		at := time.Date(local.Year(), local.Month(), local.Day(), wall.Hour(), wall.Minute(), 0, 0, zone())
		if !at.After(from) {
			at = at.AddDate(0, 0, 1)
		}
		return at
	}
	var reached time.Time
	becomes := func(want string) {
		eventually(w.TB, "trading_enabled to be "+want, func() (bool, string) {
			got := fmt.Sprint(clock.says())
			return got == want, got
		})
	}
	monday := func() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, zone()) }

	sc.Given(`^the orchestrator's container has a clock of its own$`, func() { clock = &movedContainer{TB: w.TB} })
	sc.Given(`^schedule\.(start|stop) = "([^"]*)"$`, func(key, value string) { table[key] = value })
	sc.Given(`^trading_enabled = (true|false)$`, func(want string) {
		edge := table["stop"]
		if want == "false" {
			edge = table["start"]
		}
		clock.begin(config(), next(monday(), edge).Add(-10*time.Minute))
		becomes(want)
	})
	sc.When(`^system time reaches (\d\d:\d\d)$`, func(text string) {
		reached = next(clock.now(), text)
		clock.reach(reached)
	})
	sc.Then(`^trading_enabled is set to (true|false)$`, func(want string) {
		becomes(want)
		if late := clock.saidAt().Sub(reached); late < 0 || late > timely {
			w.Fatalf("trading_enabled was set %s after the clock showed %s", late, reached)
		}
	})
	sc.When(`^the clock is set back an hour$`, func() { clock.setBack(time.Hour) })
	sc.When(`^the panel starts anew$`, func() { clock.restart() })
	sc.Then(`^trading_enabled stays false$`, func() {
		if clock.says() {
			w.Fatalf("trading is enabled again")
		}
	})

	sc.Given(`^trading from (\S+) to (\S+) in (\S+), calendar (\S+)$`, func(start, stop, zone, calendar string) {
		table = map[string]string{"start": start, "stop": stop, "timezone": zone}
		if calendar != "none" {
			table["calendar"] = calendar
		}
	})
	sc.When(`^system time reaches (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) in UTC$`, func(text string) {
		at := instantOf(w.TB, text)
		clock.begin(config(), at.Add(-10*time.Minute))
		clock.reach(at)
	})
	sc.Then(`^trading is (on|off) until (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) in UTC$`, func(word, text string) {
		if got, want := clock.says(), word == "on"; got != want {
			w.Fatalf("trading_enabled is %v, want %v", got, want)
		}
		told := clock.(*mockedPanel).told()
		if until := instantOf(w.TB, text); told.Until == nil || !told.Until.Equal(until) {
			w.Fatalf("trading.json says %+v, want until %s", told, until)
		}
	})
}

func instantOf(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	must(t, err)
	return at
}

// withSchedule is a config with another [schedule], of strings alone.
func withSchedule(t testing.TB, config string, table map[string]string) string {
	t.Helper()
	before, rest, found := strings.Cut(config, "[schedule]\n")
	_, after, also := strings.Cut(rest, "\n[risk]\n")
	if !found || !also {
		t.Fatal("the reference config has no [schedule] before [risk]")
	}
	var lines strings.Builder
	for _, key := range []string{"start", "stop", "timezone", "calendar"} {
		if value, ok := table[key]; ok {
			fmt.Fprintf(&lines, "%s = %q\n", key, value)
		}
	}
	return before + "[schedule]\n" + lines.String() + "\n[risk]\n" + after
}
