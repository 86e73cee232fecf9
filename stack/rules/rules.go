// Package rules says what a config document must obey: it is TOML, it follows the JSON Schema, and
// its schedule makes sense. The panel, `pitstop check` and the trading clock all ask here.
package rules

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"pitstop/schedule"
	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
)

// Rules never change, and are safe for concurrent use.
type Rules struct {
	schema *schema.Schema
	broken string
	zone   *time.Location

	mu      sync.Mutex
	checked []verdict // the newest, newest last
}

// verdict is what was found wrong with a document. Each is asked for several times on its way from an
// editor through the workflow to the page that shows it.
type verdict struct {
	revision stack.Revision
	problems []stack.Problem
}

const keptVerdicts = 8

// New reads the schema; an empty name is the embedded one. A schema that cannot be used does not
// stop the panel, for halting must work while somebody mends it. It does stop every save.
func New(schemaFile string, log *slog.Logger) *Rules {
	r := &Rules{schema: schema.Default(), zone: schedule.LocalZone()}
	if schemaFile == "" {
		return r
	}
	loaded, err := schema.Load(schemaFile)
	if err != nil {
		r.broken = fmt.Sprintf("The schema cannot be used, so nothing can be saved: %v. Mend it and restart Pitstop.", err)
		r.schema = schema.Unknown() // the embedded one does not know what is secret in a config that is not its own
		log.Error("the schema cannot be used; nothing can be saved until it is mended and Pitstop restarted", "schema", schemaFile, "error", err)
		return r
	}
	r.schema = loaded
	return r
}

// Schema is the schema to draw forms from. While the user's own is broken, it hides every value.
func (r *Rules) Schema() *schema.Schema { return r.schema }

// Broken says why everything is refused; empty: it is not.
func (r *Rules) Broken() string { return r.broken }

// Check finds what is wrong with a document, in the order of its lines.
func (r *Rules) Check(content []byte) []stack.Problem {
	if r.broken != "" {
		return []stack.Problem{{Message: r.broken}}
	}
	revision := stack.RevisionOf(content)
	if problems, ok := r.known(revision); ok {
		return problems
	}
	problems := fewest(r.check(content))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked = append(r.checked, verdict{revision, slices.Clone(problems)})
	r.checked = r.checked[max(0, len(r.checked)-keptVerdicts):]
	return problems
}

func (r *Rules) known(revision stack.Revision) ([]stack.Problem, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.checked {
		if v.revision == revision {
			return slices.Clone(v.problems), true
		}
	}
	return nil, false
}

// maxProblems is how many problems are told. More is nothing that somebody reads, and a run's report
// tells them at each of its events.
const maxProblems = 1000

func fewest(problems []stack.Problem) []stack.Problem {
	more := len(problems) - maxProblems
	if more <= 0 {
		return problems
	}
	return append(slices.Clone(problems[:maxProblems]), stack.Problem{Message: fmt.Sprintf("There are %d more problems.", more)})
}

func (r *Rules) check(content []byte) []stack.Problem {
	doc, err := configfile.Parse(content)
	if err != nil {
		return []stack.Problem{syntaxProblem(err)}
	}
	var problems []stack.Problem
	said := map[string]bool{}
	for _, p := range r.schema.Validate(doc.Value(), doc.Position) {
		problems = append(problems, stack.Problem(p))
		said[p.Pointer] = true
	}
	_, wrong := schedule.Parse(doc.Value(), r.zone)
	for _, p := range wrong {
		if said[p.Pointer] {
			continue // one sentence for one mistake: the schema's comes first
		}
		line, column := doc.Position(p.Pointer)
		problems = append(problems, stack.Problem{Pointer: p.Pointer, Line: line, Column: column, Message: p.Message})
	}
	slices.SortStableFunc(problems, func(a, b stack.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return problems
}

func syntaxProblem(err error) stack.Problem {
	if syntax, ok := errors.AsType[*configfile.SyntaxError](err); ok {
		return stack.Problem{Line: syntax.Line, Column: syntax.Column, Message: syntax.Message}
	}
	return stack.Problem{Message: err.Error()}
}

// ScheduleOf loads the schedule that a config file has at the time of the call; nil is none.
func (r *Rules) ScheduleOf(config stack.ConfigStore) func() (*schedule.Schedule, error) {
	return func() (*schedule.Schedule, error) {
		content, err := config.Read()
		if err != nil {
			return nil, err
		}
		return r.ScheduleIn(config.Path(), content)
	}
}

// ScheduleIn reads the schedule in a document; the path is for its errors.
func (r *Rules) ScheduleIn(path string, content []byte) (*schedule.Schedule, error) {
	doc, err := configfile.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	plan, problems := schedule.Parse(doc.Value(), r.zone)
	var all []error
	for _, p := range problems {
		line, column := doc.Position(p.Pointer)
		all = append(all, fmt.Errorf("%s:%d:%d: %s: %s", path, line, column, p.Pointer, p.Message))
	}
	return plan, errors.Join(all...)
}
