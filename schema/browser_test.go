package schema

import (
	"net/url"
	"strings"
)

// submit is what a browser sends for a form that nobody touched.
func submit(f Form) url.Values {
	form := url.Values{}
	var section func(s Section)
	field := func(f Field) {
		if f.Choice != nil {
			form.Set(f.Choice.Name, selected(f.Choice.Options))
		}
		if f.ReadOnly {
			return
		}
		switch f.Control {
		case Raw, None:
		case Password:
			form.Set(f.Name, "")
		case Checkbox:
			form.Set(f.Name, "false")
			if f.Value == "true" {
				form.Add(f.Name, "true")
			}
		case Select:
			form.Set(f.Name, selected(f.Options))
		case Checks:
			form.Set(f.Name, "")
			for _, o := range f.Options {
				if o.Selected {
					form.Add(f.Name, o.Value)
				}
			}
		default:
			form.Set(f.Name, strings.ReplaceAll(f.Value, "\n", "\r\n"))
		}
	}
	section = func(s Section) {
		for _, h := range s.Hidden {
			form.Set(h.Name, h.Value)
		}
		if s.Choice != nil {
			form.Set(s.Choice.Name, selected(s.Choice.Options))
		}
		for _, f := range s.Fields {
			field(f)
		}
		for _, sub := range s.Sections {
			section(sub)
		}
		if s.Add != nil && s.Add.KeyName != "" {
			form.Set(s.Add.KeyName, "")
		}
	}
	for _, s := range f.Sections {
		section(s)
	}
	form.Set(":revision", "abc")
	return form
}

// selected is the value of a select: its first option where none is selected.
func selected(options []Option) string {
	for _, o := range options {
		if o.Selected {
			return o.Value
		}
	}
	if len(options) > 0 {
		return options[0].Value
	}
	return ""
}

// find looks for a field by its name.
func find(f Form, name string) *Field {
	var in func(list []Section) *Field
	in = func(list []Section) *Field {
		for i := range list {
			for _, fs := range [][]Field{list[i].Fields, list[i].Unknown} {
				for j := range fs {
					if fs[j].Name == name {
						return &fs[j]
					}
				}
			}
			if c := list[i].Choice; c != nil && c.Name == name {
				return c
			}
			if found := in(list[i].Sections); found != nil {
				return found
			}
		}
		return nil
	}
	return in(f.Sections)
}

// findSection looks for a section by its name.
func findSection(list []Section, name string) *Section {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
		if found := findSection(list[i].Sections, name); found != nil {
			return found
		}
	}
	return nil
}
