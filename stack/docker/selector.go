package docker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/filters"
)

// selector is a label selector: all its terms hold. The engine itself can only look for labels that
// are there; the rest is compared here.
type selector []term

type term struct {
	key   string
	value string
	op    operator
}

type operator int

const (
	equals operator = iota
	differs
	exists
	absent
)

const selectorHelp = "write app=NAME, or several terms with commas between; a term is key=value, key!=value, key or !key"

// parseSelector understands what the kubernetes backend understands too, without the set notation.
func parseSelector(text string) (selector, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("it is empty, and would choose every container; " + selectorHelp)
	}
	var s selector
	positive := false
	for part := range strings.SplitSeq(text, ",") {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("%q: %w; %s", text, err, selectorHelp)
		}
		positive = positive || t.op == equals || t.op == exists
		s = append(s, t)
	}
	if !positive {
		return nil, fmt.Errorf("%q only says which containers not to choose; %s", text, selectorHelp)
	}
	return s, nil
}

func parseTerm(text string) (term, error) {
	if text == "" {
		return term{}, errors.New("there is nothing between two commas or at an end")
	}
	t := term{key: text, op: exists}
	if key, value, ok := strings.Cut(text, "!="); ok {
		t = term{key: key, value: value, op: differs}
	} else if key, value, ok := strings.Cut(text, "=="); ok {
		t = term{key: key, value: value, op: equals}
	} else if key, value, ok := strings.Cut(text, "="); ok {
		t = term{key: key, value: value, op: equals}
	} else if key, ok := strings.CutPrefix(text, "!"); ok {
		t = term{key: key, op: absent}
	}
	t.key, t.value = strings.TrimSpace(t.key), strings.TrimSpace(t.value)
	switch {
	case t.key == "":
		return term{}, fmt.Errorf("the term %q has no key", text)
	case strings.ContainsAny(t.key, " \t\"'()!="):
		return term{}, fmt.Errorf("%q is no label's name", t.key)
	case (t.op == equals || t.op == differs) && t.value == "":
		return term{}, fmt.Errorf("the term %q has no value", text)
	case strings.ContainsAny(t.value, " \t\"'()!="):
		return term{}, fmt.Errorf("%q is no label's value", t.value)
	}
	return t, nil
}

// matches tells whether a container with these labels is chosen.
func (s selector) matches(labels map[string]string) bool {
	for _, t := range s {
		value, there := labels[t.key]
		var ok bool
		switch t.op {
		case equals:
			ok = there && value == t.value
		case differs:
			ok = !there || value != t.value
		case exists:
			ok = there
		case absent:
			ok = !there
		}
		if !ok {
			return false
		}
	}
	return true
}

// filter is the part of the selector that the engine can apply.
func (s selector) filter() filters.Args {
	args := filters.NewArgs()
	for _, t := range s {
		switch t.op {
		case equals:
			args.Add("label", t.key+"="+t.value)
		case exists:
			args.Add("label", t.key)
		}
	}
	return args
}
