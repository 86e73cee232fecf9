package handlers

import (
	"time"

	"pitstop/schedule"
	"pitstop/views"
)

// clockCard is the schedule that is followed now, and how well it is kept.
func clockCard(st schedule.Status, g schedule.GateState, now time.Time, zone *time.Location) views.Clock {
	card := views.Clock{
		Badge: views.Badge{Tone: views.Quiet, Icon: "stop", Word: "closed by the schedule"}, Reason: st.State.Reason, Zone: zone.String(),
		Since: views.At(st.State.Since, now, zone), Until: views.At(st.State.Until, now, zone), Problem: st.Problem,
	}
	switch {
	case st.Schedule == nil:
		card.Badge.Word = "no schedule"
	case st.State.Open:
		card.Badge = views.Badge{Tone: views.Good, Icon: "play", Word: "open by the schedule"}
	}
	if card.Reason == card.Problem {
		card.Reason = ""
	}
	if st.Schedule != nil && st.Schedule.Zoneless() {
		card.Warning = zoneless
	}
	switch g.Mode {
	case schedule.Halted:
		card.Badge, card.Since, card.Until = views.Badge{Tone: views.Bad, Icon: "halt", Word: "halted"}, views.Moment{}, views.Moment{}
		card.Above = "Trading is halted: it does not open until someone resumes."
	case schedule.Forced:
		card.Badge, card.Since, card.Until = views.Badge{Tone: views.Caution, Icon: "play", Word: "on, by hand"}, views.Moment{}, views.Moment{}
		card.Above = "The override ends " + views.At(*g.Until, now, zone).Text + ", " + thenBySchedule(st, *g.Until, now, zone) + "."
	default:
		if st.Schedule != nil && g.TradingEnabled == st.State.Open {
			card.Since = views.At(g.Since, now, zone) // a changed schedule flips trading when it is applied, not when it says
		}
	}
	if e := st.LastEdge; e != nil {
		card.EdgeAt, card.Edge = views.At(e.Planned, now, zone), closing(e)+", kept "+ms(float64(e.Late.Microseconds())/1000)+" after it was due"
	}
	if j := st.LastJump; j != nil {
		way := "forward" // it was set, or the machine slept
		if j.By < 0 {
			way = "back"
		}
		card.JumpAt, card.Jump = views.At(j.At, now, zone), "jumped "+way+" by "+lasting(j.By)+" at"
	}
	return card
}

// zoneless warns of a schedule without a time zone.
const zoneless = "No time zone is set. Services cannot keep this schedule by themselves: if Pitstop fails, they stop trading when its word runs out, and do not start."

func closing(e *schedule.LateEdge) string {
	if e.Open {
		return "opened"
	}
	return "closed"
}
