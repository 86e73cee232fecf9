package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/views"
)

// frame is what every page has around its content. page is "" for one that the navigation lacks.
func (s *Server) frame(title, page string, r *http.Request) views.Frame {
	back := "/"
	if r.Method == http.MethodGet {
		back = r.URL.RequestURI()
	} else if page != "" && page != "overview" {
		back = "/" + page
	}
	return views.Frame{Title: title, Page: page, Version: s.o.Version, Trading: s.trading(back), Later: s.laterNotice(back)}
}

// streamURL is the address of a page's event stream. back is the page itself, for the forms in its
// banner.
func streamURL(page, back string, more url.Values) string {
	q := url.Values{"page": {page}, "back": {back}}
	for k, v := range more {
		q[k] = v
	}
	return "/events?" + q.Encode()
}

// safeBack is a path of this panel to come back to: never an address elsewhere.
func safeBack(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.HasPrefix(path, `/\`) {
		return "/"
	}
	return path
}

// zone is where the panel's times are told: the schedule's zone if there is one.
func (s *Server) zone() *time.Location {
	return s.o.Scheduler.Status().Zone()
}

func (s *Server) trading(back string) views.Trading {
	t := tradingBanner(s.o.Gate.State(), s.o.Controller.Status().Services, s.now(), s.zone())
	t.Back = back
	if p := s.o.Gate.Problem(); p != "" {
		t.Disobeyed = append(t.Disobeyed, p)
	}
	return t
}

// obeyWithin is how long a service may take to follow the gate before the page says that it doesn't.
const obeyWithin = 3 * time.Second

// tradingBanner is the gate as the head of every page tells it.
func tradingBanner(g schedule.GateState, services []stack.ServiceStatus, now time.Time, zone *time.Location) views.Trading {
	t := views.Trading{
		Reason: g.Reason, By: g.By, Since: views.At(g.Since, now, zone), Zone: zone.String(),
		CanHalt: true, CanResume: true,
	}
	if g.Until != nil && g.Mode != schedule.FollowSchedule { // whose reason says until when
		t.Until = views.At(*g.Until, now, zone)
	}
	switch {
	case g.Mode == schedule.Halted:
		t.Badge = views.Badge{Tone: views.Bad, Icon: "halt", Word: "Trading halted"}
		t.CanHalt = false
	case g.Mode == schedule.Forced:
		t.Badge = views.Badge{Tone: views.Caution, Icon: "play", Word: "Trading on, by hand"}
	default:
		t.Badge = gateBadge(g.TradingEnabled)
		t.CanResume, t.CanForce = false, true
	}
	if t.By == "schedule" {
		t.By = "" // the reason says so
	}
	if g.Mode == schedule.Halted {
		t.Obeyed, t.Pending = obedience(services)
	}
	if now.Sub(g.Since) < obeyWithin {
		return t
	}
	for _, svc := range services {
		switch {
		case svc.Obeys == nil || svc.Obeys.TradingEnabled == g.TradingEnabled:
		case svc.Obeys.TradingEnabled:
			t.Disobeyed = append(t.Disobeyed, svc.Name+" says that it still trades: "+svc.Obeys.Reason)
		default:
			t.Disobeyed = append(t.Disobeyed, svc.Name+" says that it does not trade: "+svc.Obeys.Reason)
		}
	}
	return t
}

// obedience are the services that say themselves that they do not trade, and those that say, or have
// not denied yet, that they do. A service that never says anything of it has no part in trading.
func obedience(services []stack.ServiceStatus) (obeyed, pending []string) {
	for _, svc := range services {
		switch {
		case svc.Obeys == nil:
		case svc.Obeys.TradingEnabled:
			pending = append(pending, svc.Name)
		default:
			obeyed = append(obeyed, svc.Name)
		}
	}
	return obeyed, pending
}

func gateBadge(on bool) views.Badge {
	if on {
		return views.Badge{Tone: views.Good, Icon: "play", Word: "Trading on"}
	}
	return views.Badge{Tone: views.Quiet, Icon: "stop", Word: "Trading off"}
}
