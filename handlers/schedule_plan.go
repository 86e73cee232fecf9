package handlers

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pitstop/schedule"
	"pitstop/schedule/calendar"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

// plan is what the inputs of the schedule form hold. That of the file and that of the form are
// compared input by input, so that a key that nobody touched keeps its bytes.
type plan struct {
	Mode, drawn       string
	Start, Stop, Zone string
	Calendar          string
	Days              []string // in the week's order
	Holidays          []string
	EarlyCloses       []string // "2026-11-27 13:00"
}

var week = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// proposedPlan is offered where there is no schedule yet.
func proposedPlan() plan {
	return plan{
		Mode: views.ModeTimes, drawn: views.ModeTimes, Start: "09:30", Stop: "16:00",
		Zone: schedule.LocalZone().String(), Days: week[:5],
	}
}

// planOf is the schedule of a document. One without a schedule has the zero plan.
func planOf(document map[string]any) plan {
	table, ok := document["schedule"].(map[string]any)
	if !ok {
		return plan{}
	}
	p := plan{Start: plain(table["start"]), Stop: plain(table["stop"]), Zone: plain(table["timezone"]), Calendar: plain(table["calendar"])}
	p.Days = week
	if list, ok := table["days"].([]any); ok {
		p.Days = inWeek(texts(list))
	}
	if list, ok := table["holidays"].([]any); ok {
		p.Holidays = texts(list)
	}
	if early, ok := table["early_closes"].(map[string]any); ok {
		for _, date := range slices.Sorted(maps.Keys(early)) {
			p.EarlyCloses = append(p.EarlyCloses, date+" "+plain(early[date]))
		}
	}
	p.Mode = modeOf(p.Start, p.Stop)
	p.drawn = p.Mode
	return p
}

// typedPlan is what a form was filled in with.
func typedPlan(form url.Values) plan {
	p := plan{
		Mode: form.Get(inMode), drawn: form.Get(inDrawn),
		Start: strings.TrimSpace(form.Get("schedule.start")), Stop: strings.TrimSpace(form.Get("schedule.stop")),
		Zone: strings.TrimSpace(form.Get("schedule.timezone")), Calendar: form.Get("schedule.calendar"),
		Days: inWeek(form["schedule.days"]), Holidays: lines(form.Get("schedule.holidays")), EarlyCloses: lines(form.Get("schedule.early_closes")),
	}
	if p.Mode == "" {
		p.Mode = modeOf(p.Start, p.Stop)
	}
	if p.drawn == "" {
		p.drawn = p.Mode
	}
	return p
}

// edits are the changes that make a document's schedule this plan.
func (p plan) edits(was plan, document map[string]any) (edits []schema.Edit, problems []stack.Problem) {
	set := func(key string, value any) {
		edits = append(edits, schema.Edit{Pointer: "/schedule/" + key, Value: value})
	}
	word := func(key, now, old string) {
		switch {
		case now == old:
		case now == "" && key != "start" && key != "stop":
			edits = append(edits, schema.Edit{Pointer: "/schedule/" + key, Remove: true})
		default:
			set(key, now)
		}
	}
	word("start", p.Start, was.Start)
	word("stop", p.Stop, was.Stop)
	word("timezone", p.Zone, was.Zone)
	if was.Days == nil || !slices.Equal(p.Days, was.Days) {
		set("days", anys(p.Days))
	}
	word("calendar", p.Calendar, was.Calendar)
	if !slices.Equal(p.Holidays, was.Holidays) {
		set("holidays", anys(p.Holidays))
	}
	if !slices.Equal(p.EarlyCloses, was.EarlyCloses) {
		early, wrong := p.earlyEdits(was, document)
		edits, problems = append(edits, early...), append(problems, wrong...)
	}
	return edits, problems
}

func (p plan) earlyEdits(was plan, document map[string]any) (edits []schema.Edit, problems []stack.Problem) {
	const key = "/schedule/early_closes"
	now, old := map[string]any{}, map[string]any{}
	for _, line := range was.EarlyCloses {
		date, at, _ := strings.Cut(line, " ")
		old[date] = at
	}
	for i, line := range p.EarlyCloses {
		date, at, ok := earlyClose(line)
		if !ok {
			problems = append(problems, stack.Problem{Pointer: key, Message: fmt.Sprintf("Line %d, %q: write a date and a time, such as 2026-11-27 13:00.", i+1, line)})
			continue
		}
		if _, twice := now[date]; twice {
			problems = append(problems, stack.Problem{Pointer: key, Message: fmt.Sprintf("Line %d: %s is there twice.", i+1, date)})
			continue
		}
		now[date] = at
	}
	table, _ := document["schedule"].(map[string]any)
	if _, has := table["early_closes"].(map[string]any); !has {
		return []schema.Edit{{Pointer: key, Value: now}}, problems
	}
	for _, date := range slices.Sorted(maps.Keys(old)) {
		if _, kept := now[date]; !kept {
			edits = append(edits, schema.Edit{Pointer: key + "/" + date, Remove: true})
		}
	}
	for _, date := range slices.Sorted(maps.Keys(now)) {
		if now[date] != old[date] {
			edits = append(edits, schema.Edit{Pointer: key + "/" + date, Value: now[date]})
		}
	}
	return edits, problems
}

