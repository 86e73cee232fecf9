// Package deploy_test holds the shipped files to what the program understands.
package deploy_test

import (
	"log/slog"
	"os"
	"testing"

	"pitstop/stack/rules"
	"pitstop/stack/settings"
)

func TestShippedSettingsLoad(t *testing.T) {
	for _, name := range []string{"pitstop.toml", "pitstop.process.toml"} {
		t.Run(name, func(t *testing.T) {
			s, err := settings.Load(name, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(s.Services); got != 2 {
				t.Errorf("got %d services, want both reference services", got)
			}
		})
	}
}

func TestShippedConfigIsValid(t *testing.T) {
	content, err := os.ReadFile("config.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rules.New("", slog.New(slog.DiscardHandler)).Check(content) {
		t.Errorf("config.toml:%d:%d: %s: %s", p.Line, p.Column, p.Pointer, p.Message)
	}
}
