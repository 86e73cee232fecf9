package settings

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"pitstop/stack"
	"pitstop/stack/configfile"
)

// key is one setting: where it stands in the file, and how a value gets into Settings. The same
// table serves the file and the environment, so neither can know a setting that the other does not.
type key struct {
	name string // dotted, as in the file; PITSTOP_ and upper case with _ in the environment
	set  func(s *Settings, v any) error
}

var keys = []key{
	{"listen", text(func(s *Settings) *string { return &s.Listen })},
	{"config", text(func(s *Settings) *string { return &s.Config })},
	{"schema", text(func(s *Settings) *string { return &s.Schema })},
	{"state", text(func(s *Settings) *string { return &s.State })},
	{"allowed_hosts", texts(func(s *Settings) *[]string { return &s.AllowedHosts })},
	{"auth.mode", text(func(s *Settings) *string { return &s.AuthMode })},
	{"stack.backend", text(func(s *Settings) *string { return &s.Backend })},
	{"stack.reload_timeout", duration(func(s *Settings) *time.Duration { return &s.ReloadTimeout })},
	{"stack.max_pause", duration(func(s *Settings) *time.Duration { return &s.MaxPause })},
	{"stack.keep_backups", whole(func(s *Settings) *int { return &s.KeepBackups })},
	{"stack.on_exit", text(func(s *Settings) *string { return &s.OnExit })},
}

// serviceKeys are the settings of one [[stack.service]].
var serviceKeys = []struct {
	name string
	set  func(s *stack.Service, v any) error
}{
	{"name", textOf(func(s *stack.Service) *string { return &s.Name })},
	{"selector", textOf(func(s *stack.Service) *string { return &s.Selector })},
	{"command", textsOf(func(s *stack.Service) *[]string { return &s.Command })},
	{"reload.signal", textOf(func(s *stack.Service) *string { return &s.Reload.Signal })},
	{"reload.watch", boolOf(func(s *stack.Service) *bool { return &s.Reload.Watch })},
	{"reload.confirm", textOf(func(s *stack.Service) *string { return &s.Reload.Confirm })},
	{"reload.reject", textOf(func(s *stack.Service) *string { return &s.Reload.Reject })},
}

// readFile sets what the file says. Problems carry file, line and column.
func (s *Settings) readFile(path string, content []byte) (problems []error) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return []error{fmt.Errorf("%s: %w", path, err)}
	}
	bad := func(pointer, format string, args ...any) {
		line, col := doc.Position(pointer)
		name := strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
		problems = append(problems, fmt.Errorf("%s:%d:%d: %s: %w", path, line, col, name, fmt.Errorf(format, args...)))
	}
	known := func(names []string, pointer string, tree map[string]any, set func(name string, v any) error) {
		walk(tree, names, func(name string, v any, exists bool) {
			at := pointer + "/" + strings.ReplaceAll(name, ".", "/")
			leads := slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, name+".") })
			if !exists && leads {
				bad(at, "must be a table, under [%s], not %s", name, kindOf(v))
			} else if !exists {
				bad(at, "there is no such setting%s", didYouMean(name, names))
			} else if err := set(name, v); err != nil {
				bad(at, "%w", err)
			}
		})
	}

	tree := doc.Value()
	services, _ := doc.Get("/stack/service")
	if table, ok := tree["stack"].(map[string]any); ok {
		delete(table, "service")
	}
	known(names(keys), "", tree, func(name string, v any) error { return lookup(name).set(s, v) })

	list, ok := services.([]any)
	if services != nil && !ok {
		bad("/stack/service", "must be tables, each under [[stack.service]]")
	}
	if len(list) > 0 {
		s.Services = nil
	}
	for i, item := range list {
		at := fmt.Sprintf("/stack/service/%d", i)
		table, ok := item.(map[string]any)
		if !ok {
			bad(at, "must be a table under [[stack.service]]")
			continue
		}
		service := stack.Service{Reload: stack.Reload{Confirm: defaultConfirm, Reject: defaultReject}}
		known(serviceNames(), at, table, func(name string, v any) error {
			for _, k := range serviceKeys {
				if k.name == name {
					return k.set(&service, v)
				}
			}
			return nil
		})
		s.Services = append(s.Services, service)
	}
	return problems
}

