package handlers

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// postConfigRun is Save & Restart, and the editor's other buttons. Whatever is wrong with what was
// typed is answered here, with all of it kept; a run that passed its first step is answered by sending
// the browser to look at it.
func (s *Server) postConfigRun(c echo.Context) error {
	w, err := s.wantedConfig(c)
	if w == nil {
		return err
	}
	run, err := s.o.Controller.SaveAndRestart(c.Request().Context(), stack.Change{
		Kind: stack.KindSave, Content: w.content, Base: w.live.Revision, By: by(c), Note: noteOf(w.typed),
	})
	if err != nil {
		return err
	}
	s.drafts.keep(run.ID(), w.typed)
	report := pastValidation(c, run)
	switch {
	case report.Outcome == stack.Rejected && report.Cause == stack.CauseConflict:
		return s.answerConflict(c, w.draft, s.live())
	case report.Outcome == stack.Rejected && report.Cause == stack.CauseInvalid:
		return s.answerInvalid(c, w.draft, report.Errors)
	case report.Outcome == stack.Rejected:
		e := s.editorWith(w.live, w.content, w.draft.raw)
		e.Note, e.Notice, e.NoticeTone = w.typed.Get(inNote), report.Message, views.Bad
		return s.showConfig(c, runRefusal(report).status, e, &report)
	}
	return c.Redirect(http.StatusSeeOther, "/config?run="+url.QueryEscape(run.ID()))
}

// wanted is what a posted editor asks for: other, valid content for the live file, looked through as
// far as it has to be.
type wanted struct {
	typed   url.Values
	live    liveConfig // the draft's base
	content []byte
	draft   draft
}

// wantedConfig reads the config editor. It returns nil where the request is answered already: there is
// something to correct or to decide, or nothing to apply, or the draft was only to be looked at.
func (s *Server) wantedConfig(c echo.Context) (*wanted, error) {
	if err := readForm(c); err != nil {
		return nil, err
	}
	typed := c.Request().PostForm
	if typed.Has(inCheck) {
		schema.Enter(typed)
	}
	live := s.live()
	if live.Revision == "" {
		return nil, s.showConfig(c, http.StatusServiceUnavailable, s.editorOfNone(typed, live), nil)
	}
	d, err := s.readDraft(typed, live)
	if err != nil {
		return nil, err
	}
	switch {
	case d.doubt != "":
		return nil, s.showConfig(c, http.StatusUnprocessableEntity, s.editorInDoubt(d, live), nil)
	case !d.raw && schema.Pressed(typed):
		inPlace(c)
		e := s.editorAsSent(d)
		if typed.Has(inTold) {
			s.mark(&e, s.wrong(d))
		}
		e.Review = s.reviewOf(d, live)
		e.Review.Result = "" // it only shows; what is typed next needs no other look at it
		return nil, s.showConfig(c, http.StatusOK, e, nil)
	case typed.Get(inTo) != "" && (typed.Get(inCheck) == "" || d.known && d.base.Revision == live.Revision):
		inPlace(c)
		return nil, s.switchView(c, d)
	case d.base.Revision != live.Revision || !d.known:
		return nil, s.answerConflict(c, d, live)
	case typed.Has(inTheirs) || typed.Has(inYours):
		inPlace(c)
		return nil, s.settleClash(c, d, live)
	}
	if problems := s.wrong(d); len(problems) > 0 {
		return nil, s.answerInvalid(c, d, problems)
	}
	if bytes.Equal(d.content, live.Content) {
		e := s.editorWith(live, live.Content, d.raw)
		e.Notice, e.NoticeTone = "Nothing to apply: everything is as in the config file."+s.behind(live.Revision), views.Quiet
		return nil, s.showConfig(c, http.StatusOK, e, nil)
	}
	if len(typed[inClash]) > 0 {
		e := s.undecided(d, live, typed[inClash])
		e.Notice, e.NoticeTone = "Nothing was applied: it is not decided yet whose value is to count.", views.Bad
		return nil, s.showConfig(c, http.StatusPreconditionFailed, e, nil)
	}
	if answer, answered := s.lookAgain(c, d); answered {
		return nil, answer
	}
	return &wanted{typed, live, d.content, d}, nil
}

// behind says which services loaded another config than the file's, after a sentence.
func (s *Server) behind(file stack.Revision) string {
	names := serviceList(s.o.Controller.Status(), file, s.now(), s.zone()).Behind
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" But %s loaded another one: press Reload services on the overview.", strings.Join(names, ", "))
}

// inPlace makes the browser exchange the editor without scrolling to its top.
func inPlace(c echo.Context) { c.Response().Header().Set("HX-Reswap", "outerHTML") }

// noteOf is the note for the history; what a history cannot take of it is left out, for a note is
// no reason not to save.
func noteOf(typed url.Values) string {
	note := strings.NewReplacer("\r\n", "\n", "\x00", "").Replace(strings.ToValidUTF8(typed.Get(inNote), ""))
	if r := []rune(note); len(r) > maxNote {
		note = string(r[:maxNote])
	}
	return strings.TrimSpace(note)
}

