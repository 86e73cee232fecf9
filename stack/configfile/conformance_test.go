package configfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pitstop/stack/configfile"
	"pitstop/stack/stacktest"
)

func TestStoreKeepsTheConfigStoreContract(t *testing.T) {
	stacktest.TestConfigStore(t, func(t *testing.T, content []byte) stacktest.ConfigHarness {
		dir := t.TempDir()
		path := filepath.Join(dir, "config.toml")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := configfile.Open(path, 3, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return stacktest.ConfigHarness{
			Store: s,
			Edit: func(t *testing.T, content []byte) {
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			Staged: func(t *testing.T) []string {
				entries, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				var staged []string
				for _, e := range entries {
					if strings.HasPrefix(e.Name(), ".config.toml.pitstop-") {
						staged = append(staged, filepath.Join(dir, e.Name()))
					}
				}
				return staged
			},
		}
	})
}
