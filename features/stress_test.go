package features

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"pitstop/stack"
)

// TestManySavesAtOnce: clients that all start from one revision. One of them wins, the others are told
// that it was another, and the file holds the winner's bytes.
func TestManySavesAtOnce(t *testing.T) {
	c := newChaos(processRig(t, referenceConfig(t)))
	c.start()
	c.settled()
	for _, clients := range []int{2, 100, 2, 100} {
		t.Run(fmt.Sprintf("%d clients from one revision", clients), func(t *testing.T) {
			c.TB = t
			before := c.readConfig()
			saves, statuses, reports := c.atOnce(clients, stack.RevisionOf([]byte(before)))
			won := -1
			for n, status := range statuses {
				switch {
				case status == http.StatusOK && won >= 0:
					t.Errorf("both client %d and client %d won", won, n)
				case status == http.StatusOK:
					won = n
				case status != http.StatusPreconditionFailed && status != http.StatusConflict:
					t.Errorf("client %d got %d, want 200, 409 or 412", n, status)
				}
			}
			if won < 0 {
				t.Fatalf("nobody won: %v", statuses)
			}
			if reports[won].Outcome != stack.Applied {
				t.Errorf("the winner's run ended as %q: %s", reports[won].Outcome, reports[won].Message)
			}
			if live := c.readConfig(); live != saves[won].new {
				t.Errorf("the file does not hold the winner's bytes, but\n%s", live)
			}
			if !c.hasBackup(before) {
				t.Errorf("no backup holds what the winner replaced; there are %v", c.backups())
			}
			c.settled()
		})
	}
	t.Run("100 clients from no revision in particular", func(t *testing.T) {
		c.TB = t
		saves, statuses, reports := c.atOnce(100, "")
		var applied []stack.Report
		contents := map[stack.Revision]string{}
		for n, status := range statuses {
			switch status {
			case http.StatusOK:
				applied = append(applied, reports[n])
				contents[saves[n].revision()] = saves[n].new
			case http.StatusConflict:
			default:
				t.Errorf("client %d got %d, want 200 or 409", n, status)
			}
		}
		if len(applied) == 0 {
			t.Fatalf("nobody won: %v", statuses)
		}
		slices.SortFunc(applied, func(a, b stack.Report) int { return a.Started.Compare(b.Started) })
		for n, r := range applied {
			if n > 0 && r.Revision.From != applied[n-1].Revision.To {
				t.Errorf("run %s replaced %s, want %s, which the run before it wrote", r.ID, r.Revision.From.Short(), applied[n-1].Revision.To.Short())
			}
		}
		if live := c.readConfig(); live != contents[applied[len(applied)-1].Revision.To] {
			t.Errorf("the file does not hold the last winner's bytes, but\n%s", live)
		}
		c.settled()
	})
}

// atOnce has each of so many clients save something else, all at once.
func (c *chaos) atOnce(clients int, base stack.Revision) (saves []*save, statuses []int, reports []stack.Report) {
	saves, statuses, reports = make([]*save, clients), make([]int, clients), make([]stack.Report, clients)
	for n := range saves {
		saves[n] = c.newSave(false)
	}
	errs := make([]error, clients)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for n, s := range saves {
		all.Go(func() {
			client := http.Client{Timeout: 2 * patience, Transport: &http.Transport{DisableKeepAlives: true}}
			request, err := http.NewRequest("PUT", c.url+"/api/v1/config", bytes.NewReader([]byte(s.new)))
			if err != nil {
				errs[n] = err
				return
			}
			request.Header.Set("Content-Type", "application/toml")
			if base != "" {
				request.Header.Set("If-Match", fmt.Sprintf("%q", base))
			}
			<-gate
			response, err := client.Do(request)
			if err != nil {
				errs[n] = err
				return
			}
			defer response.Body.Close()
			statuses[n] = response.StatusCode
			content, err := io.ReadAll(response.Body)
			if err == nil && statuses[n] == http.StatusOK {
				err = json.Unmarshal(content, &reports[n])
			}
			errs[n] = err
		})
	}
	close(gate)
	all.Wait()
	for n, err := range errs {
		if err != nil {
			c.Errorf("client %d got no answer: %v", n, err)
		}
	}
	return saves, statuses, reports
}
