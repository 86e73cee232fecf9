package rules_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pitstop/schedule"
	"pitstop/stack/configfile"
	"pitstop/stack/rules"
)

// TestThePanelReadsTheSharedNotations goes through the table that the orchestrator's test goes through
// too. "refuse" is asked of the schedule alone as well: with a schema of somebody's own nothing else
// stands between the config and the services.
func TestThePanelReadsTheSharedNotations(t *testing.T) {
	content, err := os.ReadFile("../../schedule/testdata/notations.toml")
	if err != nil {
		t.Fatal(err)
	}
	shipped := rules.New("", nil)
	list, cases := "", 0
	for number, line := range strings.Split(string(content), "\n") {
		line, _, _ = strings.Cut(line, " #")
		line = strings.TrimSpace(line)
		if name, found := strings.CutSuffix(line, " = ["); found {
			list = name
		}
		table, found := strings.CutPrefix(line, "{ ")
		if !found {
			continue
		}
		cases++
		t.Run(fmt.Sprintf("line %d, %s: %s", number+1, list, line), func(t *testing.T) {
			table := "schedule = { " + strings.TrimSuffix(table, ",") + "\n"
			for key, usual := range map[string]string{"stop": "16:00", "start": "09:30"} {
				if !strings.Contains(table, key+" = ") {
					table = strings.Replace(table, "{ ", fmt.Sprintf("{ %s = %q, ", key, usual), 1)
				}
			}
			doc, err := configfile.Parse([]byte(table))
			if err != nil {
				t.Fatalf("%s is not TOML: %v", table, err)
			}
			problems := shipped.Check([]byte(table))
			_, alone := schedule.Parse(doc.Value(), time.UTC)
			switch list {
			case "accept":
				if len(problems) > 0 {
					t.Errorf("the panel refuses it: %v", problems)
				}
			case "refuse":
				if len(alone) == 0 {
					t.Error("the schedule takes it")
				}
				fallthrough
			case "panel_refuses":
				if len(problems) == 0 {
					t.Error("the panel takes it")
				}
			default:
				t.Errorf("there is no list %q", list)
			}
		})
	}
	if cases < 100 {
		t.Errorf("only %d cases were read", cases)
	}
}
