package configfile

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The documents of these tests are drawn as text, not rendered from values, so that every notation,
// odd spacing and comment occurs.

type textGen struct {
	t   *rapid.T
	b   strings.Builder
	eol string
	n   int
}

func (g *textGen) pick(options ...string) string { return rapid.SampledFrom(options).Draw(g.t, "pick") }
func (g *textGen) chance(n int) bool             { return rapid.IntRange(0, n-1).Draw(g.t, "chance") == 0 }

func (g *textGen) key() string {
	g.n++
	name := g.pick("a", "max_usd", "k-1", "7", "é ü", "a.b", "~/", "<script>", "__proto__", "") + strconv.Itoa(g.n)
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" && !g.chance(4) {
		return name
	}
	return g.pick("'"+name+"'", strconv.Quote(name))
}

func (g *textGen) dotted() string {
	keys := []string{g.key()}
	for g.chance(4) {
		keys = append(keys, g.key())
	}
	return strings.Join(keys, g.pick(".", ".", " . "))
}

func (g *textGen) comment() string {
	return g.pick("", "", "", " # why", "\t#=[x]{y} \"'", "#")
}

func (g *textGen) scalar() string {
	return g.pick("1", "-17", "+3", "5_000", "0xDead_BEEF", "0o755", "0b1_0", "1.50", "-0.0", "6.6e-34", "1E+3", "inf", "-nan", "1_000.25",
		"true", "false", `"x"`, `""`, `"q\"\\\u00e9 # no"`, `'C:\x'`, `"""`+g.eol+`two \`+g.eol+`  lines"""`, `"""a""b"""""`, `'''`+g.eol+`it's`+g.eol+`'''`,
		"2026-01-02", "09:30:00", "09:30:00.500", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.25-05:00", "2026-01-02T03:04:05")
}

func (g *textGen) value(depth int) string {
	if depth > 2 || !g.chance(3) {
		return g.scalar()
	}
	n := rapid.IntRange(0, 3).Draw(g.t, "items")
	if g.chance(2) {
		var entries []string
		for range n {
			entries = append(entries, g.dotted()+g.pick(" = ", "=")+g.value(depth+1))
		}
		pad := g.pick("", " ")
		return "{" + pad + strings.Join(entries, g.pick(", ", ",")) + pad + "}"
	}
	gap := g.pick("", " ", g.eol, g.eol+"  ", " # c"+g.eol+"  ", g.eol+"  # above"+g.eol+"\t")
	text := "["
	for i := range n {
		text += gap + g.value(depth+1)
		if i+1 < n || g.chance(3) {
			text += ","
		}
	}
	return text + g.pick("", " ", g.eol, " # end"+g.eol) + "]"
}

func (g *textGen) filler() {
	for g.chance(3) {
		g.b.WriteString(g.pick("", "  ", "# comment", "  # [not.a.table]", "\t") + g.eol)
	}
}

func (g *textGen) entries(indent string) {
	for range rapid.IntRange(0, 4).Draw(g.t, "entries") {
		g.filler()
		g.b.WriteString(indent + g.dotted() + g.pick(" = ", "=", "   =  ", "\t=") + g.value(0) + g.comment() + g.eol)
	}
	if g.chance(4) { // two keys of one dotted table
		k := g.key()
		g.b.WriteString(indent + k + ".one = 1" + g.eol + indent + k + ".two = 2" + g.comment() + g.eol)
	}
}

func drawDocument(t *rapid.T) []byte {
	g := &textGen{t: t}
	g.eol = g.pick("\n", "\n", "\r\n")
	if g.chance(8) {
		g.b.WriteString("\ufeff")
	}
	g.filler()
	g.entries("")
	var tables []string
	for range rapid.IntRange(0, 5).Draw(t, "sections") {
		g.filler()
		name := g.dotted()
		if len(tables) > 0 && g.chance(2) {
			name = rapid.SampledFrom(tables).Draw(t, "parent") + "." + name
		}
		indent := g.pick("", "", "  ", "\t")
		if g.chance(3) {
			for range rapid.IntRange(1, 3).Draw(t, "elements") {
				g.b.WriteString(indent + "[[" + name + "]]" + g.comment() + g.eol)
				g.entries(indent)
			}
		} else {
			g.b.WriteString(indent + "[" + name + "]" + g.comment() + g.eol)
			g.entries(indent)
		}
		tables = append(tables, name)
	}
	g.filler()
	src := g.b.String()
	if g.chance(4) {
		src = strings.TrimSuffix(src, g.eol)
	}
	return []byte(src)
}

func drawValue(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 8).Draw(t, "kind"); {
	case n == 0 && depth < 2:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list = append(list, drawValue(t, depth+1))
		}
		return list
	case n == 1 && depth < 2:
		m := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "keys") {
			m[rapid.SampledFrom([]string{"a", "b c", "", "é", "x.y"}).Draw(t, "key")] = drawValue(t, depth+1)
		}
		return m
	case n == 2:
		return rapid.SampledFrom([]any{math.NaN(), math.Inf(1), 1e300, -0.25, 2.0}).Draw(t, "float")
	case n == 3:
		return rapid.Bool().Draw(t, "bool")
	case n < 6:
		return rapid.String().Draw(t, "text")
	}
	return rapid.Int64().Draw(t, "int")
}

func allPointers(at string, v any) []string {
	out := []string{}
	if at != "" {
		out = append(out, at)
	}
	switch x := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(x) {
			out = append(out, allPointers(JoinPointer(at, k), x[k])...)
		}
	case []any:
		for i := range x {
			out = append(out, allPointers(JoinPointer(at, strconv.Itoa(i)), x[i])...)
		}
	}
	return out
}

func mustParse(t interface{ Fatalf(string, ...any) }, src []byte) *Document {
	d, err := Parse(src)
	if err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	return d
}

// checkIndex holds that the places are those of the decoded values.
func checkIndex(t interface{ Fatalf(string, ...any) }, d *Document) {
	d.find(nil)
	var walk func(n *node, v any)
	walk = func(n *node, v any) {
		size := 0
		switch x := v.(type) {
		case map[string]any:
			size = len(x)
		case []any:
			size = len(x)
		}
		if len(n.kids) != size {
			t.Fatalf("%s has %d places for %d values in\n%s", n.path(), len(n.kids), size, d.src)
		}
		for _, k := range n.kids {
			inner, ok := lookUp(v, []string{k.name})
			if !ok {
				t.Fatalf("%q has a place but no value in\n%s", k.path(), d.src)
			}
			if k.raw != nil && k.kind == valueNode {
				if got, err := decodeValue(d.text(k.raw.span)); err != nil || !equal(got, inner) {
					t.Fatalf("%q is written as %q, want %v", k.path(), d.text(k.raw.span), inner)
				}
			}
			walk(k, inner)
		}
	}
	walk(d.root, d.value)
}

func TestEveryScalarsPlaceIsItsValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawDocument(t)
		d := mustParse(t, src)
		checkIndex(t, d)
		for _, ptr := range allPointers("", d.Value()) {
			if line, col := d.Position(ptr); line < 1 || col < 1 {
				t.Fatalf("Position(%q) = %d, %d", ptr, line, col)
			}
		}
	})
}

func TestSettingAScalarChangesOnlyItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := mustParse(t, drawDocument(t))
		var scalars []string
		for _, p := range allPointers("", d.Value()) {
			keys, _ := splitPointer(p)
			if n, _ := d.find(keys); n.kind == valueNode {
				scalars = append(scalars, p)
			}
		}
		if len(scalars) == 0 {
			return
		}
		ptr := rapid.SampledFrom(scalars).Draw(t, "pointer")
		keys, _ := splitPointer(ptr)
		n, _ := d.find(keys)
		before, at := d.Bytes(), n.raw.span
		value := rapid.OneOf(rapid.Map(rapid.Int64(), func(i int64) any { return i }), rapid.Map(rapid.Float64(), func(f float64) any { return f }),
			rapid.Map(rapid.String(), func(s string) any { return s }), rapid.Map(rapid.Bool(), func(b bool) any { return b })).Draw(t, "value")
		if err := d.Set(ptr, value); err != nil {
			t.Fatalf("Set(%q, %#v): %v in\n%s", ptr, value, err, before)
		}
		after := d.Bytes()
		if !bytes.HasPrefix(after, before[:at.start]) || !bytes.HasSuffix(after, before[at.end:]) {
			t.Fatalf("Set(%q, %#v) changed more than its value:\n%s\nfrom\n%s", ptr, value, after, before)
		}
		if got, _ := d.Get(ptr); !equal(got, value) {
			t.Fatalf("Get(%q) = %#v after Set to %#v", ptr, got, value)
		}
	})
}

func TestSettingWhatIsThereChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawDocument(t)
		d := mustParse(t, src)
		if err := d.Set("", clone(d.Value())); err != nil {
			t.Fatalf("%v in\n%s", err, src)
		}
		if !bytes.Equal(d.Bytes(), src) {
			t.Fatalf("got\n%s\nwant\n%s", d.Bytes(), src)
		}
	})
}

func TestAnyEditKeepsTheRestAndEveryComment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawDocument(t)
		d := mustParse(t, src)
		ptrs := append(allPointers("", d.Value()), "/new", "/new/er")
		var done []string
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			ptr := rapid.SampledFrom(ptrs).Draw(t, "pointer")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				if _, ok := d.Get(ptr); !ok {
					continue
				}
				done = append(done, "remove "+ptr)
				before := mustParse(t, d.Bytes())
				if err := d.Remove(ptr); err != nil {
					t.Fatalf("%v: %v in\n%s", done, err, d.Bytes())
				}
				wantRest(t, before, d, ptr)
				continue
			case 1:
				ptr = JoinPointer(ptr, rapid.SampledFrom([]string{"new", "a b", "-"}).Draw(t, "child"))
			}
			value := drawValue(t, 0)
			done = append(done, fmt.Sprintf("set %s %#v", ptr, value))
			want, wrong := with(clone(d.Value()), mustSplit(ptr), mustNormalise(value))
			before := mustParse(t, d.Bytes())
			err := d.Set(ptr, value)
			if _, refused := with(clone(d.Value()), mustSplit(ptr), nil); wrong != nil || refused != nil {
				if err == nil {
					t.Fatalf("%v: no error, want %v", done, wrong)
				}
				continue
			}
			if err != nil {
				if strings.Contains(err.Error(), "further table") {
					continue
				}
				t.Fatalf("%v: %v in\n%s", done, err, d.Bytes())
			}
			if !equal(d.Value(), want) {
				t.Fatalf("%v: got %v, want %v from\n%s", done, d.Value(), want, before.Bytes())
			}
			wantRest(t, before, d, ptr)
			n, rest := before.find(mustSplit(ptr))
			switch {
			case len(rest) == 0 && n.kind == valueNode:
				if at := n.raw.span; !bytes.HasPrefix(d.Bytes(), before.src[:at.start]) || !bytes.HasSuffix(d.Bytes(), before.src[at.end:]) {
					// A table in a value's place may be written elsewhere; its line goes then.
					if !isTable(mustNormalise(value)) && !isTables(value) {
						t.Fatalf("%v changed more than a value:\n%s\nfrom\n%s", done, d.Bytes(), before.Bytes())
					}
				}
			case len(rest) == 1 && (n.kind == tableNode || n.kind == inlineNode) && !isTable(mustNormalise(value)) && !isTables(value):
				if !isInsertion(before.Bytes(), d.Bytes()) {
					t.Fatalf("%v is no insertion:\n%s\nfrom\n%s", done, d.Bytes(), before.Bytes())
				}
			default:
				continue
			}
			if got, want := commentLines(d.Bytes()), commentLines(before.Bytes()); got < want {
				t.Fatalf("%v: %d lines of comments, were %d:\n%s\nfrom\n%s", done, got, want, d.Bytes(), before.Bytes())
			}
		}
		checkIndex(t, d)
	})
}

// isTables tells whether a value may be written as an array of tables.
func isTables(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) > 0 && isTable(list[0])
}

// commentLines counts the lines that hold nothing but a comment.
func commentLines(b []byte) (n int) {
	for line := range bytes.Lines(b) {
		if isComment(line) {
			n++
		}
	}
	return n
}

func mustSplit(ptr string) []string {
	keys, err := splitPointer(ptr)
	if err != nil {
		panic(err)
	}
	return keys
}

func mustNormalise(v any) any {
	n, err := normalise(v, 0)
	if err != nil {
		panic(err)
	}
	return n
}

func TestReorderingMovesValuesAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawDocument(t)
		d := mustParse(t, src)
		var lists []string
		for _, p := range allPointers("", d.Value()) {
			if v, _ := d.Get(p); v != nil {
				if l, ok := v.([]any); ok && len(l) > 1 {
					lists = append(lists, p)
				}
			}
		}
		if len(lists) == 0 {
			return
		}
		ptr := rapid.SampledFrom(lists).Draw(t, "list")
		v, _ := d.Get(ptr)
		order := rapid.Permutation(indices(len(v.([]any)))).Draw(t, "order")
		if err := d.Reorder(ptr, order); err != nil {
			t.Fatalf("%v in\n%s", err, src)
		}
		if bytes.Count(src, []byte("#")) != bytes.Count(d.Bytes(), []byte("#")) {
			t.Fatalf("a comment was lost:\n%s\nfrom\n%s", d.Bytes(), src)
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestAnyDocumentBecomesAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := drawDocument(t), drawDocument(t)
		d, want := mustParse(t, from), mustParse(t, to).Value()
		if err := d.Set("", want); err != nil || !equal(d.Value(), want) {
			t.Fatalf("%v\nfrom\n%s\nto\n%s\ngot\n%s", err, from, to, d.Bytes())
		}
		checkIndex(t, d)
	})
}
