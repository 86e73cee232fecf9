package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"
)

// Revision names a config file's content: the SHA-256 of its bytes, in lower-case hex.
type Revision string

// RevisionOf is the revision of these bytes.
func RevisionOf(content []byte) Revision {
	sum := sha256.Sum256(content)
	return Revision(hex.EncodeToString(sum[:]))
}

// Short is what services log and people compare: the first 12 digits.
func (r Revision) Short() string {
	if len(r) < 12 {
		return string(r)
	}
	return string(r[:12])
}

// Is says whether a revision that is told in short, as services tell it, is this one.
func (r Revision) Is(short Revision) bool {
	return short != "" && strings.HasPrefix(string(r), string(short))
}

// Service is one program of the stack, as the settings describe it.
type Service struct {
	Name     string
	Selector string   // docker, kubernetes: a label selector
	Command  []string // process: what to start
	Reload   Reload
}

// Reload says how a service learns of a new config, and how it says that it loaded it.
type Reload struct {
	Signal  string // such as "SIGUSR1"; empty: the service watches the file
	Watch   bool
	Confirm string // found in the log line that confirms; "{revision}" stands for Revision.Short; empty: unconfirmed
	Reject  string // found in the log line that refuses; empty: only a timeout or a death refuses
}

// State is what an instance is doing.
type State string

const (
	Running  State = "running"
	Paused   State = "paused"
	Starting State = "starting" // created or restarting: not to be signalled yet
	Stopped  State = "stopped"
	Missing  State = "missing" // of a service: it has no instance
	Mixed    State = "mixed"   // of a service: its instances differ
)

// Instance is one container, pod or process of a service. ID and Started together name one life of
// it: an instance that its engine restarted keeps its ID and has another Started, by the engine's clock.
type Instance struct {
	Service  string    `json:"service"`
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Started  time.Time `json:"started,omitzero"`
	Stopped  time.Time `json:"stopped,omitzero"` // of one that is stopped, where the engine tells it
	Restarts int       `json:"restarts,omitempty"`
	// Warnings are sentences about this instance that a person should read before the first save,
	// such as a config file that is itself the mount.
	Warnings []string `json:"warnings,omitempty"`
}

// LogLine is one line that an instance wrote, without its line end.
type LogLine struct {
	Time time.Time // when the engine received it, by this machine's clock
	Text string
}

var (
	// ErrGone is wrapped by every error of a call on an instance that does not exist any more, or
	// lives another life than the one asked for.
	ErrGone = errors.New("the instance is gone")
	// ErrUnavailable is wrapped by every error that means that the backend itself cannot be reached.
	ErrUnavailable = errors.New("the backend cannot be reached")
)

// Backend reaches the instances of the stack. All methods are safe for concurrent use, give up when
// their context ends, and have done nothing or all when they return nil. stacktest.TestBackend is
// this contract as a test.
type Backend interface {
	// Name is the word in the settings: docker, kubernetes, process.
	Name() string
	// Instances lists every instance of every service, stopped ones too, ordered by service as
	// given, then by name. A service without instances is not an error.
	Instances(ctx context.Context) ([]Instance, error)
	// Inspect looks at one instance now. The result may live another life than the argument.
	Inspect(ctx context.Context, i Instance) (Instance, error)
	// Pause stops the instance in its tracks. Pausing a paused one is no error.
	Pause(ctx context.Context, i Instance) error
	// Unpause lets it go on. Unpausing a running one is no error.
	Unpause(ctx context.Context, i Instance) error
	// Signal sends a signal to the instance's main process, without touching its restart policy
	// where that can be had. A warning is a sentence for the page: what had to be done instead.
	Signal(ctx context.Context, i Instance, signal string) (warning string, err error)
	// Logs yields the lines written since then, or since Started, and follows until the context ends (no error), the
	// instance ends (no error) or the stream breaks (one error, last).
	Logs(ctx context.Context, i Instance, since time.Time) iter.Seq2[LogLine, error]
	// Watch calls changed, never concurrently, whenever an instance may have changed, and once right
	// after each (re)connection, so that a listener who lists again has missed nothing. It returns
	// when the context ends, reconnecting by itself until then.
	Watch(ctx context.Context, changed func())
	// FreeByHand is the command with which a person unpauses the instance without Pitstop.
	FreeByHand(i Instance) string
	// Close releases what the backend holds. Whether supervised processes end is its own setting.
	Close() error
}

