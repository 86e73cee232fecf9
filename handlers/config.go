package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

// viewQuery is the parameter that asks for the raw view.
const viewQuery = "view"

// getConfig shows the editor. ?run=ID shows that run above it; without, the one under way.
func (s *Server) getConfig(c echo.Context) error {
	id := c.QueryParam("run")
	if cur := s.o.Controller.Current(); id == "" && cur != nil {
		id = cur.ID()
	}
	var report *stack.Report
	if id != "" {
		if r, ok := s.report(id); ok {
			report = &r
		} else {
			return refuse(http.StatusNotFound, "There is no run "+id+". It may be older than the history that is kept.")
		}
	}
	e := s.editor(report)
	if c.QueryParam(viewQuery) == viewRaw && !e.Raw && e.Problem == "" && !e.Locked {
		if live := s.live(); string(live.Revision) == e.Revision {
			notice, tone := e.Notice, e.NoticeTone
			e = s.editorWith(live, live.Content, true)
			if s.o.Broken != "" {
				e.Notice, e.NoticeTone = notice, tone
			} else {
				s.markText(&e, live.Problems)
			}
		}
	}
	return s.showConfig(c, http.StatusOK, e, report)
}

func (s *Server) redirectToConfig(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, "/config")
}

// report is a run of this process or of the history.
func (s *Server) report(id string) (stack.Report, bool) {
	return s.o.Controller.Report(id)
}

// inOther says in the address of a page's stream that its run was not asked for in this tab.
const inOther = "other"

// asked tells whether a page shows a run because this tab asked for it: it sent the form, or was led to
// the run; not because one was under way.
func asked(c echo.Context) bool {
	return c.Request().Method != http.MethodGet || c.QueryParam("run") != ""
}

// showConfig renders the page with this editor, and a run above it if there is one.
func (s *Server) showConfig(c echo.Context, status int, e views.Editor, report *stack.Report) error {
	e.Later = typedLater(e.Later, e.Review, c.Request().PostForm)
	carryUnmerged(&e, c.Request().PostForm)
	page := views.Config{Frame: s.frame("Config", "config", c.Request()), Editor: e}
	q := url.Values{"rev": {e.Revision}}
	if report != nil {
		page.Run = runView(*report, s.now(), s.zone())
		own := asked(c)
		page.Toast = toast(*report, own)
		q.Set("run", report.ID)
		if !own {
			q.Set(inOther, "1")
		}
		if e.Locked {
			page.Refresh = 1
		}
		if c.Request().Method == http.MethodGet {
			// The address bar says which run is shown, after a swap too.
			c.Response().Header().Set("HX-Replace-Url", "/config?run="+url.QueryEscape(report.ID))
		}
	}
	if e.Locked || e.Problem != "" {
		q.Set("wait", "1")
	}
	page.Stream = streamURL("config", page.Trading.Back, q)
	return s.render(c, status, views.ConfigPage(page))
}

// editor is the form as the file is; with a run under way or ended badly, as it was filled in for it.
func (s *Server) editor(report *stack.Report) views.Editor {
	live := s.live()
	if report == nil {
		return s.editorOf(live)
	}
	if report.Outcome == stack.Applied || report.Outcome == stack.Unchanged {
		s.drafts.drop(report.ID)
		return s.editorOf(live)
	}
	e := s.editorOf(live)
	if typed, ok := s.drafts.of(report.ID); ok && live.Revision == "" {
		e = s.editorOfNone(typed, live)
	} else if ok {
		if d, err := s.readDraft(typed, live); err == nil {
			e = s.editorAsSent(d)
			carryUnmerged(&e, typed)
			if report.Outcome != "" {
				e.Notice, e.NoticeTone = "What you typed is kept below; the config file is as it was.", views.Caution
			}
		}
	}
	e.Locked = report.Outcome == ""
	return e
}

// editorOf is the editor of one version of the config, with what is wrong with it. One that does not
// parse has no form; its text can be mended.
func (s *Server) editorOf(live liveConfig) views.Editor {
	if live.Revision == "" {
		e := s.newEditor(live)
		e.Problem = live.Unusable
		if live.Missing {
			e.Restore = s.newestVersion()
		}
		return e
	}
	e := s.editorWith(live, live.Content, false)
	if live.Unusable != "" {
		e.Notice, e.NoticeTone, e.Broken = s.unfit(live, live.Unusable), views.Bad, true
	} else if s.o.Broken != "" {
		e.Notice, e.NoticeTone = s.o.Broken+" Until then every value is hidden, since nobody knows which of them are secret.", views.Bad
		return e
	} else if len(live.Problems) > 0 {
		e.Notice, e.NoticeTone = s.unfit(live, "The config file as it lies on disk is not valid."), views.Bad
	}
	s.mark(&e, live.Problems)
	return e
}

// markProblems puts problems at their fields, and all of them in the summary with links.
func markProblems(e *views.Editor, problems []stack.Problem) {
	e.Form = e.Form.WithProblems(schemaProblems(problems))
	ids := fieldIDs(e.Form)
	e.Problems = nil
	for _, p := range problems {
		e.Problems = append(e.Problems, views.Problem{Place: schema.Dotted(p.Pointer), Target: targetOf(ids, p.Pointer), Message: p.Message})
	}
	e.Form.Problems = nil // the summary has them
}

// targetOf is the id of the field that a pointer leads to, or of what is above it.
func targetOf(ids map[string]string, ptr string) string {
	for ptr != "" && ids[ptr] == "" { // such as a line of a list
		ptr = ptr[:max(strings.LastIndexByte(ptr, '/'), 0)]
	}
	return ids[ptr]
}

// fieldIDs are the ids of a form's fields by their pointer.
func fieldIDs(f schema.Form) map[string]string {
	ids := map[string]string{}
	eachSection(f.Sections, func(s schema.Section) {
		if s.Pointer != "" {
			ids[s.Pointer] = s.ID
		}
		for _, field := range s.Fields {
			ids[field.Pointer] = field.ID
		}
	})
	return ids
}

// fieldValues are a form's values by the name of their input; secrets have none.
func fieldValues(f schema.Form) map[string]string {
	values := map[string]string{}
	eachSection(f.Sections, func(s schema.Section) {
		for _, field := range s.Fields {
			if !field.Secret {
				values[field.Name] = field.Shown()
			}
		}
	})
	return values
}

func eachSection(sections []schema.Section, do func(schema.Section)) {
	for _, s := range sections {
		do(s)
		eachSection(s.Sections, do)
	}
}
