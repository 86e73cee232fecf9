package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/views"
)

// Names of the schedule form's own inputs, beside :revision.
const (
	inMode  = ":mode"  // the way in which start and stop are to be written
	inDrawn = ":drawn" // the way for which the form was drawn
)

// getSchedule shows the schedule. ?run=ID shows that run above it, without it the one under way;
// ?add=1 offers a schedule where the config file has none.
func (s *Server) getSchedule(c echo.Context) error {
	id := c.QueryParam("run")
	if cur := s.o.Controller.Current(); id == "" && cur != nil {
		id = cur.ID()
	}
	var report *stack.Report
	if id != "" {
		r, ok := s.report(id)
		if !ok {
			return refuse(http.StatusNotFound, "There is no run "+id+". It may be older than the history that is kept.")
		}
		report = &r
	}
	e := s.scheduleEditor(report)
	if e.Missing && c.QueryParam("add") != "" {
		e = s.drawSchedule(s.live(), proposedPlan(), nil)
	}
	return s.showSchedule(c, http.StatusOK, e, report)
}

func (s *Server) redirectToSchedule(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, "/schedule")
}

// showSchedule renders the page with this editor, and a run above it if there is one.
func (s *Server) showSchedule(c echo.Context, status int, e views.ScheduleEditor, report *stack.Report) error {
	page := views.Schedule{Frame: s.frame("Schedule", "schedule", c.Request()), Clock: clockCard(s.o.Scheduler.Status(), s.o.Gate.State(), s.now(), s.zone()), Editor: e}
	q := url.Values{"rev": {e.Revision}}
	if report != nil {
		page.Run = runView(*report, s.now(), s.zone())
		own := asked(c)
		page.Toast = toast(*report, own)
		q.Set("run", report.ID)
		if !own {
			q.Set(inOther, "1")
		}
		if e.Locked {
			page.Refresh = 1
		}
		if c.Request().Method == http.MethodGet {
			c.Response().Header().Set("HX-Replace-Url", "/schedule?run="+url.QueryEscape(report.ID))
		}
	}
	if e.Locked || e.Problem != "" {
		q.Set("wait", "1")
	}
	page.Stream = streamURL("schedule", page.Trading.Back, q)
	return s.render(c, status, views.SchedulePage(page))
}

// scheduleEditor is the form as the file is; with a run under way or ended badly, as it was filled
// in for it.
func (s *Server) scheduleEditor(report *stack.Report) views.ScheduleEditor {
	live := s.live()
	if live.Unusable != "" {
		return views.ScheduleEditor{
			Path: s.o.Store.Path(), Revision: string(live.Revision), Problem: live.Unusable, Problems: plainProblems(live.Problems),
		}
	}
	if report != nil && (report.Outcome == stack.Applied || report.Outcome == stack.Unchanged) {
		s.plans.drop(report.ID)
	} else if report != nil {
		if typed, ok := s.plans.of(report.ID); ok {
			e := s.drawSchedule(live, typedPlan(typed), nil)
			e.Locked = report.Outcome == ""
			if !e.Locked {
				e.Notice, e.NoticeTone = "What you typed is kept below; the config file is as it was.", views.Caution
			}
			return e
		}
	}
	if _, has := live.Value["schedule"]; !has {
		return views.ScheduleEditor{Path: s.o.Store.Path(), Revision: string(live.Revision), Missing: true}
	}
	e := s.drawSchedule(live, planOf(live.Value), ofSchedule(live.Problems))
	e.Locked = report != nil && report.Outcome == ""
	if len(e.Problems) > 0 {
		e.Notice, e.NoticeTone = "The schedule in the config file is not valid.", views.Bad
	}
	return e
}

// postSchedulePreview draws what would come of the form, and applies nothing. With ?part=coming the
// answer is the drawing alone, while somebody types.
func (s *Server) postSchedulePreview(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	live, err := s.usable()
	if err != nil {
		return err
	}
	typed := typedPlan(c.Request().PostForm)
	if c.QueryParam("part") == "coming" {
		e := s.drawSchedule(live, typed, nil)
		return s.render(c, http.StatusOK, views.ScheduleComing(e.Coming))
	}
	typed = typed.converted(planOf(live.Value))
	_, problems := s.planned(live, typed)
	e := s.drawSchedule(live, typed, problems)
	// A conflict must be noticed when the plan is applied: the form stays one of the file it began with.
	if base := c.Request().PostForm.Get(inRevision); base != "" {
		e.Revision = base
	}
	return s.showSchedule(c, http.StatusOK, e, nil)
}

