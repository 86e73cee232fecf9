package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pitstop/schedule"
	"pitstop/schedule/calendar"
	"pitstop/views"
)

// drawnDays is how far the drawing looks ahead.
const drawnDays = 14

// coming are the windows that a plan would bring, or why there are none.
func (s *Server) coming(live liveConfig, p plan) views.Coming {
	edits, problems := p.edits(planOf(live.Value), live.Value)
	content, wrong := edited(live.Content, edits)
	c := views.Coming{Draft: len(edits) > 0, Changes: len(edits)}
	if len(problems)+len(wrong) > 0 {
		c.None = "What is typed cannot be drawn yet: " + append(problems, wrong...)[0].Message
		return c
	}
	l := live
	if c.Draft {
		l = s.understand(content, "")
	}
	sch, faults := schedule.Parse(l.Value, schedule.LocalZone())
	switch {
	case len(faults) > 0:
		c.None = "What is typed cannot be drawn yet: " + faults[0].Message
	case sch == nil:
		c.None = "There is no schedule."
	default:
		drawComing(&c, sch, s.now())
		if c.Draft {
			c.Effect = s.effect(sch)
		}
	}
	return c
}

// effect is what following another schedule would do to trading at this moment; nothing where it would
// not change it, as while a person holds it.
func (s *Server) effect(sch *schedule.Schedule) string {
	g, now := s.o.Gate.State(), s.now()
	if g.Mode != schedule.FollowSchedule {
		return ""
	}
	state, until := schedule.State{}, ""
	if sch != nil {
		state = sch.At(now)
		until = after(",", untilWhen(state, now, sch.Location()))
		if until != "" && sch.Location().String() != s.zone().String() {
			until += " by the clocks of " + sch.Location().String()
		}
	}
	switch {
	case state.Open == g.TradingEnabled:
		return ""
	case state.Open:
		return "Applying this opens trading now" + until + "."
	}
	return "Applying this closes trading now" + until + "."
}

// drawComing draws a schedule from now on.
func drawComing(c *views.Coming, sch *schedule.Schedule, now time.Time) {
	zone := sch.Location()
	c.Zone = zone.String()
	if sch.Zoneless() {
		c.Alone = zoneless
	}
	for _, t := range sch.Next(now, 3) {
		c.Edges = append(c.Edges, views.ComingEdge{Badge: edgeBadge(t.Open), At: views.At(t.At, now, zone), In: "in " + lasting(t.At.Sub(now)), Note: t.Note})
	}
	if len(c.Edges) == 0 {
		c.None = "Nothing opens or closes within a year."
	}
	today := calendar.DateOf(now.In(zone))
	for _, d := range sch.Days(today, drawnDays) {
		c.Days = append(c.Days, comingDay(d, d.Date == today, now, zone))
	}
}

func comingDay(d schedule.Day, today bool, now time.Time, zone *time.Location) views.ComingDay {
	v := views.ComingDay{
		Date: fmt.Sprintf("%04d-%02d-%02d", d.Date.Year, d.Date.Month, d.Date.Day), Words: noonOf(d.Date).Format("Mon 2 Jan"),
		Today: today, Closed: len(d.Windows) == 0,
	}
	if today {
		v.Now = strconv.Itoa(wallMinute(now, zone))
	}
	var hours, notes []string
	for _, w := range d.Windows {
		from, to := 0, 1440
		if w.Open.After(d.Start) {
			from = wallMinute(w.Open, zone)
		}
		if w.Close.Before(d.End) {
			to = wallMinute(w.Close, zone)
		}
		// A window within an hour that the clocks repeat can end before it begins, by the wall.
		v.Bars = append(v.Bars, views.Bar{X: strconv.Itoa(from), Width: strconv.Itoa(max(to-from, 4))})
		hours = append(hours, windowHours(w, d, zone))
	}
	v.Hours = strings.Join(hours, ", ")
	if n := len(d.Windows); n > 3 {
		first, last := d.Windows[0].Open.In(zone), d.Windows[n-1].Close.In(zone)
		v.Hours = fmt.Sprintf("%d windows, %s to %s", n, first.Format("15:04"), last.Format("15:04"))
	}
	if len(d.Windows) == 0 {
		if v.Hours = "closed"; d.Closed != "" && !strings.HasPrefix(d.Closed, "no trading on") {
			v.Hours = "closed: " + d.Closed
		}
	} else if d.Closed != "" {
		notes = append(notes, d.Closed)
	}
	if d.EarlyClose != "" {
		notes = append(notes, d.EarlyClose)
	}
	if d.ClockShift != 0 {
		v.Shift = strconv.Itoa(wallMinute(d.ShiftAt, zone))
		way := "forward"
		if d.ClockShift < 0 {
			way = "back"
		}
		notes = append(notes, "clocks go "+way+" "+lasting(d.ClockShift))
	}
	v.Note = strings.Join(notes, "; ")
	return v
}

// windowHours are the hours of a window as the day on which it is drawn tells them.
func windowHours(w schedule.Window, d schedule.Day, zone *time.Location) string {
	before, after := w.Open.Before(d.Start), w.Close.After(d.End)
	from, to := w.Open.In(zone).Format("15:04"), w.Close.In(zone).Format("15:04")
	switch {
	case before && (after || w.Close.Equal(d.End)):
		return "all day"
	case before:
		return "until " + to
	case after && w.Close.Sub(w.Open) > 24*time.Hour:
		return "from " + from
	}
	return from + "–" + to
}

// wallMinute is the minute of the day that the clocks of a zone show.
func wallMinute(t time.Time, zone *time.Location) int {
	local := t.In(zone)
	return local.Hour()*60 + local.Minute()
}

// noonOf is an instant whose date, in UTC, is d.
func noonOf(d calendar.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)
}

// lasting is how long something lasts, as people say it; a direction is left to the sentence.
func lasting(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 {
			return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
