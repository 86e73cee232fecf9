package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pitstop/stack/durable"
)

// record is what the folder of a service remembers of its newest life. It is written before the
// process is started, without a PID, and again after. A PID alone is never believed: it counts only
// together with the start time and the boot.
type record struct {
	Service  string `json:"service"`
	Life     string `json:"life"` // see lifeName
	Boot     string `json:"boot"`
	PID      int    `json:"pid,omitempty"`
	Start    uint64 `json:"start,omitempty"` // clock ticks since the boot
	Restarts int    `json:"restarts,omitempty"`
}

const recordName = "process.json"

func (r record) write(folder string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(folder, recordName), append(text, '\n'), 0o600)
}

// readRecord returns the zero record where there is none.
func readRecord(folder string) (record, error) {
	path := filepath.Join(folder, recordName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return record{}, fmt.Errorf("could not read which process was started: %w", err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("could not understand %s, which should name the process that was started: %w", path, err)
	}
	return r, nil
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("could not tell this boot of the machine from others: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// A life is named by the moment it was begun, to the nanosecond. The name stands in the record, in
// the environment of the process and in the name of its output file, so each of them alone is enough
// to tell Instance.Started.
const lifeLayout = "20060102T150405.000000000Z"

func lifeName(begun time.Time) string { return begun.UTC().Format(lifeLayout) }

func lifeBegun(name string) (time.Time, error) { return time.Parse(lifeLayout, name) }
