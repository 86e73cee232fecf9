package configfile

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
)

type table = map[string]any

func set(ptr string, v any) Edit { return Edit{Pointer: ptr, Value: v} }
func remove(ptr string) Edit     { return Edit{Pointer: ptr, Remove: true} }

var edits = []struct {
	name, in string
	edit     Edit
	want     string
}{
	// Values keep their notation.
	{"a whole number changes its digits only", "a = 1 # one\nb=2\n", set("/a", 5000), "a = 5000 # one\nb=2\n"},
	{"underscores stay where they group thousands", "a = 5_000\n", set("/a", 1250000), "a = 1_250_000\n"},
	{"a hexadecimal number stays one", "a = 0xFF_00\n", set("/a", 0xABCDE), "a = 0xA_BC_DE\n"},
	{"a hexadecimal number keeps its width and its case", "a = 0x00ff\n", set("/a", 171), "a = 0x00ab\n"},
	{"an octal number stays one", "a = 0o755\n", set("/a", 0o644), "a = 0o644\n"},
	{"a binary number stays one", "a = 0b1010\n", set("/a", 7), "a = 0b111\n"},
	{"a negative number gives up hexadecimal", "a = 0xff\n", set("/a", -1), "a = -1\n"},
	{"a plus sign stays", "a = +1\n", set("/a", 2), "a = +2\n"},
	{"a float keeps its trailing zeros", "a = 1.50\n", set("/a", 250.5), "a = 250.50\n"},
	{"a float without trailing zeros gets none", "a = 0.25\n", set("/a", 0.5), "a = 0.5\n"},
	{"a float keeps its exponent", "a = 1e6\n", set("/a", 2.5e7), "a = 2.5e7\n"},
	{"a float keeps its exponent's case and sign", "a = 1.0E+6\n", set("/a", 2e7), "a = 2.0E+7\n"},
	{"a float keeps its underscores", "a = 1_000.5\n", set("/a", 2500000.25), "a = 2_500_000.25\n"},
	{"a float that is whole keeps a point", "a = 1.5\n", set("/a", 2.0), "a = 2.0\n"},
	{"infinity and not-a-number can be written", "a = 1.5\nb = 1.5\n", set("", table{"a": math.Inf(-1), "b": math.NaN()}), "a = -inf\nb = nan\n"},
	{"a float leaves infinity", "a = +inf\n", set("/a", 1.5), "a = 1.5\n"},
	{"a literal string stays literal", `a = 'C:\x' # path` + "\n", set("/a", `D:\y`), `a = 'D:\y' # path` + "\n"},
	{"a literal string gives way to an apostrophe", `a = 'x'`, set("/a", "it's"), `a = "it's"`},
	{"a basic string is escaped", `a = "x"`, set("/a", "q\"\\\n\x01ü"), `a = "q\"\\\n\u0001ü"`},
	{"a string may look like a comment", `a = "x # y" # z`, set("/a", "# # ="), `a = "# # =" # z`},
	{"a multi-line string stays one", "a = \"\"\"\none\ntwo\n\"\"\" # c\n", set("/a", "one\n\\2\"\"\"\t\n"), "a = \"\"\"\none\n\\\\2\"\"\\\"\t\n\"\"\" # c\n"},
	{"a multi-line string that ends in a quote", "a = \"\"\"x\"\"\"\n", set("/a", "y\"\n\""), "a = \"\"\"y\"\n\\\"\"\"\"\n"},
	{"a multi-line literal string stays one", "a = '''\none'''\n", set("/a", "two\nthree"), "a = '''\ntwo\nthree'''\n"},
	{"a multi-line string in a file with CRLF", "a = \"\"\"\r\none\r\n\"\"\"\r\nb = 1\r\n", set("/a", "two\r\n"), "a = \"\"\"\r\ntwo\r\n\"\"\"\r\nb = 1\r\n"},
	{"a boolean", "a = true#c\n", set("/a", false), "a = false#c\n"},
	{"a date", "a = 2026-01-02\n", set("/a", toml.LocalDate{Year: 2026, Month: 12, Day: 24}), "a = 2026-12-24\n"},
	{"a time keeps its decimals", "a = 09:30:00.000\n", set("/a", toml.LocalTime{Hour: 16}), "a = 16:00:00.000\n"},
	{"a date and time keeps its blank and its z", "a = 2026-01-02 03:04:05z # c\n", set("/a", time.Date(2027, 1, 2, 3, 4, 6, 0, time.UTC)), "a = 2027-01-02 03:04:06z # c\n"},
	{"a date and time with an offset", "a = 2026-01-02T03:04:05-05:00\n", set("/a", time.Date(2027, 1, 2, 3, 4, 6, 5e8, time.FixedZone("", 3600))), "a = 2027-01-02T03:04:06.5+01:00\n"},
	{"a local date and time", "a = 2026-01-02t03:04:05\n", set("/a", toml.LocalDateTime{LocalDate: toml.LocalDate{Year: 2026, Month: 2, Day: 3}}), "a = 2026-02-03t00:00:00\n"},
	{"a number becomes a text", "a = 1 # c\n", set("/a", "one"), "a = \"one\" # c\n"},
	{"a text becomes a table", "a = 'x' # c\n", set("/a", table{"b": 1}), "a = { b = 1 } # c\n"},
	{"equal values change nothing", "a = 0x0A\nb = [1,  2]\n[c]\nd=1.0e0", set("", table{"a": 10, "b": []int{1, 2}, "c": table{"d": 1.0}}), "a = 0x0A\nb = [1,  2]\n[c]\nd=1.0e0"},
	{"a value behind a byte order mark", "\ufeffa = 1\r\n", set("/a", 2), "\ufeffa = 2\r\n"},
	{"a value behind dotted keys", "a . \"b c\" . d = 1\n", set("/a/b c/d", 2), "a . \"b c\" . d = 2\n"},
	{"a value in an inline table", "a = { b = 1, c = {d=2} } # x\n", set("/a/c/d", 3), "a = { b = 1, c = {d=3} } # x\n"},
	{"a value in an array of tables", "[[a]]\nb=1\n[[a]]\nb=2\n[a.c]\nd=1\n", set("/a/1/c/d", 3), "[[a]]\nb=1\n[[a]]\nb=2\n[a.c]\nd=3\n"},

	// New keys.
	{"a key goes behind its table's last", "[a]\nb = 1\n\n# about c\n[c]\nd = 1\n", set("/a/x", 2), "[a]\nb = 1\nx = 2\n\n# about c\n[c]\nd = 1\n"},
	{"a key goes before a comment that follows at once", "[a]\nb = 1\n# about c\n[c]\n", set("/a/x", 2), "[a]\nb = 1\nx = 2\n# about c\n[c]\n"},
	{"a key is written like its neighbours", "[a]\n  b=1\n  c=2\n", set("/a/x", 2), "[a]\n  b=1\n  c=2\n  x=2\n"},
	{"a key joins a column of equals signs", "[a]\nstart    = 1\nstop     = 2\n", set("/a/days", 3), "[a]\nstart    = 1\nstop     = 2\ndays     = 3\n"},
	{"a key too long for the column", "[a]\nb    = 1\nc    = 2\n", set("/a/timezone", 3), "[a]\nb    = 1\nc    = 2\ntimezone = 3\n"},
	{"a key with CRLF", "[a]\r\nb = 1\r\n\r\n[c]\r\n", set("/a/x", "y"), "[a]\r\nb = 1\r\nx = \"y\"\r\n\r\n[c]\r\n"},
	{"a key with no final newline", "[a]\nb = 1", set("/a/x", 2), "[a]\nb = 1\nx = 2"},
	{"a key with no final newline and CRLF", "[a]\r\nb = 1", set("/a/x", 2), "[a]\r\nb = 1\r\nx = 2"},
	{"a key in an empty table", "[a] # none\n\n[c]\n", set("/a/x", 2), "[a] # none\nx = 2\n\n[c]\n"},
	{"a key in an empty indented table", "[a]\n  b = 1\n  [a.c]\n", set("/a/c/x", 2), "[a]\n  b = 1\n  [a.c]\n    x = 2\n"},
	{"a key of the document", "a = 1\n\n[b]\n", set("/x", 2), "a = 1\nx = 2\n\n[b]\n"},
	{"a first key of the document", "# Title\n\n# about b\n[b]\nc = 1\n", set("/x", 2), "# Title\n\nx = 2\n\n# about b\n[b]\nc = 1\n"},
	{"a first key below the title", "# Title\n[b]\n", set("/x", 2), "# Title\nx = 2\n\n[b]\n"},
	{"a key in an empty document", "", set("/x", 2), "x = 2\n"},
	{"a key in a document of comments", "# none", set("/x", 2), "# none\nx = 2"},
	{"a key behind only a byte order mark", "\ufeff", set("/x", 2), "\ufeffx = 2\n"},
	{"odd keys are quoted", "a = 1\n", set("/<script>~1ü\n", 2), "a = 1\n\"<script>/ü\\n\" = 2\n"},
	{"the empty key", "a = 1\n", set("/", 2), "a = 1\n\"\" = 2\n"},
	{"__proto__ is a key like others", "a = 1\n", set("/__proto__", 2), "a = 1\n__proto__ = 2\n"},
	{"a key in a dotted table", "[s]\na.b = 1\na.c = 2\nz = 1\n", set("/s/a/x", 3), "[s]\na.b = 1\na.c = 2\na.x = 3\nz = 1\n"},
	{"a key in a dotted table with quotes", "'a'.\"b\".c = 1\n", set("/a/b/x", 3), "'a'.\"b\".c = 1\n'a'.\"b\".x = 3\n"},
	{"a key in a super-table", "[a.b]\nc = 1\n", set("/a/x", 2), "[a]\nx = 2\n\n[a.b]\nc = 1\n"},
	{"a key in a super-table below others", "z = 1\n\n# about b\n[\"a\".b]\nc = 1\n", set("/a/x", 2), "z = 1\n\n[\"a\"]\nx = 2\n\n# about b\n[\"a\".b]\nc = 1\n"},
	{"a key in an inline table", "a = { b = 1 } # c\n", set("/a/x", 2), "a = { b = 1, x = 2 } # c\n"},
	{"a key in a tight inline table", "a = {b=1,c=2}\n", set("/a/x", 2), "a = {b=1,c=2,x=2}\n"},
	{"a key in an empty inline table", "a = {}\n", set("/a/x", 2), "a = { x = 2 }\n"},
	{"a key in a dotted part of an inline table", "a = { b.c = 1, d = 2 }\n", set("/a/b/x", 3), "a = { b.c = 1, b.x = 3, d = 2 }\n"},
	{"a key in an inline table with blanks", "a = {    } # c\n", set("/a/x", 2), "a = { x = 2   } # c\n"},
	{"a key in an inline table with a blank", "a = { }\n", set("/a/x", 2), "a = { x = 2 }\n"},
	{"a key in an inline table with an array on lines", "a = { b = [\n  1, # one\n] }\n", set("/a/x", 3), "a = { b = [\n  1, # one\n], x = 3 }\n"},
	{"a key in an element", "[[a]]\nb = 1\n\n[[a]]\nb = 2\n", set("/a/0/x", 3), "[[a]]\nb = 1\nx = 3\n\n[[a]]\nb = 2\n"},
	{"a key in an out-of-order table", "[a]\nb = 1\n[c]\nd = 1\n[a.e]\nf = 1\n", set("/a/x", 2), "[a]\nb = 1\nx = 2\n[c]\nd = 1\n[a.e]\nf = 1\n"},

	// New tables.
	{"a table goes to the end", "[a]\nb = 1\n", set("/x/y", 2), "[a]\nb = 1\n\n[x]\ny = 2\n"},
	{"a table goes to the end without final newline", "[a]\nb = 1", set("/x/y", 2), "[a]\nb = 1\n\n[x]\ny = 2"},
	{"a table in a tight file", "[a]\nb=1\n[c]\nd=1\n", set("/x/y", 2), "[a]\nb=1\n[c]\nd=1\n[x]\ny=2\n"},
	{"a table deep down", "", set("/x/y z/w", 2), "[x.\"y z\"]\nw = 2\n"},
	{"a table within a table", "[a]\nb = 1\n\n[c]\nd = 1\n", set("/a/x/y", 2), "[a]\nb = 1\n\n[a.x]\ny = 2\n\n[c]\nd = 1\n"},
	{"a table within an element", "[[a]]\nb = 1\n\n[[a]]\nb = 2\n", set("/a/0/x", table{"y": 1}), "[[a]]\nb = 1\n\n[a.x]\ny = 1\n\n[[a]]\nb = 2\n"},
	{"an inline table among inline tables", "[a]\nb = { c = 1 }\n", set("/a/x/y", 2), "[a]\nb = { c = 1 }\nx = { y = 2 }\n"},
	{"an empty table", "[a]\nb = 1\n", set("/x", table{}), "[a]\nb = 1\n\n[x]\n"},
	{"an array of tables", "a = 1\n", set("/x", []any{table{"y": 1}, table{"y": 2, "z": table{"w": 1}}}), "a = 1\n\n[[x]]\ny = 1\n\n[[x]]\ny = 2\n\n[x.z]\nw = 1\n"},
	{"a further element of an array of tables", "[[a]]\nb = 1\n\n# about c\n[c]\nd = 1\n", set("/a/-", table{"b": 2}), "[[a]]\nb = 1\n\n[[a]]\nb = 2\n\n# about c\n[c]\nd = 1\n"},
	{"a further element behind sub-tables", "[[a]]\nb = 1\n[a.s]\nx = 1\n", set("/a/1", table{"b": 2}), "[[a]]\nb = 1\n[a.s]\nx = 1\n[[a]]\nb = 2\n"},

	// Removal.
	{"a key goes with its line and comment", "a = 1\n# about b\nb = 2 # two\nc = 3\n", remove("/b"), "a = 1\n# about b\nc = 3\n"},
	{"a key goes with all its lines", "a = 1\nb = [\n 1, # x\n 2\n] # y\nc = 3\n", remove("/b"), "a = 1\nc = 3\n"},
	{"the last key", "a = 1\nb = 2", remove("/b"), "a = 1\n"},
	{"a dotted key", "a.b = 1\na.c = 2\n", remove("/a/b"), "a.c = 2\n"},
	{"the last dotted key", "z = 1\na.b.c = 1\n", remove("/a/b/c"), "z = 1\n"},
	{"a dotted table", "a.b = 1\nz = 1\na.c.d = 2\n", remove("/a"), "z = 1\n"},
	{"an entry of an inline table", "a = { b = 1, c = 2, d = 3 }\n", remove("/a/c"), "a = { b = 1, d = 3 }\n"},
	{"the first entry of an inline table", "a = { b = 1, c = 2 }\n", remove("/a/b"), "a = { c = 2 }\n"},
	{"the last entry of an inline table", "a = { b = 1, c = 2 }\n", remove("/a/c"), "a = { b = 1 }\n"},
	{"the only entry of an inline table", "a = { b = 1 }\n", remove("/a/b"), "a = {}\n"},
	{"a dotted part of an inline table", "a = { b.c = 1, d = 2, b.e = 3 }\n", remove("/a/b"), "a = { d = 2 }\n"},
	{"a table goes with its section", "# Title\n\n[a]\nb = 1\n\n# about c\n[c]\nd = 1\n# e = 2\n\n# about f\n[f]\n", remove("/c"), "# Title\n\n[a]\nb = 1\n\n# about f\n[f]\n"},
	{"a last table goes with the blank line above", "[a]\nb = 1\n\n[c]\nd = 1\n", remove("/c"), "[a]\nb = 1\n"},
	{"a comment between sections stays", "[a]\nb = 1\n\n# ---- next part ----\n\n[c]\n", remove("/a"), "# ---- next part ----\n\n[c]\n"},
	{"a table goes with its sub-tables wherever they are", "[a]\nb = 1\n[c]\nd = 1\n[a.e]\nf = 1\n", remove("/a"), "[c]\nd = 1\n"},
	{"a sub-table", "[a]\nb = 1\n\n[a.e]\nf = 1\n\n[a.g]\nh = 1\n", remove("/a/e"), "[a]\nb = 1\n\n[a.g]\nh = 1\n"},
	{"the file's title stays", "# Title\n[a]\nb = 1\n[c]\n", remove("/a"), "# Title\n[c]\n"},
	{"an element of an array of tables", "# one\n[[a]]\nb = 1\n[a.s]\n\n# two\n[[a]]\nb = 2\n", remove("/a/1"), "# one\n[[a]]\nb = 1\n[a.s]\n"},
	{"the only element of an array of tables", "x = 1\n[[a]]\nb = 1\n", remove("/a/0"), "x = 1\n"},

	// Arrays.
	{"an element is replaced", "a = [ 1, 2,3 ] # c\n", set("/a/1", 9), "a = [ 1, 9,3 ] # c\n"},
	{"an element is appended", "a = [1, 2] # c\n", set("/a/-", 3), "a = [1, 2, 3] # c\n"},
	{"an element is appended at its index", "a = [1,2]\n", set("/a/2", 3), "a = [1,2,3]\n"},
	{"an element is appended behind a comma", "a = [1, 2,]\n", set("/a/-", 3), "a = [1, 2, 3,]\n"},
	{"an element is put into an empty array", "a = [ ]\n", set("/a/-", "x"), "a = [ \"x\" ]\n"},
	{"an element is put into an empty array of two lines", "a = [\n]\n", set("/a/-", "x"), "a = [\n  \"x\"\n]\n"},
	{"an element is put into an array with a comment", "a = [\n  # none yet\n]\n", set("/a/-", "x"), "a = [\n  # none yet\n  \"x\"\n]\n"},
	{"an element is appended to lines", "a = [\n  1, # one\n  2 # two\n]\n", set("/a/-", 3), "a = [\n  1, # one\n  2, # two\n  3\n]\n"},
	{"an element is appended to lines with commas", "a = [\r\n\t1,\r\n\t2,\r\n]\r\n", set("/a/-", 3), "a = [\r\n\t1,\r\n\t2,\r\n\t3,\r\n]\r\n"},
	{"an element is removed", "a = [1, 2, 3]\n", remove("/a/1"), "a = [1, 3]\n"},
	{"the first element is removed", "a = [1, 2, 3]\n", remove("/a/0"), "a = [2, 3]\n"},
	{"the last element is removed", "a = [1, 2, 3]\n", remove("/a/2"), "a = [1, 2]\n"},
	{"the only element is removed", "a = [ 1, ]\n", remove("/a/0"), "a = []\n"},
	{"an element is removed with its line", "a = [\n  1, # one\n  # about two\n  2, # two\n  3, # three\n]\n", remove("/a/1"), "a = [\n  1, # one\n  # about two\n  3, # three\n]\n"},
	{"the last element is removed with its line", "a = [\n  1, # one\n  2 # two\n]\n", remove("/a/1"), "a = [\n  1 # one\n]\n"},
	{"a whole array keeps what it can", "a = [\n  \"mon\", # m\n  \"tue\", # t\n  \"wed\", # w\n  \"thu\", # h\n]\n", set("/a", []string{"mon", "wed", "thu", "fri"}), "a = [\n  \"mon\", # m\n  \"wed\", # w\n  \"thu\", # h\n  \"fri\",\n]\n"},
	{"an array grows at the front", "a = [2, 3]\n", set("/a", []int{1, 2, 3}), "a = [1, 2, 3]\n"},
	{"an array grows in the middle of its lines", "a = [\n  1,\n  # about 3\n  3,\n]\n", set("/a", []int{1, 2, 3}), "a = [\n  1,\n  2,\n  # about 3\n  3,\n]\n"},
	{"an array becomes empty", "a = [1, 2]\n", set("/a", []any{}), "a = []\n"},
	{"an array in an array", "a = [[1, 2], [3]]\n", set("/a/1/-", 4), "a = [[1, 2], [3, 4]]\n"},
	{"a table in an array", "a = [{ b = 1 }, { b = 2 }]\n", set("/a/1/c", 4), "a = [{ b = 1 }, { b = 2, c = 4 }]\n"},
	{"an array of tables changes as a whole", "z = 1\n\n# one\n[[a]]\nb = 1 # c\n\n# two\n[[a]]\nb = 2\n", set("/a", []any{table{"b": 2}, table{"b": 3}}), "z = 1\n\n# two\n[[a]]\nb = 2\n\n[[a]]\nb = 3\n"},
	{"an array of tables becomes empty", "z = 1\n\n[[a]]\nb = 1\n", set("/a", []any{}), "z = 1\na = []\n"},
	{"a table becomes a number", "z = 1\n\n[a]\nb = 1\n\n[c]\nd = 1\n", set("/a", 5), "z = 1\na = 5\n\n[c]\nd = 1\n"},
	{"a table changes as a whole", "[a]\nb = 1 # c\nd = 2\n", set("/a", table{"b": 1, "x": 3}), "[a]\nb = 1 # c\nx = 3\n"},
	{"a dotted table becomes empty", "z = 1\na.b = 1\n", set("/a", table{}), "z = 1\n\n[a]\n"},
}

