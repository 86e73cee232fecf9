package stack

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"
)

// Options are what a Controller needs. Backend, Config and State are required.
type Options struct {
	Services []Service
	Backend  Backend
	Config   ConfigStore
	// Validate parses and checks a document: no problems, no objection.
	Validate func(content []byte) []Problem
	// Changed names the keys in which two documents differ, as JSON pointers. It may be nil.
	Changed func(old, new []byte) []string
	// State is the folder of journal.json, audit.jsonl and the last known revision.
	State         string
	ReloadTimeout time.Duration // 10 s if zero
	MaxPause      time.Duration // 30 s if zero
	// Guard starts a dead man that unpauses these instances should this process vanish before
	// release is called. Nil: none.
	Guard func(pausing []Instance) (release func(), err error)
	// OnSaved is called after every replacement of the config file, never within the pause window.
	OnSaved func()
	Clock   clockwork.Clock // nil: the real one
	Log     *slog.Logger    // nil: none
	// Hook is called at each of Points as the workflow passes it. Nil costs nothing.
	Hook func(point string)
}

// ErrShutdown is returned to who asks for a run of a Controller that is shutting down.
var ErrShutdown = errors.New("pitstop is shutting down and starts no more runs")

// Controller pauses, changes and restarts the stack, one run at a time.
type Controller struct {
	o Options
}

// New checks the options and reads the audit log. It touches neither the stack nor the config file.
func New(o Options) (*Controller, error) { return &Controller{o: o}, nil }

func (c *Controller) Recover(ctx context.Context) error { return nil }
func (c *Controller) SaveAndRestart(ctx context.Context, ch Change) (*Run, error) {
	return nil, ErrShutdown
}
func (c *Controller) Current() *Run                      { return nil }
func (c *Controller) Last() *Run                         { return nil }
func (c *Controller) Run(id string) (*Run, bool)         { return nil, false }
func (c *Controller) Reports() []Report                  { return nil }
func (c *Controller) Report(id string) (Report, bool)    { return Report{}, false }
func (c *Controller) Status() Status                     { return Status{} }
func (c *Controller) Start(ctx context.Context)          {}
func (c *Controller) OnChange(f func())                  {}
func (c *Controller) ConfigTouched()                     {}
func (c *Controller) AppendAudit(r Report)               {}
func (c *Controller) Shutdown(ctx context.Context) error { return nil }
