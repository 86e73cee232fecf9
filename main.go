// Pitstop changes the config of an automated trading stack while it runs, and opens and closes
// trading by the clock. See README.md.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a container FROM scratch has no zones

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"pitstop/handlers"
	"pitstop/schedule"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/stack/docker"
	"pitstop/stack/durable"
	"pitstop/stack/guardian"
	"pitstop/stack/later"
	"pitstop/stack/patient"
	"pitstop/stack/process"
	"pitstop/stack/rules"
	"pitstop/stack/settings"
)

// version is set by the build.
var version = "devel"

// Exit statuses: what a script needs to tell apart.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// Further signals are swallowed until the first has been obeyed: a second SIGTERM must not cut
	// a run in half.
	ctx, stop := signal.NotifyContext(context.Background(), ending()...)
	defer stop()
	err := run(ctx, os.Args[1:], console{os.Environ(), os.Stdin, os.Stdout, os.Stderr})
	var usage usageError
	switch {
	case err == nil:
	case errors.As(err, &usage):
		complain(err)
		os.Exit(exitUsage)
	case errors.Is(err, errInvalid): // the problems are printed already
		os.Exit(exitFailed)
	default:
		complain(err)
		os.Exit(exitFailed)
	}
}

// complain does not keep the program from its end where nobody reads it.
func complain(err error) {
	w := patient.New(os.Stderr)
	fmt.Fprintln(w, "pitstop:", err)
	w.Close()
}

// ending are the signals that end a command. A terminal that is closed says SIGHUP, which by itself
// would kill the panel in the middle of a run; nohup has it ignored.
func ending() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// endAtOnce gives a command that only reads its signals back: there is nothing that it would leave in half.
func endAtOnce(*cobra.Command, []string) { signal.Reset(ending()...) }

// console is what a command has of the world besides files and sockets.
type console struct {
	environ     []string
	in          io.Reader
	out, errors io.Writer
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

// errInvalid ends `pitstop check` of a config that has problems.
var errInvalid = errors.New("the config is not valid")

func run(ctx context.Context, args []string, c console) error {
	var settingsFile string
	root := &cobra.Command{
		Use:           "pitstop",
		Short:         "Change a trading stack's config while it runs, and open and close trading by the clock",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().StringVar(&settingsFile, "settings", "pitstop.toml", "Pitstop's own settings `file`")
	load := func() (settings.Settings, error) {
		return settings.Load(settingsFile, root.PersistentFlags().Changed("settings"), c.environ)
	}
	serve := serveCommand(c, load)
	root.AddCommand(serve, checkCommand(c), windowsCommand(c), guardianCommand(c), versionCommand(c))
	root.SetHelpCommand(helpCommand(root))
	root.RunE = serve.RunE
	root.Args = noArguments
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see pitstop --help", err)}
	})
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.errors)
	return root.ExecuteContext(ctx)
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is not a command; see pitstop --help", args[0])}
	}
	return nil
}

// helpCommand is cobra's, but for a command that does not exist being wrong usage.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Explain a command",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noArguments(root, args)
			}
			return about.Help()
		},
	}
}

func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s needs one %s; see pitstop %s --help", cmd.Name(), what, cmd.Name())}
		}
		return nil
	}
}

func serveCommand(c console, load func() (settings.Settings, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the panel (the default)",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := load()
			if err != nil {
				return err
			}
			var file string // empty: none was named
			if flag := cmd.Flag("settings"); flag.Changed {
				if file, err = filepath.Abs(flag.Value.String()); err != nil {
					return err
				}
			}
			// A log whose reader stands still is no reason to stand still: neither a run nor the gate waits for it.
			lines := patient.New(c.errors)
			defer lines.Close()
			log := slog.New(slog.NewTextHandler(lines, nil))
			// Nor is one whose reader has died a reason to die in the middle of a run. Not signal.Ignore,
			// which the services of the process backend would inherit.
			signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
			return servePanel(cmd.Context(), s, file, log, c)
		},
	}
}

