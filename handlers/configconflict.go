package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

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
	case !d.known || d.base.Value == nil:
		return s.answerUnknownBase(c, d, live)
	}
	yours := d.content
	if !d.raw {
		yours = d.withTyped()
	}
	m, err := configfile.Merge(d.base.Content, live.Content, yours)
	if err != nil {
		return keep("The config file was changed meanwhile, and the two versions cannot be merged by themselves. Nothing was applied; what you typed is kept below. " + sentence(err))
	}
	merged := withYours(m.Content, m.Clashes)
	e := s.conflictEditor(d, live, merged, m.Clashes)
	e.Notice = "The config file was changed meanwhile by somebody else. Nothing was applied: here is that version " +
		"with your own changes laid over it. Look it through, then press Save & Restart again."
	if n := len(m.Clashes); n > 0 {
		e.Notice = fmt.Sprintf("The config file was changed meanwhile by somebody else, who changed %s too. "+
			"Nothing was applied. Choose whose value counts; everything else is merged already.", plural(n, "key that you changed", "keys that you changed"))
	}
	if m.Unmerged && (d.raw || d.typed.Has(inRaw)) {
		e.Notice += unmergedNotice
		e.Unmerged = s.typedText(yours, d.base)
	}
	return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
}

const unmergedNotice = " Comments that you wrote, or how you wrote or ordered keys, could not all be merged; your text is kept below as you typed it."

// conflictEditor is the editor of a merged draft with its clashes to be decided.
func (s *Server) conflictEditor(d draft, live liveConfig, merged []byte, clashes []configfile.Clash) views.Editor {
	e := s.editorWith(live, merged, d.raw)
	e.Note, e.NoticeTone = d.typed.Get(inNote), views.Bad
	problems := s.understand(merged, "").Problems
	var open []string
	for _, cl := range clashes {
		problems = append(problems, stack.Problem{Pointer: cl.Pointer, Message: "Changed by somebody else too; yours is shown."})
		open = append(open, cl.TheirsAt)
	}
	s.mark(&e, problems)
	base := liveConfig{} // not known
	if d.known && d.base.Value != nil {
		base, e.ClashBase = d.base, string(d.base.Revision)
	}
	e.Clashes = s.clashViews(base, live, s.understand(merged, ""), open)
	e.Review = s.reviewNow(live.Content, merged)
	return e
}

// answerUnknownBase is for a draft of a version that nobody knows any more: what its writer changed
// cannot be told from what others did, so every key that differs from the file is to be decided.
func (s *Server) answerUnknownBase(c echo.Context, d draft, live liveConfig) error {
	yours := d.content
	if !d.raw {
		yours = s.ownSecrets(d.withTyped(), live)
	}
	clashes, err := configfile.Clashes(live.Content, yours)
	if err != nil {
		return err
	}
	d.known = false
	e := s.conflictEditor(d, live, withYours(live.Content, clashes), clashes)
	const why = "The config file was changed meanwhile, and the version that you began with cannot be compared with any more, " +
		"so what you changed cannot be told from what somebody else did. Nothing was applied. "
	e.Notice = why + fmt.Sprintf("Choose for each of the %s that differ whose value counts.", plural(len(clashes), "key", "keys"))
	switch len(clashes) {
	case 0:
		e.Notice = why + "The file has every value that you have."
	case 1:
		e.Notice = why + "Choose whose value counts for the one key that differs."
	}
	if d.raw || d.typed.Has(inRaw) {
		e.Notice += " Comments are those of the file; your text is kept below as you typed it."
		e.Unmerged = s.typedText(yours, live)
	}
	return s.showConfig(c, http.StatusPreconditionFailed, e, nil)
}

// ownSecrets gives the tables of lists in a form's draft their own secrets: a form that was drawn from
// another version left them blank, and got those of whatever table stands at that place now.
func (s *Server) ownSecrets(content []byte, live liveConfig) []byte {
	doc, err := configfile.Parse(content)
	if err != nil {
		return content
	}
	theirs := map[any]bool{}
	file := parsed(live.Content)
	for _, ptr := range s.o.Schema.Secrets(live.Value) {
		v, _ := file.Get(ptr)
		theirs[v] = true
	}
	typed := doc.Value()
	for _, ptr := range s.o.Schema.Secrets(typed) {
		now, _ := doc.Get(ptr)
		if !theirs[now] {
			continue // it was typed
		}
		if own := s.sameKey(typed, live.Value, ptr); own != now {
			_ = put(doc, ptr, own)
		}
	}
	return doc.Bytes()
}

// typedText is a text as it was typed, with its secrets masked.
func (s *Server) typedText(content []byte, base liveConfig) string {
	return s.sheetOf(content, base.Content).text()
}

// carryUnmerged takes a text that was not merged whole along with the draft, until that is applied.
func carryUnmerged(e *views.Editor, typed url.Values) {
	before := strings.ReplaceAll(typed.Get(inUnmerged), "\r\n", "\n")
	switch {
	case before == "" || before == e.Unmerged:
	case e.Unmerged == "":
		e.Unmerged = before
	case !strings.Contains(e.Unmerged, before):
		e.Unmerged = before + "\n\n" + e.Unmerged
	}
}

// withYours puts this person's side of each clash into a merged document.
func withYours(merged []byte, clashes []configfile.Clash) []byte {
	doc, err := configfile.Parse(merged)
	if err != nil {
		return merged
	}
	for _, cl := range clashes {
		_ = put(doc, cl.Pointer, cl.Yours) // what cannot be put stays theirs, and is to be decided as well
	}
	return doc.Bytes()
}

// put sets a key to a value; nil takes it away.
func put(doc *configfile.Document, ptr string, value any) error {
	if value != nil {
		return doc.Exchange(ptr, value)
	}
	if _, ok := doc.Get(ptr); !ok {
		return nil
	}
	return doc.Remove(ptr)
}
