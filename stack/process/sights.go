package process

import (
	"cmp"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sightBook keeps the newest sights of an output in a small file beside it, so that the next panel
// knows when the lines were written that it finds: without it, what a service refused an hour ago
// would count as its answer to the config of now. It is a ring, and not synced: the processes whose
// output it tells of do not survive a power cut either.
type sightBook struct {
	file *os.File // nil: it could not be opened, and nothing is kept
	next int64    // the place of the next entry
}

// An entry is three numbers: the sight's end, how much had been cut out of the file's front by then,
// and the time.
const entrySize = 24

func sightPath(output string) string { return strings.TrimSuffix(output, ".log") + ".seen" }

// openSights opens the book of an output, and returns the sights in it, oldest first, as offsets in
// the file as it is now.
func openSights(output string, log *slog.Logger) (sightBook, []sight) {
	file, err := os.OpenFile(sightPath(output), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		log.Warn("when a service wrote its lines cannot be kept for the next panel", "error", err)
		return sightBook{}, nil
	}
	content := make([]byte, mostSights*entrySize)
	n, _ := file.ReadAt(content, 0)
	type entry struct {
		sight
		cut int64
	}
	var entries []entry
	for e := content[:n]; len(e) >= entrySize; e = e[entrySize:] {
		number := func(i int) int64 { return int64(binary.LittleEndian.Uint64(e[8*i:])) }
		entries = append(entries, entry{sight{end: number(0), at: time.Unix(0, number(2))}, number(1)})
	}
	book := sightBook{file: file}
	if len(entries) == 0 {
		return book, nil
	}
	newest := 0
	for i, e := range entries {
		if e.end >= entries[newest].end && e.cut >= entries[newest].cut {
			newest = i
		}
	}
	book.next = int64(newest+1) % mostSights
	cut := entries[newest].cut
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.end, b.end) })
	var sights []sight
	for _, e := range entries {
		e.end -= cut
		if n := len(sights); e.end <= 0 || n > 0 && e.at.Before(sights[n-1].at) {
			continue
		}
		sights = append(sights, e.sight)
	}
	return book, sights
}

// note keeps one sight more. A failure costs the next panel only some precision.
func (b *sightBook) note(s sight, cut int64) {
	if b.file == nil {
		return
	}
	entry := make([]byte, 0, entrySize)
	for _, n := range []int64{s.end, cut, s.at.UnixNano()} {
		entry = binary.LittleEndian.AppendUint64(entry, uint64(n))
	}
	_, _ = b.file.WriteAt(entry, b.next*entrySize)
	b.next = (b.next + 1) % mostSights
}

func (b *sightBook) close() {
	if b.file != nil {
		_ = b.file.Close()
	}
}

// keptOutputs is of how many lives of a service the output is kept.
const keptOutputs = 5

// pruneOutputs removes the output of the oldest lives. Their names sort by time.
func pruneOutputs(folder string) {
	paths, _ := filepath.Glob(filepath.Join(folder, "*.log"))
	for len(paths) > keptOutputs {
		_ = os.Remove(paths[0])
		_ = os.Remove(sightPath(paths[0]))
		paths = paths[1:]
	}
}
