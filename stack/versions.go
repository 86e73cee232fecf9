package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"pitstop/stack/durable"
)

// How many versions are kept, how much of them together, and how large one may be.
const (
	KeepVersions       = 100
	keepVersionBytes   = 64 << 20
	largestVersionKept = 16 << 20
)

// VersionInfo is a version of the config file that Pitstop has seen and still keeps.
type VersionInfo struct {
	Revision Revision  `json:"revision"`
	Time     time.Time `json:"time"` // when it was last found to be the file
	Size     int64     `json:"size"`
}

// versions are the newest contents that the config file had, as plain files in a folder: a backup is
// made by a save, so that what is overwritten from outside would be lost without them. Their names
// say when each was found, in local time, and its revision. They hold secrets, as backups do.
type versions struct {
	dir    string
	mu     sync.Mutex // one at a time in the folder
	newest Revision   // the last that was kept by this process
}

const (
	versionLayout = "20060102_150405.000"
	versionSuffix = ".toml"
)

func versionName(at time.Time, r Revision) string {
	return at.Local().Format(versionLayout) + "_" + string(r) + versionSuffix
}

// versionOf reads a name back.
func versionOf(name string) (VersionInfo, bool) {
	stem, ok := strings.CutSuffix(name, versionSuffix)
	if !ok || len(stem) != len(versionLayout)+1+64 || strings.Trim(stem[len(versionLayout)+1:], "0123456789abcdef") != "" {
		return VersionInfo{}, false
	}
	at, err := time.ParseInLocation(versionLayout, stem[:len(versionLayout)], time.Local)
	return VersionInfo{Revision: Revision(stem[len(versionLayout)+1:]), Time: at}, err == nil
}

// keptVersion is a version with its file's name.
type keptVersion struct {
	VersionInfo
	name string
}

// list is newest first. It needs the lock. A folder that is not there yet has none.
func (v *versions) list() ([]keptVersion, error) {
	entries, err := os.ReadDir(v.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []keptVersion
	for _, e := range slices.Backward(entries) { // by name: by time
		if one, ok := versionOf(e.Name()); ok && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				one.Size = info.Size()
			}
			out = append(out, keptVersion{one, e.Name()})
		}
	}
	return out, err
}

// keep keeps content, durably, as found at this time, and lets go of the oldest beyond the bounds.
func (v *versions) keep(content []byte, at time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	rev := RevisionOf(content)
	if rev == v.newest {
		return nil
	}
	if len(content) > largestVersionKept {
		return fmt.Errorf("it has %d MB, and versions of up to %d MB are kept", len(content)>>20, largestVersionKept>>20)
	}
	// Not the folder above it: where the state's disk is gone, nothing is written in its place.
	if err := os.Mkdir(v.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	had, err := v.list()
	if err != nil {
		return err
	}
	name := versionName(at, rev)
	i := slices.IndexFunc(had, func(k keptVersion) bool { return k.Revision == rev })
	switch {
	case i < 0:
		err = durable.WriteFile(filepath.Join(v.dir, name), content, 0o600)
	case i > 0: // it came back
		if err = os.Rename(filepath.Join(v.dir, had[i].name), filepath.Join(v.dir, name)); err == nil {
			err = durable.SyncDir(v.dir)
		}
	}
	if err != nil {
		return err
	}
	v.newest = rev
	return v.prune(rev)
}

// prune lets go of the oldest versions beyond the bounds, never of this one. It needs the lock.
func (v *versions) prune(except Revision) error {
	kept, err := v.list()
	if err != nil {
		return err
	}
	count, size := 0, int64(0)
	for _, k := range kept {
		count, size = count+1, size+k.Size
		if (count > KeepVersions || size > keepVersionBytes) && k.Revision != except {
			err = errors.Join(err, os.Remove(filepath.Join(v.dir, k.name)))
		}
	}
	return err
}

// find returns the bytes of a version. A file that does not hold what its name says is none.
func (v *versions) find(r Revision) ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept, _ := v.list()
	for _, k := range kept {
		if k.Revision != r || k.Size > largestVersionKept {
			continue
		}
		if content, err := os.ReadFile(filepath.Join(v.dir, k.name)); err == nil && RevisionOf(content) == r {
			return content, true
		}
	}
	return nil, false
}

// sweep removes what writing left when it was killed.
func (v *versions) sweep() {
	v.mu.Lock()
	defer v.mu.Unlock()
	entries, _ := os.ReadDir(v.dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), ".tmp-") {
			os.Remove(filepath.Join(v.dir, e.Name()))
		}
	}
}

// Versions lists what is kept of the versions that the config file had, however they came about,
// newest first.
func (c *Controller) Versions() ([]VersionInfo, error) {
	v := c.known.versions
	v.mu.Lock()
	defer v.mu.Unlock()
	kept, err := v.list()
	out := make([]VersionInfo, 0, len(kept))
	for _, k := range kept {
		out = append(out, k.VersionInfo)
	}
	return out, err
}

// Version returns the bytes that the config file had at this revision, if they are kept.
func (c *Controller) Version(r Revision) ([]byte, bool) { return c.known.versions.find(r) }
