// Package settings reads Pitstop's own file, pitstop.toml, and the PITSTOP_… environment over it.
// Nothing in it is about the stack's config file.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pitstop/stack"
)

// Settings are everything that a person can set about the panel itself. A Settings from Load is
// complete and consistent: nothing behind it needs a default or a check.
type Settings struct {
	Listen       string // host:port
	Config       string // absolute path of the config file
	Schema       string // absolute path, or empty for the embedded default
	State        string // absolute path of the folder for journal, audit log and gate
	AllowedHosts []string
	AuthMode     string

	Backend       string
	ReloadTimeout time.Duration
	MaxPause      time.Duration
	KeepBackups   int
	OnExit        string // process backend: "stop" or "keep" the processes when the panel ends
	Services      []stack.Service
}

// The backends that exist.
const (
	Docker  = "docker"
	Process = "process"
)

func defaults() Settings {
	return Settings{
		Listen:        "127.0.0.1:8080",
		Config:        "/config/config.toml",
		State:         "/var/lib/pitstop",
		AuthMode:      "password",
		Backend:       Docker,
		ReloadTimeout: 10 * time.Second,
		MaxPause:      30 * time.Second,
		KeepBackups:   50,
		OnExit:        "stop",
		Services: []stack.Service{
			{
				Name: "python-orchestrator", Selector: "app=python-orchestrator",
				Reload: stack.Reload{Signal: "SIGUSR1", Confirm: defaultConfirm, Reject: defaultReject},
			},
			{
				Name: "go-scanner", Selector: "app=go-scanner",
				Reload: stack.Reload{Watch: true, Confirm: defaultConfirm, Reject: defaultReject},
			},
		},
	}
}

const (
	defaultConfirm = "Config reloaded"
	defaultReject  = "Config reload failed"
)

// Load reads the settings file and lays the environment over it. A file that is not there is only
// an error if required: the defaults and the environment can be enough. The error lists everything
// that is wrong, one line each, with its place.
func Load(path string, required bool, environ []string) (Settings, error) {
	s, err := read(path, required, environ)
	if err == nil {
		err = errors.Join(s.check()...)
	}
	if err != nil {
		return Settings{}, err
	}
	for _, p := range []*string{&s.Config, &s.Schema, &s.State} {
		if *p == "" {
			continue
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return Settings{}, fmt.Errorf("cannot make %q an absolute path: %w", *p, err)
		}
	}
	return s, nil
}

// Schema is the one setting that checking a config needs; empty is the embedded schema. Settings with
// which no panel could run here, on a machine that is not the panel's, are no hindrance.
func Schema(path string, required bool, environ []string) (string, error) {
	s, err := read(path, required, environ)
	return s.Schema, err
}

// read takes the settings as they are written, whether or not they can work.
func read(path string, required bool, environ []string) (Settings, error) {
	s := defaults()
	var problems []error
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		problems = append(problems, s.readFile(path, text)...)
	case errors.Is(err, fs.ErrNotExist) && !required:
	case errors.Is(err, fs.ErrNotExist):
		return Settings{}, fmt.Errorf("there is no settings file %s: write one (deploy/pitstop.toml is an example), or name another with --settings", path)
	default:
		return Settings{}, fmt.Errorf("cannot read the settings file: %w", err)
	}
	problems = append(problems, s.readEnvironment(environ)...)
	return s, errors.Join(problems...)
}

// check refuses what is well-formed but cannot work, or cannot work yet.
func (s *Settings) check() (problems []error) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	host, port, err := net.SplitHostPort(s.Listen)
	_, wrong := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || wrong != nil:
		bad("listen: %q is not HOST:PORT, such as 127.0.0.1:8080", s.Listen)
	case s.AuthMode != "none" && s.AuthMode != "password":
		bad(`auth.mode: %q is not known; it can be "none", on a loopback address`, s.AuthMode)
	case s.AuthMode == "password":
		bad(`auth.mode: signing in with a password is not there yet; set [auth] mode = "none" and listen on a loopback address such as 127.0.0.1:8080`)
	case !isLoopback(host):
		bad(`listen: %s can be reached from other machines, and with [auth] mode = "none" anybody there could halt trading; listen on a loopback address such as 127.0.0.1:%s, and reach it through an SSH tunnel`, s.Listen, port)
	}
	switch s.Backend {
	case Docker, Process:
	case "kubernetes":
		bad("stack.backend: the kubernetes backend is not there yet; use docker or process")
	default:
		bad("stack.backend: %q is not known; it can be docker or process", s.Backend)
	}
	if strings.HasPrefix(s.Config, "configmap:") {
		bad("config: %s needs the kubernetes backend, which is not there yet; name a file", s.Config)
	} else if s.Config == "" {
		bad("config: the path of the stack's config file is missing")
	}
	if s.State == "" {
		bad("state: the folder for the journal and the audit log is missing")
	}
	if s.OnExit != "stop" && s.OnExit != "keep" {
		bad(`stack.on_exit: %q is not known; it can be "stop" or "keep"`, s.OnExit)
	}
	if s.ReloadTimeout <= 0 {
		bad("stack.reload_timeout: must be longer than nothing; it is %s", s.ReloadTimeout)
	}
	if s.MaxPause <= 0 {
		bad("stack.max_pause: must be longer than nothing; it is %s", s.MaxPause)
	}
	if s.KeepBackups < 1 {
		bad("stack.keep_backups: must be at least 1, since a save is taken back from its backup; it is %d", s.KeepBackups)
	}
	return append(problems, s.checkServices()...)
}

func (s *Settings) checkServices() (problems []error) {
	seen := map[string]int{}
	for i, service := range s.Services {
		at := fmt.Sprintf("stack.service[%d]", i)
		bad := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf(at+format, args...))
		}
		if service.Name == "" {
			bad(".name: is missing")
			continue
		}
		at += fmt.Sprintf(" (%s)", service.Name)
		if !serviceName.MatchString(service.Name) {
			bad(".name: may hold letters, digits, dots, hyphens and underscores, and begins with a letter or digit")
		}
		if first, twice := seen[service.Name]; twice {
			bad(".name: stack.service[%d] has the same name; each service needs its own", first)
		}
		seen[service.Name] = i
		if s.Backend == Process && len(service.Command) == 0 {
			bad(`.command: is missing; the process backend needs what to start, such as ["./bin/go-scanner"]`)
		}
		if s.Backend == Docker && service.Selector == "" {
			bad(`.selector: is missing; the docker backend finds containers by a label, such as "app=%s"`, service.Name)
		}
		if service.Reload.Signal == "" && !service.Reload.Watch {
			bad(`.reload: needs a signal, such as { signal = "SIGUSR1" }, or { watch = true } if the service watches the file`)
		}
		if err := checkSignal(service.Reload.Signal); err != nil {
			bad(".reload.signal: %w", err)
		}
	}
	return problems
}

// serviceName is what a service may be called: it becomes part of file names, log lines and pages.
var serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// isLoopback is true only for what cannot be reached from another machine. A name other than
// localhost is not looked up: what it resolves to may change after the check.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Signals that a program can catch, and that people use to say "reload". The others end or stop it.
var reloadSignals = []string{"SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"}

func checkSignal(name string) error {
	if name == "" {
		return nil
	}
	for _, s := range reloadSignals {
		if name == s {
			return nil
		}
	}
	return fmt.Errorf("%q is not a signal to reload with; it can be %s", name, strings.Join(reloadSignals, ", "))
}