func TestEditsChangeOnlyTheirOwnBytes(t *testing.T) {
	for _, c := range edits {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Apply(c.edit); err != nil {
				t.Fatal(err)
			}
			if got := string(d.Bytes()); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", show(got), show(c.want))
			}
		})
	}
}

func show(s string) string {
	return strings.NewReplacer("\r", "␍", "\t", "→", "\ufeff", "<BOM>").Replace(s) + "◂"
}

func TestRefusedEditsLeaveTheDocumentAlone(t *testing.T) {
	const src = "a = 1\nb = [1]\n[t]\nc = 'x'\n[[l]]\nd = 1\n"
	for _, c := range []struct {
		name string
		edit Edit
		want string
	}{
		{"a whole number beyond 64 bits", set("/a", uint64(math.MaxUint64)), "/a cannot be set: the whole number 18446744073709551615 does not fit"},
		{"a large JSON number", set("/a", json.Number("9223372036854775808")), "does not fit"},
		{"null", set("/a", nil), "cannot hold null"},
		{"text that is not UTF-8", set("/a", "\xff"), "not valid UTF-8"},
		{"a key that is not UTF-8", set("/t", table{"\xff": 1}), "not valid UTF-8"},
		{"a function", set("/a", func() {}), "kind func()"},
		{"a key in a text", set("/t/c/x", 1), "a text is not a table"},
		{"an element beyond the end", set("/b/5", 1), "the array has 1 elements"},
		{"an element by a name", set("/b/x", 1), "none at \"x\""},
		{"a number among tables", set("/l/-", 1), "can only take a further table"},
		{"an absent key's removal", remove("/t/x"), "/t/x cannot be removed: there is nothing of that name"},
		{"the document's removal", remove(""), "cannot be removed"},
		{"the document as a number", set("", 1), "only be set to a table"},
		{"no pointer", set("a", 1), "does not start with a slash"},
		{"too deep", set(strings.Repeat("/x", 5000), 1), "levels"},
		{"a year beyond 9999", set("/a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "year 10000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse([]byte(src))
			if err != nil {
				t.Fatal(err)
			}
			err = d.Apply(set("/a", 2), c.edit)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if got := string(d.Bytes()); got != src {
				t.Errorf("the document changed to %q", got)
			}
		})
	}
}
