package handlers

import (
	"bytes"
	"strings"

	"pitstop/schema"
	"pitstop/stack/configfile"
)

// shownVersion is a version of the config as somebody may read it who does not write it back.
type shownVersion struct {
	text   []byte // with everything secret masked
	hidden bool   // something was
}

// shown masks what is secret in a version of the config: the secret values; what is remarked beside
// them and in commented-out keys of their kind, where people leave the old ones; and, in any comment,
// the secrets themselves and those further ones. What does not parse cannot be masked: an error.
func (s *Server) shown(content []byte, further ...string) (shownVersion, error) {
	v, err := s.openVersion(content)
	if err != nil {
		return shownVersion{}, err
	}
	return v.mask(append(v.texts(), further...))
}

// openedVersion is a version of the config with its secrets found. It is not to be shown.
type openedVersion struct {
	schema  *schema.Schema
	content []byte
	doc     *configfile.Document
	secrets []string // pointers
}

func (s *Server) openVersion(content []byte) (openedVersion, error) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return openedVersion{}, err
	}
	return openedVersion{s.o.Schema, content, doc, s.o.Schema.Secrets(doc.Value())}, nil
}

// shortSecret is the length under which a secret is not looked for elsewhere: "demo" and "1234" are
// words that stand in comments by themselves.
const shortSecret = 6

func (v openedVersion) texts() []string { return secretTexts(v.doc, v.secrets) }

// secretTexts are the secrets of a document that can be looked for in comments and notes.
func secretTexts(doc *configfile.Document, pointers []string) []string {
	var out []string
	for _, ptr := range pointers {
		value, _ := doc.Get(ptr)
		out = append(out, searchable(value)...)
	}
	return out
}

// searchable are the texts by which a secret is known again: itself, and of several lines each that
// is long enough to mean nothing else.
func searchable(value any) []string {
	text, ok := value.(string)
	if _, counts := number(value); counts {
		text, ok = plainValue(value), true
	}
	if !ok || len(text) < shortSecret || text == schema.Mask {
		return nil
	}
	out := []string{text}
	if strings.Contains(strings.TrimSpace(text), "\n") {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); len(line) >= shortSecret+2 {
				out = append(out, line)
			}
		}
	}
	return out
}

// mask hides every secret, and these texts in comments. The document is changed by it.
func (v openedVersion) mask(texts []string) (shownVersion, error) {
	edits := make([]configfile.Edit, 0, len(v.secrets))
	for _, ptr := range v.secrets {
		edits = append(edits, configfile.Edit{Pointer: ptr, Value: schema.Mask})
	}
	if len(edits) > 0 {
		if err := v.doc.Apply(edits...); err != nil {
			return shownVersion{}, err
		}
	}
	h := newHidden(v.schema)
	h.learn(v)
	h.texts = texts
	text := h.maskComments(v.doc.Bytes())
	return shownVersion{text, !bytes.Equal(text, v.content)}, nil
}

// lastName is the last key of a pointer that is not a place in a list.
func lastName(ptr string) string {
	parts := strings.Split(ptr, "/")
	for len(parts) > 1 && strings.Trim(parts[len(parts)-1], "0123456789") == "" {
		parts = parts[:len(parts)-1]
	}
	return parts[len(parts)-1]
}
