package features

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pitstop/stack"
	"pitstop/stack/configfile"
)

// chaos is a stack that lives through many rounds, and what has been counted.
type chaos struct {
	*rig
	began   time.Time
	number  int
	usual   time.Duration // about how long a save takes
	counts  map[string]int
	longest struct {
		silence time.Duration
		round   string
	}
	restarts bool // the services may begin new lives, since their engine is killed
}

func newChaos(r *rig) *chaos {
	// Rounds save more often than once a second, for which the names of backups are not made: none
	// may be pruned before it is looked at.
	r.set("[stack]", "[stack]\nkeep_backups = 100000")
	return &chaos{rig: r, began: time.Now(), usual: 500 * time.Millisecond, counts: map[string]int{}}
}

// save is the one of a round.
type save struct {
	old, new string
	began    time.Time
	lives    string
	journal  bool // there was one when the panel was dead
}

func (s save) revision() stack.Revision { return stack.RevisionOf([]byte(s.new)) }

// fate is what must come of the config file.
type fate int

const (
	either fate = iota
	staysOld
	becomesNew
)

// newSave is a change that no round made before; the orchestrator refuses it if so wanted, though
// nothing is wrong with it by the schema.
func (c *chaos) newSave(refused bool) *save {
	c.number++
	old := c.readConfig()
	changed := setNumber(c.TB, old, "daily_loss_limit_usd", 1000+c.number)
	if refused {
		changed = setNumber(c.TB, changed, "max_order_usd       ", 100_000)
	}
	return &save{old: old, new: changed, began: time.Now(), lives: c.lives()}
}

// setNumber replaces the number behind a key of the reference config.
func setNumber(t testing.TB, config, key string, value int) string {
	t.Helper()
	before, after, found := strings.Cut(config, key+" = ")
	if !found {
		t.Fatalf("the reference config has no %q", key)
	}
	_, after, _ = strings.Cut(after, " ")
	return fmt.Sprintf("%s%s = %d %s", before, key, value, after)
}

// answer is what a save got; err if the panel died before it could answer.
type answer struct {
	status int
	report stack.Report
	err    error
}

