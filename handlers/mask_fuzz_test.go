package handlers

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pitstop/schema"
	"pitstop/stack/configfile"
)

// A document is put together of these. $ is a secret, % one that is a number. What stands between ‹ and
// › is not broken: a key that is another one, or a secret that is another one, is not what is tested.
var rootParts = []string{
	"note = \"plain words\" # a remark\n",
	"note = \"\"\"\nplain = words\n\"\"\"\n",
	"size = 7\n",
	"words = [\"a\", 'b']\n",
	"‹keys = ›[‹\"$\"›, ‹'$'›]\n",
	"‹keys = ›[\n  ‹\"$\"›, ‹# $›\n  ‹'$'›,\n]\n",
	"‹pins = ›[ ‹%›, ‹%› ]\n",
	"‹hosts = ›[{name = \"a\", ‹key = \"$\"›}, {name = 'b', ‹key = '$'›}]\n",
	"‹hosts = ›[\n  {name = \"a\", ‹key = \"$\"›}, ‹# $›\n  { ‹key = '$'›, name = 'b' }\n]\n",
	"creds = { user = \"u\", ‹token = \"$\"›, size = 1 } ‹# was $›\n",
	"‹map.y = ›{ note = \"n\", ‹plain = \"$\"› }\n",
	"# words\n‹# broker.api_key = \"$\"›\n",
	"‹password = \"\"\"\n$\nb = \"c\n\"\"\"›\n",
	"‹api_token = '''$'''› # said\n",
}

var tableParts = []string{
	"‹[vault]\nx = \"$\"›\n‹y = ›[‹%›, ‹\"$\"›]\n",
	"‹[map.z]›\nnote = \"n\"\n‹plain = \"$\"› ‹# $›\n",
	"‹[broker]\napi_key = \"$\"›\naccount = \"demo\"\n",
	"[other]\nnote = \"\"\"\none\ntwo = 2\n\"\"\"\nb = 1.5\n",
	"[[feed]]\nname = \"a\"\n‹token = \"$\"›\n[[feed]]\n‹token = '$'›\nname = 'b'\n",
}

// secretDocument puts a document together. sealed are its bytes that are not broken.
func secretDocument(program []byte) (text []byte, sealed []bool, secrets []string) {
	used := map[string]bool{}
	put := func(part string) {
		key, _, _ := strings.Cut(part, "=")
		if key = strings.Trim(strings.ReplaceAll(key, "›", ""), "‹ "); used[key] && !strings.HasPrefix(key, "#") {
			return
		}
		used[key] = true
		seal := false
		for _, r := range part {
			piece := string(r)
			switch r {
			case '‹':
				if seal = true; len(sealed) > 0 {
					sealed[len(sealed)-1] = true
				}
				continue
			case '›':
				seal = false
				continue
			case '$':
				piece = fmt.Sprintf("s3cret-%d-z", len(secrets))
				secrets = append(secrets, piece)
			case '%':
				piece = fmt.Sprintf("7319%04d", len(secrets))
				secrets = append(secrets, piece)
			}
			for range piece {
				sealed = append(sealed, seal)
			}
			text = append(text, piece...)
		}
	}
	half := len(program) / 2
	for _, b := range program[:half] {
		put(rootParts[int(b)%len(rootParts)])
	}
	for _, b := range program[half:] {
		put(tableParts[int(b)%len(tableParts)])
	}
	return text, sealed, secrets
}