// wrong is everything that keeps a draft from being applied.
func (s *Server) wrong(d draft) []stack.Problem {
	if len(d.syntax) > 0 {
		return d.syntax
	}
	if len(d.problems) > 0 {
		return d.problems
	}
	if bytes.Equal(d.content, d.base.Content) {
		return nil // a file that is wrong already is not made worse
	}
	return s.checked(d, d.content)
}

// lookAgain shows the review where that is what was asked for, where what was looked at is not what
// would be applied, and once where a change is dangerous.
func (s *Server) lookAgain(c echo.Context, d draft) (answer error, answered bool) {
	r := s.reviewNow(d.base.Content, d.content)
	reviewed, confirmed := d.typed.Get(inReviewed), d.typed.Get(inConfirm)
	notice, tone, status := "", views.Bad, http.StatusUnprocessableEntity
	switch {
	case d.typed.Get(inCheck) != "":
		tone, status = views.Good, http.StatusOK
	case confirmed == r.Result:
		return nil, false
	case reviewed != "" && reviewed != r.Result, confirmed != "":
		notice = "Nothing was applied: what would be applied is not what you looked at. Look it through, then save it again."
	case len(r.Why) > 0 && c.Request().URL.Path == laterPath:
		notice = asking(r.Why, "Press the button at “Apply later…” once more to queue it all the same, or “Yes, apply this” to apply it now.")
	case len(r.Why) > 0:
		notice, r.Focus = asking(r.Why, "Press “Yes, apply this” to go on."), true
	default:
		return nil, false
	}
	r.Confirm = len(r.Why) > 0
	e := s.editorWith(d.base, d.content, d.raw)
	if tone == views.Good {
		notice = plural(e.Changes, "change", "changes") + ", all valid. Nothing is applied yet."
	}
	e.Note, e.Review, e.Asked, e.Notice, e.NoticeTone = d.typed.Get(inNote), r, true, notice, tone
	return s.showConfig(c, status, e, nil), true
}

// switchView shows a draft in the other view. What the form could not take goes along as it was typed;
// a text that does not parse stays a text.
func (s *Server) switchView(c echo.Context, d draft) error {
	to := d.typed.Get(inTo)
	content := d.content
	if !d.raw {
		content = d.withTyped()
	}
	e := s.editorWith(d.base, content, to == viewRaw)
	e.Note = d.typed.Get(inNote)
	if d.known && len(d.typed[inClash]) > 0 {
		s.carryClashes(&e, d, d.typed[inClash])
	}
	status := http.StatusOK
	switch now := s.understand(content, ""); {
	case len(d.syntax) > 0 && to != viewRaw:
		status = http.StatusUnprocessableEntity
		e.Notice, e.NoticeTone = "The form cannot show this text yet: it is not valid TOML. Everything typed is kept.", views.Bad
		s.markText(&e, d.syntax)
	case noteForgotten(&e, d.problems):
		s.mark(&e, append(now.Problems, d.problems...))
	case d.raw && len(d.problems) > 0: // masks that stand for nothing
		e.Notice, e.NoticeTone = "", views.Quiet
		s.mark(&e, d.problems)
	case !bytes.Equal(content, d.base.Content):
		s.mark(&e, now.Problems)
	}
	if !bytes.Equal(content, d.base.Content) {
		sent := draft{raw: e.Raw, text: e.Text, base: d.base, known: true, start: d.base, content: content, syntax: d.syntax}
		sent.problems = s.forgotten(sent)
		e.Review = s.reviewOf(sent, d.base)
	}
	where := "/config"
	if e.Raw {
		where += "?view=raw"
	}
	c.Response().Header().Set("HX-Replace-Url", where)
	return s.showConfig(c, status, e, nil)
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

// answerInvalid shows the editor again with each problem at its field or line.
func (s *Server) answerInvalid(c echo.Context, d draft, problems []stack.Problem) error {
	e := s.editorAsSent(d)
	e.Note = d.typed.Get(inNote)
	e.Notice, e.NoticeTone = fmt.Sprintf("Nothing was applied: %s to correct.", plural(len(problems), "thing", "things")), views.Bad
	noteForgotten(&e, problems)
	s.mark(&e, problems)
	if d.known {
		e.Review = s.reviewOf(d, d.base)
		e.Review.Result = "" // it only shows
	}
	return s.showConfig(c, http.StatusUnprocessableEntity, e, nil)
}

// noteForgotten says first what else would look like a riddle: a secret that is asked for again.
func noteForgotten(e *views.Editor, problems []stack.Problem) bool {
	some := slices.ContainsFunc(problems, func(p stack.Problem) bool { return p.Message == forgottenWords })
	if some {
		e.Notice, e.NoticeTone = "The secrets you typed were forgotten (the panel keeps them in memory only, for a while, and no browser does); type them again. Nothing was applied.", views.Bad
	}
	return some
}

// mark puts problems at their fields, or at their lines.
func (s *Server) mark(e *views.Editor, problems []stack.Problem) {
	if e.Raw {
		s.markText(e, problems)
	} else {
		markProblems(e, problems)
	}
}

func (s *Server) markText(e *views.Editor, problems []stack.Problem) {
	e.Problems = nil
	e.TextProblems = draftProblems(problems)
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
