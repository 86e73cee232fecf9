package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/stack/configfile"
)

func (s *Server) apiRuns(c echo.Context) error {
	reports := []stack.Report{}
	for _, r := range s.o.Controller.Reports() {
		if r.Kind.IsRun() {
			reports = append(reports, r)
		}
	}
	return s.json(c, http.StatusOK, reports)
}

func (s *Server) apiRun(c echo.Context) error {
	r, ok := s.report(c.Param("id"))
	if !ok {
		return noRun(c)
	}
	return s.json(c, http.StatusOK, r)
}

func noRun(c echo.Context) error {
	return refuse(http.StatusNotFound, "There is no run "+c.Param("id")+". It may be older than the history that is kept.")
}

// apiRunEvents replays a run from its first event, or from the one after Last-Event-ID, and follows
// it to its end. A run of an earlier process has one event left: its end.
func (s *Server) apiRunEvents(c echo.Context) error {
	run, live := s.o.Controller.Run(c.Param("id"))
	var told stack.Report
	if !live {
		var ok bool
		if told, ok = s.o.Controller.Report(c.Param("id")); !ok {
			return noRun(c)
		}
	}
	after := 0
	if h := c.Request().Header.Get("Last-Event-ID"); h != "" {
		n, err := strconv.Atoi(h)
		if err != nil || n < 0 {
			return refuse(http.StatusBadRequest, "Last-Event-ID must be the number of an event of this run.")
		}
		after = n
	}
	out, err := openStream(c)
	if err != nil {
		return nil
	}
	if !live {
		_ = sendRunEvent(out, stack.Event{ID: 1, Time: told.Ended, Report: told, Text: told.Message})
		return nil
	}
	defer out.beating()()
	ctx, stop := context.WithCancel(c.Request().Context())
	defer stop()
	defer context.AfterFunc(s.closing, stop)()
	for event := range run.Events(ctx, after) {
		if sendRunEvent(out, event) != nil {
			return nil
		}
	}
	return nil
}

func sendRunEvent(out *stream, event stack.Event) error {
	b, err := json.Marshal(event)
	if err != nil {
		return err
	}
	return out.send(strconv.Itoa(event.ID), "run", string(b))
}

func (s *Server) apiBackups(c echo.Context) error {
	type backup struct {
		Name     string         `json:"name"`
		Time     time.Time      `json:"time"`
		Size     int64          `json:"size"`
		Revision stack.Revision `json:"revision"`
	}
	list, err := s.o.Store.Backups()
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "The backups cannot be listed. The log says why.").because(err)
	}
	out := make([]backup, 0, len(list))
	for _, b := range list {
		out = append(out, backup{b.Name, b.Time, b.Size, b.Revision})
	}
	return s.json(c, http.StatusOK, out)
}

// apiBackup is one backup with its secrets masked, and what is remarked beside them.
func (s *Server) apiBackup(c echo.Context) error {
	content, err := s.backup(c.Param("name"))
	if err != nil {
		return err
	}
	shown, err := s.shown(content)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "This backup is not valid TOML, so its secrets could not be masked. Look at it where it lies.").because(err)
	}
	c.Response().Header().Set("ETag", `"`+string(stack.RevisionOf(content))+`"`)
	return write(c, http.StatusOK, "application/toml; charset=utf-8", shown.text)
}

func (s *Server) backup(name string) ([]byte, error) {
	list, err := s.o.Store.Backups()
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "The backups cannot be listed. The log says why.").because(err)
	}
	if !slices.ContainsFunc(list, func(b configfile.BackupInfo) bool { return b.Name == name }) {
		return nil, refuse(http.StatusNotFound, "There is no backup of that name. It may have been pruned.")
	}
	content, err := s.o.Store.Backup(name)
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "The backup cannot be read. The log says why.").because(err)
	}
	return content, nil
}

// apiRestore puts a backup in place by the same workflow. If-Match is honoured.
func (s *Server) apiRestore(c echo.Context) error {
	name := c.Param("name")
	content, err := s.backup(name)
	if err != nil {
		return err
	}
	base, err := s.ifMatch(c)
	if err != nil {
		return err
	}
	return s.runToEnd(c, stack.Change{Kind: stack.KindRestore, Content: content, Base: base, By: by(c), Note: sentNote(c), Source: name})
}