// put saves in the background.
func (c *chaos) put(s *save) <-chan answer {
	answered := make(chan answer, 1)
	url := c.url
	go func() {
		request, err := http.NewRequest("PUT", url+"/api/v1/config", strings.NewReader(s.new))
		if err != nil {
			answered <- answer{err: err}
			return
		}
		request.Header.Set("Content-Type", "application/toml")
		client := http.Client{Timeout: 2 * patience, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		if err != nil {
			answered <- answer{err: err}
			return
		}
		defer response.Body.Close()
		a := answer{status: response.StatusCode}
		a.err = json.NewDecoder(response.Body).Decode(&a.report)
		answered <- a
	}()
	return answered
}

// died waits for the death of a panel that kills itself at a point.
func (c *chaos) died(point string, answered <-chan answer) {
	c.Helper()
	eventually(c.TB, "the panel to die at "+point, func() (bool, string) {
		select {
		case <-c.ended:
			return true, ""
		case a := <-answered:
			if a.err == nil {
				c.Fatalf("the run ended without passing %s: %d %+v", point, a.status, a.report)
			}
		default:
		}
		return false, "it lives:\n" + c.panel.output.String()
	})
}

func (c *chaos) journal() string { return filepath.Join(c.state(), "journal.json") }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// settled waits until the stack runs, both services have said that they loaded the file on disk, and
// no run is under way.
func (c *chaos) settled() {
	c.Helper()
	eventually(c.TB, "the recovery to end", func() (bool, string) {
		var status struct{ Run *stack.Report }
		c.call("GET", "/api/v1/status", "", "", &status)
		return status.Run == nil || status.Run.Outcome != "", fmt.Sprintf("%+v", status.Run)
	})
	eventually(c.TB, "every instance to run", func() (bool, string) {
		not := c.standing()
		return len(not) == 0, strings.Join(not, ", ")
	})
	live := stack.RevisionOf([]byte(c.readConfig())).Short()
	for _, service := range []string{orchestrator, scanner} {
		eventually(c.TB, service+" to confirm the file on disk, "+live, func() (bool, string) {
			said := c.said(service)
			return said == live, "it said " + said
		})
	}
}

// check is what issue 5 promises of every round.
func (c *chaos) check(s *save, want fate) {
	t := c.TB
	t.Helper()
	c.settled()

	live := c.readConfig()
	if _, err := configfile.Parse([]byte(live)); err != nil {
		t.Errorf("the config file does not parse: %v\n%s", err, live)
	}
	switch {
	case live != s.old && live != s.new:
		t.Errorf("the config file is neither the old nor the new one:\n%s", live)
	case want == staysOld && live != s.old:
		t.Error("the config file is the new one, want the old one")
	case want == becomesNew && live != s.new:
		t.Error("the config file is the old one, want the new one")
	}
	report := c.story(s, live)
	if live == s.new && !c.hasBackup(s.old) {
		t.Errorf("no backup holds the old config; there are %v", c.backups())
	}
	replaced := slices.ContainsFunc(report.RollBack, func(step stack.StepReport) bool {
		return step.Name == stack.SaveConfig && step.State == stack.StepDone
	})
	if live == s.old && replaced && !c.hasBackup(s.new) {
		t.Errorf("no backup holds the config that was rolled back; there are %v", c.backups())
	}
	eventually(t, "what runs leave for a moment to be gone", func() (bool, string) {
		var left []string
		for _, pattern := range []string{
			filepath.Join(filepath.Dir(c.config), ".*pitstop*"), filepath.Join(c.state(), "journal.json*"), filepath.Join(c.state(), ".*"),
		} {
			found, err := filepath.Glob(pattern)
			must(t, err)
			left = append(left, found...)
		}
		return len(left) == 0, fmt.Sprint(left)
	})
	// The guardian of a panel that died looks out for a late pause for some seconds; the next run relieves
	// it.
	eventually(t, "all guardians but the newest to end", func() (bool, string) {
		pids := c.guardians()
		return len(pids) <= 1, fmt.Sprint(pids)
	})
	if lives := c.lives(); lives != s.lives && !c.restarts {
		t.Errorf("services were restarted:\nbefore %s\nafter  %s", s.lives, lives)
	}
	if silence := c.silence(s.began); silence > c.longest.silence {
		c.longest.silence, c.longest.round = silence, t.Name()
	}
}

// story checks what the audit log says of the save, and counts it.
func (c *chaos) story(s *save, live string) (told stack.Report) {
	t := c.TB
	t.Helper()
	var stories []stack.Report
	for _, r := range c.audited() {
		if r.Revision.To == s.revision() && r.Kind != stack.KindExtern {
			stories = append(stories, r)
		}
	}
	what := "killed before the run began"
	switch {
	case len(stories) > 1:
		t.Errorf("the audit log tells of the save %d times: %+v", len(stories), stories)
	case len(stories) == 0 && s.journal:
		t.Error("the audit log says nothing of the run that was interrupted")
	case len(stories) == 0 && live == s.new:
		t.Error("the audit log says nothing of the run that changed the file")
	case len(stories) == 1:
		told = stories[0]
		what = string(told.Outcome)
		if told.Kind == stack.KindRecover {
			what += " by the next start"
			if told.Interrupted == "" {
				t.Errorf("the report does not name the run that was interrupted: %+v", told)
			}
		}
		if told.Message == "" || told.Ended.IsZero() {
			t.Errorf("the report is not complete: %+v", told)
		}
		if told.Outcome == stack.Applied && live != s.new || told.Outcome == stack.RolledBack && live != s.old {
			t.Errorf("the audit log says %s, but the file is another: %s", told.Outcome, told.Message)
		}
		if told.Outcome == stack.Failed && !c.restarts {
			t.Errorf("the run failed: %s", told.Message)
		}
	}
	c.counts[what]++
	return told
}

// audited is the audit log as it is on disk.
func (c *chaos) audited() (reports []stack.Report) {
	content, err := os.ReadFile(filepath.Join(c.state(), "audit.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	must(c.TB, err)
	for line := range strings.Lines(string(content)) {
		var r stack.Report
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			continue // a line that a kill cut off spoils only itself; the save must be told in another
		}
		reports = append(reports, r)
	}
	return reports
}

func (c *chaos) hasBackup(content string) bool {
	return slices.ContainsFunc(c.backups(), func(name string) bool {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(c.config), name))
		return err == nil && string(b) == content
	})
}

// mourned waits until no guardian is left.
func (c *chaos) mourned() {
	c.Helper()
	eventually(c.TB, "the guardians to end", func() (bool, string) {
		pids := c.guardians()
		return len(pids) == 0, fmt.Sprint(pids)
	})
}

// tell prints what the rounds came to.
func (c *chaos) tell(t *testing.T) {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", c.counts[what], what))
	}
	t.Logf("%s: %d rounds in %s: %s. The longest that the orchestrator stood still: %s (%s)",
		t.Name(), c.number, time.Since(c.began).Round(time.Second), strings.Join(parts, ", "),
		c.longest.silence.Round(time.Millisecond), c.longest.round)
}
