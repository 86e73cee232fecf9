package configfile

import (
	"slices"
	"strconv"
)

// This file tells which table of a list is which table of another version of the list.

// namers are the members that tell one table of a list from another, the strongest first.
var namers = []string{"id", "uuid", "name", "key", "symbol", "code", "label", "title", "host", "account", "user"}

// namer is the first of those that every table of these lists has, each list every value only once;
// "": there is none.
func namer(lists ...[]any) string {
	for _, name := range namers {
		if !slices.ContainsFunc(lists, func(list []any) bool { return named(list, name) == nil }) {
			return name
		}
	}
	return ""
}

// named is where each value of a member is in the list; nil: it does not name the list's tables.
func named(list []any, member string) map[any]int {
	at := make(map[any]int, len(list))
	for i, e := range list {
		table, _ := e.(map[string]any)
		v := table[member]
		switch v.(type) {
		case string, int64:
		default:
			return nil
		}
		if _, twice := at[v]; twice {
			return nil
		}
		at[v] = i
	}
	return at
}

// pairing says which table of an earlier list each table of a later one is.
type pairing struct {
	from []int // by place in the later list: the place in the earlier one; -1: it is new
	// guessed is the place in the later list of the one table that is paired because no other was
	// left, with another name or at another place; -1: none is.
	guessed int
	// sure is false where it cannot be told: several tables without a name changed, or one of several
	// equal ones is gone.
	sure bool
}

// pairTables follows tables by their name where they have one, else by being equal; one that is left
// over on both sides is the same one, changed.
func pairTables(old, new []any) pairing {
	p := pairing{from: make([]int, len(new)), guessed: -1, sure: true}
	for j := range p.from {
		p.from[j] = -1
	}
	taken := make([]bool, len(old))
	name := namer(old, new)
	if name != "" {
		at := named(old, name)
		for j, e := range new {
			if i, ok := at[e.(map[string]any)[name]]; ok {
				p.from[j], taken[i] = i, true
			}
		}
	} else {
		p.pairEqual(old, new, taken)
	}
	left := slices.Index(p.from, -1)
	gone := slices.Index(taken, false)
	if left < 0 || gone < 0 {
		return p
	}
	one := !slices.Contains(p.from[left+1:], -1) && !slices.Contains(taken[gone+1:], false)
	switch {
	case one:
		p.from[left] = gone
		if name != "" || left != gone {
			p.guessed = left
		}
	case name == "":
		p.sure = false
	}
	return p
}

// pairEqual pairs tables that are equal: those at the same place first, the others in their order.
func (p *pairing) pairEqual(old, new []any, taken []bool) {
	for i := range min(len(old), len(new)) {
		if equal(old[i], new[i]) {
			p.from[i], taken[i] = i, true
		}
	}
	if len(old) > 0 && len(new) > alignLimit/len(old) {
		// Too many to compare each with each. Such a list is followed by place, or not at all.
		p.sure = !slices.Contains(taken, false) || !slices.Contains(p.from, -1)
		return
	}
	for j := range new {
		for i := 0; i < len(old) && p.from[j] < 0; i++ {
			if !taken[i] && equal(old[i], new[j]) {
				p.from[j], taken[i] = i, true
			}
		}
	}
	for i := range old {
		twin := func(j int) bool { return j != i && equal(old[i], old[j]) }
		if !taken[i] && slices.ContainsFunc(places(len(old)), twin) {
			p.sure = false // which of them went?
		}
	}
}

// to is the pairing the other way: by place in the earlier list, the place in the later one or -1.
func (p pairing) to(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	for j, i := range p.from {
		if i >= 0 {
			out[i] = j
		}
	}
	return out
}

func places(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Follow finds the key at a pointer of one document in another version of it: tables of lists are
// followed by what they are, not by their place. The key itself need not be there. If a table cannot
// be followed, it returns its list, and false.
func Follow(from, to *Document, ptr string) (string, bool) {
	keys, err := splitPointer(ptr)
	if err != nil {
		return ptr, false
	}
	f := follower{from: from.value, to: to.value}
	found, ok := f.follow(keys)
	return joinPointer(found), ok
}

// follower follows many keys between two versions.
type follower struct {
	from, to map[string]any
	// both is what both were made from, if that is known: a table that is only in from and one that is
	// only in to are the same only if the first one was there before.
	both  map[string]any
	lists map[string][]int // by the list's pointer in from: pairing.to; nil: it is not sure
}

func (f *follower) follow(keys []string) (out []string, ok bool) {
	var from, to any = f.from, f.to
	for n, k := range keys {
		switch here := from.(type) {
		case map[string]any:
			there, table := to.(map[string]any)
			if !table {
				return append(out, keys[n:]...), true
			}
			from, to = here[k], there[k]
			out = append(out, k)
		case []any:
			i, isIndex := arrayIndex(k)
			there, list := to.([]any)
			if !isIndex || i >= len(here) || !list {
				return out, false
			}
			places := f.paired(keys[:n], here, there)
			if places == nil || places[i] < 0 {
				return out, false
			}
			from, to = here[i], there[places[i]]
			out = append(out, strconv.Itoa(places[i]))
		default:
			return append(out, keys[n:]...), true
		}
	}
	return out, true
}

func (f *follower) paired(at []string, from, to []any) []int {
	ptr := joinPointer(at)
	if known, ok := f.lists[ptr]; ok {
		return known
	}
	var places []int
	if p := pairTables(from, to); p.sure && tablesOf(from) != nil && tablesOf(to) != nil {
		if f.both != nil && p.guessed >= 0 && !f.knows(at, from, to, p) {
			p.from[p.guessed] = -1
		}
		places = p.to(len(from))
	}
	if f.lists == nil {
		f.lists = map[string][]int{}
	}
	f.lists[ptr] = places
	return places
}

// knows tells whether the table that is paired by a guess was in the list before: then it was renamed.
// Otherwise it came, and the other one with it, or a new name of it did not count.
func (f *follower) knows(at []string, from, to []any, p pairing) bool {
	v, _ := lookUp(f.both, at)
	name := namer(from, to)
	was := from[p.from[p.guessed]].(map[string]any)[name]
	return was != nil && slices.ContainsFunc(tablesOf(v), func(e any) bool { return equal(e.(map[string]any)[name], was) })
}
