package schema

import (
	"os"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := toml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("the test's own TOML: %v", err)
	}
	return v
}

func TestTheReferenceConfigIsValid(t *testing.T) {
	b, err := os.ReadFile("../deploy/config.toml")
	if err != nil {
		t.Fatalf("reading deploy/config.toml: %v", err)
	}
	value := parse(t, string(b))
	for _, p := range Default().Validate(value, nil) {
		t.Errorf("%s %s", p.Pointer, p.Message)
	}
	for _, table := range []string{"schedule", "risk", "orchestrator", "scanner", "broker"} {
		for key := range value[table].(map[string]any) {
			if ptr := "/" + table + "/" + key; !Default().At(ptr).Known {
				t.Errorf("the default schema does not describe %s", ptr)
			}
		}
	}
}
