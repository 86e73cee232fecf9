package handlers

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/later"
)

// queuedAnswer is the queued change as the API tells it: never its documents, which hold secrets.
type queuedAnswer struct {
	ID      string          `json:"id"`
	State   later.State     `json:"state"`
	When    later.When      `json:"when"`
	At      *time.Time      `json:"at"` // null: no close is in sight
	Queued  time.Time       `json:"queued"`
	By      string          `json:"by"`
	Note    string          `json:"note,omitempty"`
	Base    stack.Revision  `json:"base,omitempty"` // of the file that it was made from
	Changed []string        `json:"changed"`
	More    int             `json:"more_changed,omitempty"`
	Message string          `json:"message,omitempty"`
	Missed  bool            `json:"missed,omitempty"`
	Run     string          `json:"run,omitempty"`
	Outcome stack.Outcome   `json:"outcome,omitempty"`
	Clashes []string        `json:"clashes,omitempty"`
	Errors  []stack.Problem `json:"errors,omitempty"`
}

func answerOf(e later.Entry) queuedAnswer {
	a := queuedAnswer{
		ID: e.ID, State: e.State, When: e.When, Queued: e.Queued.UTC(), By: e.By, Note: e.Note, Changed: e.Changed, More: e.MoreChanged,
		Message: e.Message, Missed: e.Missed, Run: e.Run, Outcome: e.Outcome, Clashes: e.Clashes, Errors: e.Problems,
	}
	if !e.At.IsZero() {
		at := e.At.UTC()
		a.At = &at
	}
	if e.Base != "" {
		a.Base = stack.RevisionOf([]byte(e.Base))
	}
	if a.Changed == nil {
		a.Changed = []string{}
	}
	return a
}

// apiGetLater answers with the queued change, or null.
func (s *Server) apiGetLater(c echo.Context) error {
	if e, ok := s.queued(); ok {
		return s.json(c, http.StatusOK, answerOf(e))
	}
	return s.json(c, http.StatusOK, nil)
}

// apiPostLater queues a whole document, or a merge patch, for ?at=next_close or an instant; ?replace=
// names the queued change that it takes the place of.
func (s *Server) apiPostLater(c echo.Context) error {
	if s.o.Later == nil {
		return errNoQueue
	}
	if err := requireType(c, "application/toml", mergePatch); err != nil {
		return err
	}
	r := later.Request{When: later.AtTime, By: by(c), Replaces: c.QueryParam("replace")}
	switch at := c.QueryParam("at"); at {
	case string(later.NextClose):
		r.When = later.NextClose
	default:
		var err error
		if r.At, err = time.Parse(time.RFC3339, at); err != nil {
			return refuse(http.StatusUnprocessableEntity, "Say when with ?at=: next_close, or an instant such as 2026-03-02T21:00:00Z.")
		}
	}
	live, err := s.usable()
	if err != nil {
		return err
	}
	content, base, err := s.sentConfig(c)
	switch {
	case err != nil:
		return err
	case base != "" && base != live.Revision:
		return stack.ErrConflict
	}
	if problems := s.o.Check(content); len(problems) > 0 {
		refusal := refuse(http.StatusUnprocessableEntity, "The document is not valid, so it was not queued.")
		refusal.problems = problems
		return refusal
	}
	if string(content) == string(live.Content) {
		return refuse(http.StatusUnprocessableEntity, "Nothing was queued: the config file is this already.")
	}
	r.Note = s.sentNote(c, content)
	r.Content, r.Base, r.Changed = content, live.Content, configfile.Pointers(live.Content, content)
	e, err := s.o.Later.Put(r)
	if err != nil {
		return laterError(err)
	}
	c.Response().Header().Set("Location", "/api/v1/later")
	return s.json(c, http.StatusCreated, answerOf(e))
}

// sentNote is the note that a script sends along with a document: ?note= or the header Pitstop-Note,
// without the secrets of the file and of the document.
func (s *Server) sentNote(c echo.Context, content []byte) string {
	text := cmp.Or(c.QueryParam("note"), c.Request().Header.Get("Pitstop-Note"))
	return noteOf(url.Values{inNote: {s.withoutSecrets(text, s.live().Content, content)}})
}

// apiDeleteLater withdraws the queued change: ?id= that one, else whichever it is.
func (s *Server) apiDeleteLater(c echo.Context) error {
	if s.o.Later == nil {
		return errNoQueue
	}
	id := c.QueryParam("id")
	if id == "" {
		if e, ok := s.queued(); ok {
			id = e.ID
		}
	}
	if err := s.o.Later.Remove(id, by(c)); err != nil {
		return laterError(err)
	}
	return c.NoContent(http.StatusNoContent)
}

// laterError is an error of the queue for the API.
func laterError(err error) error {
	if r := laterRefusal(err); r != nil {
		return r
	}
	return err
}
