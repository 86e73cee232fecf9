package handlers

import (
	"fmt"
	"strings"
	"time"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/views"
)

// trading is the banner of a page, to which its forms come back.
func (s *Server) trading(back string) views.Trading {
	t := tradingBanner(s.o.Gate.State(), s.o.Scheduler.Status(), s.o.Controller.Status(), s.now(), s.zone())
	t.Back = back
	if p := s.o.Gate.Problem(); p != "" {
		t.Disobeyed = append(t.Disobeyed, views.Disobeyed{Sentence: p})
	}
	return t
}

// obeyWithin is how long a service may take to follow the gate before the page says that it doesn't.
const obeyWithin = 3 * time.Second

// tradingBanner is the gate as the head of every page tells it.
func tradingBanner(g schedule.GateState, plan schedule.Status, stack stack.Status, now time.Time, zone *time.Location) views.Trading {
	t := views.Trading{
		Reason: g.Reason, By: g.By, Since: views.At(g.Since, now, zone), Zone: zone.String(),
		CanHalt: true, CanResume: true,
	}
	if g.Until != nil && g.Mode != schedule.FollowSchedule { // whose reason says until when
		t.Until = views.At(*g.Until, now, zone)
		t.Then = thenBySchedule(plan, *g.Until, now, zone)
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
	if t.CanResume {
		t.Resuming = resuming(g, plan, now, zone)
	}
	if g.Mode == schedule.Halted {
		t.Obeyed, t.Pending = obedience(stack.Services)
	}
	if g.TradingEnabled || g.Mode == schedule.Halted && stack.Problem != "" {
		t.Away = away(stack, now, zone)
	}
	if g.TradingEnabled && len(t.Away) > 0 {
		t.Badge.Tone, t.Badge.Icon = views.Caution, "warn"
	}
	if now.Sub(g.Since) < obeyWithin {
		return t
	}
	for _, svc := range stack.Services {
		if svc.Obeys != nil && svc.Obeys.TradingEnabled != g.TradingEnabled {
			t.Disobeyed = append(t.Disobeyed, disobeyed(svc, now, zone))
		}
	}
	return t
}

// disobeyed is what a service says, against the gate. One that does not run says nothing more: then it
// is its last word, however old.
func disobeyed(svc stack.ServiceStatus, now time.Time, zone *time.Location) views.Disobeyed {
	is := "does not trade"
	if svc.Obeys.TradingEnabled {
		is = "trades"
	}
	d := views.Disobeyed{}
	switch {
	case svc.State != stack.Running && svc.State != "":
		d.Sentence = fmt.Sprintf("%s %s; its last word is that it %s: ", svc.Name, stateWords(svc), is)
	case svc.Obeys.TradingEnabled:
		d.Sentence = svc.Name + " says that it still trades: "
	default:
		d.Sentence = svc.Name + " says that it does not trade: "
	}
	d.Sentence += strings.TrimSuffix(svc.Obeys.Reason, ".")
	if said := svc.Obeys.Said; !said.IsZero() {
		d.Said, d.Age = views.At(said, now, zone), age(now.Sub(said))
	}
	return d
}

// age is how long ago something was, in steps that are no news by themselves.
func age(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute ago"
	}
	return lasting(d) + " ago"
}

// away says of the services without which nothing trades that they do not run, as far as is known. A
// service that has never spoken of trading has no part in it; but where none has spoken yet, as after a
// start of the panel, nobody can tell which of them it is.
func away(st stack.Status, now time.Time, zone *time.Location) (sentences []string) {
	if st.Problem != "" {
		since := "since the panel started"
		if !st.At.IsZero() {
			since = "since " + views.At(st.At, now, zone).Text
		}
		return []string{"the services have not been seen " + since}
	}
	known := false
	for _, svc := range st.Services {
		known = known || svc.Trades || svc.Obeys != nil
	}
	for _, svc := range st.Services {
		if svc.State != stack.Running && svc.State != "" && (!known || svc.Trades || svc.Obeys != nil) {
			sentences = append(sentences, svc.Name+" "+stateWords(svc))
		}
	}
	return sentences
}

// stateWords are what a service that does not run is.
func stateWords(svc stack.ServiceStatus) string {
	starting := len(svc.Instances) > 0
	for _, i := range svc.Instances {
		starting = starting && i.State == stack.Starting
	}
	switch {
	case starting:
		return "is starting"
	case svc.State == stack.Mixed:
		return "runs only in part"
	}
	return "is " + string(svc.State)
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

// thenBySchedule is what follows an override that ends at t.
func thenBySchedule(plan schedule.Status, t, now time.Time, zone *time.Location) string {
	if plan.Schedule == nil {
		return "then off"
	}
	state := plan.Schedule.At(t)
	if state.Open {
		return "then the schedule (open" + untilWhen(state, now, zone) + ")"
	}
	return "then off" + untilWhen(state, now, zone)
}

// resuming is what a press of Resume schedule would do at this moment.
func resuming(g schedule.GateState, plan schedule.Status, now time.Time, zone *time.Location) string {
	state := plan.State
	switch {
	case state.Open && g.Mode == schedule.Halted:
		return "Resuming: trading goes on at once" + after(",", untilWhen(state, now, zone))
	case state.Open:
		return "Resuming: trading stays on" + untilWhen(state, now, zone)
	case g.Mode == schedule.Halted:
		return "Resuming: trading stays off" + untilWhen(state, now, zone)
	}
	return "Resuming: trading ends at once, off" + untilWhen(state, now, zone)
}

// after is a text with something before it, if there is one.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// untilWhen is until when the schedule's state lasts; nothing if no end is in sight.
func untilWhen(state schedule.State, now time.Time, zone *time.Location) string {
	if state.Until.IsZero() {
		return ""
	}
	return " until " + views.At(state.Until, now, zone).Text
}
