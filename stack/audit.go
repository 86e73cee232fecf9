package stack

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"pitstop/stack/durable"
)

// keepReports is how many of the newest reports are held in memory and listed. The file keeps all.
const keepReports = 1000

// audit is the log of everything that happened to the stack: one Report as JSON per line, only ever
// appended to.
type audit struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	reports []Report          // oldest first
	early   map[string]string // notes on runs that are not in the reports yet, by run
	unsaved [][]byte          // lines that could not be written yet, for want of space for example
	unread  string            // a sentence: what of the file is not in reports
}

func openAudit(path string, log *slog.Logger) *audit {
	a := &audit{path: path, log: log, early: map[string]string{}}
	f, err := os.Open(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			log.Error("The audit log cannot be read; the history begins empty.", "path", path, "error", err)
			a.unread = "The audit log cannot be read, so that the history begins with this start of the panel. The panel's own log says why."
		}
		return a
	}
	defer f.Close()
	bad := 0
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var r Report
			if json.Unmarshal(line, &r) != nil || r.ID == "" {
				bad++
			} else {
				a.remember(r)
			}
		}
		if err != nil {
			if err != io.EOF {
				log.Error("The audit log cannot be read to its end.", "path", path, "error", err)
				a.unread = "The audit log cannot be read to its end; what is missing was skipped. The panel's own log says why."
			}
			break
		}
	}
	if bad > 0 {
		log.Warn("The audit log has lines that are no reports; they are passed over.", "path", path, "lines", bad)
		a.unread = strings.TrimSpace(skippedLines(bad) + " " + a.unread)
	}
	return a
}

// skippedLines says how many lines of the audit log are no reports.
func skippedLines(n int) string {
	if n == 1 {
		return "1 line of the audit log could not be read and was skipped."
	}
	return fmt.Sprintf("%d lines of the audit log could not be read and were skipped.", n)
}

// remember needs the lock, or to be alone.
func (a *audit) remember(r Report) {
	if r.Kind == KindNote {
		a.annotate(r.Source, r.Note)
		return
	}
	if note, ok := a.early[r.ID]; ok {
		r.Note = note
		delete(a.early, r.ID)
	}
	a.reports = append(a.reports, r)
	if len(a.reports) > 2*keepReports {
		a.reports = slices.Clone(a.reports[len(a.reports)-keepReports:])
	}
}

// append adds r durably. After an error it is in memory only, until flush can write it.
func (a *audit) append(r Report) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remember(r.clone())
	a.unsaved = append(a.unsaved, line)
	_, err = a.write()
	return err
}

// flush writes what could not be written yet, and says how many lines it wrote.
func (a *audit) flush() (written int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.write()
}

// write needs the lock.
func (a *audit) write() (written int, err error) {
	for ; len(a.unsaved) > 0; written++ {
		if err := durable.Append(a.path, a.unsaved[0], 0o600); err != nil {
			return written, err
		}
		a.unsaved = a.unsaved[1:]
	}
	return written, nil
}

// list is newest first.
func (a *audit) list() []Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(len(a.reports), keepReports)
	out := make([]Report, 0, n)
	for _, r := range slices.Backward(a.reports[len(a.reports)-n:]) {
		out = append(out, r.clone())
	}
	return out
}

func (a *audit) find(id string) (Report, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range slices.Backward(a.reports) {
		if r.ID == id {
			return r.clone(), true
		}
	}
	return Report{}, false
}

// ended says whether the history tells the end of a run: its own report, or that of the run which
// recovered it. One that was left unfinished has not ended.
func (a *audit) ended(run string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return run != "" && slices.ContainsFunc(a.reports, func(r Report) bool {
		return (r.ID == run || r.Interrupted == run) && !r.Unfinished
	})
}

// tells says whether the newest thing that the history tells of the config file is this change from
// outside: the program died before it could note that it had told it.
func (a *audit) tells(from, to Revision) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range slices.Backward(a.reports) {
		if r.Kind == KindExtern || r.Kind.IsRun() && r.Kind != KindReload {
			return r.Kind == KindExtern && r.Revision == Revisions{From: from, To: to}
		}
	}
	return false
}

// Reports is the history, newest first, the run under way before all: runs, what a crash made
// necessary (KindRecover), and what happened beside them (KindExtern, KindTrading,
// KindLater).
func (c *Controller) Reports() []Report {
	reports := c.audit.list()
	if run := c.Current(); run != nil {
		if r := c.audit.noted(run.Report()); len(reports) == 0 || !slices.ContainsFunc(reports, func(o Report) bool { return o.ID == r.ID }) {
			reports = slices.Insert(reports, 0, r)
		}
	}
	return reports
}

// Report finds one report of this process's runs or of the history.
func (c *Controller) Report(id string) (Report, bool) {
	if run, ok := c.Run(id); ok {
		return c.audit.noted(run.Report()), true
	}
	return c.audit.find(id)
}

// AppendAudit adds to the history what is no run, such as a change of the gate (KindTrading) with
// its Message and By. ID, Started, Ended and Outcome (Applied) are filled in where they are empty.
// A failure to write is logged, and the entry written as soon as that works.
func (c *Controller) AppendAudit(r Report) {
	now := c.o.Clock.Now()
	if r.Started.IsZero() {
		r.Started = now
	}
	if r.Ended.IsZero() {
		r.Ended = r.Started
	}
	if r.ID == "" {
		r.ID = newID(r.Started)
	}
	if r.Outcome == "" {
		r.Outcome = Applied
	}
	if err := c.audit.append(r); err != nil {
		c.o.Log.Error("The audit log cannot be written; the entry is kept in memory until it can.", "entry", r.ID, "error", err)
	}
	c.tellChange()
}
