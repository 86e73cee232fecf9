package stack_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"pitstop/stack"
	"pitstop/stack/stacktest"
)

// What a run says is read by people: an error becomes the end of a sentence, or a sentence of its own,
// and nothing is said twice.
func TestAnErrorIsToldAsASentence(t *testing.T) {
	daemon := "Cannot connect to the Docker daemon. Is the docker daemon running?"
	for _, test := range []struct{ name, method, err, want string }{
		{"one that ends with a question mark", "Instances", daemon,
			"The services cannot be listed, so nothing was paused and nothing changed: " + daemon},
		{"one of several lines", "Instances", "no answer\nno route",
			"The services cannot be listed, so nothing was paused and nothing changed: no answer; no route."},
		{"a file that cannot be read", "Read", "the config file /c.toml cannot be read: permission denied",
			"The config file /c.toml cannot be read: permission denied. Nothing was changed."},
		{"a full disk", "Stage", "the new config cannot be staged beside /c.toml, so nothing was changed: no space left on device",
			"The new config cannot be staged beside /c.toml, so nothing was changed: no space left on device. Nothing was paused."},
		{"a file that cannot be replaced", "Commit", "the staged config cannot take the place of /c.toml, so nothing was changed: read-only file system",
			"The staged config cannot take the place of /c.toml, so nothing was changed: read-only file system. Everything runs, and the config file is as it was."},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				fault := failing(test.method, 1, stacktest.Fault{Err: errors.New(test.err)})
				w.backend.SetFault(fault)
				w.config.SetFault(fault)
				r := save(t, w.start(t), newConfig)
				if r.Outcome != stack.Failed || r.Message != test.want {
					t.Errorf("got  %s: %s\nwant %s", r.Outcome, r.Message, test.want)
				}
				for _, s := range r.Steps {
					if strings.HasSuffix(s.Detail, "?.") || strings.HasSuffix(s.Detail, "..") {
						t.Errorf("%s ends twice: %s", s.Name, s.Detail)
					}
				}
			})
		})
	}
}
