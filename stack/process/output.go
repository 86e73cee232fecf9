package process

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// output is the file into which one life of a service writes by itself. Nobody stamps its lines, so
// output remembers when the file had grown how far: a byte was written at the latest when the file
// was first seen to reach beyond it. The owner keeps these sights for the next panel (sightBook).
//
// Offsets count all bytes ever written, those that are no longer in the file too.
type output struct {
	path string
	most int64 // bytes to keep; 0: all
	log  *slog.Logger

	mu     sync.Mutex
	file   *os.File
	cut    int64 // bytes that were taken out of the file, so that what followed moved up
	first  int64 // the first byte that is still there
	end    int64 // as last seen
	sights []sight
	book   sightBook
	grown  chan struct{} // closed, and replaced, when the file is seen to have grown
	rigid  bool          // the file system cannot shorten a file at its front
}

// sight says that all bytes before end had been written at that time.
type sight struct {
	end int64
	at  time.Time
}

const (
	// slack is how far a file's time may lag behind the write that set it: a tick of the kernel's
	// clock, and as long as a virtual machine may miss its ticks. A line that was taken for too early
	// would not count as the word on a reload; one from before a pause cannot be taken for too late,
	// since Pause looks.
	slack = 50 * time.Millisecond
	// mostSights bounds the memory of one output; beyond it the past becomes coarser.
	mostSights = 4096
	// longestLine is where a line without an end is broken.
	longestLine = 1 << 20
)

// openOutput opens the file of a life that runs or ran. most is for its owner only: nobody else may
// shorten it.
func openOutput(path string, most int64, log *slog.Logger) (*output, error) {
	flag := os.O_RDONLY
	if most > 0 {
		flag = os.O_RDWR
	}
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, fmt.Errorf("could not read what the service wrote: %w", err)
	}
	o := &output{path: path, most: most, log: log, file: file, grown: make(chan struct{})}
	if most > 0 {
		if o.book, o.sights = openSights(path, log); len(o.sights) > 0 {
			o.end = o.sights[len(o.sights)-1].end
		}
	}
	o.look()
	return o, nil
}

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.book.close()
	return o.file.Close()
}

// look sees how far the file reaches now, and returns what is closed once it is seen to reach
// further.
func (o *output) look() (grown <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	info, err := o.file.Stat()
	if err != nil {
		return o.grown // closed: nothing more will come
	}
	end := o.cut + info.Size()
	if end == o.end {
		return o.grown
	}
	if end < o.end { // somebody emptied the file
		o.cut = o.end - info.Size()
		o.first = o.cut
		return o.grown
	}
	s := sight{end: end, at: o.written(info.ModTime())}
	o.remember(s)
	o.shorten()
	o.book.note(s, o.cut)
	close(o.grown)
	o.grown = make(chan struct{})
	return o.grown
}

// written bounds the time of a write from above: by now, and better by the file's own time.
func (o *output) written(modified time.Time) time.Time {
	at := time.Now().Round(0)
	if limit := modified.Add(slack); limit.Before(at) {
		at = limit
	}
	if n := len(o.sights); n > 0 && at.Before(o.sights[n-1].at) {
		at = o.sights[n-1].at // the wall clock was set back
	}
	return at
}

func (o *output) remember(s sight) {
	o.end = s.end
	if n := len(o.sights); n > 0 && o.sights[n-1].at.Equal(s.at) {
		o.sights[n-1] = s
		return
	}
	o.sights = append(o.sights, s)
	if len(o.sights) <= mostSights {
		return
	}
	// Leave out every second of the older half. A byte whose sight is left out counts as written at
	// the next one: later than it was, never earlier.
	i := -1
	o.sights = slices.DeleteFunc(o.sights, func(sight) bool {
		i++
		return i < mostSights/2 && i%2 == 0
	})
}

// shorten takes the oldest bytes out of a file that has grown too long. The service appends, so it
// is not disturbed, and no byte it writes meanwhile can get lost, as with a copy and a truncation.
func (o *output) shorten() {
	const block = 1 << 16 // a multiple of every file system's block
	kept := o.end - o.first
	if o.most == 0 || o.rigid || kept <= o.most {
		return
	}
	drop := (kept - o.most/2) / block * block
	if drop <= 0 {
		return
	}
	fd, until := int(o.file.Fd()), o.first-o.cut+drop
	collapse := unix.Fallocate(fd, unix.FALLOC_FL_COLLAPSE_RANGE, 0, until)
	if collapse == nil {
		o.first += drop
		o.cut = o.first
		return
	}
	// Where what follows cannot move up, a hole frees the space as well.
	punch := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, until)
	if punch == nil {
		o.first += drop
		return
	}
	o.rigid = true
	o.log.Warn("the output of a service cannot be shortened on this file system: it grows until the service starts again",
		"file", o.path, "error", errors.Join(collapse, punch))
}

// read reads bytes that were seen, from there on or from the first that is still there.
func (o *output) read(into []byte, from int64) (n int, at int64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at = max(from, o.first)
	into = into[:max(0, min(int64(len(into)), o.end-at))]
	n, err = o.file.ReadAt(into, at-o.cut)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("could not read what the service wrote: %w", err)
	}
	return n, at, err
}

// writtenBefore is how far the file reached for certain before that time.
func (o *output) writtenBefore(t time.Time) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := sort.Search(len(o.sights), func(i int) bool { return !o.sights[i].at.Before(t) })
	if i == 0 {
		return o.first
	}
	return max(o.first, o.sights[i-1].end)
}

// writtenAt is when the byte before that end was written, at the latest.
func (o *output) writtenAt(end int64) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := sort.Search(len(o.sights), func(i int) bool { return o.sights[i].end >= end })
	if i == len(o.sights) {
		return time.Now().Round(0)
	}
	return o.sights[i].at
}
