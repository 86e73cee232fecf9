package handlers

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// Names of the editor's own inputs. No key of the config file can have them.
const (
	inRevision = ":revision" // of the file that the draft began from
	inView     = ":view"     // viewRaw: what was sent is the text; else the form
	inRaw      = ":raw"      // the text; in the form, the draft that the form was drawn from where that is not the file
	inKept     = ":kept"     // where the server keeps the secrets that are masked in inRaw
	inCheck    = ":check"    // look, but apply nothing: what the Enter key does
	inTo       = ":to"       // show the same draft in the other view
	inReviewed = ":reviewed" // revision of the result that was looked at; empty: none was
	inConfirm  = ":confirm"  // the same, of one that was asked about
	inNote     = ":note"     // a note for the history
	inTold     = ":told"     // problems stood at their fields
	inBase     = ":base"     // where there are clashes: the version that both sides began from
	inClash    = ":clash"    // keys that both sides changed and nobody has decided yet
	inTheirs   = ":theirs"   // decides for one of them
	inYours    = ":yours"    // likewise
	inUnmerged = ":unmerged" // a text as it was typed, not all of which could be merged
)

const (
	viewRaw  = "raw"
	viewForm = "form"
)

// draft is somebody's unsaved version of the config, as a posted editor has it.
type draft struct {
	typed   url.Values
	raw     bool       // it was sent as a text
	text    string     // that text, in lines that end as Unix has them
	base    liveConfig // the version of the file that it began from
	known   bool       // that version is to be had; else base is the file as it is, by that version's revision
	start   liveConfig // what the form was drawn from: base, or an earlier state of this draft
	content []byte     // the whole draft
	edits   int        // of the form
	gone    []string   // secrets that were typed and are forgotten, by pointer
	// problems are what was typed that content does not have, or has only as a text.
	problems []stack.Problem
	// syntax is why content is no TOML document; only a text can be none.
	syntax []stack.Problem
	// doubt says why it cannot be told what was changed, though what was typed is there; empty: it can.
	doubt string
}

// readDraft understands a posted editor, in either view. An error is a request that no editor sends.
func (s *Server) readDraft(typed url.Values, live liveConfig) (d draft, err error) {
	d = draft{typed: typed, raw: typed.Get(inView) == viewRaw}
	for _, name := range []string{inRevision, inView, inRaw, inKept} {
		if len(typed[name]) > 1 {
			d.doubt = "The form came with " + name + " twice, so it cannot be told which one counts."
		}
	}
	rev := stack.Revision(typed.Get(inRevision))
	if rev == "" {
		d.doubt = "The form came without the revision that it was drawn from, so it cannot be told what was changed."
	}
	if d.base, d.known = s.version(rev); !d.known {
		d.base = live
		d.base.Revision = rev // so that whatever it is shown as next is still the draft of an unknown version
	}
	d.start = d.base
	defer func() {
		// Whatever is done with the note, a page that shows it again too: no secret goes along.
		typed.Set(inNote, s.withoutSecrets(typed.Get(inNote), live.Content, d.base.Content, d.content))
	}()
	if typed.Has(inRaw) {
		d.readText(s, strings.ReplaceAll(typed.Get(inRaw), "\r\n", "\n"))
		if d.raw {
			d.problems = append(d.problems, s.forgotten(d)...)
			return d, nil
		}
		if d.syntax != nil || len(d.problems) > 0 {
			d.doubt = "The form came with a draft that cannot be read, so it cannot be told what was changed."
			d.typed = maps.Clone(typed)
			d.typed.Del(inRaw)
			d.syntax, d.problems, typed = nil, nil, d.typed
		} else {
			d.start = s.understand(d.content, stack.RevisionOf(d.content))
		}
	}
	if d.raw {
		return d, refuse(http.StatusUnprocessableEntity, "The text of the config did not come with the form. Open the config page again.")
	}
	if d.base.Unusable != "" && !typed.Has(inRaw) {
		return d, refuse(http.StatusServiceUnavailable, d.base.Unusable)
	}
	edits, wrong := s.o.Schema.Decode(typed, d.start.Value)
	d.edits = len(edits)
	content, more := edited(d.start.Content, edits)
	d.content = content
	d.problems = append(stackProblems(wrong), more...)
	d.problems = append(d.problems, s.forgotten(d)...)
	return d, nil
}

