package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
)

// postTrading is the banner's three buttons.
func (s *Server) postTrading(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	form := c.Request().PostForm
	var until time.Time
	if form.Get("mode") == string(schedule.Forced) {
		var err error
		if until, err = nextWallTime(form.Get("until"), s.now(), s.zone()); err != nil {
			return err
		}
	}
	if err := s.setTrading(schedule.Mode(form.Get("mode")), by(c), until, form.Get("reason")); err != nil {
		return err
	}
	if c.Request().Header.Get("HX-Request") != "" {
		return c.NoContent(http.StatusNoContent) // the event stream brings the new banner
	}
	return c.Redirect(http.StatusSeeOther, safeBack(form.Get("back")))
}

// setTrading changes the gate's mode.
func (s *Server) setTrading(mode schedule.Mode, by string, until time.Time, reason string) error {
	switch mode {
	case schedule.Halted:
		return s.o.Gate.Halt(by, reason)
	case schedule.FollowSchedule:
		return s.o.Gate.Resume(by, reason)
	case schedule.Forced:
		return s.o.Gate.Force(by, until, reason)
	}
	return refuse(http.StatusUnprocessableEntity, `The mode must be "schedule", "halted" or "forced".`)
}

// nextWallTime is the next instant at which the clocks of a zone show HH:MM.
func nextWallTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	wall, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, refuse(http.StatusUnprocessableEntity, "Until when is trading to stay on? Give a time such as 16:30.")
	}
	local := now.In(zone)
	for day := range 2 {
		t := time.Date(local.Year(), local.Month(), local.Day()+day, wall.Hour(), wall.Minute(), 0, 0, zone)
		if t.After(now) {
			return t, nil
		}
	}
	return time.Time{}, refuse(http.StatusUnprocessableEntity, "That time does not come within a day.")
}
