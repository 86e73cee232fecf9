package handlers

import (
	"slices"
	"strings"

	"pitstop/schedule"
	"pitstop/schedule/calendar"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

// drawSchedule is the form with a plan in it, problems at their fields, and what would come of it.
func (s *Server) drawSchedule(live liveConfig, p plan, problems []stack.Problem) views.ScheduleEditor {
	e := views.ScheduleEditor{
		Path: s.o.Store.Path(), Revision: string(live.Revision), Mode: p.Mode, Local: schedule.LocalZone().String(), Zones: schedule.UsualZones(),
		Start:       views.ScheduleField{Name: "schedule.start", Label: "Start", Value: p.Start},
		Stop:        views.ScheduleField{Name: "schedule.stop", Label: "Stop", Value: p.Stop},
		Zone:        views.ScheduleField{Name: "schedule.timezone", Label: "Time zone", Value: p.Zone},
		Days:        views.ScheduleField{Name: "schedule.days", Label: "Days"},
		Calendar:    views.ScheduleField{Name: "schedule.calendar", Label: "Exchange calendar", Value: p.Calendar},
		Holidays:    views.ScheduleField{Name: "schedule.holidays", Label: "Extra closed dates", Value: strings.Join(p.Holidays, "\n")},
		EarlyCloses: views.ScheduleField{Name: "schedule.early_closes", Label: "Early closes", Value: strings.Join(p.EarlyCloses, "\n")},
	}
	for _, edge := range []*views.ScheduleField{&e.Start, &e.Stop} {
		// A time input would swallow what is not a time.
		edge.Clock = p.Mode == views.ModeTimes && (edge.Value == "" || timeOfDay.MatchString(edge.Value))
	}
	for i, day := range []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		e.Weekdays = append(e.Weekdays, views.ScheduleOption{Value: week[i], Label: day, Chosen: slices.Contains(p.Days, week[i])})
	}
	e.Calendars, e.Known = calendars(p.Calendar)
	markPlan(&e, problems)
	e.Coming = s.coming(live, p)
	return e
}

// calendars are the choices, and until when the chosen one is known.
func calendars(chosen string) (options []views.ScheduleOption, known string) {
	options = []views.ScheduleOption{{Label: "None", Chosen: chosen == ""}}
	found := chosen == ""
	for _, name := range calendar.Names() {
		market, ok := calendar.Lookup(name)
		if !ok {
			continue
		}
		if name == chosen {
			found = true
			from, to := market.Known()
			known = "Its sessions are known from " + dateWords(from) + " to " + dateWords(to) + "; there are none outside of that."
		}
		options = append(options, views.ScheduleOption{Value: name, Label: name + " · " + market.Title(), Chosen: name == chosen})
	}
	if !found {
		options = append(options, views.ScheduleOption{Value: chosen, Label: chosen + " (unknown)", Chosen: true})
	}
	return options, known
}

func dateWords(d calendar.Date) string { return noonOf(d).Format("2 January 2006") }

// markPlan puts problems at their fields, and all of them in the summary with links.
func markPlan(e *views.ScheduleEditor, problems []stack.Problem) {
	fields := map[string]*views.ScheduleField{
		"start": &e.Start, "stop": &e.Stop, "timezone": &e.Zone, "days": &e.Days, "calendar": &e.Calendar,
		"holidays": &e.Holidays, "early_closes": &e.EarlyCloses,
	}
	for _, p := range problems {
		shown := views.Problem{Place: schema.Dotted(p.Pointer), Message: p.Message}
		key, _, _ := strings.Cut(strings.TrimPrefix(p.Pointer, "/schedule/"), "/")
		if f := fields[key]; f != nil && strings.HasPrefix(p.Pointer, "/schedule/") {
			f.Problems = append(f.Problems, p.Message)
			shown.Target = f.ID()
		}
		e.Problems = append(e.Problems, shown)
	}
}

// ofSchedule are those problems that concern the schedule.
func ofSchedule(problems []stack.Problem) (out []stack.Problem) {
	for _, p := range problems {
		if p.Pointer == "/schedule" || strings.HasPrefix(p.Pointer, "/schedule/") {
			out = append(out, p)
		}
	}
	return out
}
