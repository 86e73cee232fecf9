package handlers

import (
	"bytes"
	"regexp"
	"strings"

	"pitstop/schema"
	"pitstop/stack/configfile"
)

// shownVersion is a version of the config as the history may show it.
type shownVersion struct {
	doc     *configfile.Document // as it is; never shown
	text    []byte               // with everything secret masked
	secrets []string             // pointers
	hidden  bool                 // something was masked
}

// shown masks what is secret in a version of the config, for somebody who reads and does not write
// it back: the secret values; what is remarked beside them and in commented-out keys of their kind,
// where people leave the old ones; and, in any comment, the secrets themselves and those further
// ones. What does not parse cannot be masked, and is an error.
func (s *Server) shown(content []byte, further ...string) (shownVersion, error) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return shownVersion{}, err
	}
	v := shownVersion{doc: doc, secrets: s.o.Schema.Secrets(doc.Value())}
	masked, err := s.masked(content)
	if err != nil {
		return shownVersion{}, err
	}
	m := commentMask{schema: s.o.Schema, lines: map[int]bool{}, keys: map[string]bool{}, values: append(secretTexts(doc, v.secrets), further...)}
	for _, ptr := range v.secrets {
		line, _ := masked.Position(ptr)
		m.lines[line] = true
		m.keys[lastName(ptr)] = true
	}
	v.text = m.apply(masked.Bytes())
	v.hidden = !bytes.Equal(v.text, content)
	return v, nil
}

// lastName is the last key of a pointer that is not a place in a list.
func lastName(ptr string) string {
	parts := strings.Split(ptr, "/")
	for len(parts) > 1 && strings.Trim(parts[len(parts)-1], "0123456789") == "" {
		parts = parts[:len(parts)-1]
	}
	return parts[len(parts)-1]
}

// shortSecret is the length under which a secret is not looked for elsewhere: "demo" and "1234" are
// words that stand in comments by themselves.
const shortSecret = 6

// secretTexts are the secrets of a document that can be looked for in comments.
func secretTexts(doc *configfile.Document, pointers []string) []string {
	var out []string
	for _, ptr := range pointers {
		if v, _ := doc.Get(ptr); v != nil {
			if text, ok := v.(string); ok && len(text) >= shortSecret && text != schema.Mask {
				out = append(out, text)
			}
		}
	}
	return out
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
