package stack

import (
	"context"
	"errors"
	"slices"
)

// Reload begins a run that only has the services load the config file as it is: after somebody changed
// it without Pitstop, or unpaused an instance that was left alone. Nothing is paused and nothing
// written. Instances that have said that they loaded this very config are left in peace. It returns as
// SaveAndRestart does.
func (c *Controller) Reload(ctx context.Context, by, note string) (*Run, error) {
	return c.launch(ctx, Report{Kind: KindReload, By: by, Note: note}, (*workflow).loadAgain)
}

func (w *workflow) loadAgain() {
	c := w.c
	w.told("started by "+orSomebody(w.run.Report().By), func(*Report) {})
	done := w.begin(ValidateConfig)
	refuse := func(o Outcome, cause Cause, message string) {
		done(errors.New(message), "")
		w.end(o, cause, message)
	}
	content, err := c.o.Config.Read()
	if err != nil {
		refuse(Failed, CauseConfig, opening(err)+" Nobody was told to load it.")
		return
	}
	rev := RevisionOf(content)
	w.run.note(func(r *Report) { r.Revision = Revisions{From: rev, To: rev} })
	if problems := c.o.Validate(content); len(problems) > 0 {
		w.run.note(func(r *Report) { r.Errors = problems })
		refuse(Rejected, CauseInvalid, "The config file is not valid, so nobody was told to load it: "+firstOf(problems))
		return
	}
	ctx, cancel := c.within(c.going)
	instances, err := c.o.Backend.Instances(ctx)
	cancel()
	if c.going.Err() != nil {
		refuse(Failed, "", "Pitstop is shutting down; nobody was told to load the config.")
		return
	}
	if err != nil {
		refuse(Failed, CauseBackend, "The services cannot be listed, so nobody was told to load the config: "+sentence(err))
		return
	}
	done(nil, "valid: "+rev.Short())
	for _, step := range []Step{PauseStack, SaveConfig, UnpauseStack} {
		w.skip(step)
	}
	running := w.toPause(instances)
	w.letWatchersLoad(running, rev)
	since := c.o.Clock.Now()
	behind := slices.DeleteFunc(slices.Clone(running), func(i Instance) bool { return w.upToDate(i, rev) })
	w.journal.Before = behind // who has to confirm; it is never written, for there is nothing to recover
	switch {
	case len(running) == 0:
		w.end(Unchanged, "", "Nothing to do: no service is running. One that starts loads the config file as it is.")
		return
	case len(behind) == 0:
		w.end(Unchanged, "", "Nothing to do: nobody who runs is known to have loaded another config than the file's.")
		return
	}
	switch detail, err := w.reload(rev, since, behind); {
	case errors.Is(err, errAbandoned):
		w.end(Failed, "", "Pitstop was stopped before every service had said that it loaded the config file.")
	case err != nil:
		w.end(Failed, "", opening(err)+" The config file is as it was, and everything runs.")
	default:
		w.end(Applied, "", "Configuration reloaded: "+detail+".")
	}
}

// letWatchersLoad gives those that watch the file a moment to load by themselves what has only just been
// written: of a file that an editor writes in place they may first have read half, and said so.
func (w *workflow) letWatchersLoad(running []Instance, rev Revision) {
	c := w.c
	behind := func(i Instance) bool {
		loaded, refused := c.obey.saidOf(i)
		return c.service(i.Service).Reload.Signal == "" && (refused != "" || loaded != "" && !rev.Is(loaded))
	}
	for end := c.o.Clock.Now().Add(youth); slices.ContainsFunc(running, behind) && c.o.Clock.Now().Before(end); {
		if !c.sleep(c.going, youth/20) {
			return
		}
	}
}

// upToDate says whether an instance need not load the config again: it has said that it did. One that
// watches the file, and has never said what it loaded, cannot be asked.
func (w *workflow) upToDate(i Instance, rev Revision) bool {
	loaded, refused := w.c.obey.saidOf(i)
	if loaded == "" && refused == "" && w.c.service(i.Service).Reload.Signal == "" {
		w.missed(i.Service, i.Name+" watches the file by itself, and has not said which config it loaded.")
		return true
	}
	return refused == "" && rev.Is(loaded)
}
