package handlers

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"pitstop/schema"
	"pitstop/stack/configfile"
)

// hidden knows what is to be hidden in a text, whether it parses or not.
type hidden struct {
	schema *schema.Schema
	names  map[string]bool // last keys of secrets in documents that parse
	texts  []string        // secrets, wherever they stand
	seen   map[string]bool // by pointer
	lost   bool            // in a text that does not parse, a key may be elsewhere than it seems
}

func newHidden(sch *schema.Schema) *hidden {
	return &hidden{schema: sch, names: map[string]bool{}, seen: map[string]bool{}}
}

// newLost is newHidden for texts that do not parse.
func newLost(sch *schema.Schema) *hidden {
	h := newHidden(sch)
	h.lost = true
	return h
}

// learn adds what a version that parses calls secret.
func (h *hidden) learn(v openedVersion) {
	for _, ptr := range v.secrets {
		h.names[lastName(ptr)] = true
	}
	h.texts = append(h.texts, v.texts()...)
}

// secret tells whether the key at a pointer is one.
func (h *hidden) secret(ptr string) bool {
	secret, ok := h.seen[ptr]
	if !ok {
		name := lastName(ptr)
		secret = ptr != "" && (h.names[name] || h.lost && h.schema.SecretNamed(name)) || h.schema.At(ptr).Secret
		h.seen[ptr] = secret
	}
	return secret
}

// veil is a part of a text that a mask takes the place of.
type veil struct {
	start, end int
	mask       string
}

const (
	quotedMask  = `"` + schema.Mask + `"`
	commentMask = "# " + schema.Mask
)

// maskText hides what may be secret in a text that does not parse: too much rather than too little.
// A mask in quotes stands for one value, whose key can be told; one without for anything.
func (h *hidden) maskText(text []byte) []byte {
	stretches := configfile.Loose(text, configfile.Broken, "", h.secret)
	var spans []veil
	for _, s := range stretches {
		switch {
		case s.Kind == configfile.LooseValue && s.Secret && s.Pointer != "":
			spans = append(spans, veil{s.Start, s.End, quotedMask})
		case s.Kind == configfile.Rubble, s.Kind == configfile.LooseValue && s.Secret:
			spans = append(spans, veil{s.Start, s.End, schema.Mask})
		}
	}
	spans = append(spans, h.commentSpans(text, stretches)...)
	return h.withMasks(text, spans, true)
}

// maskComments hides what may be secret in the comments of a text.
func (h *hidden) maskComments(text []byte) []byte {
	return h.withMasks(text, h.commentSpans(text, configfile.Loose(text, configfile.Whole, "", h.secret)), false)
}

// withMasks is a text with masks put in, and the known secrets hidden between them too where all is asked.
func (h *hidden) withMasks(text []byte, spans []veil, all bool) []byte {
	slices.SortFunc(spans, func(a, b veil) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	var merged []veil
	for _, s := range spans {
		if n := len(merged); n > 0 {
			last := &merged[n-1]
			if s.start < last.end {
				if s.end > last.end {
					last.end = s.end
					if last.mask == quotedMask {
						last.mask = schema.Mask // it is more than one value
					}
				}
				continue
			}
		}
		merged = append(merged, s)
	}
	var out bytes.Buffer
	at := 0
	between := func(end int) {
		part := text[at:end]
		if all {
			part = h.withoutTexts(part)
		}
		out.Write(part)
	}
	for _, s := range merged {
		between(s.start)
		out.WriteString(s.mask)
		at = s.end
	}
	between(len(text))
	return out.Bytes()
}

func (h *hidden) withoutTexts(part []byte) []byte {
	for _, secret := range h.texts {
		part = bytes.ReplaceAll(part, []byte(secret), []byte(schema.Mask))
	}
	return part
}

// commentSpans are the parts of comments to be hidden: all of one beside a secret or among several;
// of what is commented out, what would be secret were it not; and the secrets themselves.
func (h *hidden) commentSpans(text []byte, stretches []configfile.Stretch) []veil {
	var comments []configfile.Stretch
	for _, s := range stretches {
		if s.Kind == configfile.LooseComment {
			comments = append(comments, s)
		}
	}
	slices.SortStableFunc(comments, func(a, b configfile.Stretch) int { return cmp.Compare(a.Start, b.Start) })
	everything := h.schema.At("").Secret
	var spans []veil
	var block []configfile.Stretch
	flush := func() {
		spans = append(spans, h.blockSpans(text, block)...)
		block = nil
	}
	for _, c := range comments {
		if c.Secret || everything {
			flush()
			spans = append(spans, veil{c.Start, c.End, commentMask})
			continue
		}
		if n := len(block); n > 0 && (c.Start < block[n-1].End || len(bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimPrefix(text[block[n-1].End:c.Start], []byte("\r")), []byte("\n")), " \t")) > 0) {
			flush()
		}
		block = append(block, c)
	}
	flush()
	return spans
}

var commentStart = regexp.MustCompile(`^(\s*[#;/])+\s?`)

// blockSpans reads comments that follow one another as what they would be without their marks.
func (h *hidden) blockSpans(text []byte, block []configfile.Stretch) []veil {
	if len(block) == 0 {
		return nil
	}
	var bare []byte
	starts := make([]int, len(block)) // in bare
	offset := make([]int, len(block)) // in text
	for i, c := range block {
		starts[i], offset[i] = len(bare), c.Start+len(commentStart.Find(text[c.Start:c.End]))
		bare = append(append(bare, text[offset[i]:c.End]...), '\n')
	}
	var spans []veil
	for _, s := range configfile.Loose(bare, configfile.Remark, block[0].Pointer, h.secret) {
		if !s.Secret {
			continue
		}
		for i, c := range block {
			from, to := max(s.Start, starts[i]), min(s.End, starts[i]+c.End-offset[i])
			if from < to {
				spans = append(spans, veil{offset[i] + from - starts[i], offset[i] + to - starts[i], schema.Mask})
			}
		}
	}
	for i, c := range block {
		line := text[offset[i]:c.End]
		if at := h.namesSecret(line, c.Pointer); at >= 0 {
			spans = append(spans, veil{offset[i] + at, c.End, " " + schema.Mask})
		}
		for _, secret := range h.texts {
			for from := 0; ; {
				k := bytes.Index(line[from:], []byte(secret))
				if k < 0 {
					break
				}
				spans = append(spans, veil{offset[i] + from + k, offset[i] + from + k + len(secret), schema.Mask})
				from += k + len(secret)
			}
		}
	}
	return spans
}

var keyPart = regexp.MustCompile(`[A-Za-z0-9_-]+`)

// namesSecret is where in a comment the value begins of a key that is secret; -1: there is none.
func (h *hidden) namesSecret(comment []byte, table string) int {
	from := 0
	for i, c := range comment {
		if c != '=' && c != ':' {
			continue
		}
		whole := strings.TrimSpace(string(comment[from:i]))
		for _, key := range append(keyPart.FindAllString(whole, -1), strings.ReplaceAll(whole, " ", "_")) {
			if key != "" && (h.secret(configfile.JoinPointer("", key)) || h.secret(configfile.JoinPointer(table, key))) {
				return i + 1
			}
		}
		from = i + 1
	}
	return -1
}
