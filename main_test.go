package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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
	"stack/guardian":      {"stack"},
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