func (d *draft) readText(s *Server, text string) {
	d.text = text
	reference, kept := d.base, readKept(d.typed.Get(inKept))
	if content, ok := s.kept.of(kept.name); ok {
		reference = s.understand(content, stack.RevisionOf(content))
	} else {
		kept.forget()
	}
	d.gone = kept.gone
	d.content, d.problems = s.fromText(text, reference, d.base, d.gone...)
	if _, err := configfile.Parse([]byte(text)); err != nil {
		d.syntax = s.understand([]byte(text), "").Problems
	}
}

// withTyped is the draft with what could not be taken of the form put in as the text that was typed,
// so that it shows in the other view, and stays wrong there.
func (d draft) withTyped() []byte {
	doc, err := configfile.Parse(d.content)
	if err != nil {
		return d.content
	}
	for _, p := range d.problems {
		if text := d.typed.Get(schema.Name(p.Pointer)); p.Pointer != "" && text != "" {
			_ = doc.Set(p.Pointer, text) // a place that takes no text keeps what it has
		}
	}
	return doc.Bytes()
}

// count is how many changes a draft asks for.
func (d draft) count() int {
	if !d.raw && bytes.Equal(d.start.Content, d.base.Content) {
		return d.edits + len(d.problems)
	}
	return len(changedPointers(d.base.Content, d.content)) + len(d.problems)
}

// changedPointers are the keys that differ; one where all that differs is comments or notation.
func changedPointers(old, now []byte) []string {
	changed := configfile.Pointers(old, now)
	if len(changed) == 0 && !bytes.Equal(old, now) {
		return []string{""}
	}
	return changed
}

// editorAsSent is the editor as it was filled in.
func (s *Server) editorAsSent(d draft) views.Editor {
	if d.raw || d.base.Unusable != "" {
		e := s.editorWith(d.base, d.content, d.raw)
		if d.syntax != nil && len(d.gone) > 0 {
			kept := readKept(e.Kept) // its content cannot say which they are
			kept.gone = d.gone
			e.Kept = kept.String()
		}
		return e
	}
	e := s.newEditor(d.base)
	e.Live = fieldValues(s.o.Schema.Form(d.base.Value))
	e.Form = s.o.Schema.Form(d.start.Value).WithInput(d.typed)
	e.Changes = d.count()
	e.Note = d.typed.Get(inNote)
	if d.typed.Has(inRaw) {
		e.Text, e.Kept = s.sheetOf(d.start.Content, d.base.Content).text(), s.keep(d.base, d.start.Content)
	}
	return e
}

// editorWith is an editor that shows a draft afresh. A draft that does not parse has no form.
func (s *Server) editorWith(base liveConfig, content []byte, raw bool) views.Editor {
	e := s.newEditor(base)
	same := bytes.Equal(content, base.Content)
	now := base
	if !same {
		now = s.understand(content, stack.RevisionOf(content))
	}
	e.Raw = raw || now.Value == nil
	if e.Raw || !same {
		e.Text = s.sheetOf(content, base.Content).text()
		if !same {
			e.Kept = s.keep(base, content)
		}
	}
	if !same && base.Value != nil && now.Value != nil {
		e.Changes = len(changedPointers(base.Content, content))
	} else if !same {
		e.Changes = 1
	}
	if e.Raw {
		e.Lines = 1 + strings.Count(e.Text, "\n")
		return e
	}
	if base.Value != nil {
		e.Live = fieldValues(s.o.Schema.Form(base.Value))
	}
	e.Form = s.o.Schema.Form(now.Value)
	return e
}

func (s *Server) newEditor(base liveConfig) views.Editor {
	return views.Editor{Path: s.o.Store.Path(), Revision: string(base.Revision), Later: s.laterControl()}
}
