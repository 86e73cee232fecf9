package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/views"
)

// This file shows the versions that the panel has seen the config file have. Backups are what saves
// replaced; these are what somebody else overwrote, too. They are named by their revision.

// isRevision tells the name of a version that was seen from a backup's.
func isRevision(name string) bool { return bareRevision.MatchString(name) }

// seenVersions are those that are kept, newest first. Without them the history has backups only, and
// the log says why.
func (s *Server) seenVersions() []stack.VersionInfo {
	list, err := s.o.Controller.Versions()
	if err != nil {
		s.log.Warn("the versions that the config file had cannot be listed", "error", err)
	}
	return list
}

func (s *Server) seenVersion(r stack.Revision) (version, error) {
	content, ok := s.o.Controller.Version(r)
	if !ok {
		return version{}, refuse(http.StatusNotFound, "There is no version of that revision. It may have been pruned.")
	}
	v := version{name: string(r), content: content, seen: true}
	list := s.seenVersions()
	if i := slices.IndexFunc(list, func(v stack.VersionInfo) bool { return v.Revision == r }); i >= 0 {
		v.when = list[i].Time
	}
	return v, nil
}

// findSeen finds what edits from outside overwrote: of it there is no backup.
func (s *Server) findSeen(events []event) {
	var kept []stack.VersionInfo
	for i, e := range events {
		if e.backup != nil || e.report == nil || e.report.Kind != stack.KindExtern {
			continue
		}
		if kept == nil {
			kept = s.seenVersions()
		}
		for j := range kept {
			if kept[j].Revision == e.report.Revision.From {
				events[i].seen = &kept[j]
			}
		}
	}
}

func seenView(v stack.VersionInfo, live stack.Revision) *views.HistoryBackup {
	return &views.HistoryBackup{
		Name: string(v.Revision), Words: "version " + v.Revision.Short(), Revision: v.Revision.Short(),
		Size: sizeWords(v.Size), AsNow: v.Revision == live,
	}
}

// apiVersions lists the versions that are kept.
func (s *Server) apiVersions(c echo.Context) error {
	list, err := s.o.Controller.Versions()
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "The versions cannot be listed. The log says why.").because(err)
	}
	return s.json(c, http.StatusOK, list)
}

// apiVersion is one of them with its secrets masked.
func (s *Server) apiVersion(c echo.Context) error {
	v, err := s.seenVersion(stack.Revision(c.Param("revision")))
	if err != nil {
		return err
	}
	shown, err := s.shown(v.content)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "This version is not valid TOML, so its secrets could not be masked. Look at it where it lies.").because(err)
	}
	c.Response().Header().Set("ETag", `"`+v.name+`"`)
	return write(c, http.StatusOK, "application/toml; charset=utf-8", shown.text)
}

// apiRestoreVersion puts one of them in place by the same workflow. If-Match is honoured.
func (s *Server) apiRestoreVersion(c echo.Context) error {
	v, err := s.seenVersion(stack.Revision(c.Param("revision")))
	if err != nil {
		return err
	}
	base, err := s.ifMatch(c)
	if err != nil {
		return err
	}
	return s.runToEnd(c, stack.Change{Kind: stack.KindRestore, Content: v.content, Base: base, By: by(c), Note: sentNote(c), Source: v.name})
}
