package configfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The documents of this test are drawn as a model, so that it is known what each side did to what:
// a table of limits, and a list of hosts that are told apart by their names.

type modelKey struct {
	name, value string
	above, tail string // comments
}

type modelTable struct {
	name  string // of a host; "": the limits
	above string
	keys  []modelKey
}

func (m modelTable) clone() modelTable { m.keys = slices.Clone(m.keys); return m }

type model []modelTable

func (m model) clone() model {
	out := make(model, len(m))
	for i, t := range m {
		out[i] = t.clone()
	}
	return out
}

func (m model) text() []byte {
	var b strings.Builder
	comment := func(text, end string) {
		if text != "" {
			b.WriteString(text + end)
		}
	}
	for _, t := range m {
		comment(t.above, "\n")
		if t.name == "" {
			b.WriteString("[limits]\n")
		} else {
			b.WriteString("[[hosts]]\nname = '" + t.name + "'\n")
		}
		for _, k := range t.keys {
			comment(k.above, "\n")
			b.WriteString(k.name + " = " + k.value)
			comment(k.tail, "")
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	return []byte(b.String())
}

// values are all values by table and key, and comments all comments by the same and their text.
func (m model) values() (values map[string]string, comments map[string]bool) {
	values, comments = map[string]string{}, map[string]bool{}
	for _, t := range m {
		values[t.name] = "there"
		comments[t.name+" "+t.above] = true
		for _, k := range t.keys {
			at := t.name + "/" + k.name
			values[at] = k.value
			comments[at+" "+k.above] = true
			comments[at+" "+strings.TrimSpace(k.tail)] = true
		}
	}
	return values, comments
}

func (m model) hosts() []string {
	var names []string
	for _, t := range m[1:] {
		names = append(names, t.name)
	}
	return names
}

func drawModel(t *rapid.T) model {
	m := model{{above: "# limits"}}
	for i := range rapid.IntRange(1, 4).Draw(t, "hosts") {
		m = append(m, modelTable{name: string(rune('a' + i))})
	}
	for i := range m {
		for _, key := range []string{"p", "q", "r"} {
			k := modelKey{name: key, value: rapid.SampledFrom([]string{"1", "1", "2"}).Draw(t, "value")}
			if rapid.Bool().Draw(t, "commented") {
				k.tail = rapid.SampledFrom([]string{" # of " + m[i].name + key, " # same"}).Draw(t, "tail")
			}
			m[i].keys = append(m[i].keys, k)
		}
		if i > 0 && rapid.Bool().Draw(t, "headed") {
			m[i].above = "# host " + m[i].name
		}
	}
	return m
}

// drawEdit is what one side makes of a model. Its comments and new hosts carry its name.
func drawEdit(t *rapid.T, m model, who string) (out model, moved bool) {
	out = m.clone()
	for n := range rapid.IntRange(1, 4).Draw(t, who) {
		i := rapid.IntRange(0, len(out)-1).Draw(t, "table")
		k := rapid.IntRange(0, max(len(out[i].keys)-1, 0)).Draw(t, "key")
		mark := "# " + who + strconv.Itoa(n)
		switch what := rapid.IntRange(0, 8).Draw(t, "what"); {
		case what == 5 && i > 0:
			host := out[i]
			out = slices.Insert(slices.Delete(out, i, i+1), rapid.IntRange(1, len(out)-1).Draw(t, "to"), host)
		case what == 6 && i > 0 && len(out) > 2:
			out = slices.Delete(out, i, i+1)
		case what == 7:
			name := rapid.SampledFrom([]string{who, "new"}).Draw(t, "name")
			if !slices.ContainsFunc(out, func(t modelTable) bool { return t.name == name }) {
				out = append(out, modelTable{name: name, above: mark, keys: []modelKey{{name: "p", value: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value")}}})
			}
		case what == 8:
			out[i].above = mark
		case len(out[i].keys) == 0:
		case what < 2:
			out[i].keys[k].value = rapid.SampledFrom([]string{"1", "3", "4", "0x3"}).Draw(t, "value")
		case what == 2:
			out[i].keys[k].above = mark
		case what == 3:
			out[i].keys[k].tail = " " + mark
		case what == 4:
			out[i].keys = slices.Delete(out[i].keys, k, k+1)
		}
	}
	was, is := m.hosts(), out.hosts()
	both := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !slices.Contains(other, s) })
	}
	return out, !slices.Equal(both(was, is), both(is, was))
}

func number(text string) string {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		return text
	}
	return strconv.FormatInt(n, 10)
}

// modelOf reads a merged document back.
func modelOf(t *rapid.T, src []byte) (values map[string]string, comments map[string]bool, order []string) {
	d := mustParse(t, src)
	values, comments = map[string]string{}, map[string]bool{}
	add := func(name string, table map[string]any) {
		values[name] = "there"
		for k, v := range table {
			if k != "name" {
				values[name+"/"+k] = fmt.Sprint(v)
			}
		}
	}
	if limits, ok := d.Value()["limits"]; ok {
		add("", limits.(map[string]any))
	}
	names := map[string]string{"/limits": ""}
	for i, h := range tablesOf(d.Value()["hosts"]) {
		name := h.(map[string]any)["name"].(string)
		names["/hosts/"+strconv.Itoa(i)] = name
		add(name, h.(map[string]any))
		order = append(order, name)
	}
	for at, texts := range d.notes().at {
		owner, ok := names[at]
		if cut := strings.LastIndexByte(at, '/'); !ok && cut > 0 {
			owner = names[at[:cut]] + at[cut:]
		}
		for _, text := range texts {
			comments[owner+" "+text] = true
		}
	}
	return values, comments, order
}

func TestMergeLosesNothingOfEitherSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawModel(t)
		theirs, theyMoved := drawEdit(t, base, "theirs")
		yours, youMoved := drawEdit(t, base, "yours")
		b, th, y := base.text(), theirs.text(), yours.text()
		m, err := Merge(b, th, y)
		if err != nil {
			t.Fatalf("%v", err)
		}
		fail := func(format string, args ...any) {
			t.Fatalf("%s\nbase\n%s\ntheirs\n%s\nyours\n%s\nmerged, clashes %+v, unmerged %v\n%s", fmt.Sprintf(format, args...), b, th, y, m.Clashes, m.Unmerged, m.Content)
		}
		got, gotNotes, order := modelOf(t, m.Content)
		was, wasNotes := base.values()
		their, theirNotes := theirs.values()
		your, yourNotes := yours.values()
		doc := mustParse(t, m.Content)
		whole := false // the list is to be decided
		clashing := map[string]bool{}
		for _, c := range m.Clashes {
			if v, ok := doc.Get(c.Pointer); ok != (c.Theirs != nil) || ok && !equal(v, c.Theirs) {
				fail("%s has %v, want theirs", c.Pointer, v)
			}
			keys := mustSplit(c.Pointer)
			switch {
			case len(keys) == 1:
				whole = true
			case len(keys) == 2 && keys[0] == "hosts":
				i, _ := strconv.Atoi(keys[1])
				clashing[order[i]+"/"] = true
			case keys[0] == "hosts":
				i, _ := strconv.Atoi(keys[1])
				clashing[order[i]+"/"+keys[2]] = true
			default:
				clashing["/"+keys[1]] = true
			}
		}
		renamed := false // one went and one came: it may be the same one, whose name is one key among others
		for _, side := range []model{theirs, yours} {
			came := slices.ContainsFunc(side.hosts(), func(n string) bool { return !slices.Contains(base.hosts(), n) })
			went := slices.ContainsFunc(base.hosts(), func(n string) bool { return !slices.Contains(side.hosts(), n) })
			renamed = renamed || came && went
		}
		all := map[string]bool{}
		for _, values := range []map[string]string{was, their, your, got} {
			for at := range values {
				all[at] = true
			}
		}
		for at := range all {
			host, _, _ := strings.Cut(at, "/")
			if renamed && (was[host] == "" || their[host] == "" || your[host] == "") {
				continue
			}
			want := their[at]
			switch {
			case whole && host != "", clashing[at], clashing[host+"/"]:
			case number(your[at]) == number(was[at]), number(your[at]) == number(their[at]):
			case number(their[at]) == number(was[at]):
				want = your[at]
			default:
				fail("%s was changed by both, and is no clash", at)
			}
			if number(got[at]) != number(want) {
				fail("%s is %q, want %q", at, got[at], want)
			}
		}
		for at := range theirNotes {
			owner, text, _ := strings.Cut(at, " ")
			if _, there := got[owner]; text != "" && !wasNotes[at] && there && !gotNotes[at] {
				fail("their comment %q is not at its key", at)
			}
		}
		for at := range yourNotes {
			owner, text, _ := strings.Cut(at, " ")
			host, _, _ := strings.Cut(owner, "/")
			if strings.Contains(text, "yours") && !bytes.Contains(m.Content, []byte(text+"\n")) && !m.Unmerged {
				fail("your comment %q is gone, and nothing says so", at)
			}
			if renamed && (was[host] == "" || their[host] == "" || your[host] == "") {
				continue
			}
			if text != "" && !wasNotes[at] && !gotNotes[at] && !m.Unmerged {
				fail("your comment %q is not at its key, and nothing says so", at)
			}
			if !wasNotes[at] && !gotNotes[at] && strings.Contains(text, "yours") && bytes.Contains(m.Content, []byte(text+"\n")) {
				fail("your comment %q is at another key", at)
			}
		}
		if !whole && theyMoved != youMoved {
			lead := theirs.hosts()
			if youMoved {
				lead = yours.hosts()
			}
			in := func(list, other []string) []string {
				return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !slices.Contains(other, s) || !slices.Contains(base.hosts(), s) })
			}
			if !slices.Equal(in(order, lead), in(lead, order)) {
				fail("the order is %v, want that of %v", order, lead)
			}
		}
	})
}

