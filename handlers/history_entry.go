package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

// getHistoryEntry shows one report whole: what it changed, its steps, its note.
func (s *Server) getHistoryEntry(c echo.Context) error {
	r, ok := s.o.Controller.Report(c.Param("id"))
	if !ok {
		return refuse(http.StatusNotFound, "The history has no entry of that name. It may be older than what is listed; audit.jsonl in the state folder has all.")
	}
	return s.showEntry(c, http.StatusOK, r, r.Note, "")
}

func (s *Server) showEntry(c echo.Context, status int, r stack.Report, note, problem string) error {
	list, err := s.backups()
	if err != nil {
		return err
	}
	events := timeline([]stack.Report{r}, list, showAll)
	s.findSeen(events)
	i := slices.IndexFunc(events, func(e event) bool { return e.report != nil })
	page := views.HistoryDetail{
		Frame: s.frame("History", "history", c.Request()), Entry: s.entry(events[i], s.live().Revision),
		NoteTyped: note, NoteProblem: problem, NoteMax: maxNote, Day: r.Started.In(s.zone()).Format("Monday 2 January 2006"),
	}
	if r.Kind.IsRun() {
		page.Run = runView(r, s.now(), s.zone())
		page.Run.Fold = false // it is what this page is about
	} else {
		page.Changed, page.MoreChanged = keysDotted(r.Changed), r.MoreChanged
	}
	if r.Revision.From != "" && r.Revision.From != r.Revision.To {
		page.Diff = s.changedBy(r)
	}
	page.Stream = streamURL("frame", "/history/"+url.PathEscape(r.ID), nil)
	return s.render(c, status, views.HistoryDetailPage(page))
}

func keysDotted(pointers []string) []string {
	var out []string
	for _, p := range pointers {
		if p != "" {
			out = append(out, schema.Dotted(p))
		}
	}
	return out
}

// changedBy is what a report changed, where both versions can still be had.
func (s *Server) changedBy(r stack.Report) *views.HistoryDiff {
	from, okFrom := s.version(r.Revision.From)
	to, okTo := s.version(r.Revision.To)
	if !okFrom || !okTo {
		return nil
	}
	d := s.difference(from.Content, to.Content)
	return &d
}

// maxNote is how many characters a note may have.
const maxNote = 500

// cleanNote is a note as it is kept, or a sentence on why it is not: it must hold no secret of the
// config file, nor of these other versions.
func (s *Server) cleanNote(note string, others ...[]byte) (string, string) {
	note = strings.TrimSpace(strings.ReplaceAll(note, "\r\n", "\n"))
	switch n := utf8.RuneCountInString(note); {
	case !utf8.ValidString(note) || strings.ContainsRune(note, 0):
		return "", "The note is not text that can be kept."
	case n > maxNote:
		return "", fmt.Sprintf("The note has %d characters; it may have %d.", n, maxNote)
	}
	if s.withoutSecrets(note, append(others, s.live().Content)...) != note {
		return "", "The note holds a secret of the config file, which the history must not. Say it in other words."
	}
	return note, ""
}

// postHistoryNote adds, changes or takes away the note of an entry.
func (s *Server) postHistoryNote(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	id, typed := c.Param("id"), c.Request().PostForm.Get("note")
	note, problem := s.cleanNote(typed)
	if problem != "" {
		r, ok := s.o.Controller.Report(id)
		if !ok {
			return noEntry(stack.ErrNoReport)
		}
		if strings.Contains(problem, "secret") {
			typed = "" // it must not come back in a page either
		}
		return s.showEntry(c, http.StatusUnprocessableEntity, r, typed, problem)
	}
	if err := s.o.Controller.Annotate(id, by(c), note); err != nil {
		return noEntry(err)
	}
	return c.Redirect(http.StatusSeeOther, "/history/"+url.PathEscape(id))
}

func noEntry(err error) error {
	if errors.Is(err, stack.ErrNoReport) {
		return refuse(http.StatusNotFound, "The history has no entry of that name, so that there is nothing to note.").because(err)
	}
	return err
}

// apiPutNote is the same for scripts: {"note": "…"}; an empty one takes it away.
func (s *Server) apiPutNote(c echo.Context) error {
	var body struct {
		Note string `json:"note"`
	}
	if err := readJSON(c, &body); err != nil {
		return err
	}
	note, problem := s.cleanNote(body.Note)
	if problem != "" {
		return refuse(http.StatusUnprocessableEntity, problem)
	}
	id := c.Param("id")
	if err := s.o.Controller.Annotate(id, by(c), note); err != nil {
		return noEntry(err)
	}
	r, _ := s.o.Controller.Report(id)
	return s.json(c, http.StatusOK, r)
}

// apiHistory is everything that happened, newest first: runs, edits from outside, changes of the gate.
func (s *Server) apiHistory(c echo.Context) error {
	reports := s.o.Controller.Reports()
	if reports == nil {
		reports = []stack.Report{}
	}
	return s.json(c, http.StatusOK, reports)
}

// getHistoryBackup is a backup to keep, with its secrets masked: they leave the file on no way. Its
// name says so where something was.
func (s *Server) getHistoryBackup(c echo.Context) error {
	v, err := s.versionNamed(c.Param("name"))
	if err != nil {
		return err
	}
	if v.name == theFileNow {
		return refuse(http.StatusNotFound, "There is no backup of that name.")
	}
	shown, err := s.shown(v.content)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "This version is not valid TOML, so its secrets could not be masked. Look at it where it lies.").because(err)
	}
	stem := v.name
	if v.seen {
		stem = "config." + v.revision().Short()
	}
	name := stem + ".toml"
	h := c.Response().Header()
	if shown.hidden {
		name = stem + ".masked.toml"
		h.Set("X-Pitstop-Masked", "secrets")
	}
	h.Set("Content-Disposition", `attachment; filename="`+strings.NewReplacer(`"`, "", `\`, "").Replace(name)+`"`)
	return write(c, http.StatusOK, "application/toml; charset=utf-8", shown.text)
}
