package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pitstop/stack"
	"pitstop/stack/durable"
	"pitstop/stack/settings"
)

// arrows say which of our packages each package may import; * is any. CONTRIBUTING.md tells why.
var arrows = map[string][]string{
	".":                   {"*"},
	"handlers":            {"handlers", "views", "stack", "stack/configfile", "stack/later", "schedule", "schedule/calendar", "schema", "static"},
	"views":               {"static", "stack", "stack/configfile", "stack/later", "schedule", "schedule/calendar", "schema"},
	"static":              {},
	"stack":               {"stack/durable"},
	"stack/durable":       {},
	"stack/linuxproc":     {},
	"stack/configfile":    {"stack", "stack/durable"},
	"stack/settings":      {"stack", "stack/configfile"},
	"stack/docker":        {"stack", "stack/linuxproc", "stack/durable"},
	"stack/process":       {"stack", "stack/linuxproc", "stack/durable"},
	"stack/rules":         {"stack", "stack/configfile", "schema", "schedule"},
	"stack/guardian":      {"stack", "stack/patient"},
	"stack/patient":       {},
	"stack/later":         {"stack", "stack/durable"},
	"schema":              {},
	"schedule":            {"schedule/calendar", "stack/durable"},
	"schedule/calendar":   {},
	"services/go-scanner": {},
}

// testOnly packages may import anything of ours: no shipped code imports them.
var testOnly = []string{"stack/stacktest", "stack/docker/dockertest", "features"}

// homes say which folder alone may import a library, so that it can be exchanged in one place.
var homes = map[string]string{
	"github.com/docker/docker":                      "stack/docker",
	"github.com/santhosh-tekuri/jsonschema":         "schema",
	"github.com/labstack/echo":                      "handlers",
	"github.com/go-co-op/gocron":                    "schedule",
	"github.com/playwright-community/playwright-go": "features",
}

func TestTheArrowsBetweenPackagesHold(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := ours(p.ImportPath)
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for library, home := range homes {
				if strings.HasPrefix(imported, library) && name != home && !strings.HasPrefix(name, home+"/") {
					t.Errorf("%s imports %s, which is for %s alone", name, imported, home)
				}
			}
		}
		if slices.Contains(testOnly, name) {
			continue
		}
		allowed, known := arrows[name]
		if !known {
			t.Errorf("package %s is new: say in arrows what it may import, and in CONTRIBUTING.md what it is for", name)
			continue
		}
		for _, imported := range p.Imports {
			if to := ours(imported); to != "" && !slices.Contains(allowed, to) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s; it may import %v", name, to, allowed)
			}
		}
	}
}

// ours is a package's folder in this module, or empty if it is somebody else's.
func ours(importPath string) string {
	if importPath == "pitstop" {
		return "."
	}
	folder, ok := strings.CutPrefix(importPath, "pitstop/")
	if !ok {
		return ""
	}
	return folder
}

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"pitstop": main}) }

// The command line as a contract: features/commands/*.txtar.
func TestCommandLine(t *testing.T) {
	example, err := os.ReadFile("deploy/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "features/commands",
		Setup: func(env *testscript.Env) error {
			return os.WriteFile(env.WorkDir+"/example.toml", example, 0o644)
		},
	})
}

