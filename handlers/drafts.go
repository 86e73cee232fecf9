package handlers

import (
	"net/url"
	"slices"
	"sync"
)

// drafts keeps what was typed for the newest runs, in memory only: a run that is undone gives it
// back. Secrets that were typed are forgotten with the program.
type drafts struct {
	mu   sync.Mutex
	list []draft // newest last
}

type draft struct {
	run  string
	form url.Values
}

const keptDrafts = 8

func (d *drafts) keep(run string, form url.Values) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, draft{run, form})
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
	d.list = slices.DeleteFunc(d.list, func(one draft) bool { return one.run == run })
}
