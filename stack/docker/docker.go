// Package docker reaches the stack's instances as containers of a Docker engine. It is the only
// place, with its own dockertest, that knows the Docker SDK.
//
// The engine may be away when Pitstop starts, and may go and come back, upgraded too: every call
// connects if need be, and an engine that is not there is an error that wraps stack.ErrUnavailable.
package docker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/docker/docker/client"

	"pitstop/stack"
)

// Options say which containers are the stack's, and where.
type Options struct {
	// Host is the engine's address, such as unix:///var/run/docker.sock. Empty: as the docker
	// command finds it, which is DOCKER_HOST with DOCKER_CERT_PATH, or the socket's usual place.
	Host string
	// Services are the stack's services; each needs a Selector.
	Services []stack.Service
	// ConfigPath is the config file as Pitstop sees it. Its base name is how a container that mounts
	// the file alone, and so never sees it replaced, is recognized.
	ConfigPath string
	Log        *slog.Logger // nil: discard
}

// Backend is a stack.Backend over a Docker engine.
type Backend struct {
	engine     *engine
	services   []service
	configPath string
	log        *slog.Logger
	watch      watchTimes
	clock      clock
	turns      turns
	lives      lives
	self       self
	leftOut    sync.Map        // what leaveOut has told already
	life       context.Context // ends with Close
	end        context.CancelFunc
	// signalProcess signals a process of this machine if it is the container's: another in tests of
	// what is done where it cannot be.
	signalProcess func(id string, pid int, signal syscall.Signal) error
}

// service is a stack.Service with its selector understood.
type service struct {
	name     string
	selector selector
}

var _ stack.Backend = (*Backend)(nil)

// New makes a backend. It does not connect: an engine that is not there yet is no error. What is one
// is an address or a selector that cannot be understood.
func New(o Options) (*Backend, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	services := make([]service, 0, len(o.Services))
	for _, s := range o.Services {
		sel, err := parseSelector(s.Selector)
		if err != nil {
			return nil, fmt.Errorf("could not understand the selector of service %s: %w", s.Name, err)
		}
		services = append(services, service{name: s.Name, selector: sel})
	}
	e, err := newEngine(o.Host, log)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &Backend{
		engine:        e,
		services:      services,
		configPath:    o.ConfigPath,
		log:           log,
		watch:         defaultWatchTimes,
		clock:         clock{turn: make(chan struct{}, 1)},
		lives:         lives{last: map[string]time.Time{}},
		self:          findSelf(),
		turns:         turns{held: map[string]chan struct{}{}},
		life:          life,
		end:           end,
		signalProcess: signalProcess,
	}, nil
}

// Name is the backend's word in the settings.
func (b *Backend) Name() string { return "docker" }

// FreeByHand is the command with which a person unpauses the instance without Pitstop.
func (b *Backend) FreeByHand(i stack.Instance) string {
	name := i.Name
	if name == "" {
		name = i.ID
	}
	if b.engine.host != client.DefaultDockerHost {
		return fmt.Sprintf("docker --host %s unpause %s", b.engine.host, name)
	}
	return "docker unpause " + name
}

// Close lets go of the connections to the engine. Containers stay as they are.
func (b *Backend) Close() error {
	b.end()
	b.engine.close()
	return nil
}
