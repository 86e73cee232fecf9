package handlers

import (
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

func (s *Server) getOverview(c echo.Context) error {
	page := s.overview()
	page.Frame = s.frame("Overview", "overview", c.Request())
	page.Stream = streamURL("overview", "/", nil)
	return s.render(c, http.StatusOK, views.OverviewPage(page))
}

// overview is the page without its frame.
func (s *Server) overview() views.Overview {
	now, zone, live := s.now(), s.zone(), s.live()
	page := views.Overview{
		Services: serviceList(s.o.Controller.Status(), live.Revision, now, zone),
		Config:   configCard(s.o.Store.Path(), live, s.o.Broken, s.o.Store.Warning()),
		Next:     nextEdges(s.o.Scheduler.Status(), s.o.Gate.State(), now, zone),
	}
	page.Services.Backend = s.o.Backend
	if s.o.Controller.Current() != nil {
		page.Services.Behind = nil // some are, for a moment
	}
	switch {
	case s.o.Broken != "":
	case live.Missing:
		page.Config.Restore = s.newestVersion()
	case live.Unusable != "" || len(live.Problems) > 0:
		page.Config.Problem = s.unfit(live, page.Config.Problem)
	}
	if r, ok := s.lastReport(); ok {
		page.Run = runView(r, now, zone)
	}
	return page
}

// lastReport is the run under way, or the newest of all that are remembered.
func (s *Server) lastReport() (stack.Report, bool) {
	if r := s.o.Controller.Last(); r != nil {
		return r.Report(), true
	}
	for _, r := range s.o.Controller.Reports() {
		if r.Kind.IsRun() {
			return r, true
		}
	}
	return stack.Report{}, false
}

func serviceList(st stack.Status, file stack.Revision, now time.Time, zone *time.Location) views.Services {
	out := views.Services{Problem: st.Problem, Seen: views.At(st.At, now, zone)}
	for _, svc := range st.Services {
		v := service(svc, file, now, zone)
		if st.At.IsZero() {
			v.Badge = stateBadge("") // that nobody has looked yet does not mean that it is missing
		}
		if v.Behind && (svc.State == stack.Running || svc.State == stack.Mixed) {
			out.Behind = append(out.Behind, v.Name)
			if v.Badge.Tone == views.Good {
				v.Tone = views.Caution
			}
		}
		out.List = append(out.List, v)
	}
	return out
}

func service(svc stack.ServiceStatus, file stack.Revision, now time.Time, zone *time.Location) views.Service {
	v := views.Service{
		Name: svc.Name, Badge: stateBadge(svc.State), Refused: svc.Refused,
		Loaded: svc.Loaded.Short(), Behind: svc.Loaded != "" && file != "" && !file.Is(svc.Loaded),
	}
	if o := svc.Obeys; o != nil {
		v.Obeys = &views.Obeys{Badge: gateBadge(o.TradingEnabled), Reason: o.Reason, Since: views.At(o.Since, now, zone)}
		if svc.State != stack.Running && !o.Said.IsZero() {
			v.Obeys.Old = age(now.Sub(o.Said))
		}
	}
	for _, i := range svc.Instances {
		v.Instances = append(v.Instances, views.Instance{
			Name: i.Name, ID: shortID(i), Badge: stateBadge(i.State), Restarts: i.Restarts,
			Started: views.At(i.Started, now, zone), Stopped: views.At(i.Stopped, now, zone), Warnings: i.Warnings,
		})
	}
	return v
}

// shortID is as much of an engine's ID as its own tools show; nothing of one that is just the name.
func shortID(i stack.Instance) string {
	switch {
	case i.ID == i.Name:
		return ""
	case len(i.ID) > 12:
		return i.ID[:12]
	}
	return i.ID
}

func stateBadge(state stack.State) views.Badge {
	switch state {
	case stack.Running:
		return views.Badge{Tone: views.Good, Icon: "play", Word: string(state)}
	case stack.Paused:
		return views.Badge{Tone: views.Caution, Icon: "pause", Word: string(state)}
	case stack.Starting:
		return views.Badge{Tone: views.Busy, Icon: "wait", Word: string(state)}
	case stack.Stopped:
		return views.Badge{Tone: views.Bad, Icon: "stop", Word: string(state)}
	case stack.Missing:
		return views.Badge{Tone: views.Bad, Icon: "cross", Word: string(state)}
	case stack.Mixed:
		return views.Badge{Tone: views.Caution, Icon: "warn", Word: string(state)}
	}
	return views.Badge{Tone: views.Quiet, Icon: "wait", Word: "not seen yet"}
}

func configCard(path string, live liveConfig, broken, warning string) views.ConfigCard {
	card := views.ConfigCard{Path: path, Revision: live.Revision.Short(), Problem: live.Unusable, Problems: plainProblems(live.Problems), Warning: warning}
	switch {
	case live.Unusable == "" && broken != "":
		card.Badge, card.Problem, card.Problems = views.Badge{Tone: views.Bad, Icon: "warn", Word: "not checked"}, broken, nil
	case live.Unusable != "":
		card.Badge = views.Badge{Tone: views.Bad, Icon: "cross", Word: "unusable"}
	case len(live.Problems) > 0:
		card.Badge = views.Badge{Tone: views.Bad, Icon: "warn", Word: "invalid"}
	default:
		card.Badge = views.Badge{Tone: views.Good, Icon: "check", Word: "valid"}
	}
	return card
}

// plainProblems tells problems by key, or by line where there is no key.
func plainProblems(list []stack.Problem) []views.Problem {
	out := make([]views.Problem, 0, len(list))
	for _, p := range list {
		place := schema.Dotted(p.Pointer)
		if place == "" && p.Line > 0 {
			place = fmt.Sprintf("line %d, column %d", p.Line, p.Column)
		}
		out = append(out, views.Problem{Place: place, Message: p.Message})
	}
	return out
}

// nextEdges are what comes next. The schedule's edges are no news of trading while somebody has halted
// it, and until an override has ended.
func nextEdges(st schedule.Status, g schedule.GateState, now time.Time, zone *time.Location) views.NextCard {
	card := views.NextCard{}
	from := now
	switch g.Mode {
	case schedule.Halted:
		card.Held = &views.Badge{Tone: views.Bad, Icon: "halt", Word: "halted"}
		card.HeldNote, card.Lead = "Does not open until resumed.", "The schedule, which counts again then:"
	case schedule.Forced:
		from = *g.Until
		card.Edges = append(card.Edges, views.Edge{
			Badge: views.Badge{Tone: views.Caution, Icon: "clock", Word: "override ends"}, At: views.At(from, now, zone), Note: thenBySchedule(st, from, now, zone),
		})
	}
	switch {
	case st.Problem != "":
		card.None = st.Problem
	case st.Schedule == nil:
		card.None = "The config file has no [schedule]; trading is opened and closed by hand."
	default:
		for _, t := range st.Schedule.Next(from, 4-len(card.Edges)) {
			b := edgeBadge(t.Open)
			if card.Held != nil {
				b.Tone = views.Quiet
			}
			card.Edges = append(card.Edges, views.Edge{Badge: b, At: views.At(t.At, now, zone), Note: t.Note})
		}
		if len(card.Edges) == 0 {
			card.None = "Nothing opens or closes within a year."
		}
	}
	return card
}

func edgeBadge(open bool) views.Badge {
	if open {
		return views.Badge{Tone: views.Good, Icon: "play", Word: "opens"}
	}
	return views.Badge{Tone: views.Quiet, Icon: "stop", Word: "closes"}
}
