package handlers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/views"
)

// runView is a run as a page tells it.
func runView(r stack.Report, now time.Time, zone *time.Location) *views.Run {
	v := &views.Run{
		ID: r.ID, Title: runTitle(r), Badge: outcomeBadge(r), Message: r.Message,
		Ended: r.Outcome != "", Steps: stepViews(r.Steps), RollBack: stepViews(r.RollBack),
		To: r.Revision.To.Short(), From: r.Revision.From.Short(), Backup: r.Backup, By: r.By, Note: r.Note,
		Started: views.At(r.Started, now, zone), Problems: plainProblems(r.Errors), Warnings: r.Warnings,
		Tried: onlyTried(r) && r.Revision.From != r.Revision.To, Count: changedCount(r),
	}
	for _, steps := range [][]views.Step{v.Steps, v.RollBack} {
		for i := range steps {
			if d := steps[i].Detail; d != "" && strings.Contains(r.Message, d[1:]) && steps[i].Badge.Tone == views.Bad {
				steps[i].Detail = "" // the message above says the same, and what became of it
			}
		}
	}
	// Nothing of it is news but that it went well. What a recovery did, or why there was nothing to do, is.
	v.Fold = r.Outcome == stack.Applied && r.Kind != stack.KindRecover && len(r.RollBack)+len(r.StillPaused)+len(r.Unconfirmed) == 0
	if r.PauseMs > 0 {
		v.Pause = ms(r.PauseMs)
	}
	if r.Ended.After(r.Started) {
		v.Took = ms(float64(r.Ended.Sub(r.Started).Microseconds()) / 1000)
	}
	for _, p := range r.Changed {
		v.Changed = append(v.Changed, schema.Dotted(p))
	}
	v.MoreChanged = r.MoreChanged
	for _, p := range r.StillPaused {
		v.Stuck = append(v.Stuck, views.Stuck{Instance: p.Instance.Name, Error: p.Error, ByHand: p.ByHand})
	}
	return v
}

// onlyTried tells that a run left the old config in place: what it lists as changed is not.
func onlyTried(r stack.Report) bool {
	switch r.Outcome {
	case stack.Rejected, stack.RolledBack:
		return true
	case stack.Failed:
		if len(r.RollBack) > 0 {
			return saved(r.RollBack)
		}
		return !r.Unfinished && !saved(r.Steps)
	}
	return false
}

func saved(steps []stack.StepReport) bool {
	return slices.ContainsFunc(steps, func(s stack.StepReport) bool { return s.Name == stack.SaveConfig && s.State == stack.StepDone })
}

// changedCount says how many keys a report is about, and whether it changed them.
func changedCount(r stack.Report) string {
	keys := plural(len(r.Changed)+r.MoreChanged, "key", "keys")
	switch {
	case r.Kind == stack.KindLater, r.Outcome == "", r.Unfinished:
		return keys + " to change"
	case r.Outcome == stack.RolledBack:
		return keys + " tried and put back"
	case onlyTried(r):
		return keys + " would have changed"
	}
	return keys + " changed"
}

// runTitle is what a person would call a run: what they pressed.
func runTitle(r stack.Report) string { return cmp.Or(r.Pressed, kindWord(r.Kind)) }

func kindWord(k stack.Kind) string {
	switch k {
	case stack.KindSave:
		return "Save & Restart"
	case stack.KindRestore:
		return "Restore"
	case stack.KindReload:
		return "Reload services"
	case stack.KindRecover:
		return "Recovery after an interruption"
	case stack.KindExtern:
		return "Changed from outside"
	}
	return strings.ToUpper(string(k))
}

