package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
)

// postReload is the button of a service that runs with another config than the file's.
func (s *Server) postReload(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	run, err := s.o.Controller.Reload(c.Request().Context(), by(c), "")
	if err != nil {
		return err
	}
	if r := pastValidation(c, run); r.Outcome == stack.Rejected {
		return runRefusal(r)
	}
	if c.Request().Header.Get("HX-Request") != "" {
		return c.NoContent(http.StatusNoContent) // the event stream brings the run
	}
	return c.Redirect(http.StatusSeeOther, "/")
}

// apiReload has the services load the config file as it is. It answers when the run has ended.
func (s *Server) apiReload(c echo.Context) error {
	content, _ := s.o.Store.Read() // what is secret in it has no place in a note
	run, err := s.o.Controller.Reload(c.Request().Context(), by(c), s.sentNote(c, content))
	if err != nil {
		return err
	}
	return s.answerAtEnd(c, run)
}
