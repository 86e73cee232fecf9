package stacktest

import (
	"testing"

	"pitstop/stack"
)

// Harness is a backend with a small stack of its own, for TestBackend. There are at least two
// services. Each has exactly one running instance of a program that
//
//   - logs "ready" once, when it can take signals,
//   - logs "beat" about every 50 ms from then on,
//   - logs "signal USR1" whenever it gets a SIGUSR1, and lives on.
//
// In a shell:
//
//	trap 'echo signal USR1' USR1; echo ready; while :; do echo beat; sleep 0.05 & wait $!; done
type Harness struct {
	Backend  stack.Backend
	Services []stack.Service // as the backend knows them, in its order
	// Kill ends the instance's main process from outside, with SIGKILL, and returns when it is
	// dead. Whether the engine brings it back is the engine's business: both are fine.
	Kill func(t *testing.T, i stack.Instance)
	// Remove makes the instance vanish: from then on the engine knows nothing of that life. Nil if
	// that cannot be had.
	Remove func(t *testing.T, i stack.Instance)
}

// TestBackend is the contract of stack.Backend as a test. start makes a new Harness for each
// subtest, with every instance running, and registers its own clean-up on t.
func TestBackend(t *testing.T, start func(t *testing.T) Harness) {
	t.Helper()
}

// ConfigHarness is a config store for TestConfigStore.
type ConfigHarness struct {
	Store stack.ConfigStore
	// Edit writes to the live file as somebody else would.
	Edit func(t *testing.T, content []byte)
	// Staged lists the staged files that lie about, by path.
	Staged func(t *testing.T) []string
}

// TestConfigStore is the contract of stack.ConfigStore as a test. open makes a new store, keeping
// 3 backups, whose live file holds content.
func TestConfigStore(t *testing.T, open func(t *testing.T, content []byte) ConfigHarness) {
	t.Helper()
}