// settingsFor writes settings for a panel over one service, whose start leaves the file started.
func settingsFor(t *testing.T, listen, config, state string) (settingsFile, started string) {
	t.Helper()
	dir := t.TempDir()
	settingsFile, started = filepath.Join(dir, "pitstop.toml"), filepath.Join(dir, "started")
	if config == "" {
		config = filepath.Join(dir, "config.toml")
		if err := os.WriteFile(config, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if state == "" {
		state = filepath.Join(dir, "state")
	}
	content := fmt.Sprintf("listen = %q\nconfig = %q\nstate = %q\n[auth]\nmode = \"none\"\n[stack]\nbackend = \"process\"\n"+
		"[[stack.service]]\nname = \"a\"\ncommand = [\"/bin/sh\", \"-c\", %q]\nreload = { watch = true, confirm = \"\" }\n",
		listen, config, state, "touch "+started+"; sleep 1000")
	if err := os.WriteFile(settingsFile, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return settingsFile, started
}

func TestWhatCannotBeServedStartsNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	held := t.TempDir()
	unlock, err := durable.Lock(held)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	shared := t.TempDir()
	release, err := durable.LockFolder(shared)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, c := range map[string]struct{ listen, config, state, want string }{
		"a port in use":           {taken.Addr().String(), "", "", "cannot listen on " + taken.Addr().String()},
		"a folder that is absent": {"127.0.0.1:0", filepath.Join(t.TempDir(), "absent", "config.toml"), "", "the folder of the config file"},
		"a state in use":          {"127.0.0.1:0", "", held, "another panel runs with the state folder"},
		"a config folder in use":  {"127.0.0.1:0", filepath.Join(shared, "config.toml"), "", "another panel works in " + shared},
	} {
		t.Run(name, func(t *testing.T) {
			settingsFile, started := settingsFor(t, c.listen, c.config, c.state)
			err := run(t.Context(), []string{"serve", "--settings", settingsFile}, console{nil, strings.NewReader(""), io.Discard, io.Discard})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if _, err := os.Stat(started); err == nil {
				t.Error("the service was started all the same")
			}
		})
	}
}

// A panel that refused to start would leave paused what the one before it paused: what can wait does
// not keep it from recovering and from serving.
func TestAPanelRecoversWhateverElseIsBroken(t *testing.T) {
	for name, broken := range map[string]struct{ file, where string }{
		"the gate cannot be written":            {"trading.json", "config"},
		"the queued change cannot be read":      {"later.json", "state"},
		"the gate's latch is not to be written": {"gate.json", "state"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config, state := filepath.Join(dir, "config", "config.toml"), filepath.Join(dir, "state")
			for _, folder := range []string{filepath.Dir(config), state, filepath.Join(dir, broken.where, broken.file, "x")} {
				if err := os.MkdirAll(folder, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for path, content := range map[string]string{config: "", filepath.Join(state, "journal.json"): "torn"} {
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			settingsFile, _ := settingsFor(t, "127.0.0.1:0", config, state)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, in := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				ended <- run(ctx, []string{"serve", "--settings", settingsFile}, console{nil, strings.NewReader(""), in, io.Discard})
				in.Close()
			}()
			line, _ := bufio.NewReader(out).ReadString('\n')
			cancel()
			err := <-ended
			if !strings.HasPrefix(line, "Pitstop is at ") {
				t.Errorf("it does not serve: %q, %v", line, err)
			}
			if _, err := os.Stat(filepath.Join(state, "journal.json")); err == nil {
				t.Error("it did not look at the journal")
			}
		})
	}
}

// The last words of a service that ended are on the page and in the log, its secrets are in neither.
func TestTheLastWordsOfAServiceHoldNoSecret(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("[broker]\napi_key = \"key-for-nobody\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settingsFile, _ := settingsFor(t, "127.0.0.1:0", config, "")
	settings, err := os.ReadFile(settingsFile)
	if err != nil {
		t.Fatal(err)
	}
	begin, _, _ := strings.Cut(string(settings), "command =")
	content := begin + `command = ["/bin/sh", "-c", "echo cannot log in with key-for-nobody; exit 3"]` + "\nreload = { watch = true, confirm = \"\" }\n"
	if err := os.WriteFile(settingsFile, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	var logged bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--settings", settingsFile}, console{nil, strings.NewReader(""), in, &logged})
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("it does not serve: %v", <-ended)
	}
	status := ""
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(status, "What it wrote last") && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(strings.TrimSpace(strings.TrimPrefix(line, "Pitstop is at ")) + "/api/v1/status")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		status = string(body)
	}
	cancel()
	<-ended
	for where, text := range map[string]string{"the status": status, "the log": logged.String()} {
		if strings.Contains(text, "key-for-nobody") || !strings.Contains(text, "cannot log in with ********") {
			t.Errorf("%s is\n%s", where, text)
		}
	}
}

// A recovery may take long, and the panel does not serve yet: a signal ends it all the same, and leaves
// what it has not finished to the next start.
func TestASignalEndsARecovery(t *testing.T) {
	dir := t.TempDir()
	config, state := filepath.Join(dir, "config.toml"), filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	content := []byte("a = 1\n")
	service, _ := settingsFor(t, "127.0.0.1:0", config, state)
	text, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	patient := strings.NewReplacer(`confirm = ""`, `confirm = "never said"`, "[stack]\n", "[stack]\nmax_pause = \"5s\"\nreload_timeout = \"10m\"\n").Replace(string(text))
	interrupted := fmt.Sprintf(`{"version": 1, "run": "x", "phase": "reloading", "before": [{"service": "a", "id": "b"}], "old": "c", "new": %q}`, stack.RevisionOf(content))
	for path, content := range map[string][]byte{config: content, service: []byte(patient), filepath.Join(state, "journal.json"): []byte(interrupted)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out strings.Builder
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--settings", service}, console{nil, strings.NewReader(""), &out, io.Discard})
	}()
	deadline := time.After(time.Minute)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if _, err := os.Stat(filepath.Join(state, "revision")); err == nil {
			break // the recovery has looked at the file, and waits for the service
		}
		select {
		case <-tick.C:
		case err := <-ended:
			t.Fatalf("it ended by itself: %v", err)
		case <-deadline:
			t.Fatal("the recovery does not begin")
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "the next start finishes or undoes it") {
			t.Errorf("got %v, want the run that is left to the next start", err)
		}
	case <-deadline:
		t.Fatal("the signal is not obeyed")
	}
	if out.Len() > 0 {
		t.Errorf("it served all the same: %q", out.String())
	}
	if _, err := os.Stat(filepath.Join(state, "journal.json")); err != nil {
		t.Errorf("the journal: %v", err)
	}
}

func TestASlowClientDoesNotHoldUpTheEnd(t *testing.T) {
	settingsFile, _ := settingsFor(t, "127.0.0.1:0", "", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--settings", settingsFile}, console{nil, strings.NewReader(""), in, io.Discard})
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), "http://")
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "PUT /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/toml\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	if _, err := bufio.NewReader(slow).ReadString('\n'); err != nil { // 100 Continue: the handler reads
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second): // with the grace that a run has, it would be 40
		t.Fatal("the panel waited for a client that does not send")
	}
}

