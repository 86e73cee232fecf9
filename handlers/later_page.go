package handlers

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/later"
	"pitstop/views"
)

// getLater shows the queued change.
func (s *Server) getLater(c echo.Context) error { return s.showLater(c, http.StatusOK, "", nil) }

// showLater renders the page, with a sentence above it where something was not done; typed is then
// what was asked for.
func (s *Server) showLater(c echo.Context, status int, problem string, typed url.Values) error {
	page := views.LaterPage{Frame: s.frame("Apply later", "config", c.Request()), Queued: s.laterView(typed), Problem: problem}
	page.Trading.Back, page.Later.Back = "/later", "/later"
	page.Stream = streamURL("later", "/later", nil)
	if c.Request().Method == http.MethodGet && c.Request().Header.Get("HX-Request") != "" {
		c.Response().Header().Set("HX-Push-Url", "/later") // it may be the answer to a form elsewhere
	}
	return s.render(c, status, views.LaterShow(page))
}

// laterParts follow the queued change.
func (s *Server) laterParts() []views.Part {
	return []views.Part{{ID: "queued", Body: views.LaterQueued(s.laterView(nil)), Morph: true}}
}

// laterView is the queued change with all that it would do.
func (s *Server) laterView(typed url.Values) views.LaterEntry {
	now, zone := s.now(), s.zone()
	e, ok := s.queued()
	if !ok {
		return views.LaterEntry{}
	}
	v := views.LaterEntry{
		ID: e.ID, Badge: laterBadge(e), Message: e.Message, Zone: zone.String(), By: e.By, Note: e.Note,
		AtClose: e.When == later.NextClose, At: views.At(e.At, now, zone), Queued: views.At(e.Queued, now, zone),
		Run: e.Run, Problems: plainProblems(e.Problems),
		Waiting: e.State == later.Waiting, Done: e.State == later.Done, Applying: e.State == later.Applying,
		Whole: e.Content != "" && e.State != later.Done, Unmerged: e.Content != "" && e.State == later.Done,
	}
	if v.Whole {
		v.Control = s.laterControl()
		v.Control.Replaces, v.Control.Queued = "", views.Moment{}
		v.Control.When, v.Control.At = string(e.When), wallTime(e.At, zone)
		v.Control = typedLater(v.Control, nil, typed)
		s.laterDifference(&v, e)
	}
	if v.Unmerged {
		v.Changed = "This is how the file as it is now differs from the text that was queued."
		v.Diff = s.difference(s.live().Content, []byte(e.Content))
	}
	return v
}

// laterDifference is what a queued change would do to the file as it is now.
func (s *Server) laterDifference(v *views.LaterEntry, e later.Entry) {
	live := s.live()
	from, to := []byte(e.Base), []byte(e.Content)
	if live.Content != nil && string(live.Content) != e.Base {
		m, err := configfile.Merge(from, live.Content, to)
		switch {
		case err != nil:
			v.Changed = "The config file was changed since, in a way that the two cannot be brought together. This is the change as it was queued."
		case len(m.Clashes) > 0:
			v.Changed = "The config file was changed since, in the same keys too. This is the change as it was queued; it cannot be applied like this."
			v.Clashes = s.queuedClashes(e, live, m)
		default:
			v.Changed = "The config file was changed since it was queued, in other places. This is the change as it would be made now."
			if m.Unmerged {
				v.Changed = "The config file was changed since it was queued. This is the change as it would be made now, " +
					"without those of its comments, or of its notation and order, that stand where somebody else changed the same lines."
			}
			from, to = live.Content, m.Content
		}
	}
	v.Diff = s.difference(from, to)
}

// queuedClashes are the keys that somebody else changed since, with all three sides.
func (s *Server) queuedClashes(e later.Entry, live liveConfig, m configfile.Merged) []views.Clash {
	var open []string
	for _, cl := range m.Clashes {
		open = append(open, cl.TheirsAt)
	}
	base := s.understand([]byte(e.Base), stack.RevisionOf([]byte(e.Base)))
	return s.clashViews(base, live, s.understand(withYours(m.Content, m.Clashes), ""), open)
}

