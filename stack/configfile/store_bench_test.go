package configfile

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkCommit is the part of a save that lies inside the pause window.
func BenchmarkCommit(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "config.toml"), 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	content := manyKeys(200)
	if err := os.WriteFile(s.Path(), content, 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		st, err := s.Stage(content, noon)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		backup, err := s.Commit(st)
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(filepath.Join(filepath.Dir(s.Path()), backup)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkEdit is one Set in a document of 10 000 keys; BenchmarkParse is its floor, since every
// edit is checked by parsing the result.
func BenchmarkEdit(b *testing.B) {
	src := manyKeys(10_000)
	for b.Loop() {
		d := mustParse(b, src)
		if err := d.Set("/s50/key_5000", 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	src := manyKeys(10_000)
	for b.Loop() {
		mustParse(b, src)
	}
}