// The settings file may be another one by the time of the pause, or no good: what counts is what the panel read.
func TestTheGuardianHasTheSettingsThatItsPanelRead(t *testing.T) {
	state := t.TempDir()
	file := filepath.Join(state, "pitstop.toml")
	if err := os.WriteFile(file, []byte("no settings any more"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reach settings.Settings
		says  string // of what cannot be understood there
	}{
		"those of containers":        {settings.Settings{Backend: settings.Docker, State: state}, ""},
		"those of local processes":   {settings.Settings{Backend: settings.Process, State: state, OnExit: "keep"}, ""},
		"also one of their services": {settings.Settings{Backend: settings.Docker, Services: []stack.Service{{Name: "scanner", Selector: "(("}}}, "scanner"},
	} {
		t.Run(name, func(t *testing.T) {
			reach, err := json.Marshal(c.reach)
			if err != nil {
				t.Fatal(err)
			}
			order := fmt.Sprintf("{\"watch\": %q, \"name\": \"a\", \"reach\": %s}\ndone\n", filepath.Join(state, "guardian"), reach)
			var out, log strings.Builder
			err = run(t.Context(), guardianArguments(file), console{nil, strings.NewReader(order), &out, &log})
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v, want an error that names %s", err, c.says)
				}
				return
			}
			if err != nil || out.String() != "ready\nkept\n" {
				t.Errorf("got %q, %v; want that it was ready and not needed", out.String(), err)
			}
		})
	}
}