// laterBadge is a queued change's state.
func laterBadge(e later.Entry) views.Badge {
	switch e.State {
	case later.Waiting:
		return views.Badge{Tone: views.Caution, Icon: "clock", Word: "waiting"}
	case later.Applying:
		return views.Badge{Tone: views.Busy, Icon: "wait", Word: "being applied"}
	case later.Done:
		if e.Outcome == stack.Unchanged {
			return views.Badge{Tone: views.Good, Icon: "check", Word: "nothing to do"}
		}
		return views.Badge{Tone: views.Good, Icon: "check", Word: "applied"}
	}
	if e.Missed {
		return views.Badge{Tone: views.Bad, Icon: "warn", Word: "missed"}
	}
	return views.Badge{Tone: views.Bad, Icon: "cross", Word: "not applied"}
}

// laterTold is what the history says became of a queued change.
func laterTold(source string) views.Badge {
	switch source {
	case later.ToldMissed:
		return views.Badge{Tone: views.Bad, Icon: "warn", Word: "missed"}
	case later.ToldHeld:
		return views.Badge{Tone: views.Bad, Icon: "cross", Word: "not applied"}
	case later.ToldQueued, later.ToldReplaced, later.ToldMoved, later.ToldWithdrawn:
		return views.Badge{Tone: views.Quiet, Icon: "clock", Word: source}
	}
	return views.Badge{Tone: views.Quiet, Icon: "clock", Word: "queued change"}
}

// laterNotice tells of the queued change on every page. back is the page.
func (s *Server) laterNotice(back string) views.LaterNotice {
	e, ok := s.queued()
	if !ok {
		return views.LaterNotice{}
	}
	n := views.LaterNotice{ID: e.ID, Badge: laterBadge(e), Back: back, What: laterWhat(e.Changed, e.MoreChanged), Done: e.State == later.Done, Held: e.State == later.Held}
	if e.State == later.Waiting {
		n.Waiting, n.AtClose, n.At = true, e.When == later.NextClose, views.At(e.At, s.now(), s.zone())
	}
	return n
}

// laterWhat names what a queued change is about.
func laterWhat(changed []string, more int) string {
	switch {
	case len(changed) == 0 || changed[0] == "":
		return "the config file"
	case len(changed) == 1:
		return schema.Dotted(changed[0])
	}
	return schema.Dotted(changed[0]) + " and " + plural(len(changed)-1+more, "more key", "more keys")
}

// laterControl is what the config form offers beside Save & Restart.
func (s *Server) laterControl() views.LaterControl {
	if s.o.Later == nil {
		return views.LaterControl{}
	}
	now, zone := s.now(), s.zone()
	next := s.o.Later.NextClose()
	c := views.LaterControl{Offered: true, Close: views.At(next, now, zone), Zone: zone.String(), When: string(later.NextClose)}
	if next.IsZero() {
		c.When = string(later.AtTime)
	}
	if e, ok := s.queued(); ok && (e.State == later.Waiting || e.State == later.Held) {
		c.Replaces, c.Queued, c.QueuedBy = e.ID, views.At(e.Queued, now, zone), e.By
	}
	return c
}

// typedLater is the control as it was filled in, beside a review that may ask to be confirmed.
func typedLater(c views.LaterControl, review *views.Review, typed url.Values) views.LaterControl {
	if review != nil && review.Confirm {
		c.Confirm = review.Result
	}
	if when := typed.Get(inWhen); when == string(later.AtTime) || when == string(later.NextClose) && c.Close.Text != "" {
		c.When = when
	}
	if at := typed.Get(inAt); at != "" {
		c.At = at
	}
	return c
}

func wallTime(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(wallLayout)
}
