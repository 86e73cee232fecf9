package handlers

import (
	"bytes"
	"regexp"
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
		if text, ok := value.(string); ok && len(text) >= shortSecret && text != schema.Mask {
			out = append(out, text)
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
	m := commentMask{schema: v.schema, lines: map[int]bool{}, keys: map[string]bool{}, values: texts}
	for _, ptr := range v.secrets {
		line, _ := v.doc.Position(ptr)
		m.lines[line] = true
		m.keys[lastName(ptr)] = true
	}
	text := m.apply(v.doc.Bytes())
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

// commentMask hides in comments what may be secret.
type commentMask struct {
	schema *schema.Schema
	lines  map[int]bool    // with a secret value: all of their comment goes
	keys   map[string]bool // that are secret in this document
	values []string
}

var (
	commentedKey = regexp.MustCompile(`^\s*[#;/\s]*([^=:#]+?)\s*[=:]`)
	keyPart      = regexp.MustCompile(`[A-Za-z0-9_-]+`)
)

func (m commentMask) apply(text []byte) []byte {
	var out bytes.Buffer
	for i, line := range bytes.SplitAfter(text, []byte("\n")) {
		at := commentStart(line)
		if at < 0 {
			out.Write(line)
			continue
		}
		comment, end := line[at:], line[len(bytes.TrimRight(line, "\r\n")):]
		out.Write(line[:at])
		switch {
		case m.lines[i+1]:
			out.WriteString("# " + schema.Mask)
			out.Write(end)
		case m.names(comment):
			k := bytes.IndexAny(comment, "=:")
			out.Write(comment[:k+1])
			out.WriteString(" " + schema.Mask)
			out.Write(end)
		default:
			for _, v := range m.values {
				comment = bytes.ReplaceAll(comment, []byte(v), []byte(schema.Mask))
			}
			out.Write(comment)
		}
	}
	return out.Bytes()
}

// names tells whether a comment is a commented-out key that is secret.
func (m commentMask) names(comment []byte) bool {
	found := commentedKey.FindSubmatch(comment)
	if found == nil {
		return false
	}
	whole := string(found[1])
	for _, key := range append(keyPart.FindAllString(whole, -1), strings.ReplaceAll(whole, " ", "_")) {
		if m.keys[key] || m.schema.At(configfile.JoinPointer("", key)).Secret {
			return true
		}
	}
	return false
}

// commentStart is where a line's comment begins, -1 where there is none. It looks at the line alone:
// within a text of several lines it may take for a comment what is none, and masks too much.
func commentStart(line []byte) int {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote == 0 && c == '#':
			return i
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == '"' && c == '\\':
			i++
		case c == quote:
			quote = 0
		}
	}
	return -1
}
