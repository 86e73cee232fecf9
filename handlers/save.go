package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// Names of the form's own inputs. No key of the config file can have them.
const (
	inRevision = ":revision" // what the form was drawn from
	inCheck    = ":check"    // look, but apply nothing: what the Enter key does
	inNote     = ":note"     // a remark for the history
)

// postConfigRun is Save & Restart. Whatever is wrong with what was typed is answered here, with all of
// it kept; a run that passed its first step is answered by sending the browser to look at it.
func (s *Server) postConfigRun(c echo.Context) error {
	w, err := s.wantedConfig(c)
	if w == nil {
		return err
	}
	run, err := s.o.Controller.SaveAndRestart(c.Request().Context(), stack.Change{
		Kind: stack.KindSave, Content: w.content, Base: w.live.Revision, By: by(c), Note: w.typed.Get(inNote),
	})
	if err != nil {
		return err
	}
	s.drafts.keep(run.ID(), w.typed)
	report := pastValidation(c, run)
	switch {
	case report.Outcome == stack.Rejected && report.Cause == stack.CauseConflict:
		return s.answerConflict(c, s.live(), w.live.Revision, w.typed)
	case report.Outcome == stack.Rejected && report.Cause == stack.CauseInvalid:
		return s.answerInvalid(c, w.live, w.typed, report.Errors)
	case report.Outcome == stack.Rejected:
		e := s.again(w.live, w.typed, report.Message, views.Bad)
		return s.showConfig(c, runRefusal(report).status, e, &report)
	}
	return c.Redirect(http.StatusSeeOther, "/config?run="+url.QueryEscape(run.ID()))
}

// wanted is what a filled-in form asks for: other, valid content for the live file.
type wanted struct {
	typed   url.Values
	live    liveConfig // the form's base
	content []byte
}

// wantedConfig reads the config form. It returns nil where the request is answered already: there is
// something to correct, or nothing to apply, or the form was only to be looked at.
func (s *Server) wantedConfig(c echo.Context) (*wanted, error) {
	if err := readForm(c); err != nil {
		return nil, err
	}
	typed := c.Request().PostForm
	live, err := s.usable()
	if err != nil {
		return nil, err
	}
	base := stack.Revision(typed.Get(inRevision))
	if base == "" {
		return nil, refuse(http.StatusUnprocessableEntity, "The form came without the revision that it was drawn from, so it cannot be told what was changed. Open the config page again.")
	}
	if schema.Pressed(typed) {
		c.Response().Header().Set("HX-Reswap", "outerHTML") // without scrolling to the top
		return nil, s.showConfig(c, http.StatusOK, s.again(live, typed, "", views.Quiet), nil)
	}
	if base != live.Revision {
		return nil, s.answerConflict(c, live, base, typed)
	}
	edits, wrong := s.o.Schema.Decode(typed, live.Value)
	if len(wrong) > 0 {
		return nil, s.answerInvalid(c, live, typed, stackProblems(wrong))
	}
	if len(edits) == 0 {
		e := s.again(live, typed, "Nothing to apply: every field is as in the config file.", views.Quiet)
		return nil, s.showConfig(c, http.StatusOK, e, nil)
	}
	content, wrongEdits := edited(live.Content, edits)
	if len(wrongEdits) > 0 {
		return nil, s.answerInvalid(c, live, typed, wrongEdits)
	}
	if problems := s.o.Check(content); len(problems) > 0 {
		return nil, s.answerInvalid(c, live, typed, problems)
	}
	if typed.Get(inCheck) != "" {
		e := s.again(live, typed, fmt.Sprintf("%s, all valid. Nothing is applied yet.", plural(len(edits), "change", "changes")), views.Good)
		return nil, s.showConfig(c, http.StatusOK, e, nil)
	}
	return &wanted{typed, live, content}, nil
}

