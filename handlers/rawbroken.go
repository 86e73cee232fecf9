package handlers

import (
	"fmt"
	"slices"
	"strings"

	"pitstop/schema"
	"pitstop/stack/configfile"
)

// maskBroken hides what may be secret in a text that does not parse: too much rather than too little.
// What other versions call secret is hidden as well.
func (s *Server) maskBroken(content []byte, others ...[]byte) []byte {
	h := newLost(s.o.Schema)
	for _, other := range others {
		if v, err := s.openVersion(other); err == nil {
			h.learn(v)
		}
	}
	return h.maskText(content)
}

// brokenSecrets are the values of a version that does not parse, by pointer, that may be secret.
func (s *Server) brokenSecrets(content []byte) map[string][]any {
	h := newLost(s.o.Schema)
	found := map[string][]any{}
	for _, at := range configfile.Loose(content, configfile.Broken, "", h.secret) {
		if at.Kind != configfile.LooseValue || at.Pointer == "" || !at.Secret {
			continue
		}
		var v any // one that cannot be read is nil
		if doc, err := configfile.Parse(append([]byte("x = "), content[at.Start:at.End]...)); err == nil {
			v, _ = doc.Get("/x")
		}
		found[at.Pointer] = append(found[at.Pointer], v)
	}
	return found
}

// brokenSecret is the secret at a pointer of a version that does not parse; nil: it is not found, or
// more than one is.
func (s *Server) brokenSecret(content []byte, ptr string) any {
	all := slices.Compact(s.brokenSecrets(content)[ptr])
	if len(all) != 1 || all[0] == schema.Mask {
		return nil
	}
	return all[0]
}

// secretsIn are the secrets of a version, be it valid or not, that can be looked for in any text.
func (s *Server) secretsIn(content []byte) []string {
	if v, err := s.openVersion(content); err == nil {
		return v.texts()
	}
	var out []string
	for _, values := range s.brokenSecrets(content) {
		for _, v := range values {
			out = append(out, searchable(v)...)
		}
	}
	return out
}

// withoutSecrets is a text of people or of services with the secrets of these versions masked in it.
func (s *Server) withoutSecrets(text string, versions ...[]byte) string {
	if text == "" {
		return text
	}
	var last []byte
	for _, content := range versions {
		if string(content) == string(last) {
			continue
		}
		last = content
		text = hideAll(text, s.secretsIn(content))
	}
	return text
}

// hideAll masks secrets in a text, the longest first: one may be part of another.
func hideAll(text string, secrets []string) string {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, schema.Mask)
		if quoted := strings.Trim(fmt.Sprintf("%q", secret), `"`); quoted != secret {
			text = strings.ReplaceAll(text, quoted, schema.Mask)
		}
	}
	return text
}
