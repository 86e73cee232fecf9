package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/later"
	"pitstop/views"
)

// Names of the inputs of "Apply later". In the config form no key of the file can have them.
const (
	inWhen     = ":when"     // next_close or time
	inAt       = ":at"       // a wall time in the panel's zone
	inReplaces = ":replaces" // the queued change that this one takes the place of
	inID       = ":id"       // the queued change that is meant
	inDo       = ":do"       // what to do with it
)

// laterPath is where "Apply later" sends the config form.
const laterPath = "/later"

// wallLayout is what <input type="datetime-local"> sends.
const wallLayout = "2006-01-02T15:04"

// postLater queues what the config form asks for. Everything wrong with it is answered as Save &
// Restart answers it, with all that was typed kept.
func (s *Server) postLater(c echo.Context) error {
	if s.o.Later == nil {
		return errNoQueue
	}
	if err := readForm(c); err != nil {
		return err
	}
	if confirmed := c.QueryParam("confirm"); confirmed != "" {
		c.Request().PostForm.Set(inConfirm, confirmed) // the button of a dangerous change that was looked at
	}
	w, err := s.wantedConfig(c)
	if w == nil {
		return err
	}
	when, at, err := s.when(w.typed.Get(inWhen), w.typed.Get(inAt))
	if err == nil {
		_, err = s.o.Later.Put(later.Request{
			Content: w.content, Base: w.live.Content, Changed: configfile.Pointers(w.live.Content, w.content),
			When: when, At: at, By: by(c), Note: noteOf(w.typed), Replaces: w.typed.Get(inReplaces),
		})
	}
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/later")
	}
	r := laterRefusal(err)
	if r == nil {
		return err
	}
	notice := r.public
	var occupied *later.OccupiedError
	if errors.As(err, &occupied) || errors.Is(err, later.ErrAnother) {
		notice = "Nothing was queued yet: another change is queued already. Press the button again if this one is to take its place."
	}
	e := s.editorWith(w.live, w.content, w.draft.raw)
	e.Note, e.Notice, e.NoticeTone = w.typed.Get(inNote), notice, views.Bad
	e.Review = s.review(w.live.Content, w.content)
	e.Later.Open = true
	return s.showConfig(c, r.status, e, nil)
}

// when reads the two inputs that say for when a change is queued.
func (s *Server) when(when, at string) (later.When, time.Time, error) {
	if later.When(when) != later.AtTime {
		return later.When(when), time.Time{}, nil
	}
	for _, layout := range []string{wallLayout, wallLayout + ":05"} {
		if t, err := time.ParseInLocation(layout, at, s.zone()); err == nil {
			return later.AtTime, t, nil
		}
	}
	return later.AtTime, time.Time{}, refuse(http.StatusUnprocessableEntity, "When is the change to be applied? Give a date and a time such as 2026-03-02 16:30.")
}

// postLaterChange gives the queued change another time, makes it due, or takes it away.
func (s *Server) postLaterChange(c echo.Context) error {
	if s.o.Later == nil {
		return errNoQueue
	}
	if err := readForm(c); err != nil {
		return err
	}
	form := c.Request().PostForm
	id := form.Get(inID)
	var err error
	switch form.Get(inDo) {
	case "move":
		var when later.When
		var at time.Time
		if when, at, err = s.when(form.Get(inWhen), form.Get(inAt)); err == nil {
			_, err = s.o.Later.Move(id, when, at, by(c))
		}
	case "now":
		_, err = s.o.Later.ApplyNow(id, by(c))
	case "withdraw", "dismiss":
		err = s.o.Later.Remove(id, by(c))
	default:
		err = refuse(http.StatusUnprocessableEntity, "Nothing was done: the form does not say what is to be done with the queued change.")
	}
	switch r := laterRefusal(err); {
	case err == nil && form.Get(inDo) == "dismiss" && c.Request().Header.Get("HX-Request") != "":
		return c.NoContent(http.StatusNoContent) // the event stream takes the notice away
	case err == nil && form.Get(inDo) == "dismiss":
		return c.Redirect(http.StatusSeeOther, safeBack(form.Get("back")))
	case err == nil:
		return c.Redirect(http.StatusSeeOther, "/later")
	case r != nil:
		return s.showLater(c, r.status, r.public, form)
	}
	return err
}

// getLaterEdit is the config form with the queued change laid over the file as it is now.
func (s *Server) getLaterEdit(c echo.Context) error {
	e, ok := s.queued()
	if !ok || e.Content == "" || e.State == later.Done {
		return c.Redirect(http.StatusSeeOther, "/later")
	}
	live, err := s.usable()
	if err != nil {
		return err
	}
	m, err := configfile.Merge([]byte(e.Base), live.Content, []byte(e.Content))
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "The queued change and the file cannot be brought together. Withdraw it, and make it again.").because(err)
	}
	d := draft{known: true, base: s.understand([]byte(e.Base), stack.RevisionOf([]byte(e.Base))), typed: url.Values{inNote: {e.Note}}}
	ed := s.conflictEditor(d, live, withYours(m.Content, m.Clashes), m.Clashes)
	ed.Notice, ed.NoticeTone = "This is the config file with the queued change laid over it. It stays queued as it is until you replace it, at “Apply later…”.", views.Caution
	if n := len(m.Clashes); n > 0 {
		ed.Notice = fmt.Sprintf("This is the config file with the queued change laid over it. Somebody else changed %s of it too: choose whose value counts. "+
			"Then apply it now with Save & Restart, or put it in the queue again at “Apply later…”.", plural(n, "key", "keys"))
	}
	if m.Unmerged {
		ed.Notice += unmergedNotice
		ed.Unmerged = s.typedText([]byte(e.Content), d.base)
	}
	return s.showConfig(c, http.StatusOK, ed, nil)
}

// queued is the queued change, if there is one.
func (s *Server) queued() (later.Entry, bool) {
	if s.o.Later == nil {
		return later.Entry{}, false
	}
	return s.o.Later.Entry()
}

var errNoQueue = refuse(http.StatusNotFound, "This panel queues no changes.")

// laterRefusal says what the asker may know of a queue's error; nil: it is none of theirs.
func laterRefusal(err error) *refusal {
	var (
		r        *refusal
		occupied *later.OccupiedError
	)
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, later.ErrRefused):
		return refuse(http.StatusUnprocessableEntity, err.Error()).because(err)
	case errors.As(err, &occupied):
		return refuse(http.StatusConflict, fmt.Sprintf("Another change is queued already, by %s. Name it with ?replace=%s to put this one in its place, or withdraw it first.", occupied.Entry.By, occupied.Entry.ID)).because(err)
	case errors.Is(err, later.ErrAnother):
		return refuse(http.StatusConflict, "The queued change was replaced by another one meanwhile, which is shown now. Nothing was done.").because(err)
	case errors.Is(err, later.ErrApplying):
		return refuse(http.StatusConflict, "The queued change is being applied at this very moment. Nothing else was done.").because(err)
	case errors.Is(err, later.ErrNone):
		return refuse(http.StatusNotFound, "Nothing is queued any more: it was withdrawn, or read and dismissed.").because(err)
	}
	return nil
}
