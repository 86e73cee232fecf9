// Package features shows what Pitstop does, from outside: a real panel process, a real browser, a
// real Docker engine with the reference services. The scenarios are in *.feature.
package features

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cucumber/godog"
)

// binary is the panel, built once for all tests of this package.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	folder, err := os.MkdirTemp("", "pitstop-features-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	defer closeBrowser()
	binary = filepath.Join(folder, "pitstop")
	build := exec.Command("go", "build", "-o", binary, "pitstop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the panel: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// TestFeatures runs every scenario as a subtest of its own, so that each has a world of its own
// that is taken down when it ends. SCENARIO=file.feature:LINE runs one, SCENARIO=file.feature one file.
func TestFeatures(t *testing.T) {
	files, err := filepath.Glob("*.feature")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no features: %v", err)
	}
	only := os.Getenv("SCENARIO")
	for _, file := range files {
		for _, s := range scenarios(t, file) {
			if only != "" && only != file && only != s.place {
				continue
			}
			t.Run(strings.TrimSuffix(file, ".feature")+"/"+s.name, func(t *testing.T) {
				report := &output{}
				suite := godog.TestSuite{
					Name: s.name,
					Options: &godog.Options{
						Format: "pretty", NoColors: true, Strict: true,
						Paths: []string{s.place}, Output: report,
					},
					ScenarioInitializer: func(sc *godog.ScenarioContext) {
						w := &world{TB: inStep{t}}
						w.commonSteps(sc)
						w.workflowSteps(sc)
						w.editingSteps(sc)
						w.formSteps(sc)
						w.scheduleSteps(sc)
						w.historySteps(sc)
						w.laterSteps(sc)
						w.wordsSteps(sc)
					},
				}
				if status := suite.Run(); status != 0 {
					t.Errorf("the scenario failed; run it alone with SCENARIO=%s\n%s", s.place, report)
				}
			})
		}
	}
}

type scenario struct{ name, place string }

var scenarioLine = regexp.MustCompile(`^\s*Scenario(?: Outline)?: (.+)$`)

func scenarios(t *testing.T, file string) []scenario {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []scenario
	for i, line := range strings.Split(string(content), "\n") {
		if m := scenarioLine.FindStringSubmatch(line); m != nil {
			found = append(found, scenario{m[1], fmt.Sprintf("%s:%d", file, i+1)})
		}
	}
	return found
}

// inStep is a test seen from within a step. godog runs steps in a goroutine of its own, which
// FailNow must not end; it takes a panic for the step's failure.
type inStep struct{ testing.TB }

func (s inStep) FailNow() { panic("the step failed") }

func (s inStep) Fatal(args ...any) {
	s.Helper()
	panic(fmt.Sprint(args...))
}

func (s inStep) Fatalf(format string, args ...any) {
	s.Helper()
	panic(fmt.Sprintf(format, args...))
}