// postScheduleRun is Apply Schedule: Save & Restart with the form's changes of [schedule].
func (s *Server) postScheduleRun(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	form := c.Request().PostForm
	live, err := s.usable()
	if err != nil {
		return err
	}
	base := stack.Revision(form.Get(inRevision))
	if base == "" {
		return refuse(http.StatusUnprocessableEntity, "The form came without the revision that it was drawn from, so it cannot be told what was changed. Open the schedule again.")
	}
	typed := typedPlan(form)
	if base != live.Revision {
		return s.answerScheduleConflict(c, live, base, typed)
	}
	if other := typed.converted(planOf(live.Value)); other.Mode != typed.drawn {
		e := s.drawSchedule(live, other, nil)
		e.Notice, e.NoticeTone = "Start and stop are now written the way you chose. Look them through, then press Apply Schedule again.", views.Bad
		return s.showSchedule(c, http.StatusUnprocessableEntity, e, nil)
	}
	content, problems := s.planned(live, typed)
	switch {
	case len(problems) > 0:
		return s.answerBadPlan(c, live, typed, problems)
	case string(content) == string(live.Content):
		e := s.drawSchedule(live, typed, nil)
		e.Notice, e.NoticeTone = "Nothing to apply: the schedule is as in the config file.", views.Quiet
		return s.showSchedule(c, http.StatusOK, e, nil)
	}
	run, err := s.o.Controller.SaveAndRestart(c.Request().Context(), stack.Change{
		Kind: stack.KindSave, Content: content, Base: base, By: by(c), Pressed: "Apply Schedule",
	})
	if err != nil {
		return err
	}
	s.plans.keep(run.ID(), form)
	report := pastValidation(c, run)
	switch {
	case report.Outcome == stack.Rejected && report.Cause == stack.CauseConflict:
		return s.answerScheduleConflict(c, s.live(), base, typed)
	case report.Outcome == stack.Rejected && report.Cause == stack.CauseInvalid:
		return s.answerBadPlan(c, live, typed, report.Errors)
	case report.Outcome == stack.Rejected:
		e := s.drawSchedule(live, typed, nil)
		e.Notice, e.NoticeTone = report.Message, views.Bad
		return s.showSchedule(c, runRefusal(report).status, e, &report)
	}
	return c.Redirect(http.StatusSeeOther, "/schedule?run="+url.QueryEscape(run.ID()))
}

// answerBadPlan shows the form again with each problem at its field.
func (s *Server) answerBadPlan(c echo.Context, live liveConfig, typed plan, problems []stack.Problem) error {
	e := s.drawSchedule(live, typed, problems)
	e.Notice, e.NoticeTone = "Nothing was applied: "+plural(len(problems), "thing", "things")+" to correct.", views.Bad
	return s.showSchedule(c, http.StatusUnprocessableEntity, e, nil)
}

// answerScheduleConflict shows the schedule as somebody else left it with this person's own changes
// laid over it. Nothing is applied until they press the button again.
func (s *Server) answerScheduleConflict(c echo.Context, live liveConfig, base stack.Revision, typed plan) error {
	if live.Unusable != "" {
		return refuse(http.StatusServiceUnavailable, live.Unusable)
	}
	notice := "The config file was changed meanwhile, and the version that you began with is gone. Nothing was applied. " +
		"What you typed is kept below; compare it with the file before you go on."
	edits, _ := typed.edits(planOf(live.Value), live.Value)
	var problems []stack.Problem
	for _, e := range edits { // yours or somebody else's: it cannot be told
		problems = append(problems, stack.Problem{Pointer: e.Pointer, Message: "The file has another value; yours is shown."})
	}
	if was, known := s.version(base); known && was.Unusable == "" {
		edits, _ := typed.edits(planOf(was.Value), was.Value)
		problems = clashes(was, live, edits)
		typed = typed.over(planOf(was.Value), planOf(live.Value))
		notice = "The config file was changed meanwhile by somebody else. Nothing was applied: the form now shows that version " +
			"with your own changes laid over it. Look it through, then press Apply Schedule again."
	}
	e := s.drawSchedule(live, typed, problems)
	e.Notice, e.NoticeTone = notice, views.Bad
	return s.showSchedule(c, http.StatusPreconditionFailed, e, nil)
}

// planned is the config file with a plan's changes made, and what is wrong with it.
func (s *Server) planned(live liveConfig, p plan) ([]byte, []stack.Problem) {
	edits, problems := p.edits(planOf(live.Value), live.Value)
	content, wrong := edited(live.Content, edits)
	if problems = append(problems, wrong...); len(problems) > 0 {
		return content, problems
	}
	return content, s.o.Check(content)
}

// scheduleParts follow the run that the page shows, or the first that begins while it is open, and
// the clock. What somebody types stays: only a form that waits for a run to end is replaced.
func (s *Server) scheduleParts(q url.Values) func() []views.Part {
	id, revision, wait, own := q.Get("run"), stack.Revision(q.Get("rev")), q.Get("wait") != "", !q.Has(inOther)
	return func() []views.Part {
		if cur := s.o.Controller.Current(); id == "" && cur != nil {
			id, own = cur.ID(), false
		}
		parts := []views.Part{{ID: "clock", Body: views.ScheduleClock(clockCard(s.o.Scheduler.Status(), s.o.Gate.State(), s.now(), s.zone())), Morph: true}}
		var report *stack.Report
		last := views.Toast{}
		if r, ok := s.report(id); ok {
			report, last = &r, toast(r, own)
			parts = append(parts, views.Part{ID: "run", Body: views.RunPanel(runView(r, s.now(), s.zone())), Morph: true})
		}
		parts = append(parts, views.Part{ID: "toasts", Body: views.Toasts(last), Morph: true})
		if !wait {
			stale := views.Stale{}
			if now := s.live().Revision; now != revision && now != "" {
				stale.Revision = now.Short()
			}
			return append(parts, views.Part{ID: "stale", Body: views.ScheduleStale(stale), Morph: true})
		}
		if report != nil && report.Outcome == "" {
			return parts
		}
		e := s.scheduleEditor(report)
		parts = append(parts, views.Part{ID: "editor", Body: views.ScheduleForm(e)})
		if e.Problem == "" {
			next := nextStream("schedule", q, id, e.Revision, own)
			parts = append(parts, views.Part{ID: "live", Body: views.Live(next)})
			wait, revision = false, stack.Revision(e.Revision)
		}
		return parts
	}
}
