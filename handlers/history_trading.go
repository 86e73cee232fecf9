package handlers

import (
	"sync"

	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/views"
)

// What the audit log says in Source of a change of the gate.
const (
	gateHalted = "halted"
	gateForced = "forced"
	gateOpen   = "open"
	gateClosed = "closed"
)

// RecordTrading is what the gate is to tell its states to, so that the history has them. A state that
// is no other than the one told last, as at most starts of the panel, is no entry.
func RecordTrading(c *stack.Controller) func(schedule.GateState) {
	var mu sync.Mutex
	var last stack.Report
	for _, r := range c.Reports() {
		if r.Kind == stack.KindTrading {
			last = r
			break
		}
	}
	return func(g schedule.GateState) {
		mu.Lock()
		defer mu.Unlock()
		now := tradingReport(g)
		// The schedule's reason names the next window: it alone may change without anything happening.
		if now.Source == last.Source && now.By == last.By && (now.By == "schedule" || now.Message == last.Message) {
			return
		}
		last = now
		c.AppendAudit(now)
	}
}

// tradingReport is a state of the gate as an entry of the history.
func tradingReport(g schedule.GateState) stack.Report {
	r := stack.Report{Kind: stack.KindTrading, By: g.By, Message: g.Reason}
	switch {
	case g.Mode == schedule.Halted:
		r.Source = gateHalted
	case g.Mode == schedule.Forced:
		r.Source = gateForced
	case g.TradingEnabled:
		r.Source = gateOpen
	default:
		r.Source = gateClosed
	}
	return r
}

func tradingBadge(source string) views.Badge {
	switch source {
	case gateHalted:
		return views.Badge{Tone: views.Bad, Icon: "halt", Word: "Trading halted"}
	case gateForced:
		return views.Badge{Tone: views.Caution, Icon: "play", Word: "Trading on, by hand"}
	case gateOpen:
		return gateBadge(true)
	case gateClosed:
		return gateBadge(false)
	}
	return views.Badge{Tone: views.Quiet, Icon: "clock", Word: "Trading changed"}
}
