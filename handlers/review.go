package handlers

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/schedule"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// review is what applying content would change of old, in words and lines, with what speaks against
// doing it without another look.
func (s *Server) review(old, content []byte) *views.Review {
	r := &views.Review{Result: string(stack.RevisionOf(content)), Diff: s.difference(old, content)}
	r.Count = len(r.Diff.Changes) + r.Diff.MoreChanges
	if r.Diff.MoreChanges > 0 { // what is not shown has not been seen
		r.Why = append(r.Why, "it changes more than is shown here")
	}
	before, errOld := configfile.Parse(old)
	after, errNew := configfile.Parse(content)
	if errOld != nil && errNew == nil {
		s.mending(r, old, after)
	}
	if errOld != nil || errNew != nil {
		return r
	}
	for _, ch := range configfile.Compare(before, after) {
		if why := s.grave(ch); why != "" {
			r.Why = append(r.Why, s.titleOf(ch.Pointer)+" "+why)
		}
	}
	if w := largeDeletion(before, after); w != "" {
		r.Warnings, r.Why = append(r.Warnings, "This "+w+"."), append(r.Why, "it "+w)
	}
	r.Warnings = append(r.Warnings, s.o.Remarks(old, content)...)
	return r
}

// reviewNow is the review of what would be applied at once: it tells also if that opens or closes trading.
func (s *Server) reviewNow(old, content []byte) *views.Review {
	r := s.review(old, content)
	doc, err := configfile.Parse(content)
	if err != nil {
		return r
	}
	if sch, faults := schedule.Parse(doc.Value(), schedule.LocalZone()); len(faults) == 0 {
		if effect := s.effect(sch); effect != "" {
			r.Warnings = append([]string{effect}, r.Warnings...)
		}
	}
	return r
}

// mending shows the lines that differ from a file that is not valid TOML, masked as well as such a
// text can be.
func (s *Server) mending(r *views.Review, old []byte, after *configfile.Document) {
	v, err := s.shown(after.Bytes())
	if err != nil {
		return
	}
	r.Diff.Problem = "The file as it is cannot be compared key by key, for it is not valid TOML. These are the lines that differ."
	was := s.maskBroken(old, after.Bytes())
	for _, h := range configfile.Hunks(was, v.text, contextLines) {
		if len(r.Diff.Hunks) == shownChanges {
			r.Diff.MoreLines = true
			return
		}
		r.Diff.Hunks = append(r.Diff.Hunks, hunkView(h))
	}
}

// grave says why a change is to be asked about, beyond being shown with its warning: one by more than a
// factor of ten, and of a key that its schema calls dangerous all but a number that is at most doubled
// or halved. A small step is what such keys are there for, and its warning stands beside it. Of any
// other it says nothing.
func (s *Server) grave(ch configfile.Change) string {
	info := s.o.Schema.At(ch.Pointer)
	far := tenfold(ch.Old, ch.New)
	if !far && info.Danger == "" {
		return ""
	}
	old, okOld := number(ch.Old)
	now, okNew := number(ch.New)
	switch {
	case info.Secret && okOld && okNew:
		return "is secret, and changes a lot"
	case far:
		return "changes by more than a factor of ten"
	case !okOld || !okNew:
		return "is a key that the schema calls dangerous"
	case old*now <= 0:
		return "goes to zero, or comes from it"
	case now/old > 2:
		return "is more than doubled"
	case old/now > 2:
		return "is more than halved"
	}
	return ""
}

// titleOf is what a person calls a key.
func (s *Server) titleOf(pointer string) string {
	return cmp.Or(s.o.Schema.At(pointer).Title, schema.Dotted(pointer))
}

// fewReasons is how many are told in the sentence that asks; all of them stand in the review.
const fewReasons = 3

// asking is the sentence that asks for a confirmation, with the reasons why.
func asking(why []string, press string) string {
	reasons := strings.Join(why[:min(len(why), fewReasons)], "; ")
	if more := len(why) - fewReasons; more > 0 {
		reasons += "; and for " + plural(more, "more reason", "more reasons") + ", shown below"
	}
	return "Nothing was applied yet, because this change may be dangerous: " + reasons + ". " + press
}

// largeDeletion says of a change that takes much of the config away what it does.
func largeDeletion(before, after *configfile.Document) string {
	all, gone := leaves(before.Value()), 0
	for _, ch := range configfile.Diff(before.Value(), after.Value()) {
		if ch.Kind == configfile.Removed {
			gone += max(1, leaves(ch.Old))
		}
	}
	if gone >= 10 || gone >= 4 && 4*gone >= all {
		return fmt.Sprintf("takes %d of the file's %d keys away", gone, all)
	}
	was, is := bytes.Count(before.Bytes(), []byte("\n")), bytes.Count(after.Bytes(), []byte("\n"))
	if was >= 20 && 2*is < was {
		return fmt.Sprintf("leaves %d of the file's %d lines; comments go with the others", is, was)
	}
	return ""
}

