package stack

import (
	"context"
	"slices"
	"time"
)

// refresh is how often the monitor looks even if the backend reports nothing.
const refresh = 5 * time.Second

// settle is how long the monitor lets changes gather before it looks. A pause window is mostly
// shorter: the look does not compete with it for the engine.
const settle = 100 * time.Millisecond

// Status is the newest picture of the stack. It never waits for the backend. When the backend
// cannot be reached it is the last picture there was, and Problem says since when it is old.
func (c *Controller) Status() Status {
	c.mu.Lock()
	s := c.status
	c.mu.Unlock()
	s.Services = slices.Clone(s.Services)
	for n := range s.Services {
		s.Services[n].Instances = slices.Clone(s.Services[n].Instances)
		c.obey.fill(&s.Services[n])
	}
	return s
}

// monitor keeps Status current, and a log follower on each living instance, until ctx ends. It also
// writes what of the history could not be written yet.
func (c *Controller) monitor(ctx context.Context) {
	kick := make(chan struct{}, 1) // one look is owed; more would see the same
	c.work.Go(func() {
		c.o.Backend.Watch(ctx, func() {
			select {
			case kick <- struct{}{}:
			default:
			}
		})
	})
	defer c.obey.stop()
	for ctx.Err() == nil {
		c.refresh(ctx)
		if n, _ := c.audit.flush(); n > 0 { // why it could not be written before was said then
			c.tellChange()
		}
		timer := c.o.Clock.NewTimer(refresh)
		select {
		case <-kick:
			c.sleep(ctx, settle)
		case <-timer.Chan():
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (c *Controller) refresh(ctx context.Context) {
	call, cancel := c.within(ctx)
	instances, err := c.o.Backend.Instances(call)
	cancel()
	if ctx.Err() != nil {
		return
	}
	now := c.o.Clock.Now()
	c.mu.Lock()
	before := c.status
	if err != nil {
		c.status.Problem = "The services cannot be looked at: " + sentence(err)
	} else {
		c.status = Status{Services: c.picture(instances), At: now}
	}
	same := c.status.Problem == before.Problem && slices.EqualFunc(c.status.Services, before.Services, sameService)
	c.mu.Unlock()
	if err == nil {
		c.obey.follow(ctx, instances)
	}
	if same {
		return
	}
	if err != nil {
		c.o.Log.Warn("The services cannot be looked at.", "error", err)
	}
	c.tellChange()
}

// picture sorts instances by service.
func (c *Controller) picture(instances []Instance) []ServiceStatus {
	services := make([]ServiceStatus, 0, len(c.o.Services))
	for _, s := range c.o.Services {
		st := ServiceStatus{Name: s.Name}
		for _, i := range instances {
			if i.Service == s.Name {
				st.Instances = append(st.Instances, i)
			}
		}
		st.State = stateOf(st.Instances)
		services = append(services, st)
	}
	return services
}

// stateOf sums up instances. One that is starting counts as stopped: it does no work yet.
func stateOf(instances []Instance) State {
	if len(instances) == 0 {
		return Missing
	}
	sum := State("")
	for _, i := range instances {
		s := i.State
		if s == Starting {
			s = Stopped
		}
		if sum != "" && sum != s {
			return Mixed
		}
		sum = s
	}
	return sum
}

func sameService(a, b ServiceStatus) bool {
	return a.Name == b.Name && a.State == b.State && slices.EqualFunc(a.Instances, b.Instances, func(x, y Instance) bool {
		return sameLife(x, y) && x.State == y.State && x.Name == y.Name && x.Restarts == y.Restarts && slices.Equal(x.Warnings, y.Warnings)
	})
}
