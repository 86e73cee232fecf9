package docker

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"
)

// watchTimes are the paces of Watch.
type watchTimes struct {
	ping        time.Duration // how often the engine is asked whether it is still there
	answer      time.Duration // how long it may take to answer
	first, most time.Duration // waits between attempts to reconnect, doubling
	overlap     time.Duration // how far before a reconnection the events begin
}

var defaultWatchTimes = watchTimes{
	ping:    10 * time.Second,
	answer:  5 * time.Second,
	first:   100 * time.Millisecond,
	most:    2 * time.Second,
	overlap: 2 * time.Second,
}

// Watch follows the engine's events. It calls changed after every connection, at every event of a
// container of the stack, and once when the connection is lost, so that a listener sees that too.
func (b *Backend) Watch(ctx context.Context, changed func()) {
	dirty := make(chan struct{}, 1) // many events while changed runs are one more call of it
	mark := func() {
		select {
		case dirty <- struct{}{}:
		default:
		}
	}
	var group errgroup.Group
	group.Go(func() error {
		for {
			select {
			case <-dirty:
				changed()
			case <-ctx.Done():
				return nil
			}
		}
	})
	wait := b.watch.first
	for ctx.Err() == nil {
		connected, err := b.followEvents(ctx, mark)
		if ctx.Err() != nil {
			break
		}
		if connected {
			wait = b.watch.first
			b.log.Info("the Docker engine's events ended; connecting again", "host", b.engine.host, "error", err)
			mark()
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, b.watch.most)
	}
	_ = group.Wait()
}

// followEvents connects, and calls mark for every event until the stream ends. A stream can end
// without a word when the engine restarts, and stay open when its machine is gone: so the engine is
// also asked at intervals whether it is there.
func (b *Backend) followEvents(ctx context.Context, mark func()) (connected bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c, err := b.engine.client(ctx)
	if err != nil {
		return false, err
	}
	// A stream that ended may mean another engine, of another version.
	defer b.engine.drop(c)
	// The engine answers before it begins to listen for events, so those of the last moments are
	// asked for too.
	since := time.Now().Add(-b.watch.overlap)
	messages, failed := c.Events(ctx, events.ListOptions{
		Since:   strconv.FormatInt(since.Unix(), 10),
		Filters: filters.NewArgs(filters.Arg("type", string(events.ContainerEventType))),
	})
	select {
	case err := <-failed: // Events returns when it is connected, or has failed to
		return false, err
	default:
	}
	mark()
	ticker := time.NewTicker(b.watch.ping)
	defer ticker.Stop()
	for {
		select {
		case m := <-messages:
			if b.concerns(m) {
				mark()
			}
		case err := <-failed:
			return true, err
		case <-ticker.C:
			if err := b.ping(ctx, c); err != nil {
				return true, err
			}
		}
	}
}

func (b *Backend) ping(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, b.watch.answer)
	defer cancel()
	_, err := call(ctx, b.engine, "ask the Docker engine whether it is there", func(*client.Client) (types.Ping, error) {
		return c.Ping(ctx)
	})
	return err
}

// concerns tells whether an event may change what Instances says. Commands run in a container, its
// health probes among them, are many and change nothing.
func (b *Backend) concerns(m events.Message) bool {
	action := string(m.Action)
	if strings.HasPrefix(action, "exec_") || action == string(events.ActionTop) {
		return false
	}
	for _, s := range b.services {
		if s.selector.matches(m.Actor.Attributes) {
			return true
		}
	}
	return false
}
