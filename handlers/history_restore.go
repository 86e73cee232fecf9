package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/views"
)

// What the form of a restore sends back: which bytes were looked at, and what they were to replace.
const (
	inBackup = "backup"
	inShown  = "shown"
)

// getRestore shows what restoring a backup would change.
func (s *Server) getRestore(c echo.Context) error {
	v, err := s.versionNamed(c.QueryParam(inBackup))
	if err != nil {
		return err
	}
	return s.showRestore(c, http.StatusOK, v, "", "")
}

func (s *Server) showRestore(c echo.Context, status int, v version, notice, note string) error {
	if v.name == theFileNow {
		return refuse(http.StatusNotFound, "There is no backup of that name.")
	}
	live := s.live()
	page := views.HistoryRestore{
		Frame:   s.frame("Restore", "history", c.Request()),
		Version: s.versionView(v), Base: string(live.Revision), Shown: string(v.revision()),
		Notice: notice, NoteTyped: note, NoteMax: maxNote,
		Problems: plainProblems(s.o.Check(v.content)),
		Busy:     s.o.Controller.Current() != nil, Missing: live.Missing,
	}
	switch {
	case live.Revision == "":
		page.Diff.Problem = live.Unusable
	case live.Value == nil:
		page.Diff.Problem = "The file as it is now is not valid TOML, so that its secrets could not be masked: the two are not compared here. Restoring replaces it; it is kept as a backup."
	default:
		page.Diff = s.difference(live.Content, v.content)
	}
	back := "/history/restore?" + url.Values{inBackup: {v.name}}.Encode()
	page.Trading.Back = back
	page.Stream = streamURL("frame", back, nil)
	return s.render(c, status, views.HistoryRestorePage(page))
}

// postRestore puts a backup in place by the same workflow as a save, exactly as it was shown.
func (s *Server) postRestore(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	form := c.Request().PostForm
	v, err := s.versionNamed(form.Get(inBackup))
	if err != nil {
		return err
	}
	if !form.Has(inRevision) || form.Get(inShown) == "" {
		return refuse(http.StatusUnprocessableEntity, "The form came without the revisions that were shown, so that it cannot be told what was looked at. Open the page of the backup again.")
	}
	typed := form.Get("note")
	note, problem := s.cleanNote(typed, v.content)
	switch base := stack.Revision(form.Get(inRevision)); {
	case v.name == theFileNow:
		return refuse(http.StatusNotFound, "There is no backup of that name.")
	case problem != "":
		return s.showRestore(c, http.StatusUnprocessableEntity, v, "Nothing was restored. "+problem, "")
	case string(v.revision()) != form.Get(inShown):
		return s.showRestore(c, http.StatusPreconditionFailed, v, "Nothing was restored: the backup itself was changed since it was shown. Look it through again; it is shown as it is now.", typed)
	case base != s.live().Revision:
		return s.showRestore(c, http.StatusPreconditionFailed, v, conflictWords, typed)
	case s.live().Missing:
		return s.recreate(c, v, note)
	default:
		return s.startRestore(c, v, base, note)
	}
}

// recreate puts a version where there is no config file. That is no run, for there is nothing that one
// could go back to.
func (s *Server) recreate(c echo.Context, v version, note string) error {
	if problems := s.o.Check(v.content); len(problems) > 0 {
		return s.showRestore(c, http.StatusUnprocessableEntity, v, "", note)
	}
	err := s.o.Store.Recreate(v.content)
	switch {
	case errors.Is(err, stack.ErrConflict):
		return s.showRestore(c, http.StatusPreconditionFailed, v, conflictWords, note)
	case err != nil:
		s.log.Error("the config file cannot be put back", "path", s.o.Store.Path(), "version", v.name, "error", err)
		return s.showRestore(c, http.StatusServiceUnavailable, v, "Nothing was restored: "+sentence(err), note)
	}
	id := s.o.Controller.Recreated(v.content, v.name, by(c), note)
	return c.Redirect(http.StatusSeeOther, "/history/"+url.PathEscape(id))
}

const conflictWords = "Nothing was restored: the config file was changed meanwhile. What would change now is shown below; look it through, then press the button again."

func (s *Server) startRestore(c echo.Context, v version, base stack.Revision, note string) error {
	run, err := s.o.Controller.SaveAndRestart(c.Request().Context(), stack.Change{
		Kind: stack.KindRestore, Content: v.content, Base: base, By: by(c), Note: note, Source: v.name,
	})
	if err != nil {
		return err
	}
	switch r := pastValidation(c, run); {
	case r.Outcome == stack.Rejected && r.Cause == stack.CauseConflict:
		return s.showRestore(c, http.StatusPreconditionFailed, v, conflictWords, note)
	case r.Outcome == stack.Rejected:
		return s.showRestore(c, runRefusal(r).status, v, "Nothing was restored. "+r.Message, note)
	}
	return c.Redirect(http.StatusSeeOther, "/config?run="+url.QueryEscape(run.ID()))
}