// walk visits each leaf of a tree by its dotted name, and each table that no name begins with.
func walk(tree map[string]any, names []string, visit func(name string, v any, exists bool)) {
	var down func(prefix string, t map[string]any)
	down = func(prefix string, t map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(t)) {
			name, v := prefix+k, t[k]
			table, isTable := v.(map[string]any)
			leads := slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, name+".") })
			if isTable && leads {
				down(name+".", table)
				continue
			}
			visit(name, v, slices.Contains(names, name))
		}
	}
	down("", tree)
}

// readEnvironment lays PITSTOP_… variables over the file. Services have none: a list of tables does
// not fit into a variable.
func (s *Settings) readEnvironment(environ []string) (problems []error) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		i := slices.IndexFunc(keys, func(k key) bool { return name == Variable(k.name) })
		if i < 0 {
			if meant := misspelt(name); meant != "" {
				problems = append(problems, fmt.Errorf("%s: there is no such setting; did you mean %s?", name, meant))
			}
			continue
		}
		if err := keys[i].set(s, variable(value)); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	return problems
}

// misspelt is the variable that this one was meant to be; empty where it is none of ours: Kubernetes
// sets PITSTOP_PORT and the like by itself for a service of that name.
func misspelt(variable string) string {
	for _, k := range keys {
		if v := Variable(k.name); distance(variable, v) <= 2 {
			return v
		}
	}
	return ""
}

// variable is a value from the environment, which is text whatever the setting's type: it is read
// more leniently than text in the file.
type variable string

const prefix = "PITSTOP_"

// Variable is the environment variable of a setting.
func Variable(name string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

func names(keys []key) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.name)
	}
	return all
}

func serviceNames() []string {
	var all []string
	for _, k := range serviceKeys {
		all = append(all, k.name)
	}
	return all
}

func lookup(name string) key {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	return keys[i]
}

// didYouMean names the setting that a misspelt one was meant to be, if one is near.
func didYouMean(name string, names []string) string {
	best, least := "", 4
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return "; there are " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance counts the letters to insert, remove or replace to get from a to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// The kinds of value. Each takes what TOML decodes to, and text from the environment.

func text(field func(*Settings) *string) func(*Settings, any) error    { return textOf(field) }
func texts(field func(*Settings) *[]string) func(*Settings, any) error { return textsOf(field) }

func textOf[T any](field func(*T) *string) func(*T, any) error {
	return func(t *T, v any) error {
		value, ok := plain(v).(string)
		if !ok {
			return fmt.Errorf("must be text in quotes, not %s", kindOf(v))
		}
		*field(t) = value
		return nil
	}
}

func textsOf[T any](field func(*T) *[]string) func(*T, any) error {
	return func(t *T, v any) error {
		var list []string
		switch v := v.(type) {
		case variable:
			for item := range strings.SplitSeq(string(v), ",") {
				if item = strings.TrimSpace(item); item != "" {
					list = append(list, item)
				}
			}
		case []any:
			for _, item := range v {
				value, ok := item.(string)
				if !ok {
					return fmt.Errorf(`must be a list of texts, such as ["a", "b"]; one of its items is %s`, kindOf(item))
				}
				list = append(list, value)
			}
		default:
			return fmt.Errorf(`must be a list of texts, such as ["a", "b"], not %s`, kindOf(v))
		}
		*field(t) = list
		return nil
	}
}

// plain is the text of a variable, for settings that are text in the file too.
func plain(v any) any {
	if text, ok := v.(variable); ok {
		return string(text)
	}
	return v
}

func boolOf[T any](field func(*T) *bool) func(*T, any) error {
	return func(t *T, v any) error {
		value, ok := v.(bool)
		if !ok {
			return fmt.Errorf("must be true or false, not %s", kindOf(v))
		}
		*field(t) = value
		return nil
	}
}

func duration(field func(*Settings) *time.Duration) func(*Settings, any) error {
	return func(s *Settings, v any) error {
		value, ok := plain(v).(string)
		if !ok {
			return fmt.Errorf(`must be a duration in quotes, such as "10s", not %s`, kindOf(v))
		}
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf(`%q is not a duration; write a number and a unit, such as "10s" or "1m30s"`, value)
		}
		*field(s) = d
		return nil
	}
}

func whole(field func(*Settings) *int) func(*Settings, any) error {
	return func(s *Settings, v any) error {
		switch v := v.(type) {
		case int64:
			*field(s) = int(v)
		case variable:
			n, err := strconv.Atoi(string(v))
			if err != nil {
				return fmt.Errorf("%q is not a whole number", v)
			}
			*field(s) = n
		default:
			return fmt.Errorf("must be a whole number, not %s", kindOf(v))
		}
		return nil
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}
