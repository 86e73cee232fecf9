package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// This file has the keys that two people changed decided, one press for each.

// openClash is a key of the live file that is still to be decided, with its place in each version. It
// is the list where a table of it cannot be found again in the draft.
type openClash struct {
	id                  string // its place in the live file
	base, theirs, yours string
}

func openClashes(base, live, yours *configfile.Document, open []string) []openClash {
	var out []openClash
	for _, id := range open {
		cl := openClash{id: id, theirs: id}
		var whole bool
		if cl.yours, whole = configfile.Follow(live, yours, id); !whole {
			cl.theirs = firstParts(id, strings.Count(cl.yours, "/"))
		}
		cl.base, _ = configfile.Follow(live, base, cl.theirs)
		if strings.Count(cl.base, "/") != strings.Count(cl.theirs, "/") {
			cl.base = "" // the table was not there
		}
		out = append(out, cl)
	}
	return out
}

// firstParts is a pointer cut to so many keys.
func firstParts(ptr string, n int) string {
	return strings.Join(strings.SplitN(ptr, "/", n+2)[:n+1], "/")
}

// parsed is a version's document, an empty one if it is none.
func parsed(content []byte) *configfile.Document {
	doc, err := configfile.Parse(content)
	if err != nil {
		doc, _ = configfile.Parse(nil)
	}
	return doc
}

// clashViews are the keys that are still to be decided, with all three sides. A base without a
// revision is not known.
func (s *Server) clashViews(base, live, yours liveConfig, open []string) []views.Clash {
	b, t, y := parsed(base.Content), parsed(live.Content), parsed(yours.Content)
	var out []views.Clash
	for _, cl := range openClashes(b, t, y, open) {
		info := s.o.Schema.At(cl.yours)
		say := func(doc *configfile.Document, ptr string) string {
			v, ok := doc.Get(ptr)
			if !ok || ptr == "" {
				return "not set"
			}
			return strings.TrimSpace(wordsOf(s.valueWithoutSecrets(doc, ptr, v), info.Unit != "", longestClash) + " " + info.Unit)
		}
		view := views.Clash{Pointer: cl.id, Key: schema.Dotted(cl.yours), Title: info.Title, Theirs: say(t, cl.theirs), Yours: say(y, cl.yours)}
		if base.Revision != "" {
			view.Base = say(b, cl.base)
		}
		out = append(out, view)
	}
	return out
}

// valueWithoutSecrets is a value of a document with every secret in it masked.
func (s *Server) valueWithoutSecrets(doc *configfile.Document, ptr string, v any) any {
	all, secrets := s.o.Schema.At(ptr).Secret, map[string]bool{}
	for _, p := range s.o.Schema.Secrets(doc.Value()) {
		secrets[p] = true
	}
	var mask func(ptr string, v any) any
	mask = func(ptr string, v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := make(map[string]any, len(v))
			for k, e := range v {
				out[k] = mask(configfile.JoinPointer(ptr, k), e)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = mask(configfile.JoinPointer(ptr, strconv.Itoa(i)), e)
			}
			return out
		}
		if all || secrets[ptr] {
			return hiddenValue{}
		}
		return v
	}
	return mask(ptr, v)
}

// hiddenValue is a secret among values that are shown.
type hiddenValue struct{}

func (hiddenValue) String() string { return schema.Mask }

// longestClash is how many characters of a value are shown of which somebody is to choose one: more
// than elsewhere, for what differs may stand at its end.
const longestClash = 1000

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
		doc, t := parsed(d.content), parsed(live.Content)
		cl := openClashes(t, t, doc, []string{ptr})[0]
		theirs, _ := t.Get(cl.theirs)
		if err := put(doc, cl.yours, theirs); err != nil {
			return s.answerInvalid(c, d, []stack.Problem{{Pointer: cl.yours, Message: sentence(err)}})
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
		e.Review = s.reviewNow(live.Content, d.content)
	}
	s.mark(&e, s.understand(d.content, "").Problems)
	return e
}

// carryClashes takes open clashes along into another look at the same draft.
func (s *Server) carryClashes(e *views.Editor, d draft, open []string) {
	e.ClashBase = d.typed.Get(inBase)
	base, known := s.version(stack.Revision(e.ClashBase))
	if !known {
		base = liveConfig{}
	}
	e.Clashes = s.clashViews(base, d.base, liveConfig{Content: d.content}, open)
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