// Problem is one thing that is wrong with a config document. Line and Column count from 1; 0 means
// that the place is not known.
type Problem struct {
	Pointer string `json:"pointer"` // JSON Pointer, RFC 6901; "" is the document
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Staged is a config that lies, durable, beside the live file, ready to take its place.
type Staged struct {
	Path   string   `json:"path"`   // the temporary file
	Backup string   `json:"backup"` // base name that the backup will have
	From   Revision `json:"from"`   // what it was staged against
	To     Revision `json:"to"`
}

// ConfigStore is the config file on disk. configfile.Store is the real one. One writer at a time is
// the Controller's business; reading is safe at any time. Errors name the file and what could not be
// done with it: a report shows them as they are.
type ConfigStore interface {
	Path() string
	// Read returns the live file's bytes.
	Read() ([]byte, error)
	// Stage writes content durably beside the live file, with its mode and owner, and chooses a
	// backup name that is free. It is the place where a full disk or a missing permission shows.
	Stage(content []byte, at time.Time) (Staged, error)
	// Commit backs the live file up and puts the staged one in its place, durably. If the live file
	// no longer has revision Staged.From it returns ErrConflict and changes nothing. It returns the
	// name of the backup, which differs from Staged.Backup only if that name was taken meanwhile.
	// After an error, Read tells whether the file is the old or the new one.
	Commit(s Staged) (backup string, err error)
	// Discard removes what Stage left. Discarding twice, or after Commit, is no error.
	Discard(s Staged) error
	// Backup returns the bytes of a backup by its base name.
	Backup(name string) ([]byte, error)
	// Prune removes the oldest backups beyond the number to keep, never one of those named.
	Prune(except ...string) error
}

// ErrConflict means that the config file is not the one that a change was made from.
var ErrConflict = errors.New("the config file was changed meanwhile")

// Step is a part of the workflow; its name is the same in code, log, API and page.
type Step string

const (
	ValidateConfig Step = "ValidateConfig"
	PauseStack     Step = "PauseStack"
	SaveConfig     Step = "SaveConfig"
	UnpauseStack   Step = "UnpauseStack"
	ReloadServices Step = "ReloadServices"
	ConfirmReload  Step = "ConfirmReload"
)

// Steps are the workflow in its order.
var Steps = []Step{ValidateConfig, PauseStack, SaveConfig, UnpauseStack, ReloadServices, ConfirmReload}

// StepState is how far a step is.
type StepState string

const (
	StepPending StepState = "pending"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped"
)

// Outcome is how a run ended; empty while it has not.
type Outcome string

const (
	Applied    Outcome = "applied"
	Unchanged  Outcome = "unchanged"
	Rejected   Outcome = "rejected"
	RolledBack Outcome = "rolled_back"
	Failed     Outcome = "failed"
)

// Cause says why a run was rejected or failed, for the HTTP status and nothing else.
type Cause string

const (
	CauseInvalid  Cause = "invalid"
	CauseConflict Cause = "conflict"
	CauseBusy     Cause = "busy"
	CauseBackend  Cause = "backend"
	CauseConfig   Cause = "config" // the config file cannot be read, staged or written
)

// Kind is what a run was for.
type Kind string

const (
	KindSave    Kind = "save"
	KindRestore Kind = "restore"
	KindReload  Kind = "reload"   // the services load the config file as it is
	KindRecover Kind = "recover"  // a run that a crash interrupted, finished or undone at the next start
	KindExtern  Kind = "external" // history only: somebody changed the file without Pitstop
	KindTrading Kind = "trading"  // history only: somebody changed the gate
	KindLater   Kind = "later"    // history only: what became of a queued change, but for the runs that apply it
	KindNote    Kind = "note"     // audit log only: a note on the report that Source names, in place of its own
)

// IsRun tells a passage of the workflow from what else the history tells.
func (k Kind) IsRun() bool {
	return k == KindSave || k == KindRestore || k == KindReload || k == KindRecover
}

// Change asks for a run.
type Change struct {
	Kind    Kind
	Content []byte   // the whole new document
	Base    Revision // what the change was made from; empty: whatever is there
	By      string   // who asks: a person's name, an address, "later"
	Note    string   // a person's note, kept in the history
	Source  string   // KindRestore: the backup's name
	Pressed string   // the button that a person pressed, where it is not the kind's own
}

// MaxChanged is how many changed keys a report names. It is told anew at every event of a run, and
// kept in every line of the audit log.
const MaxChanged = 1000

// FewChanged are as many of these pointers as a report names, and how many there are besides.
func FewChanged(pointers []string) (few []string, more int) {
	if more = len(pointers) - MaxChanged; more > 0 {
		return slices.Clone(pointers[:MaxChanged]), more
	}
	return pointers, 0
}

// StepReport is one step of a run.
type StepReport struct {
	Name   Step      `json:"name"`
	State  StepState `json:"state"`
	Ms     float64   `json:"ms"`
	Detail string    `json:"detail,omitempty"`
}

// Revisions are the config before and after a run.
type Revisions struct {
	From Revision `json:"from"`
	To   Revision `json:"to"`
}

// Report is a run, told; the answer of the API and a line of the audit log.
type Report struct {
	ID          string        `json:"id"`
	Kind        Kind          `json:"kind"`
	Outcome     Outcome       `json:"outcome"`
	Cause       Cause         `json:"cause,omitempty"`
	Message     string        `json:"message"`
	Revision    Revisions     `json:"revision"`
	Backup      string        `json:"backup"`
	PauseMs     float64       `json:"pause_ms"`
	Steps       []StepReport  `json:"steps"`
	RollBack    []StepReport  `json:"roll_back,omitempty"` // the same steps, putting the backup back
	By          string        `json:"by"`
	Note        string        `json:"note,omitempty"`
	Source      string        `json:"source,omitempty"`
	Pressed     string        `json:"pressed,omitempty"`     // the button, where it is not the kind's own
	Interrupted string        `json:"interrupted,omitempty"` // KindRecover: the run that was interrupted
	Unfinished  bool          `json:"unfinished,omitempty"`  // the config file could not be read at its end: a recovery will finish it
	Started     time.Time     `json:"started"`
	Ended       time.Time     `json:"ended,omitzero"`
	Changed     []string      `json:"changed,omitempty"`      // pointers of the keys that differ, never values; at most MaxChanged
	MoreChanged int           `json:"more_changed,omitempty"` // how many differ besides
	Errors      []Problem     `json:"errors,omitempty"`
	Warnings    []string      `json:"warnings,omitempty"`
	Unconfirmed []string      `json:"unconfirmed,omitempty"` // services with an instance that was not waited for; a warning says why
	StillPaused []StillPaused `json:"still_paused,omitempty"`
}

// StillPaused is an instance that could not be unpaused yet, and how to free it by hand.
type StillPaused struct {
	Instance Instance `json:"instance"`
	Error    string   `json:"error"`
	ByHand   string   `json:"by_hand"`
}

// Event is one thing that happened in a run. IDs count from 1 without gaps.
type Event struct {
	ID     int       `json:"id"`
	Time   time.Time `json:"time"`
	Report Report    `json:"report"` // the whole run as of this event: a client needs only the newest
	Text   string    `json:"text"`   // one line for a log or a screen reader
}

// ServiceStatus is a service as it is now.
type ServiceStatus struct {
	Name      string     `json:"name"`
	State     State      `json:"state"` // running, paused, stopped, missing, mixed
	Instances []Instance `json:"instances"`
	// Loaded is the revision that the service last said it loaded (short form); empty: not said.
	Loaded Revision `json:"loaded,omitempty"`
	// Refused is what the service logged when it last refused a config; empty after it loaded one.
	Refused string `json:"refused,omitempty"`
	// Obeys is what the service itself last said of trading; nil: it has not.
	Obeys *Obeyed `json:"obeys,omitempty"`
	// Trades is true of a service that has said of any life of its that it trades or does not: without
	// it nothing does. Others have no part in trading, or have not been heard yet.
	Trades bool `json:"trades,omitempty"`
}

// Obeyed is a service's own word on whether it trades: its line `trading_enabled=true|false reason=…`.
type Obeyed struct {
	TradingEnabled bool      `json:"trading_enabled"`
	Reason         string    `json:"reason"`
	Since          time.Time `json:"since"`
	Said           time.Time `json:"said"` // when it last said so
}

// Status is the stack as it is now. Problem is a sentence when the backend cannot be reached.
type Status struct {
	Services []ServiceStatus `json:"services"`
	Problem  string          `json:"problem,omitempty"`
	At       time.Time       `json:"at"`
}
