package docker

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"pitstop/stack"
	"pitstop/stack/docker/dockertest"
)

func TestTenContainersAtOnce(t *testing.T) {
	e := dockertest.New(t)
	b := newBackend(t, Options{Services: []stack.Service{app(e, "many")}})
	var containers []*dockertest.Container
	for range 10 {
		containers = append(containers, e.Run(dockertest.Spec{Name: "many", Cmd: []string{"sleep", "infinity"}, Labels: labels(e, "many")}))
	}
	events := e.Events()
	all, err := b.Instances(t.Context())
	if err != nil || len(all) != 10 {
		t.Fatalf("Instances: got %d, %v; want 10", len(all), err)
	}
	var group errgroup.Group
	for _, i := range all {
		group.Go(func() error { return b.Pause(t.Context(), i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("Pause: %v", err)
	}
	for _, c := range containers {
		c.WaitState("is paused", func(s dockertest.State) bool { return s.Status == "paused" })
	}
	for _, i := range all {
		group.Go(func() error { return b.Unpause(t.Context(), i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("Unpause: %v", err)
	}
	events.Wait("unpause", 1, containers...)
	events.Wait("pause", 1, containers...)
}

func TestAnAnswerThatNeverCame(t *testing.T) {
	e := dockertest.New(t)
	d := newDoor(t, e)
	d.swallow = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "pause") }
	d.open()
	_, c := one(t, e, scripted("one", nil))
	b := newBackend(t, Options{Host: d.host(), Services: []stack.Service{app(e, "one")}})
	i := only(t, b)
	t.Run("a pause that took place is no error", func(t *testing.T) {
		if err := b.Pause(t.Context(), i); err != nil {
			t.Errorf("Pause: got %v, want none", err)
		}
		c.WaitState("is paused", func(s dockertest.State) bool { return s.Status == "paused" })
	})
	t.Run("an unpause that took place is no error", func(t *testing.T) {
		if err := b.Unpause(t.Context(), i); err != nil {
			t.Errorf("Unpause: got %v, want none", err)
		}
		c.WaitState("is running", func(s dockertest.State) bool { return s.Status == "running" })
	})
}

func TestWarnings(t *testing.T) {
	e := dockertest.New(t)
	folder := t.TempDir()
	file := filepath.Join(folder, "config.toml")
	if err := os.WriteFile(file, []byte("# config\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	idle := []string{"sleep", "infinity"}
	alone := e.Run(dockertest.Spec{Name: "alone", Cmd: idle, Labels: labels(e, "alone"), Binds: []string{file + ":/etc/app/config.toml"}})
	e.Run(dockertest.Spec{Name: "folder", Cmd: idle, Labels: labels(e, "folder"), Binds: []string{folder + ":/config"}})
	healed := labels(e, "healed")
	healed["autoheal"] = "true"
	e.Run(dockertest.Spec{Name: "healed", Cmd: idle, Labels: healed})
	b := newBackend(t, Options{
		Services:   []stack.Service{app(e, "alone"), app(e, "folder"), app(e, "healed"), {Name: "again", Selector: "app=folder-" + e.Unique}},
		ConfigPath: "/elsewhere/config.toml",
	})
	all, err := b.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range all {
		got[i.Service] = strings.Join(i.Warnings, "\n")
	}
	for service, want := range map[string]string{
		"alone":  alone.Name + " mounts the file config.toml alone (at /etc/app/config.toml)",
		"healed": "autoheal (label autoheal=true)",
		"again":  "The selectors of folder and again both choose",
	} {
		if !strings.Contains(got[service], want) {
			t.Errorf("warnings of %s: got %q, want one with %q", service, got[service], want)
		}
	}
	if got["folder"] != "" {
		t.Errorf("a container that mounts the folder: got warnings %q, want none", got["folder"])
	}
}

func TestFreeByHand(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	i := stack.Instance{ID: "4f2a", Name: "go-scanner"}
	for _, c := range []struct {
		host string
		i    stack.Instance
		want string
	}{
		{"", i, "docker unpause go-scanner"},
		{"", stack.Instance{ID: "4f2a"}, "docker unpause 4f2a"},
		{"tcp://engine:2375", i, "docker --host tcp://engine:2375 unpause go-scanner"},
	} {
		b := newBackend(t, Options{Host: c.host})
		if got := b.FreeByHand(c.i); got != c.want {
			t.Errorf("FreeByHand with host %q: got %q, want %q", c.host, got, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"an address without a scheme": {Host: "engine"},
		"an address over ssh":         {Host: "ssh://user@engine"},
		"an empty selector":           {Services: []stack.Service{{Name: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if b, err := New(o); err == nil {
				t.Errorf("New: got %v and no error", b)
			}
		})
	}
}

func TestSelector(t *testing.T) {
	labels := map[string]string{"app": "scanner", "tier": "", "com.example/x": "1"}
	for text, want := range map[string]bool{
		"app=scanner":               true,
		" app == scanner ":          true,
		"app=scanner,com.example/x": true,
		"app=other":                 false,
		"app":                       true,
		"app,!spare":                true,
		"app,!tier":                 false,
		"app,tier!=a":               true,
		"app!=scanner,app":          false,
		"app=scanner,role=a":        false,
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			s, err := parseSelector(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.matches(labels); got != want {
				t.Errorf("matches: got %v, want %v", got, want)
			}
		})
	}
	for _, text := range []string{
		"", " ", "app=", "=scanner", "app=scanner,", ",", "!app", "app!=scanner", "app in (a, b)", "app=a b", "app=a=b", "!", "app='a'",
	} {
		t.Run(fmt.Sprintf("%q is refused", text), func(t *testing.T) {
			if s, err := parseSelector(text); err == nil {
				t.Errorf("parseSelector: got %v and no error", s)
			}
		})
	}
}
