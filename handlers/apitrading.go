package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
)

func (s *Server) apiGetTrading(c echo.Context) error {
	return s.json(c, http.StatusOK, s.o.Gate.State())
}

// apiPutTrading sets the gate's mode and answers with its new state, which is on disk by then.
func (s *Server) apiPutTrading(c echo.Context) error {
	var want struct {
		Mode   schedule.Mode `json:"mode"`
		Until  *time.Time    `json:"until"`
		Reason string        `json:"reason"`
	}
	if err := readJSON(c, &want); err != nil {
		return err
	}
	var until time.Time
	if want.Until != nil {
		until = *want.Until
	}
	if want.Mode == schedule.Forced && until.IsZero() {
		return refuse(http.StatusUnprocessableEntity, `The mode "forced" needs "until": an instant such as "2026-03-02T21:00:00Z".`)
	}
	if want.Mode != schedule.Forced && want.Until != nil {
		// Whoever sends it believes that a halt ends by itself.
		return refuse(http.StatusUnprocessableEntity, `"until" goes with the mode "forced" only; a halt lasts until somebody resumes.`)
	}
	if err := s.setTrading(want.Mode, by(c), until, want.Reason); err != nil {
		return err
	}
	return s.json(c, http.StatusOK, s.o.Gate.State())
}

// apiWindows lists the trading windows that overlap [from, to), in UTC.
func (s *Server) apiWindows(c echo.Context) error {
	live, err := s.usable()
	if err != nil {
		return err
	}
	sch, problems := schedule.Parse(live.Value, schedule.LocalZone())
	if len(problems) > 0 {
		return refuse(http.StatusServiceUnavailable, "The config file's [schedule] is not valid: "+problems[0].Message)
	}
	if sch == nil {
		return s.json(c, http.StatusOK, schedule.Listing{Timezone: schedule.LocalZone().String(), Windows: []schedule.Window{}})
	}
	span, err := schedule.ParseSpan(c.QueryParam("from"), c.QueryParam("to"), s.now(), sch.Location())
	var answer schedule.Listing
	if err == nil {
		answer, err = sch.List(span)
	}
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, sentence(err))
	}
	return s.json(c, http.StatusOK, answer)
}