func FuzzABrokenTextShowsNoSecret(f *testing.F) {
	s := maskServer(f, deskSchema)
	for i, junk := range []string{"\"", "'", "\"\"\"", "'''", "[", "]", "{", "}", ",", "=", "#", "\n", "\\", " x ", ".", "x = [\n", "x = {", "\x00", "\xff"} {
		program := make([]byte, 16)
		for k := range program {
			program[k] = byte(i + 3*k)
		}
		for at := uint16(0); at < 500; at += 71 {
			f.Add(program, at+uint16(i), byte(0), junk)
			f.Add(program, at+uint16(i), byte(2), junk)
		}
	}
	f.Fuzz(func(t *testing.T, program []byte, at uint16, cut byte, junk string) {
		if len(program) > 64 || len(junk) > 12 {
			return
		}
		text, sealed, secrets := secretDocument(program)
		if len(text) == 0 {
			return
		}
		if _, err := configfile.Parse(text); err != nil {
			t.Fatalf("the twin does not parse: %v\n%s", err, text)
		}
		i, n := int(at)%(len(text)+1), int(cut)%4
		if i+n > len(text) || i == 0 && n == 0 && sealed[0] || n == 0 && i > 0 && i < len(text) && sealed[i-1] && sealed[i] {
			return
		}
		for k := i; k < i+n; k++ {
			if sealed[k] {
				return
			}
		}
		broken := append(append(bytes.Clone(text[:i]), junk...), text[i+n:]...)
		if _, err := configfile.Parse(broken); err == nil {
			return
		}
		sh := s.sheetOf(broken)
		for _, secret := range secrets {
			if strings.Contains(sh.text(), secret) {
				t.Fatalf("%q is shown of\n%s\nas\n%s", secret, broken, sh.text())
			}
		}
		if back := sh.restore(sh.text()); !bytes.Equal(back, broken) {
			t.Fatalf("came back as\n%q\nwant\n%q", back, broken)
		}
	})
}

// masks are the servers that a text is shown by: one that knows some keys, and one that knows none.
func maskServers(f *testing.F) []*Server {
	unknown := maskServer(f, deskSchema)
	unknown.o.Schema = schema.Unknown()
	return []*Server{maskServer(f, deskSchema), unknown}
}

func addDocuments(f *testing.F) {
	f.Add([]byte(document))
	for i := range 8 {
		text, _, _ := secretDocument([]byte{byte(i), byte(i + 3), byte(2 * i), byte(i + 7), byte(i), byte(i + 1), byte(i + 2), byte(i + 3)})
		f.Add(text)
		f.Add(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
		f.Add(text[:len(text)/2])
	}
}

func FuzzAVersionShowsNoSecret(f *testing.F) {
	servers := maskServers(f)
	addDocuments(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 4<<10 {
			return
		}
		for _, s := range servers {
			doc, err := configfile.Parse(content)
			if err != nil {
				return
			}
			pointers := s.o.Schema.Secrets(doc.Value())
			secrets := secretTexts(doc, pointers)
			v, err := s.shown(content)
			if err != nil {
				t.Fatal(err)
			}
			for _, ptr := range pointers {
				if err := doc.Set(ptr, schema.Mask); err != nil {
					t.Fatal(err)
				}
			}
			open := doc.Bytes() // where the same text may stand by chance
			for _, c := range configfile.Loose(open, configfile.Whole, "", func(string) bool { return false }) {
				if c.Kind == configfile.LooseComment {
					copy(open[c.Start:], bytes.Repeat([]byte{'#'}, c.End-c.Start))
				}
			}
			for _, secret := range secrets {
				if strings.Contains(schema.Mask, secret) || bytes.Contains(open, []byte(secret)) {
					continue
				}
				if bytes.Contains(v.text, []byte(secret)) {
					t.Fatalf("%q is shown of\n%s\nas\n%s", secret, content, v.text)
				}
			}
		}
	})
}

func FuzzTheTextComesBackAsItWas(f *testing.F) {
	servers := maskServers(f)
	addDocuments(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 4<<10 {
			return
		}
		for _, s := range servers {
			sh := s.sheetOf(content)
			if back := sh.restore(sh.text()); !bytes.Equal(back, content) {
				t.Fatalf("came back as\n%q\nwant\n%q\nshown as\n%q", back, content, sh.text())
			}
			l := s.understand(content, "")
			if back, problems := s.fromText(sh.text(), l, l); !bytes.Equal(back, content) || len(problems) > 0 {
				t.Fatalf("understood as\n%q (%v)\nwant\n%q\nshown as\n%q", back, problems, content, sh.text())
			}
		}
	})
}