// servePanel puts the panel together, recovers what a crash interrupted, serves until ctx ends, and
// takes everything down in the order in which nothing is lost: first the run under way, then the
// streams that show it, then the rest.
func servePanel(ctx context.Context, s settings.Settings, settingsFile string, log *slog.Logger, c console) (err error) {
	recovers := false
	defer func() { // when everything else has been let go of
		if err != nil && !recovers {
			rescue(ctx, s, log)
		}
	}()
	if err := os.MkdirAll(s.State, 0o700); err != nil {
		return fmt.Errorf("cannot make the state folder; name another with the setting state: %w", err)
	}
	if err := configFolder(s.Config); err != nil {
		return err
	}
	// The address first: a panel that cannot be reached must not have started or paused anything.
	// Whoever calls before Serve waits.
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; is another panel running? the setting listen names another address", s.Listen, err)
	}
	defer listener.Close()
	unlock, err := lockState(s.State)
	if err != nil {
		return err
	}
	defer unlock()
	// What works for the panel lives until it has been taken down, not until the signal arrives.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()

	store, err := configfile.Open(s.Config, s.KeepBackups, log)
	if err != nil {
		return err
	}
	defer store.Close()
	rule := rules.New(s.Schema, log)
	hider := handlers.NewHider(rule.Schema(), store.Read)
	backend, startBackend, err := openBackend(s, hider.Hide, log)
	if err != nil {
		return err
	}
	defer backend.Close()
	gate, err := schedule.OpenGate(filepath.Join(filepath.Dir(s.Config), "trading.json"), s.State, nil, log)
	if err != nil {
		return err
	}
	scheduler := schedule.NewScheduler(gate, rule.ScheduleOf(store), nil, log)
	controller, err := stack.New(stack.Options{
		Services: s.Services, Backend: backend, Config: store, State: s.State,
		Validate: func(content []byte) []stack.Problem { hider.Learn(content); return rule.Check(content) },
		Changed:  configfile.Pointers, Remarks: rule.Remarks, Hide: hider.Hide,
		ReloadTimeout: s.ReloadTimeout, MaxPause: s.MaxPause,
		Guard:   guard(s, settingsFile, log),
		OnSaved: scheduler.Replan,
		Log:     log, Hook: hook(c.environ),
	})
	if err != nil {
		return err
	}
	gate.OnRecord(handlers.RecordTrading(controller))
	recovers = true // from here on nothing keeps it from that
	// Nothing that is not needed for it comes before the recovery, or could keep the panel from it: the
	// stack may be paused.
	if err := scheduler.Start(work); err != nil {
		log.Error("the gate's file cannot be written, and services go by the file that there is, or by their own schedule; Pitstop tries again every second", "error", err)
	}
	startBackend(work) // after the gate, so that no service starts without one
	controller.Start(work)
	if err := recoverStack(ctx, work, controller, s, log); err != nil || ctx.Err() != nil {
		scheduler.Shutdown()
		stopWork()
		return err
	}
	queue, err := later.Open(later.Options{
		State: s.State, Read: store.Read, Merge: mergeByKey, Apply: later.Through(controller),
		Busy: func() bool { return controller.Current() != nil }, NextClose: closes(scheduler), Log: log,
		Record: controller.AppendAudit, Zone: func() *time.Location { return scheduler.Status().Zone() },
	})
	if err != nil {
		return fmt.Errorf("cannot read the queued change: %w", err)
	}
	scheduler.OnChange(queue.Replan)
	host, _, _ := net.SplitHostPort(s.Listen) // the settings hold no other form
	panel, handler := handlers.New(handlers.Options{
		Controller: controller, Store: store, Schema: rule.Schema(), Check: rule.Check, Remarks: rule.Remarks, Broken: rule.Broken(),
		Gate: gate, Scheduler: scheduler, Later: queue, Backend: s.Backend,
		AllowedHosts: append(s.AllowedHosts, host), Version: version, Log: log,
	})

	queue.Start(work)
	defer queue.Shutdown()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error {
		store.Watch(work, log, func() { controller.ConfigTouched(); scheduler.Replan(); panel.Changed() })
		return nil
	})
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("the panel stopped serving: %w", err)
		}
		return nil
	})
	fmt.Fprintf(c.out, "Pitstop is at http://%s\n", listener.Addr())

	<-serving.Done() // the signal, or the listener is lost
	log.Info("stopping: the run under way comes to its end first")
	err = shutDown(controller, s)
	queue.Shutdown()
	panel.Close()
	err = errors.Join(err, hangUp(server))
	scheduler.Shutdown()
	stopWork()
	return errors.Join(err, group.Wait())
}

// recoverStack recovers what a crash interrupted, before the panel serves. It may take long, and a
// signal ends it as it would end a run: finished within the grace, or left to the next start.
func recoverStack(ctx, work context.Context, controller *stack.Controller, s settings.Settings, log *slog.Logger) error {
	ended := make(chan error, 1)
	unsignalled := context.AfterFunc(ctx, func() {
		log.Info("stopping: the recovery comes to its end first")
		ended <- shutDown(controller, s)
	})
	err := controller.Recover(work)
	if unsignalled() {
		return err
	}
	return <-ended // whatever Recover says, it says because of that
}

