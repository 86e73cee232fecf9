package handlers

import (
	"net/url"

	"pitstop/stack"
	"pitstop/views"
)

// This file answers posted editors that cannot be understood, or cannot be applied to anything: with
// all that was typed in them, for it is nowhere else.

// editorOfNone is an editor as it was filled in while there is no config file to be read.
func (s *Server) editorOfNone(typed url.Values, live liveConfig) views.Editor {
	e := s.newEditor(live)
	d, err := s.readDraft(typed, live)
	switch {
	case err == nil && d.known:
		e = s.editorAsSent(d)
	case err == nil:
		e = s.editorWith(live, d.content, true)
	default:
		e.Form = s.o.Schema.Form(map[string]any{}).WithInput(typed)
	}
	e.Revision = string(stack.Revision(typed.Get(inRevision)))
	e.Note, e.NoticeTone = typed.Get(inNote), views.Bad
	e.Notice = live.Unusable + " Nothing was applied; what you typed is kept below, and can be saved when the file is back."
	return e
}

// editorInDoubt is an editor as it was filled in, laid over the file as it is, with all that it would
// change of it.
func (s *Server) editorInDoubt(d draft, live liveConfig) views.Editor {
	if d.base.Revision != live.Revision {
		d.base, d.start = live, live
	}
	e := s.editorAsSent(d)
	if string(d.content) != string(live.Content) && live.Value != nil {
		e.Review = s.reviewNow(live.Content, d.content)
	}
	e.Note, e.NoticeTone = d.typed.Get(inNote), views.Bad
	e.Notice = d.doubt + " Nothing was applied. What you typed is kept below, over the file as it is now; look it through, then save it again."
	return e
}