func outcomeBadge(r stack.Report) views.Badge {
	if r.Outcome == stack.Applied && len(r.Unconfirmed) > 0 {
		return views.Badge{Tone: views.Caution, Icon: "warn", Word: "applied, not by all"}
	}
	switch r.Outcome {
	case "":
		return views.Badge{Tone: views.Busy, Icon: "wait", Word: "under way"}
	case stack.Applied:
		return views.Badge{Tone: views.Good, Icon: "check", Word: "applied"}
	case stack.Unchanged:
		return views.Badge{Tone: views.Quiet, Icon: "check", Word: "unchanged"}
	case stack.Rejected:
		return views.Badge{Tone: views.Bad, Icon: "cross", Word: "rejected"}
	case stack.RolledBack:
		return views.Badge{Tone: views.Caution, Icon: "back", Word: "rolled back"}
	}
	return views.Badge{Tone: views.Bad, Icon: "cross", Word: "failed"}
}

func stepViews(steps []stack.StepReport) []views.Step {
	out := make([]views.Step, 0, len(steps))
	for _, s := range steps {
		v := views.Step{Name: string(s.Name), Says: stepSays[s.Name], Badge: stepBadge(s.State), Detail: s.Detail}
		if s.State == stack.StepDone || s.State == stack.StepFailed {
			v.Took = ms(s.Ms)
		}
		out = append(out, v)
	}
	return out
}

func stepBadge(state stack.StepState) views.Badge {
	switch state {
	case stack.StepRunning:
		return views.Badge{Tone: views.Busy, Icon: "wait", Word: string(state)}
	case stack.StepDone:
		return views.Badge{Tone: views.Good, Icon: "check", Word: string(state)}
	case stack.StepFailed:
		return views.Badge{Tone: views.Bad, Icon: "cross", Word: string(state)}
	}
	return views.Badge{Tone: views.Quiet, Icon: "dot", Word: string(state)}
}

// stepSays tells the steps to somebody who does not know their names.
var stepSays = map[stack.Step]string{
	stack.ValidateConfig: "Checks the new config and lays it ready beside the old one",
	stack.PauseStack:     "Pauses every instance at once",
	stack.SaveConfig:     "Keeps the old config as a backup and puts the new one in its place",
	stack.UnpauseStack:   "Lets every instance go on",
	stack.ReloadServices: "Tells the services to load the new config",
	stack.ConfirmReload:  "Waits until each service says that it loaded it",
}

// ms is a duration for people, with three figures that count.
func ms(v float64) string {
	switch {
	case v >= 10_000:
		return fmt.Sprintf("%.1f s", v/1000)
	case v >= 1000:
		return fmt.Sprintf("%.2f s", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	case v >= 10:
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.2f ms", v)
}

// toast is the last word on a run that somebody waits for; none while it is under way. Who waits knows
// that it was them, if it was asked for in this very tab (own).
func toast(r stack.Report, own bool) views.Toast {
	verb, done := "apply", "applied"
	if r.Kind == stack.KindReload {
		verb, done = "reload", "reloaded"
	}
	t := views.Toast{Run: r.ID}
	if !own {
		t.By = cmp.Or(r.By, "somebody else")
	}
	switch r.Outcome {
	case "":
		return views.Toast{}
	case stack.Applied:
		t.Status = "Configuration " + done
		if len(r.Unconfirmed) > 0 {
			t.Status += ", but not by " + strings.Join(r.Unconfirmed, ", ") + ": see why"
		}
	case stack.Unchanged:
		t.Status = "Nothing to apply: the config is as it was"
		if r.Kind == stack.KindReload {
			t.Status = r.Message
		}
	default:
		t.Alert = "Failed to " + verb + " configuration: " + cmp.Or(firstSentence(r.Message), strings.ReplaceAll(string(r.Outcome), "_", " "))
	}
	return t
}

// longestToast is how much of a sentence a toast holds: on a phone it lies over what one does.
const longestToast = 180

// firstSentence of a run's message says why; the run itself, which the page shows, says the rest.
func firstSentence(text string) string {
	for i, r := range text {
		next, _ := utf8.DecodeRuneInString(strings.TrimPrefix(text[min(i+1, len(text)):], " "))
		if (r == '.' || r == '!' || r == '?') && strings.HasPrefix(text[i+1:], " ") && unicode.IsUpper(next) {
			text = text[:i+1]
			break
		}
	}
	if r := []rune(text); len(r) > longestToast {
		text = string(r[:longestToast]) + "…"
	}
	return text
}
