package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// answerConflict shows the file as somebody else left it with this person's own changes laid over it,
// and lets them decide wherever both changed the same key. Nothing is applied until they press the
// button again, and nothing that was typed is lost.
func (s *Server) answerConflict(c echo.Context, d draft, live liveConfig) error {
	keep := func(why string) error {
		e := s.editorAsSent(d)
		e.Note, e.Notice, e.NoticeTone = d.typed.Get(inNote), why, views.Bad
		return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
	}
	switch {
	case live.Revision == "":
		return refuse(http.StatusServiceUnavailable, live.Unusable)
	case live.Value == nil:
		return keep("The config file was changed meanwhile, and is not valid TOML now. Nothing was applied; what you typed is kept below. It can be applied when the file is mended.")
	case d.syntax != nil:
		return keep("The config file was changed meanwhile, and what you typed is not valid TOML yet, so that the two cannot be merged. Nothing was applied; what you typed is kept below.")
	case !d.known && !d.raw && !d.typed.Has(inRaw):
		d.base, d.start = live, live
		e := s.editorAsSent(d)
		e.Note, e.Review, e.NoticeTone = d.typed.Get(inNote), s.review(live.Content, d.content), views.Bad
		e.Notice = "The config file was changed meanwhile, and the version that you began with is gone. " +
			"Nothing was applied. What you typed is kept below; the review shows all that it would change of the file as it is now."
		return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
	case !d.known || d.base.Value == nil:
		e := s.editorWith(live, d.content, true)
		e.Note, e.Review, e.NoticeTone = d.typed.Get(inNote), s.review(live.Content, d.content), views.Bad
		e.Notice = "The config file was changed meanwhile, and the version that you began with cannot be compared with. " +
			"Nothing was applied. What you typed is kept below; the review shows what it would change of the file as it is now."
		return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
	}
	yours := d.content
	if !d.raw {
		yours = d.withTyped()
	}
	merged, clashes, err := configfile.Merge(d.base.Content, live.Content, yours)
	if err != nil {
		return keep("The config file was changed meanwhile, and the two versions cannot be merged by themselves. Nothing was applied; what you typed is kept below. " + sentence(err))
	}
	var open []string
	merged, open = withYours(merged, clashes)
	e := s.editorWith(live, merged, d.raw)
	e.Note, e.NoticeTone = d.typed.Get(inNote), views.Bad
	e.Notice = "The config file was changed meanwhile by somebody else. Nothing was applied: here is that version " +
		"with your own changes laid over it. Look it through, then press Save & Restart again."
	if len(open) > 0 {
		e.Notice = fmt.Sprintf("The config file was changed meanwhile by somebody else, who changed %s too. "+
			"Nothing was applied. Choose whose value counts; everything else is merged already.", plural(len(open), "key that you changed", "keys that you changed"))
	}
	problems := s.understand(merged, "").Problems
	for _, ptr := range open {
		problems = append(problems, stack.Problem{Pointer: ptr, Message: "Changed by somebody else too; yours is shown."})
	}
	s.mark(&e, problems)
	e.Clashes = s.clashViews(clashesOf(d.base, live, merged, open), live)
	e.ClashBase = string(d.base.Revision)
	e.Review = s.review(live.Content, merged)
	return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
}

// withYours puts this person's side of each clash into a merged document, and names those keys.
func withYours(merged []byte, clashes []configfile.Clash) ([]byte, []string) {
	doc, err := configfile.Parse(merged)
	if err != nil {
		return merged, nil
	}
	var open []string
	for _, cl := range clashes {
		if put(doc, cl.Pointer, cl.Yours) == nil {
			open = append(open, cl.Pointer)
		}
	}
	return doc.Bytes(), open
}

// put sets a key to a value; nil takes it away.
func put(doc *configfile.Document, ptr string, value any) error {
	if value != nil {
		return doc.Set(ptr, value)
	}
	if _, ok := doc.Get(ptr); !ok {
		return nil
	}
	return doc.Remove(ptr)
}

