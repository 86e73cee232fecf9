package handlers

import (
	"slices"
	"sync"

	"pitstop/schema"
	"pitstop/stack"
)

// Hider masks secrets in what services log, before it comes into a report: an error of theirs may
// quote the very value that it is about. It knows those of the config file and of the newest versions
// that were to be applied.
type Hider struct {
	finder Server // as much of one as finding secrets needs
	read   func() ([]byte, error)

	mu    sync.Mutex
	known []knownSecrets // newest last
}

type knownSecrets struct {
	revision stack.Revision
	texts    []string
}

// keptVersions is of how many versions a Hider remembers the secrets.
const keptVersions = 32

// NewHider makes one for a config file that read reads.
func NewHider(sch *schema.Schema, read func() ([]byte, error)) *Hider {
	return &Hider{finder: Server{o: Options{Schema: sch}}, read: read}
}

// Learn remembers the secrets of a version that may be applied, and of the file that it would replace.
func (h *Hider) Learn(content []byte) {
	h.learnFile()
	h.learn(content)
}

func (h *Hider) learnFile() {
	if content, err := h.read(); err == nil {
		h.learn(content)
	}
}

func (h *Hider) learn(content []byte) {
	revision := stack.RevisionOf(content)
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.known, func(k knownSecrets) bool { return k.revision == revision })
	if i >= 0 {
		again := h.known[i]
		h.known = append(slices.Delete(h.known, i, i+1), again)
		return
	}
	h.known = append(h.known, knownSecrets{revision, h.finder.secretsIn(content)})
	if n := len(h.known) - keptVersions; n > 0 {
		h.known = slices.Delete(h.known, 0, n)
	}
}

// Hide is a text with every secret that is known masked.
func (h *Hider) Hide(text string) string {
	h.learnFile()
	h.mu.Lock()
	var all []string
	for _, k := range h.known {
		all = append(all, k.texts...)
	}
	h.mu.Unlock()
	return hideAll(text, all)
}
