// Package stack pauses, changes and restarts a trading stack, so that its config file is always the
// old one or the new one, whole, and nothing stays paused because of Pitstop. It knows no Docker
// and no HTTP: an engine is a [Backend], the file is a [ConfigStore].
//
// # A tour from the bottom up
//
// stack.go has the words: [Service], [Instance], [Revision], [Step], [Outcome], [Report]. An
// instance is named by its ID and its start together, one life of it, so that nothing is done to a
// container that an engine has restarted meanwhile.
//
// run.go: a [Run] is a report that changes, and the log of its changes. Each reader keeps its own
// place in that log, so that the hundredth reader, a late one and a slow one all see the same run
// from its first event and hold up nobody.
//
// passage.go is the pause: [Controller.PauseStack], [Controller.SaveConfig] and
// [Controller.UnpauseStack] on a [Passage]. Within the window there is nothing but the requests to
// the engine, all at once, and the rename with its one fsync. MaxPause is held against an engine or
// a disk that hangs: each call has its own deadline, and unpausing belongs to no context that
// anybody else could cancel, and is tried until it succeeds.
//
// reload.go and verdict.go tell the services, and follow each one's log until it confirms this very
// revision, refuses it, dies or takes too long. Its log counts from a moment at which it stood
// still, so that no line is missed and none from before is mistaken; clock.go is for a clock that is
// set back meanwhile.
//
// replace.go puts the new file in place and finds out what a disk that failed has left; late.go
// unpauses what an engine pauses when nobody waits for it any more.
//
// workflow.go strings the six steps together; rollback.go puts the old bytes back by the same
// steps; tell.go is how both tell what they do.
//
// journal.go and recover.go: before the first pause a run writes down what it is about to do, and
// again before the first reload. [Controller.Recover] reads that after a crash. If the new file is in
// place it unpauses, reloads and confirms; if the old one is, it unpauses and forgets; if a service
// then refuses, it rolls back as the run would have. The history is written before the journal is
// removed, so that every run is told once it has begun. unfinished.go: while nobody can tell which
// file is in place, the journal stays, and the next run or start begins with it.
//
// audit.go is the history, one report per line. extern.go notices changes that others made.
// monitor.go and obey.go keep the picture of now: what runs, and what the services say of
// themselves. points.go names the places at which tests break the workflow.
//
// controller.go holds it together. One run at a time: the goroutine of the current run owns the
// journal, the config file and the passage. The controller's lock guards only who that is.
package stack
