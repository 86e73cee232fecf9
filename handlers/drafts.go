package handlers

import (
	"crypto/rand"
	"net/url"
	"slices"
	"sync"
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