var earlyPattern = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[\s,=]+"?([0-9:]+)"?$`)

func earlyClose(line string) (date, at string, ok bool) {
	m := earlyPattern.FindStringSubmatch(line)
	if m == nil {
		return "", "", false
	}
	_, err := calendar.ParseDate(m[1])
	return m[1], m[2], err == nil
}

// over is the other person's plan with what this one changed laid over it.
func (p plan) over(was, theirs plan) plan {
	pick := func(mine, was, theirs string) string {
		if mine == was {
			return theirs
		}
		return mine
	}
	list := func(mine, was, theirs []string) []string {
		if slices.Equal(mine, was) {
			return theirs
		}
		return mine
	}
	merged := plan{
		Start: pick(p.Start, was.Start, theirs.Start), Stop: pick(p.Stop, was.Stop, theirs.Stop),
		Zone: pick(p.Zone, was.Zone, theirs.Zone), Calendar: pick(p.Calendar, was.Calendar, theirs.Calendar),
		Days: list(p.Days, was.Days, theirs.Days), Holidays: list(p.Holidays, was.Holidays, theirs.Holidays),
		EarlyCloses: list(p.EarlyCloses, was.EarlyCloses, theirs.EarlyCloses),
	}
	merged.Mode = modeOf(merged.Start, merged.Stop)
	merged.drawn = merged.Mode
	return merged
}

// converted is the plan with start and stop in the notation of its mode, if the form was drawn for
// another: the file's own where they have that notation, else what comes closest.
func (p plan) converted(live plan) plan {
	if p.Mode == p.drawn {
		return p
	}
	p.drawn = p.Mode
	if live.Mode == p.Mode {
		p.Start, p.Stop = live.Start, live.Stop
		if p.Calendar == "" {
			p.Calendar = live.Calendar
		}
		return p
	}
	switch p.Mode {
	case views.ModeCron:
		p.Start, p.Stop = asCron(p.Start, "30 9 * * *"), asCron(p.Stop, "0 16 * * *")
	case views.ModeSession:
		p.Start, p.Stop = "open", "close"
		if p.Calendar == "" {
			p.Calendar = "XNYS"
		}
	default:
		p.Mode, p.drawn = views.ModeTimes, views.ModeTimes
		p.Start, p.Stop = asTime(p.Start, "09:30"), asTime(p.Stop, "16:00")
	}
	return p
}

var (
	timeOfDay = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)$`)
	cronDaily = regexp.MustCompile(`^(\d{1,2})\s+(\d{1,2})\s`)
)

// modeOf is how a start and a stop are written.
func modeOf(start, stop string) string {
	session := func(s string) bool {
		s = strings.ToLower(s)
		return strings.HasPrefix(s, "open") || strings.HasPrefix(s, "close")
	}
	switch {
	case session(start) || session(stop):
		return views.ModeSession
	case timeOfDay.MatchString(start) && timeOfDay.MatchString(stop):
		return views.ModeTimes
	case strings.Contains(start+stop, ":") && !strings.ContainsAny(start+stop, " @*"):
		return views.ModeTimes // mistyped times
	}
	return views.ModeCron
}

func asCron(text, otherwise string) string {
	if m := timeOfDay.FindStringSubmatch(text); m != nil {
		return strings.TrimPrefix(m[2], "0") + " " + strings.TrimPrefix(m[1], "0") + " * * *"
	}
	return otherwise
}

func asTime(text, otherwise string) string {
	if m := cronDaily.FindStringSubmatch(text); m != nil {
		if t := fmt.Sprintf("%02s:%02s", m[2], m[1]); timeOfDay.MatchString(t) {
			return t
		}
	}
	return otherwise
}

// plain is a value of the document as an input shows it.
func plain(value any) string {
	if value == nil {
		return ""
	}
	text := fmt.Sprint(value)
	if whole, ok := strings.CutSuffix(text, ":00"); ok && timeOfDay.MatchString(whole) {
		return whole // TOML's own times have seconds
	}
	return text
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = plain(v)
	}
	return out
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func inWeek(days []string) []string {
	in := []string{}
	for _, d := range week {
		if slices.ContainsFunc(days, func(s string) bool { return strings.EqualFold(s, d) }) {
			in = append(in, d)
		}
	}
	return in
}

func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
