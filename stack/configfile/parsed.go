package configfile

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync"
)

// A save looks at the same two texts a dozen times: to lay edits over one, to check the other, to
// compare, to mask and to draw them. The newest that were parsed are kept, as long as they are small
// together; a document is never changed in place, so that one can stand for all of the same bytes.
type parsedTexts struct {
	seed maphash.Seed

	mu   sync.Mutex
	list []parsedText // newest last
}

type parsedText struct {
	hash uint64
	of   *parsedSource
	bad  *SyntaxError
}

// parsedSource is what all documents of the same bytes share.
type parsedSource struct {
	src   []byte
	value map[string]any

	once   sync.Once // makes places
	places *index
}

const (
	maxParsed      = 8
	maxParsedBytes = 24 << 20
)

var parsed = parsedTexts{seed: maphash.MakeSeed()}

func (p *parsedTexts) get(src []byte) (parsedText, bool) {
	hash := maphash.Bytes(p.seed, src)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.list {
		if t.hash == hash && bytes.Equal(t.of.src, src) {
			p.list = append(slices.Delete(p.list, i, i+1), t) // in use: the last to go
			return t, true
		}
	}
	return parsedText{hash: hash}, false
}

func (p *parsedTexts) put(t parsedText) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, t)
	size := 0
	for i := len(p.list) - 1; i >= 0; i-- {
		if size += len(p.list[i].of.src); size > maxParsedBytes || len(p.list)-i > maxParsed {
			p.list = slices.Delete(p.list, 0, i+1)
			return
		}
	}
}

// located finds out, once, where everything in these bytes is.
func (p *parsedSource) located() *index {
	p.once.Do(func() { p.places = newIndex(p.src) })
	return p.places
}
