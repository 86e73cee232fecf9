package docker

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestWhenAContainerWasStoppedIsToldOnlyOfOneThatIs(t *testing.T) {
	const finished = "2026-01-02T15:00:00Z"
	at := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	for status, want := range map[string]time.Time{"exited": at, "dead": at, "running": {}, "paused": {}, "created": {}, "restarting": {}} {
		if got := stoppedAt(&container.State{Status: status, FinishedAt: finished}); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", status, got, want)
		}
	}
}
