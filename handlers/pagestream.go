package handlers

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/views"
)

// pageParts makes, for one open page, the function that draws whatever of it changes by itself. The
// function may remember what it has seen: it serves one stream, and is never called concurrently.
func (s *Server) pageParts(page string, q url.Values) (func() []views.Part, bool) {
	switch page {
	case "overview":
		return s.overviewParts(), true
	case "config":
		return s.configParts(q), true
	case "history":
		return s.historyParts(q), true
	case "schedule":
		return s.scheduleParts(q), true
	case "later":
		return s.laterParts, true
	case "frame": // of a page with nothing of its own
		return func() []views.Part { return nil }, true
	}
	return nil, false
}

// overviewParts tell the last word on a run that began while the page was open.
func (s *Server) overviewParts() func() []views.Part {
	before := s.o.Controller.Last()
	return func() []views.Part {
		o, word := s.overview(), views.Toast{}
		if run := s.o.Controller.Last(); run != before {
			r := run.Report()
			word = toast(r, r.Kind == stack.KindReload) // which is what can be asked for on this page
		}
		return []views.Part{
			{ID: "services", Body: views.ServiceList(o.Services), Morph: true},
			{ID: "config-card", Body: views.ConfigSummary(o.Config), Morph: true},
			{ID: "next", Body: views.NextEdges(o.Next), Morph: true},
			{ID: "run", Body: views.RunPanel(o.Run), Morph: true},
			{ID: "toasts", Body: views.Toasts(word), Morph: true},
		}
	}
}

// configParts follow the run that the page shows, or the first that begins while it is open. A page
// that was drawn without a form that can be filled in (wait), during a run or because the file was
// unusable, gets it as soon as there is one, and another stream: one that will not replace it again.
func (s *Server) configParts(q url.Values) func() []views.Part {
	id, revision, wait, own := q.Get("run"), stack.Revision(q.Get("rev")), q.Get("wait") != "", !q.Has(inOther)
	return func() []views.Part {
		if cur := s.o.Controller.Current(); id == "" && cur != nil {
			id, own = cur.ID(), false
		}
		var parts []views.Part
		var report *stack.Report
		last := views.Toast{}
		if r, ok := s.report(id); ok {
			report, last = &r, toast(r, own)
			parts = append(parts, views.Part{ID: "run", Body: views.RunPanel(runView(r, s.now(), s.zone())), Morph: true})
		}
		parts = append(parts, views.Part{ID: "toasts", Body: views.Toasts(last), Morph: true})
		if !wait {
			return append(parts, s.stalePart(revision))
		}
		if report != nil && report.Outcome == "" {
			return parts
		}
		e := s.editor(report)
		parts = append(parts, views.Part{ID: "editor", Body: views.ConfigEditor(e)})
		if e.Problem == "" {
			next := nextStream("config", q, id, e.Revision, own)
			parts = append(parts, views.Part{ID: "live", Body: views.Live(next)})
			wait, revision = false, stack.Revision(e.Revision)
		}
		return parts
	}
}

// nextStream is the address of the stream of a page that has its form now.
func nextStream(page string, q url.Values, run, revision string, own bool) string {
	more := url.Values{"run": {run}, "rev": {revision}}
	if !own {
		more.Set(inOther, "1")
	}
	return streamURL(page, q.Get("back"), more)
}

// stalePart says whether the file is still the one that a form was drawn from.
func (s *Server) stalePart(drawn stack.Revision) views.Part {
	stale := views.Stale{}
	if now := s.live().Revision; now != drawn && now != "" {
		stale.Revision = now.Short()
	}
	return views.Part{ID: "stale", Body: views.StaleNotice(stale), Morph: true}
}

// lookAgain is how often a stream looks for what changes with the clock alone.
const lookAgain = 5 * time.Second

// getPageEvents is the stream of one open page: first everything that may have changed since it was
// drawn, then each part whenever it looks different.
func (s *Server) getPageEvents(c echo.Context) error {
	q := c.QueryParams()
	parts, ok := s.pageParts(q.Get("page"), q)
	if !ok {
		return refuse(http.StatusNotFound, "There is no page of that name.")
	}
	back := safeBack(q.Get("back"))
	out, err := openPageStream(c)
	if err != nil {
		return nil // gone already
	}
	defer out.end()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	sent, written := map[string]string{}, time.Now()
	zone := func() views.Part {
		return views.Part{ID: "zone", Body: views.TimeZone(s.zone().String()), Morph: true}
	}
	// It hardly ever becomes another, and the page has it: it is not sent with every page once more.
	if _, err := news(c.Request().Context(), []views.Part{zone()}, sent); err != nil {
		return err
	}
	for {
		changed := s.changes.watch()
		all := append(parts(),
			views.Part{ID: "trading", Body: views.TradingBanner(s.trading(back)), Morph: true},
			zone(),
			views.Part{ID: "later", Body: views.LaterBanner(s.laterNotice(back)), Morph: true})
		text, err := news(c.Request().Context(), all, sent)
		switch {
		case err != nil:
			return err
		case text != "":
			err, written = out.send("", "", text), time.Now()
		case time.Since(written) >= heartbeat:
			// An event and no comment: by it the page knows that it still hears of what changes.
			err, written = out.send("", "beat", ""), time.Now()
		}
		if err != nil {
			return nil // the page is gone; it begins another stream when it is back
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-c.Request().Context().Done():
			return nil
		case <-s.closing.Done():
			return nil
		}
	}
}

// news are those parts that look other than when they were last sent.
func news(ctx context.Context, parts []views.Part, sent map[string]string) (string, error) {
	var all strings.Builder
	for _, p := range parts {
		var buf bytes.Buffer
		if err := views.Send(p).Render(ctx, &buf); err != nil {
			return "", err
		}
		if text := buf.String(); text != sent[p.ID] {
			sent[p.ID] = text
			all.WriteString(text)
		}
	}
	return all.String(), nil
}