// leaves counts the keys of a document that hold a value.
func leaves(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += leaves(e)
		}
	case []any:
		for _, e := range v {
			if _, table := e.(map[string]any); !table {
				return 1
			}
			n += leaves(e)
		}
	default:
		return 1
	}
	return n
}

// postConfigReview says what a draft would change, while it is being typed. Nothing is applied.
func (s *Server) postConfigReview(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	live, err := s.readable()
	if err != nil {
		return err
	}
	d, err := s.readDraft(c.Request().PostForm, live)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.ReviewAnswer(s.reviewOf(d, live), s.maskedDraft(d)))
}

// maskedDraft is a draft as a browser may keep it. The secrets that were typed are not in it, nor is
// the name under which the server has them: it says which ones to type again.
func (s *Server) maskedDraft(d draft) views.MaskedDraft {
	content := d.content
	if !d.raw {
		content = d.withTyped()
	}
	typed := append(s.typedSecrets(d.base, content), d.gone...)
	slices.Sort(typed)
	typed = slices.Compact(typed)
	return views.MaskedDraft{
		Revision: d.typed.Get(inRevision), Text: s.sheetOf(content, d.base.Content).text(),
		Kept: keptDraft{name: forgottenDraft, typed: typed}.String(), Secrets: len(typed), Note: d.typed.Get(inNote), Unmerged: d.typed.Get(inUnmerged) != "",
	}
}

// reviewOf is the review of a draft that may still be wrong.
func (s *Server) reviewOf(d draft, live liveConfig) *views.Review {
	content := d.content
	problems := append([]stack.Problem(nil), d.syntax...)
	problems = append(problems, d.problems...)
	if len(problems) == 0 {
		problems = s.checked(d, content)
	}
	old, note, unmerged := d.base, "", false
	if d.base.Revision != live.Revision && live.Value != nil {
		note = "The config file was changed meanwhile. Save & Restart shows both versions before anything is applied."
		if m, err := configfile.Merge(d.base.Content, live.Content, content); err == nil && len(m.Clashes) == 0 {
			old, content, unmerged = live, m.Content, m.Unmerged
		}
	}
	var r *views.Review
	switch {
	case d.syntax != nil:
		r = &views.Review{Count: 1}
	case bytes.Equal(old.Content, content) && unmerged:
		r = &views.Review{Count: 1} // what was typed is not in the file
	case bytes.Equal(old.Content, content):
		r = &views.Review{}
	default:
		r = s.reviewNow(old.Content, content)
		r.Count = max(r.Count, 1)
	}
	r.Stale = note
	if len(problems) > 0 || note != "" {
		r.Result = "" // not to be applied as it is
	}
	r.Problems = draftProblems(problems)
	if !d.raw && len(problems) > 0 && d.start.Value != nil {
		s.atFields(r, s.o.Schema.Form(d.start.Value).WithInput(d.typed), problems)
	}
	return r
}

// atFields has each problem lead to its field, and told there: the lines of a file that is not shown
// lead nowhere.
func (s *Server) atFields(r *views.Review, f schema.Form, problems []stack.Problem) {
	f = f.WithProblems(schemaProblems(problems))
	ids := fieldIDs(f)
	for i := range r.Problems {
		r.Problems[i].Target, r.Problems[i].Line = targetOf(ids, problems[i].Pointer), 0
	}
	at := func(id string, messages []string) {
		if len(messages) > 0 {
			r.Fields = append(r.Fields, views.FieldProblems{ID: id, Messages: messages})
		}
	}
	eachSection(f.Sections, func(sec schema.Section) {
		at(sec.ID, sec.Problems)
		for _, field := range sec.Fields {
			at(field.ID, field.Problems)
		}
	})
}

// checked is what is wrong with a draft that parses, at the lines of the text that was sent.
func (s *Server) checked(d draft, content []byte) []stack.Problem {
	problems := s.o.Check(content)
	if !d.raw {
		return problems
	}
	if doc, err := configfile.Parse([]byte(d.text)); err == nil {
		for i, p := range problems {
			if p.Line > 0 && p.Pointer != "" {
				problems[i].Line, problems[i].Column = doc.Position(p.Pointer)
			}
		}
	}
	return problems
}

// draftProblems are problems with their lines, which the raw view leads to.
func draftProblems(list []stack.Problem) []views.ReviewProblem {
	out := make([]views.ReviewProblem, 0, min(len(list), shownChanges))
	for i, p := range list {
		if i == shownChanges {
			break
		}
		out = append(out, views.ReviewProblem{Key: schema.Dotted(p.Pointer), Line: p.Line, Message: p.Message})
	}
	return out
}