// clashesOf are the keys that are still to be decided, with all three sides.
func clashesOf(base, theirs liveConfig, yours []byte, open []string) []configfile.Clash {
	at := func(content []byte) *configfile.Document {
		doc, err := configfile.Parse(content)
		if err != nil {
			doc, _ = configfile.Parse(nil)
		}
		return doc
	}
	b, t, y := at(base.Content), at(theirs.Content), at(yours)
	var out []configfile.Clash
	for _, ptr := range open {
		cl := configfile.Clash{Pointer: ptr}
		cl.Base, _ = b.Get(ptr)
		cl.Theirs, _ = t.Get(ptr)
		cl.Yours, _ = y.Get(ptr)
		out = append(out, cl)
	}
	return out
}

func (s *Server) clashViews(clashes []configfile.Clash, live liveConfig) []views.Clash {
	secrets := s.o.Schema.Secrets(live.Value)
	var out []views.Clash
	for _, cl := range clashes {
		info := s.o.Schema.At(cl.Pointer)
		say := func(v any) string {
			switch {
			case v == nil:
				return "not set"
			case info.Secret || touches(cl.Pointer, secrets):
				return schema.Mask
			}
			return strings.TrimSpace(valueWords(v, info.Unit != "") + " " + info.Unit)
		}
		out = append(out, views.Clash{
			Pointer: cl.Pointer, Key: dotted(cl.Pointer), Title: info.Title,
			Base: say(cl.Base), Theirs: say(cl.Theirs), Yours: say(cl.Yours),
		})
	}
	return out
}

// settleClash decides one key for one side.
func (s *Server) settleClash(c echo.Context, d draft, live liveConfig) error {
	if len(d.syntax) > 0 || len(d.problems) > 0 {
		return s.answerInvalid(c, d, append(d.syntax, d.problems...))
	}
	ptr, open := d.typed.Get(inYours), d.typed[inClash]
	if d.typed.Has(inTheirs) {
		ptr = d.typed.Get(inTheirs)
	}
	if !slices.Contains(open, ptr) {
		return refuse(http.StatusUnprocessableEntity, "That key is decided already. Open the config page again.")
	}
	if d.typed.Has(inTheirs) {
		theirs := clashesOf(live, live, live.Content, []string{ptr})[0].Theirs
		doc, err := configfile.Parse(d.content)
		if err == nil {
			err = put(doc, ptr, theirs)
		}
		if err != nil {
			return s.answerInvalid(c, d, []stack.Problem{{Pointer: ptr, Message: sentence(err)}})
		}
		d.content = doc.Bytes()
	}
	open = slices.DeleteFunc(slices.Clone(open), func(p string) bool { return p == ptr })
	e := s.undecided(d, live, open)
	e.Notice, e.NoticeTone = fmt.Sprintf("%s still to be decided.", plural(len(open), "key is", "keys are")), views.Caution
	if len(open) == 0 {
		e.Notice, e.NoticeTone = "All is decided. Nothing is applied yet: look it through, then press Save & Restart again.", views.Good
	}
	return s.showConfig(c, http.StatusOK, e, nil)
}

// undecided is the editor of a merged draft with the keys that are still open.
func (s *Server) undecided(d draft, live liveConfig, open []string) views.Editor {
	e := s.editorWith(live, d.content, d.raw)
	e.Note = d.typed.Get(inNote)
	d.base = live
	s.carryClashes(&e, d, open)
	if string(d.content) != string(live.Content) {
		e.Review = s.review(live.Content, d.content)
	}
	s.mark(&e, s.understand(d.content, "").Problems)
	return e
}

// carryClashes takes open clashes along into another look at the same draft.
func (s *Server) carryClashes(e *views.Editor, d draft, open []string) {
	base, ok := s.version(stack.Revision(d.typed.Get(inBase)))
	if !ok {
		base = d.base
	}
	e.Clashes = s.clashViews(clashesOf(base, d.base, d.content, open), d.base)
	e.ClashBase = d.typed.Get(inBase)
}

// clashes names the keys that both this person and somebody else changed.
func clashes(was, now liveConfig, edits []schema.Edit) []stack.Problem {
	theirs := configfile.Pointers(was.Content, now.Content)
	var out []stack.Problem
	for _, e := range edits {
		if slices.Contains(theirs, e.Pointer) {
			out = append(out, stack.Problem{Pointer: e.Pointer, Message: "Changed by somebody else too; yours is shown."})
		}
	}
	return out
}
