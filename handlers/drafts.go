package handlers

import (
	"crypto/rand"
	"net/url"
	"slices"
	"sync"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// drafts keeps what was typed for the newest runs, in memory only: a run that is undone gives it
// back. Secrets that were typed are forgotten with the program.
type drafts struct {
	mu   sync.Mutex
	list []runDraft // newest last
}

type runDraft struct {
	run  string
	form url.Values
}

const keptDrafts = 8

func (d *drafts) keep(run string, form url.Values) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, runDraft{run, form})
	if len(d.list) > keptDrafts {
		d.list = slices.Delete(d.list, 0, len(d.list)-keptDrafts)
	}
}

func (d *drafts) of(run string) (url.Values, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.list {
		if one.run == run {
			return one.form, true
		}
	}
	return nil, false
}

// drop forgets a draft that is in the file now.
func (d *drafts) drop(run string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = slices.DeleteFunc(d.list, func(one runDraft) bool { return one.run == run })
}

// keptTexts keeps drafts whose secrets are masked on the page that shows them, in memory only, for
// as long as there is room. A page knows its own by a name that nobody can guess.
type keptTexts struct {
	mu   sync.Mutex
	list []keptText // newest last
}

type keptText struct {
	name    string
	content []byte
}

// keptDraft is what a page knows of its draft: the name under which the server keeps it, and which
// secrets were typed into it, by pointer. Once the server has forgotten it, those are to be typed again.
type keptDraft struct {
	name  string
	typed []string
	gone  []string // that are to be typed again
}

// forgottenDraft is the name of a draft that nobody keeps, such as one out of a browser's own store.
const forgottenDraft = "-"

func readKept(text string) keptDraft {
	v, err := url.ParseQuery(text)
	if err != nil || text == "" {
		return keptDraft{}
	}
	return keptDraft{v.Get("name"), v["typed"], v["gone"]}
}

func (k keptDraft) String() string {
	v := url.Values{"name": {k.name}}
	if len(k.typed) > 0 {
		v["typed"] = k.typed
	}
	if len(k.gone) > 0 {
		v["gone"] = k.gone
	}
	return v.Encode()
}

// forget is for a name that is not known any more.
func (k *keptDraft) forget() { k.gone = append(k.gone, k.typed...) }

// keep keeps a draft, for the page that shows it.
func (s *Server) keep(base liveConfig, content []byte) string {
	return keptDraft{name: s.kept.keep(content), typed: s.typedSecrets(base, content)}.String()
}

// typedSecrets are the secrets of a draft that its base does not have there.
func (s *Server) typedSecrets(base liveConfig, content []byte) []string {
	var typed []string
	doc, err := configfile.Parse(content)
	if err != nil {
		known := s.secretsIn(base.Content)
		for ptr, values := range s.brokenSecrets(content) {
			for _, v := range values {
				if text, ok := v.(string); v != schema.Mask && !(ok && slices.Contains(known, text)) {
					typed = append(typed, ptr)
				}
			}
		}
		slices.Sort(typed)
		return slices.Compact(typed)
	}
	for _, ptr := range s.o.Schema.Secrets(doc.Value()) {
		if v, _ := doc.Get(ptr); v != s.atSameKey(doc.Value(), base.Value, ptr) {
			typed = append(typed, ptr)
		}
	}
	return typed
}

// forgottenWords say that a secret has to be typed again.
const forgottenWords = "The secret that you typed here was forgotten: it is kept in the panel's memory only, for a while, and never in the browser. Type it again."

// forgotten are the secrets that a draft has no value for any more.
func (s *Server) forgotten(d draft) []stack.Problem {
	doc, err := configfile.Parse(d.content)
	if err != nil {
		return nil
	}
	place := doc.Position
	if typed, err := configfile.Parse([]byte(d.text)); err == nil && d.raw {
		place = typed.Position
	}
	var out []stack.Problem
	for _, ptr := range s.o.Schema.Secrets(doc.Value()) {
		said := slices.ContainsFunc(d.problems, func(p stack.Problem) bool { return p.Pointer == ptr })
		if v, _ := doc.Get(ptr); v != schema.Mask || said || s.atSameKey(doc.Value(), d.base.Value, ptr) == schema.Mask {
			continue
		}
		line, col := place(ptr)
		out = append(out, stack.Problem{Pointer: ptr, Line: line, Column: col, Message: forgottenWords})
	}
	return out
}

// How many drafts are kept, and how much of them together.
const (
	maxKept      = 64
	maxKeptBytes = 64 << 20
)

func (k *keptTexts) keep(content []byte) (name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name = rand.Text()
	k.list = append(k.list, keptText{name, content})
	size := 0
	for i := len(k.list) - 1; i >= 0; i-- {
		if size += len(k.list[i].content); i < len(k.list)-1 && (size > maxKeptBytes || len(k.list)-i > maxKept) {
			k.list = slices.Delete(k.list, 0, i+1)
			break
		}
	}
	return name
}

func (k *keptTexts) of(name string) ([]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.list {
		if one.name == name && name != "" {
			return one.content, true
		}
	}
	return nil, false
}
