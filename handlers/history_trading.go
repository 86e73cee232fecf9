package handlers

import (
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

// TradingReport is a state of the gate as an entry of the history.
func TradingReport(g schedule.GateState) stack.Report {
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
