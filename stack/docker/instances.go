package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"

	"pitstop/stack"
)

// inspections is how many containers are looked at at once.
const inspections = 16

// Instances lists the containers that the services' selectors choose, but for the panel's own. The engine's
// list does not say when a container was started, so each is inspected too.
func (b *Backend) Instances(ctx context.Context) ([]stack.Instance, error) {
	chosen := make([][]string, len(b.services)) // container IDs, by service
	for n, s := range b.services {
		ids, err := b.choose(ctx, s)
		if err != nil {
			return nil, err
		}
		chosen[n] = ids
	}
	details, err := b.inspectAll(ctx, chosen)
	if err != nil {
		return nil, err
	}
	var all []stack.Instance
	owner := map[string]string{}
	for n, s := range b.services {
		of := make([]stack.Instance, 0, len(chosen[n]))
		var leftOut []string
		for _, id := range chosen[n] {
			d, there := details[id]
			if !there { // removed since it was listed
				continue
			}
			if b.self.is(d) {
				leftOut = append(leftOut, b.leaveOut(s.name, d))
				continue
			}
			i := b.instance(s.name, d)
			if first, twice := owner[id]; twice {
				i.Warnings = append(i.Warnings, fmt.Sprintf("The selectors of %s and %s both choose %s: give each service a label of its own.", first, s.name, i.Name))
			}
			owner[id] = s.name
			of = append(of, i)
		}
		slices.SortFunc(of, func(a, b stack.Instance) int { return strings.Compare(a.Name, b.Name) })
		if len(of) > 0 { // otherwise the service is shown as missing
			of[0].Warnings = append(of[0].Warnings, leftOut...)
		}
		all = append(all, of...)
	}
	b.lives.seeAll(all)
	return all, nil
}

// Inspect looks at one container now.
func (b *Backend) Inspect(ctx context.Context, i stack.Instance) (stack.Instance, error) {
	d, err := b.inspect(ctx, i)
	if err != nil {
		return stack.Instance{}, err
	}
	now := b.instance(i.Service, d)
	b.lives.see(now)
	return now, nil
}

func (b *Backend) choose(ctx context.Context, s service) ([]string, error) {
	list, err := call(ctx, b.engine, "list the containers of "+s.name, func(c *client.Client) ([]container.Summary, error) {
		return c.ContainerList(ctx, container.ListOptions{All: true, Filters: s.selector.filter()})
	})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, l := range list {
		if s.selector.matches(l.Labels) {
			ids = append(ids, l.ID)
		}
	}
	return ids, nil
}

// inspectAll looks at each container once. One that was removed meanwhile is not in the answer.
func (b *Backend) inspectAll(ctx context.Context, chosen [][]string) (map[string]container.InspectResponse, error) {
	once := map[string]int{}
	for _, id := range slices.Concat(chosen...) {
		if _, known := once[id]; !known {
			once[id] = len(once)
		}
	}
	details := make([]container.InspectResponse, len(once))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inspections)
	for id, n := range maps.All(once) {
		group.Go(func() error {
			d, err := b.inspect(ctx, stack.Instance{ID: id})
			if errors.Is(err, stack.ErrGone) {
				return nil
			}
			details[n] = d
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := make(map[string]container.InspectResponse, len(once))
	for id, n := range once {
		if details[n].ContainerJSONBase != nil {
			found[id] = details[n]
		}
	}
	return found, nil
}

func (b *Backend) inspect(ctx context.Context, i stack.Instance) (container.InspectResponse, error) {
	d, err := call(ctx, b.engine, "inspect container "+label(i), func(c *client.Client) (container.InspectResponse, error) {
		return c.ContainerInspect(ctx, i.ID)
	})
	if cerrdefs.IsNotFound(err) {
		return d, goneError(i, "it was removed")
	}
	if err == nil && (d.ContainerJSONBase == nil || d.State == nil || d.Config == nil || d.HostConfig == nil) {
		return d, fmt.Errorf("could not inspect container %s: the engine's answer is incomplete", label(i))
	}
	return d, err
}

func (b *Backend) instance(service string, d container.InspectResponse) stack.Instance {
	return stack.Instance{
		Service:  service,
		ID:       d.ID,
		Name:     strings.TrimPrefix(d.Name, "/"),
		State:    stateNow(d.ID, d.State),
		Started:  startedAt(d.State),
		Stopped:  stoppedAt(d.State),
		Restarts: d.RestartCount,
		Warnings: warnings(d, b.configPath),
	}
}

func stateOf(s *container.State) stack.State {
	switch s.Status {
	case container.StateRunning:
		return stack.Running
	case container.StatePaused:
		return stack.Paused
	case container.StateCreated, container.StateRestarting:
		return stack.Starting
	default: // exited, dead, removing
		return stack.Stopped
	}
}

// startedAt names the container's life. It is zero for one that never ran.
func startedAt(s *container.State) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s.StartedAt)
	if err != nil {
		return time.Time{}
	}
	return t
}

// stoppedAt is when a container that is stopped was.
func stoppedAt(s *container.State) time.Time {
	if stateOf(s) != stack.Stopped {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s.FinishedAt)
	if err != nil {
		return time.Time{}
	}
	return t
}

// sameLife tells whether the container still lives the life that i names. An instance without a
// start names every life.
func sameLife(i stack.Instance, s *container.State) bool {
	return i.Started.IsZero() || i.Started.Equal(startedAt(s))
}

// label is how sentences name a container.
func label(i stack.Instance) string {
	if i.Name != "" {
		return i.Name
	}
	if len(i.ID) > 12 {
		return i.ID[:12]
	}
	return i.ID
}

func goneError(i stack.Instance, why string) error {
	return fmt.Errorf("container %s: %s: %w", label(i), why, stack.ErrGone)
}