func TestMergeOfOneSidesChangesIsThatSideByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, other := drawDocument(t), drawDocument(t)
		for _, c := range []struct{ theirs, yours []byte }{{other, base}, {base, other}, {other, other}} {
			m, err := Merge(base, c.theirs, c.yours)
			if err != nil || !bytes.Equal(m.Content, other) || len(m.Clashes) > 0 || m.Unmerged {
				t.Fatalf("got %v, %+v\n%s\nwant\n%s", err, m.Clashes, m.Content, other)
			}
		}
	})
}

// pruned is a value without its empty tables, which a document need not have written.
func pruned(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range t {
			if table, ok := pruned(e).(map[string]any); !ok || len(table) > 0 {
				out[k] = pruned(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = pruned(e)
		}
		return out
	}
	return v
}

// checkMerged holds that a merged value has what each side changed, tables of lists followed by
// their names. at is its place in the merged document.
func checkMerged(t interface{ Fatalf(string, ...any) }, clashes map[string]bool, at string, base, theirs, yours, got side) {
	tidy := func(s side) side {
		v := pruned(s.value)
		table, ok := v.(map[string]any)
		return side{v, s.is && !(ok && len(table) == 0)}
	}
	base, theirs, yours, got = tidy(base), tidy(theirs), tidy(yours), tidy(got)
	want := func(s side, whose string) {
		if !s.equal(got) {
			t.Fatalf("%s is %v, want %s, %v", at, got.value, whose, s.value)
		}
	}
	switch {
	case clashes[at], yours.equal(base), yours.equal(theirs):
		want(theirs, "theirs")
		return
	}
	table := func(s side) (map[string]any, bool) {
		m, ok := s.value.(map[string]any)
		return m, ok || !s.is
	}
	b, bt := table(base)
	th, tt := table(theirs)
	y, yt := table(yours)
	g, gt := table(got)
	if bt && tt && yt && gt {
		for _, k := range unionKeys(b, th, y, g) {
			in := func(m map[string]any) side { v, ok := m[k]; return side{v, ok} }
			checkMerged(t, clashes, JoinPointer(at, k), in(b), in(th), in(y), in(g))
		}
		return
	}
	if theirs.equal(base) {
		want(yours, "yours")
		return
	}
	bl, tl, yl, gl := tablesOf(base.value), tablesOf(theirs.value), tablesOf(yours.value), tablesOf(got.value)
	name := namer(bl, tl, yl)
	if bl == nil || tl == nil || yl == nil || name == "" {
		if bl == nil || tl == nil || yl == nil {
			t.Fatalf("%s was changed by both, to %v and to %v, and is no clash", at, theirs.value, yours.value)
		}
		return // without names it is not said here who is who
	}
	for i, e := range gl {
		v := e.(map[string]any)[name]
		in := func(list []any) side {
			j, ok := named(list, name)[v]
			if !ok {
				return side{}
			}
			return side{list[j], true}
		}
		if b, th, y := in(bl), in(tl), in(yl); b.is && th.is && y.is { // others may have had another name
			checkMerged(t, clashes, JoinPointer(at, strconv.Itoa(i)), b, th, y, side{e, true})
		}
	}
}
