package handlers

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// masked is a document with every secret hidden.
func (s *Server) masked(content []byte) (*configfile.Document, error) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return nil, err
	}
	for _, ptr := range s.o.Schema.Secrets(doc.Value()) {
		if err := doc.Set(ptr, schema.Mask); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// unmaskedText is a document that somebody sends back as it was shown, or changed, with the file's own
// secrets in place of the masks: every line that is as it was shown is as it was in the file, remarks
// too. One without a mask in it is taken as it is, byte by byte.
func (s *Server) unmaskedText(content []byte, live liveConfig) ([]byte, error) {
	if !bytes.Contains(content, []byte(schema.Mask)) {
		return content, nil
	}
	content, problems := s.fromText(strings.ReplaceAll(string(content), "\r\n", "\n"), live, live)
	if len(problems) > 0 {
		r := refuse(http.StatusUnprocessableEntity, "A secret is masked in the document, and the config file has none at that place to keep.")
		r.problems = problems
		return nil, r
	}
	return content, nil
}

// unmasked is a document that somebody sends back, with the file's own secrets in place of the
// masks. A secret is found again by its key, in lists of tables too (see sameKey).
func (s *Server) unmasked(content []byte, live liveConfig) ([]byte, error) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return content, nil // the run says what is wrong with it
	}
	var old *configfile.Document
	if live.Unusable == "" {
		if old, err = configfile.Parse(live.Content); err != nil {
			return nil, err
		}
	}
	for _, ptr := range s.o.Schema.Secrets(doc.Value()) {
		if v, ok := doc.Get(ptr); !ok || v != schema.Mask {
			continue
		}
		var secret any
		if old != nil {
			secret = s.sameKey(doc.Value(), old.Value(), ptr)
		}
		if secret == nil {
			line, col := doc.Position(ptr)
			r := refuse(http.StatusUnprocessableEntity, "A secret is masked in the document, and the config file has none at that place to keep.")
			r.problems = []stack.Problem{{Pointer: ptr, Line: line, Column: col, Message: "Give the secret itself, or leave the key out; " + strconv.Quote(schema.Mask) + " stands for the one in the file."}}
			return nil, r
		}
		if err := doc.Set(ptr, secret); err != nil {
			return nil, err
		}
	}
	return doc.Bytes(), nil
}
