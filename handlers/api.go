package handlers

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
	"pitstop/stack"
)

// apiConfig is the config file in the status.
type apiConfig struct {
	Path     string         `json:"path"`
	Revision stack.Revision `json:"revision"`
	Valid    bool           `json:"valid"`
	Problem  string         `json:"problem,omitempty"`
}

// apiState is the status, and what the event stream tells whenever it changes.
type apiState struct {
	Trading  schedule.GateState    `json:"trading"`
	Services []stack.ServiceStatus `json:"services"`
	Config   apiConfig             `json:"config"`
	Run      *stack.Report         `json:"run"`
	Later    *queuedAnswer         `json:"later"` // the queued change
	Problem  string                `json:"problem,omitempty"`
}

func (s *Server) state() apiState {
	live, st := s.live(), s.o.Controller.Status()
	a := apiState{
		Trading: s.o.Gate.State(), Services: slices.Clone(st.Services), Problem: st.Problem,
		Config: apiConfig{Path: s.o.Store.Path(), Revision: live.Revision, Valid: live.Unusable == "" && len(live.Problems) == 0, Problem: live.Unusable},
	}
	if a.Config.Problem == "" {
		a.Config.Problem = s.o.Broken
	}
	if a.Services == nil {
		a.Services = []stack.ServiceStatus{}
	}
	for i := range a.Services {
		if a.Services[i].Instances == nil {
			a.Services[i].Instances = []stack.Instance{}
		}
	}
	if r, ok := s.lastReport(); ok {
		a.Run = &r
	}
	if e, ok := s.queued(); ok {
		answer := answerOf(e)
		a.Later = &answer
	}
	return a
}

func (s *Server) apiStatus(c echo.Context) error { return s.json(c, http.StatusOK, s.state()) }

// json answers with a value, compressed where that helps.
func (s *Server) json(c echo.Context, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return write(c, status, "application/json", append(b, '\n'))
}

func (s *Server) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether Save & Restart could be pressed now, as far as can be told without pressing it.
func (s *Server) readyz(c echo.Context) error {
	if live := s.live(); live.Unusable != "" {
		return c.String(http.StatusServiceUnavailable, live.Unusable+"\n")
	}
	if s.o.Broken != "" {
		return c.String(http.StatusServiceUnavailable, s.o.Broken+"\n")
	}
	if p := s.o.Controller.Status().Problem; p != "" {
		return c.String(http.StatusServiceUnavailable, p+"\n")
	}
	return c.String(http.StatusOK, "ok\n")
}

// apiEvents tells scripts everything that changes: first the whole state, then the state anew.
func (s *Server) apiEvents(c echo.Context) error {
	out, err := openStream(c)
	if err != nil {
		return nil
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	last := ""
	for {
		changed := s.changes.watch()
		text, err := s.told.as(changed, s.state)
		if err != nil {
			return err
		}
		if text != last {
			err, last = out.send("", "status", text), text
		}
		if err != nil {
			return nil
		}
		select {
		case <-changed:
		case <-tick.C:
			s.told.forget() // what changed without a word is told now
			if out.beat() != nil {
				return nil
			}
		case <-c.Request().Context().Done():
			return nil
		case <-s.closing.Done():
			return nil
		}
	}
}

// toldState is the state as every event stream tells it, made once for each change: a run makes many,
// in the middle of the pause, however many listen.
type toldState struct {
	mu    sync.Mutex
	since <-chan struct{} // closed by the change after which text is old
	text  string
}

func (t *toldState) as(changed <-chan struct{}, state func() apiState) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since == changed {
		return t.text, nil
	}
	b, err := json.Marshal(state())
	if err != nil {
		return "", err
	}
	t.since, t.text = changed, string(b)
	return t.text, nil
}

func (t *toldState) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = nil
}
