package stack

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file is how a workflow tells what it does: the report, its events, the log and the history.

// told makes an event of a change of the report.
func (w *workflow) told(text string, change func(*Report)) {
	w.run.update(w.c.o.Clock.Now(), text, change)
	w.c.tellChange()
}

// warn adds a sentence to the report, once.
func (w *workflow) warn(text string) {
	w.run.note(func(r *Report) {
		for _, had := range r.Warnings {
			if had == text {
				return
			}
		}
		r.Warnings = append(r.Warnings, text)
	})
}

// missed is warn of a service, or an instance of one, that was not waited for.
func (w *workflow) missed(service, text string) {
	w.warn(text)
	w.run.note(func(r *Report) {
		if !slices.Contains(r.Unconfirmed, service) {
			r.Unconfirmed = append(r.Unconfirmed, service)
		}
	})
}

// begin starts a step. The function it returns ends it: done with a detail, or failed with an error.
func (w *workflow) begin(step Step) (done func(err error, detail string)) {
	start := w.c.o.Clock.Now()
	w.told(w.label(step)+" …", func(r *Report) {
		s := w.step(r, step)
		s.State, s.Ms, s.Detail = StepRunning, 0, ""
	})
	return func(err error, detail string) {
		took := ms(w.c.o.Clock.Since(start))
		text := fmt.Sprintf("%s: done in %.1f ms", w.label(step), took)
		if err != nil {
			detail = sentence(err)
			text = w.label(step) + ": " + detail
		} else if detail != "" {
			text += ", " + detail
		}
		w.told(text, func(r *Report) {
			s := w.step(r, step)
			s.State, s.Ms, s.Detail = StepDone, took, detail
			if err != nil {
				s.State = StepFailed
			}
		})
	}
}

// skip marks a step that is not taken; the next event tells it.
func (w *workflow) skip(step Step) {
	w.run.note(func(r *Report) { w.step(r, step).State = StepSkipped })
}

func (w *workflow) label(step Step) string {
	if w.undoing {
		return "Roll back: " + string(step)
	}
	return string(step)
}

func (w *workflow) step(r *Report, step Step) *StepReport {
	steps := r.Steps
	if w.undoing {
		steps = r.RollBack
	}
	for n := range steps {
		if steps[n].Name == step {
			return &steps[n]
		}
	}
	return &StepReport{}
}

// stuck shows who is still paused, and how to free them without Pitstop. It is called at every
// attempt, for days if need be, and makes an event only of what is new: a run keeps all its events.
func (w *workflow) stuck(still []StillPaused) {
	text := "Everything is unpaused now."
	if len(still) > 0 {
		text = fmt.Sprintf("STILL PAUSED: %s. Trying again. By hand: %s", still[0].Instance.Name, still[0].ByHand)
		if n := len(still) - 1; n > 0 {
			text += fmt.Sprintf(" (and %s more)", count(n, "instance"))
		}
	}
	show := func(r *Report) { r.StillPaused = still }
	if text == w.stuckAs {
		w.run.note(show)
	} else {
		w.stuckAs = text
		w.told(text, show)
	}
	if len(still) > 0 {
		w.showWaiting() // now that the report says whom it waits for
	}
}

// showWaiting lets somebody see a run that may take long.
func (w *workflow) showWaiting() {
	if w.waiting != nil {
		w.waiting()
	}
}

// conclude decides how the run ends. Nobody sees it before announce.
func (w *workflow) conclude(o Outcome, cause Cause, message string) {
	ended := w.c.o.Clock.Now()
	w.final = func(r *Report) {
		r.Outcome, r.Cause, r.Message, r.Ended = o, cause, message, ended
		if r.Backup == "" {
			r.Backup = w.backup
		}
		for _, steps := range [][]StepReport{r.Steps, r.RollBack} {
			for n := range steps {
				if steps[n].State == StepPending || steps[n].State == StepRunning {
					steps[n].State = StepSkipped
				}
			}
		}
	}
}

// append writes the concluded run into the history.
func (w *workflow) append() {
	r := w.run.Report()
	w.final(&r)
	if err := w.c.audit.append(r); err != nil {
		w.c.o.Log.Error("The audit log cannot be written; the run is kept in memory until it can.", "run", r.ID, "error", err)
		w.warn("The history could not be written to disk: " + sentence(err))
	}
}

// announce ends the run for those who wait, after the next one may begin.
func (w *workflow) announce() {
	c := w.c
	c.release(w.run)
	r := w.run.Report()
	w.final(&r)
	if r.Cause != CauseBusy {
		c.ConfigTouched()
	}
	w.told(string(r.Outcome)+": "+r.Message, w.final)
	c.o.Log.Info("A run has ended.", "run", r.ID, "kind", r.Kind, "outcome", r.Outcome, "message", r.Message,
		"from", r.Revision.From.Short(), "to", r.Revision.To.Short(), "pause_ms", r.PauseMs,
		"took", r.Ended.Sub(r.Started).Round(time.Millisecond), "by", r.By, "warnings", r.Warnings)
}

// end is how a run without a journal ends.
func (w *workflow) end(o Outcome, cause Cause, message string) {
	w.conclude(o, cause, message)
	if cause != CauseBusy {
		w.append()
	}
	w.announce()
}

// abandon leaves a run to the next start: its journal stays, and so does its dead man. It is not in
// the history, since it has not ended; the run that recovers it will be.
func (w *workflow) abandon() {
	w.conclude(Failed, "", "Pitstop was stopped before this run had ended. The next start finishes or undoes it.")
	w.c.o.Log.Error("A run was abandoned at shutdown; the next start finishes or undoes it.", "run", w.run.id)
	w.run.note(func(*Report) { w.run.left = true })
	w.told("abandoned", w.final)
}

func invalidMessage(problems []Problem) string {
	return "The new config is not valid, so nothing was paused and nothing changed: " + firstOf(problems)
}

func firstOf(problems []Problem) string {
	first := problems[0]
	text := first.Message
	if first.Pointer != "" {
		text = first.Pointer + ": " + text
	}
	if n := len(problems) - 1; n > 0 {
		text += fmt.Sprintf(" (and %s more)", count(n, "problem"))
	}
	return text
}

func orSomebody(by string) string {
	if by == "" {
		return "somebody"
	}
	return by
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sentence makes an error's text fit to stand at the end. It begins as it is: mostly with a name.
func sentence(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if text == "" {
		return text
	}
	if !strings.ContainsRune(".!?", rune(text[len(text)-1])) {
		text += "."
	}
	return text
}

// opening is sentence where nothing stands before it.
func opening(err error) string {
	text := sentence(err)
	if rest, ok := strings.CutPrefix(text, "the "); ok {
		return "The " + rest
	}
	return text
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