// pastValidation waits until a run has left its first step, in which nothing is paused and after
// which it goes on without whoever asked for it.
func pastValidation(c echo.Context, run *stack.Run) stack.Report {
	for event := range run.Events(c.Request().Context(), 0) {
		r := event.Report
		if r.Outcome != "" || len(r.Steps) > 1 && r.Steps[1].State != stack.StepPending {
			return r
		}
	}
	return run.Report()
}

// again is the form as it was filled in, with a sentence above it.
func (s *Server) again(live liveConfig, typed url.Values, notice string, tone views.Tone) views.Editor {
	e := s.editorOf(live)
	e.Problems = nil // of the file; what matters now is what was typed
	fill(&e, typed, s.countEdits(typed, live))
	e.Notice, e.NoticeTone = notice, tone
	return e
}

// answerInvalid shows the form again with each problem at its field.
func (s *Server) answerInvalid(c echo.Context, live liveConfig, typed url.Values, problems []stack.Problem) error {
	notice := fmt.Sprintf("Nothing was applied: %s to correct.", plural(len(problems), "thing", "things"))
	e := s.again(live, typed, notice, views.Bad)
	markProblems(&e, problems)
	return s.showConfig(c, http.StatusUnprocessableEntity, e, nil)
}

// answerConflict shows the file as somebody else left it with this person's own changes laid over it,
// and says where both changed the same key. Nothing is applied until they press the button again.
func (s *Server) answerConflict(c echo.Context, live liveConfig, base stack.Revision, typed url.Values) error {
	if live.Unusable != "" {
		return refuse(http.StatusServiceUnavailable, live.Unusable)
	}
	was, known := s.version(base)
	if !known || was.Unusable != "" {
		e := s.again(live, typed, "The config file was changed meanwhile, and the version that you began with is gone. "+
			"Nothing was applied. What you typed is kept below; compare it with the file before you go on.", views.Bad)
		return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
	}
	edits, wrong := s.o.Schema.Decode(typed, was.Value)
	merged, problems := edited(live.Content, edits)
	if len(wrong) > 0 || len(problems) > 0 {
		e := s.again(live, typed, "The config file was changed meanwhile. Nothing was applied; what you typed is kept below.", views.Bad)
		markProblems(&e, append(stackProblems(wrong), problems...))
		return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
	}
	e := s.editorOf(live)
	e.Live = fieldValues(e.Form)
	e.Changes = len(edits)
	m := s.understand(merged, stack.RevisionOf(merged))
	e.Form = s.o.Schema.Form(m.Value)
	e.Notice = "The config file was changed meanwhile by somebody else. Nothing was applied: the form now shows that version " +
		"with your own changes laid over it. Look it through, then press Save & Restart again."
	e.NoticeTone = views.Bad
	markProblems(&e, append(clashes(was, live, edits), m.Problems...))
	return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
}

// clashes names the keys that both this person and somebody else changed.
func clashes(was, now liveConfig, edits []schema.Edit) []stack.Problem {
	theirs := configfile.Pointers(was.Content, now.Content)
	var out []stack.Problem
	for _, e := range edits {
		if slices.Contains(theirs, e.Pointer) {
			out = append(out, stack.Problem{Pointer: e.Pointer, Message: "Changed by somebody else too; yours is shown."})
		}
	}
	return out
}

// edited is a document with a form's edits made, every other byte as it was.
func edited(content []byte, edits []schema.Edit) ([]byte, []stack.Problem) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return nil, []stack.Problem{{Message: sentence(err)}}
	}
	var problems []stack.Problem
	for _, e := range edits {
		switch {
		case e.Order != nil:
			err = doc.Reorder(e.Pointer, e.Order)
		case e.Remove:
			err = doc.Remove(e.Pointer)
		default:
			err = doc.Set(e.Pointer, e.Value)
		}
		if err != nil {
			line, col := doc.Position(e.Pointer)
			problems = append(problems, stack.Problem{Pointer: e.Pointer, Line: line, Column: col, Message: sentence(err)})
		}
	}
	return doc.Bytes(), problems
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