// shutDown ends the run under way, and every run.
func shutDown(controller *stack.Controller, s settings.Settings) error {
	grace, cancel := context.WithTimeout(context.Background(), s.MaxPause+s.ReloadTimeout)
	defer cancel()
	return controller.Shutdown(grace)
}

// mergeByKey lays a queued change over the live file, for later.Options.
func mergeByKey(base, live, queued []byte) (later.Merged, error) {
	m, err := configfile.Merge(base, live, queued)
	out := later.Merged{Content: m.Content, Unmerged: m.Unmerged}
	for _, c := range m.Clashes {
		out.Clashes = append(out.Clashes, c.Pointer)
	}
	return out, err
}

// closes asks the schedule for its next close, for later.Options.
func closes(scheduler *schedule.Scheduler) func(time.Time) later.Close {
	return func(now time.Time) later.Close {
		next, open, known := scheduler.Status().NextClose(now)
		return later.Close{Next: next, Open: open, Known: known}
	}
}

// lockState makes this the only panel with this state: two would take each other's journal for the
// remains of a crash.
func lockState(folder string) (unlock func(), err error) {
	unlock, err = durable.Lock(folder)
	switch {
	case errors.Is(err, durable.ErrLocked):
		return nil, fmt.Errorf("another panel runs with the state folder %s; end it, or name another folder with the setting state", folder)
	case err != nil:
		return nil, fmt.Errorf("cannot use the state folder; name another with the setting state: %w", err)
	}
	return unlock, nil
}

// configFolder makes sure of the folder that the gate's file and the backups need too. The config
// file itself may come later.
func configFolder(config string) error {
	folder := filepath.Dir(config)
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return fmt.Errorf("cannot use %s, the folder of the config file: %w; make or mount it, or name another file with the setting config", folder, err)
	}
	return nil
}

// hangUp ends the server. Answers on their way get a moment; a client that is slow to send or to
// read does not hold the program up.
func hangUp(server *http.Server) error {
	moment, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err := server.Shutdown(moment)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

// openBackend opens the backend that the settings name; start begins to supervise, if it supervises.
func openBackend(s settings.Settings, hide func(string) string, log *slog.Logger) (backend stack.Backend, start func(context.Context), err error) {
	if s.Backend == settings.Docker {
		backend, err = docker.New(docker.Options{Services: s.Services, ConfigPath: s.Config, Log: log})
		return backend, func(context.Context) {}, err
	}
	options := processOptions(s, log)
	options.Hide = hide
	supervisor, err := process.New(options)
	if err != nil {
		return nil, nil, err
	}
	return supervisor, func(ctx context.Context) { supervisor.Start(ctx) }, nil
}

func processOptions(s settings.Settings, log *slog.Logger) process.Options {
	return process.Options{
		Services: s.Services, State: s.State, OnExit: process.OnExit(s.OnExit), Log: log,
		// Services find the config where the panel does, unless their command says otherwise.
		Env: append(os.Environ(), "PITSTOP_CONFIG="+s.Config),
	}
}

// attachBackend opens the backend for a guardian or a rescue: it reaches the instances and starts nothing.
func attachBackend(s settings.Settings, log *slog.Logger) (stack.Backend, error) {
	if s.Backend == settings.Docker {
		return docker.New(docker.Options{Services: s.Services, ConfigPath: s.Config, Log: log})
	}
	return process.Attach(processOptions(s, log))
}

// hangMargin is what a panel may take to unpause everything once max_pause is over. One that takes
// longer hangs, or its engine does, which a second request to unpause makes no worse.
const hangMargin = 5 * time.Second

// rescueTime bounds what a start that fails does for a stack that is paused.
const rescueTime = 15 * time.Second

// rescue unpauses what an interrupted run left paused, since this start does not come to recover it.
func rescue(ctx context.Context, s settings.Settings, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, rescueTime)
	defer cancel()
	stack.Rescue(ctx, s.State, func() (stack.Backend, error) { return attachBackend(s, log) }, log)
}

// guard starts the dead man for the time of each pause.
func guard(s settings.Settings, settingsFile string, log *slog.Logger) func([]stack.Instance) (func() time.Time, error) {
	return func(pausing []stack.Instance) (func() time.Time, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return guardian.Start(ctx, guardian.Options{
			Args:      guardianArguments(settingsFile),
			Instances: pausing, State: s.State, Reach: s, FreeAfter: s.MaxPause + hangMargin, Log: log,
		})
	}
}

