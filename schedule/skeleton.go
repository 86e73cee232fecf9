package schedule

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"
)

// Mode is what decides about trading.
type Mode string

const (
	FollowSchedule Mode = "schedule"
	Halted         Mode = "halted" // the kill switch: only a person lifts it
	Forced         Mode = "forced" // trading on until an instant, whatever the schedule says
)

// GateState is trading.json.
type GateState struct {
	TradingEnabled bool       `json:"trading_enabled"`
	Mode           Mode       `json:"mode"`
	Reason         string     `json:"reason"`
	Since          time.Time  `json:"since"`
	Until          *time.Time `json:"until"`
	By             string     `json:"by"`
}

type Gate struct{}

// ErrRefused is wrapped by errors that are the asker's: an end in the past, a missing name.
var ErrRefused = errors.New("refused")

func OpenGate(path, state string, clock clockwork.Clock, log *slog.Logger) (*Gate, error) {
	return &Gate{}, nil
}
func (g *Gate) State() GateState                                      { return GateState{} }
func (g *Gate) Halt(by, reason string) error                          { return nil }
func (g *Gate) Resume(by string) error                                { return nil }
func (g *Gate) Force(by string, until time.Time, reason string) error { return nil }
func (g *Gate) OnChange(f func())                                     {}
func (g *Gate) OnRecord(f func(GateState))                            {}
func (g *Gate) Problem() string                                       { return "" }

type Scheduler struct{}

// Status is the scheduler as it is now, for the page.
type Status struct {
	Schedule *Schedule   // the one that is followed; nil: none
	State    State       // what it says now
	Next     *Transition // nil: none within a year or so
	LastEdge *LateEdge   // nil: none since the panel started
	Problem  string      // why the config file's schedule is not the one followed; empty: it is
	At       time.Time   // of this picture
}

// LateEdge is an edge as it was kept.
type LateEdge struct {
	Planned time.Time
	Kept    time.Time
	Late    time.Duration
	Open    bool
}

func NewScheduler(gate *Gate, load func() (*Schedule, error), clock clockwork.Clock, log *slog.Logger) *Scheduler {
	return &Scheduler{}
}
func (s *Scheduler) Start(ctx context.Context) error { return nil }
func (s *Scheduler) Replan()                         {}
func (s *Scheduler) Status() Status                  { return Status{} }
func (s *Scheduler) OnChange(f func())               {}
func (s *Scheduler) Shutdown()                       {}
