package handlers

import (
	"time"

	"pitstop/schedule"
	"pitstop/views"
)

// clockCard is the schedule that is followed now, and how well it is kept.
func clockCard(st schedule.Status, now time.Time, zone *time.Location) views.Clock {
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

func closing(e *schedule.LateEdge) string {
	if e.Open {
		return "opened"
	}
	return "closed"
}