// guardianArguments say, to whoever lists the processes, whose guardian it is. It does not read the file,
// which may have been changed since the panel did: the settings are in its order.
func guardianArguments(settingsFile string) []string {
	if settingsFile == "" {
		return []string{"guardian"}
	}
	return []string{"guardian", "--settings", settingsFile}
}

func guardianCommand(c console) *cobra.Command {
	return &cobra.Command{
		Use:    "guardian",
		Short:  "Unpause the stack if the panel dies in the middle of a run (the panel starts it)",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			attach := func(reach json.RawMessage, log *slog.Logger) (stack.Backend, error) {
				var s settings.Settings
				if err := json.Unmarshal(reach, &s); err != nil {
					return nil, fmt.Errorf("its order has no settings: %w", err)
				}
				return attachBackend(s, log)
			}
			// A service manager's SIGTERM reaches panel and guardian at once: only the pipe counts.
			return guardian.Main(context.WithoutCancel(cmd.Context()), c.in, c.out, c.errors, attach)
		},
	}
}

// hook kills or stops the program at one named point of the workflow, for `make chaos`. Unset, it is
// nil and costs nothing.
func hook(environ []string) func(string) {
	for _, entry := range environ {
		if point, ok := strings.CutPrefix(entry, "PITSTOP_CHAOS_KILL_AT="); ok && point != "" {
			return func(here string) {
				if here == point {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
					select {} // not one instruction more of the workflow
				}
			}
		}
		if point, ok := strings.CutPrefix(entry, "PITSTOP_CHAOS_STOP_AT="); ok && point != "" {
			return func(here string) {
				if here == point {
					// To this very thread, which then does not run one instruction more until SIGCONT.
					runtime.LockOSThread()
					_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGSTOP)
					runtime.UnlockOSThread()
				}
			}
		}
	}
	return nil
}

func checkCommand(c console) *cobra.Command {
	return &cobra.Command{
		Use:    "check CONFIG",
		Short:  "Validate a config file: exit status 0 if it is valid, 1 if not",
		Long:   "Validate a config file against the schema that the settings name (by default the embedded one)\nand print each problem as file:line:col: /pointer: message.\nA key that may be misspelt is told on standard error, and changes nothing of the exit status.",
		Args:   oneArgument("config file"),
		PreRun: endAtOnce,
		RunE: func(cmd *cobra.Command, args []string) error {
			schemaFile, err := settings.Schema(cmd.Flag("settings").Value.String(), cmd.Flags().Changed("settings"), c.environ)
			if err != nil {
				return err
			}
			content, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("cannot read the config file: %w", err)
			}
			rule := rules.New(schemaFile, slog.New(slog.DiscardHandler))
			if broken := rule.Broken(); broken != "" {
				return errors.New(broken)
			}
			problems := rule.Check(content)
			for _, p := range problems {
				fmt.Fprintf(c.out, "%s:%d:%d: %s: %s\n", args[0], max(p.Line, 1), max(p.Column, 1), cmp.Or(p.Pointer, "/"), p.Message)
			}
			if len(problems) > 0 {
				return errInvalid
			}
			for _, text := range rule.Remarks(nil, content) {
				fmt.Fprintf(c.errors, "%s: %s\n", args[0], text)
			}
			return nil
		},
	}
}

func windowsCommand(c console) *cobra.Command {
	var from, to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:    "windows CONFIG",
		Short:  "Print the trading windows of a config file, opens and closes in UTC",
		Args:   oneArgument("config file"),
		PreRun: endAtOnce,
		RunE: func(cmd *cobra.Command, args []string) error {
			content, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("cannot read the config file: %w", err)
			}
			plan, err := rules.New("", slog.New(slog.DiscardHandler)).ScheduleIn(args[0], content)
			if err != nil {
				return err
			}
			if plan == nil {
				return fmt.Errorf("%s has no [schedule] table, so it has no trading windows", args[0])
			}
			span, err := schedule.ParseSpan(from, to, time.Now(), plan.Location())
			if err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			listing, err := plan.List(span)
			if err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			if asJSON {
				return listing.WriteJSON(c.out)
			}
			return listing.WriteText(c.out)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first `date` in the schedule's zone, as 2026-11-25, or an instant (default today)")
	cmd.Flags().StringVar(&to, "to", "", "last `date`, or an instant (default two weeks, the first day among them)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what GET /api/v1/windows answers")
	return cmd
}

func versionCommand(c console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(c.out, "pitstop", version)
			return nil
		},
	}
}
