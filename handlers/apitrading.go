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

// The longest stretch whose windows are listed in one answer.
const longestList = 5 * 366 * 24 * time.Hour

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
	type window struct {
		Open  time.Time `json:"open"`
		Close time.Time `json:"close"`
		Note  string    `json:"note"`
	}
	answer := struct {
		Timezone string   `json:"timezone"`
		Windows  []window `json:"windows"`
	}{schedule.LocalZone().String(), []window{}}
	if sch == nil {
		return s.json(c, http.StatusOK, answer)
	}
	answer.Timezone = sch.Location().String()
	from, to, err := span(c, s.now(), sch.Location())
	if err != nil {
		return err
	}
	for _, w := range sch.Windows(from, to) {
		answer.Windows = append(answer.Windows, window{w.Open.UTC(), w.Close.UTC(), w.Note})
	}
	return s.json(c, http.StatusOK, answer)
}

// span is from and to of a query: instants, or dates in the schedule's zone, of which to is the last
// day meant. Without them: from now on for two weeks.
func span(c echo.Context, now time.Time, zone *time.Location) (from, to time.Time, err error) {
	from, to = now, time.Time{}
	if q := c.QueryParam("from"); q != "" {
		if from, _, err = instant(q, zone); err != nil {
			return from, to, err
		}
	}
	to = from.AddDate(0, 0, 14)
	if q := c.QueryParam("to"); q != "" {
		var date bool
		if to, date, err = instant(q, zone); err != nil {
			return from, to, err
		}
		if date {
			to = to.AddDate(0, 0, 1)
		}
	}
	switch {
	case !to.After(from):
		err = refuse(http.StatusUnprocessableEntity, "from must lie before to.")
	case to.Sub(from) > longestList:
		err = refuse(http.StatusUnprocessableEntity, "Ask for five years at most.")
	}
	return from, to, err
}

func instant(text string, zone *time.Location) (t time.Time, date bool, err error) {
	if t, err = time.Parse(time.RFC3339, text); err == nil {
		return t, false, nil
	}
	if t, err = time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, true, nil
	}
	return t, false, refuse(http.StatusUnprocessableEntity, "from and to are dates such as 2026-03-02 or instants such as 2026-03-02T14:30:00Z.")
}
