// Go-scanner is one of the two reference services: it scans a market that it makes up itself, by the
// table [scanner] of the stack's config, and offers candidates to whoever connects.
//
// It shows how a service follows a config that Pitstop changes: it watches the file's folder, lets
// content decide, keeps the old config if the new one is bad, and says in one line what it did:
//
//	Config reloaded revision=<first 12 digits of the file's SHA-256>
//	Config reload failed: <why>
//
// A client sends one line, {"session":"…","after":N}, and gets one line of JSON per scan.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/jonboulle/clockwork"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever read the log went away: no reason to stop
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong usage")

func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	path := getenv("PITSTOP_CONFIG")
	if path == "" {
		path = "/config/config.toml"
	}
	flags := flag.NewFlagSet("go-scanner", flag.ContinueOnError)
	flags.SetOutput(stdout)
	flags.StringVar(&path, "config", path, "the stack's config `file` (or PITSTOP_CONFIG)")
	listen := flags.String("listen", getenv("SCANNER_LISTEN"), "`address` to offer candidates on, instead of the config's (or SCANNER_LISTEN)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stdout, "go-scanner takes no arguments, only flags; got %q\n", flags.Args())
		return errUsage
	}
	level := new(slog.LevelVar)
	log := newLogger(stdout, level)
	err := newScanner(path, *listen, log, level, clockwork.NewRealClock()).Run(ctx)
	if err != nil {
		log.Error(err.Error())
		return err
	}
	log.Info("ended")
	return nil
}
