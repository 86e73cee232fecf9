package schema

import (
	"fmt"
	"strings"
)

// dump writes a form as text, for golden files and for reading.
func dump(f Form) string {
	var b strings.Builder
	fmt.Fprintf(&b, "form %q\n", f.Title)
	for _, p := range f.Problems {
		fmt.Fprintf(&b, "! %s\n", p)
	}
	for _, s := range f.Sections {
		dumpSection(&b, s, 0)
	}
	return b.String()
}

func dumpSection(b *strings.Builder, s Section, depth int) {
	in := strings.Repeat("  ", depth)
	fmt.Fprintf(b, "%s[%s] %s %q%s\n", in, s.Name, s.Kind, s.Title, words(
		on(!s.Present, "absent"), on(s.Required, "required"), on(s.Deprecated, "deprecated"), on(s.ReadOnly, "read-only"), on(s.Remove != nil, "remove"), on(s.Up != nil, "up"), on(s.Down != nil, "down")))
	in += "  "
	for _, p := range s.Problems {
		fmt.Fprintf(b, "%s! %s\n", in, p)
	}
	for _, h := range s.Hidden {
		fmt.Fprintf(b, "%shidden %s=%q\n", in, h.Name, h.Value)
	}
	if s.Choice != nil {
		dumpField(b, *s.Choice, in)
	}
	for _, f := range s.Fields {
		dumpField(b, f, in)
	}
	for _, sub := range s.Sections {
		dumpSection(b, sub, depth+1)
	}
	for _, f := range s.Unknown {
		fmt.Fprintf(b, "%sunknown %s = %s\n", in, f.Name, f.Value)
	}
	if s.Add != nil {
		fmt.Fprintf(b, "%sadd %s%s\n", in, s.Add.Value, words(on(s.Add.KeyName != "", "key "+s.Add.KeyName), on(s.Add.Problem != "", "! "+s.Add.Problem)))
	}
}

func dumpField(b *strings.Builder, f Field, in string) {
	bounds := ""
	if f.Min+f.Max != "" {
		bounds = f.Min + ".." + f.Max
	}
	def := ""
	if f.HasDefault {
		def = fmt.Sprintf("default %q", f.Default)
	}
	fmt.Fprintf(b, "%s%s %q %s = %q%s\n", in, f.Name, f.Label, f.Control, f.Value, words(
		bounds, f.Unit, def, on(f.Step != "", "step "+f.Step), on(f.Pattern != "", "pattern "+f.Pattern),
		on(!f.Present, "absent"), on(f.Required, "required"), on(f.Secret, "secret"), on(f.Deprecated, "deprecated"), on(f.ReadOnly, "read-only"),
		f.Reload, on(f.Danger != "", "danger"), on(f.Remove != nil, "remove"), on(f.Up != nil, "up"), on(f.Down != nil, "down")))
	for _, p := range f.Problems {
		fmt.Fprintf(b, "%s  ! %s\n", in, p)
	}
	if len(f.Options) > 0 {
		var opts []string
		for _, o := range f.Options {
			mark := ""
			if o.Selected {
				mark = "*"
			}
			opts = append(opts, mark+o.Value+"="+o.Label)
		}
		fmt.Fprintf(b, "%s  options %s\n", in, strings.Join(opts, " | "))
	}
	if f.Choice != nil {
		dumpField(b, *f.Choice, in+"  ")
	}
}

func on(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

func words(list ...string) string {
	var b strings.Builder
	for _, w := range list {
		if w != "" {
			b.WriteString(", " + w)
		}
	}
	return b.String()
}
