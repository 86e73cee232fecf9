package handlers

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// historyPage is how many entries one page of the history has.
const historyPage = 30

// event is one entry of the timeline: a report, or a backup that no report tells of.
type event struct {
	at     time.Time
	report *stack.Report
	backup *configfile.BackupInfo // alone, or what the report's run replaced, as long as it is kept
	seen   *stack.VersionInfo     // what was replaced, where there is no backup of it but a version is kept
	tried  *configfile.BackupInfo // of a run that was rolled back: what it had put in place
}

// key orders events of the same instant, and finds the place in the list again.
func (e event) key() string {
	id := ""
	if e.report != nil {
		id = e.report.ID
	} else {
		id = e.backup.Name
	}
	return fmt.Sprintf("%020d.%s", e.at.UnixNano(), id)
}

// The parts of the history that can be shown alone.
const (
	showAll     = ""
	showConfig  = "config"
	showTrading = "trading"
)

// timeline is everything that happened, newest first.
func timeline(reports []stack.Report, backups []configfile.BackupInfo, show string) []event {
	byName := make(map[string]*configfile.BackupInfo, len(backups))
	for i := range backups {
		byName[backups[i].Name] = &backups[i]
	}
	var out []event
	at := map[*stack.Report]int{}
	for i := range reports {
		r := &reports[i]
		e := event{at: r.Started, report: r}
		if b := byName[r.Backup]; b != nil {
			e.backup = b
			delete(byName, r.Backup)
		}
		if show == showAll || (show == showTrading) == (r.Kind == stack.KindTrading) {
			at[r] = len(out)
			out = append(out, e)
		}
	}
	if show != showTrading {
		for _, b := range byName {
			if i, ok := at[triedBy(reports, b)]; ok && out[i].tried == nil {
				out[i].tried = b
			} else {
				out = append(out, event{at: b.Time, backup: b})
			}
		}
	}
	slices.SortFunc(out, func(a, b event) int { return cmp.Compare(b.key(), a.key()) })
	return out
}

// triedBy is the run whose roll-back left this backup.
func triedBy(reports []stack.Report, b *configfile.BackupInfo) *stack.Report {
	for i := range reports {
		r := &reports[i]
		if len(r.RollBack) > 0 && !r.Ended.IsZero() && r.Revision.To == b.Revision && b.Revision != "" && !b.Time.Before(r.Started.Truncate(time.Second)) {
			return r
		}
	}
	return nil
}

func (s *Server) getHistory(c echo.Context) error {
	q := c.QueryParams()
	list, err := s.historyList(q)
	if err != nil {
		return err
	}
	page := views.History{Frame: s.frame("History", "history", c.Request()), List: list}
	backups, err := s.backups()
	if err != nil {
		return err
	}
	page.Pick = s.versionPicker(backups, "", theFileNow)
	if keep := s.o.Store.Keep(); keep > 0 {
		page.Kept = fmt.Sprintf("The newest %s kept (keep_backups in pitstop.toml)", plural(keep, "backup is", "backups are"))
	} else {
		page.Kept = "Every backup is kept (keep_backups in pitstop.toml)"
	}
	page.Kept += fmt.Sprintf(", and so are the newest %d versions that the file had, whoever wrote them (versions in the state folder)", stack.KeepVersions)
	stream := url.Values{}
	for _, name := range []string{"show", "before"} {
		if v := q.Get(name); v != "" {
			stream.Set(name, v)
		}
	}
	page.Stream = streamURL("history", page.Trading.Back, stream)
	return s.render(c, http.StatusOK, views.HistoryPage(page))
}

// historyList is one page of the timeline.
func (s *Server) historyList(q url.Values) (views.HistoryList, error) {
	backups, err := s.backups()
	if err != nil {
		return views.HistoryList{}, err
	}
	show := q.Get("show")
	if show != showConfig && show != showTrading {
		show = showAll
	}
	list := views.HistoryList{Show: show, Problem: s.o.Controller.HistoryProblem()}
	events := timeline(s.o.Controller.Reports(), backups, show)
	if before := q.Get("before"); before != "" {
		list.Paged = true
		i := slices.IndexFunc(events, func(e event) bool { return e.key() < before })
		if i < 0 {
			i = len(events)
		}
		events = events[i:]
	}
	if len(events) > historyPage {
		events = events[:historyPage]
		older := url.Values{"before": {events[historyPage-1].key()}}
		if show != showAll {
			older.Set("show", show)
		}
		list.Older = "/history?" + older.Encode()
	}
	s.findSeen(events)
	s.groupByDay(&list, events)
	return list, nil
}

func (s *Server) groupByDay(list *views.HistoryList, events []event) {
	now, zone, live := s.now(), s.zone(), s.live().Revision
	for _, e := range events {
		local := e.at.In(zone)
		day := local.Format(time.DateOnly)
		if n := len(list.Days); n == 0 || list.Days[n-1].Date != day {
			list.Days = append(list.Days, views.HistoryDay{Date: day, Words: dayWords(local, now.In(zone))})
		}
		d := &list.Days[len(list.Days)-1]
		d.Entries = append(d.Entries, s.entry(e, live))
	}
}

func dayWords(day, today time.Time) string {
	text := day.Format("Monday 2 January 2006")
	switch day.Format(time.DateOnly) {
	case today.Format(time.DateOnly):
		return "Today, " + text
	case today.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday, " + text
	}
	return text
}

// fewKeys is how many of the changed keys an entry names.
const fewKeys = 4

// entry is one event as the timeline shows it.
func (s *Server) entry(e event, live stack.Revision) views.HistoryEntry {
	v := views.HistoryEntry{At: views.Moment{Machine: e.at.Format(time.RFC3339Nano), Text: e.at.In(s.zone()).Format("15:04:05")}}
	if e.backup != nil {
		v.Backup = backupView(*e.backup, live)
	} else if e.seen != nil {
		v.Backup = seenView(*e.seen, live)
	}
	if e.tried != nil {
		v.Tried = backupView(*e.tried, live)
	}
	r := e.report
	if r == nil {
		v.Title, v.Badge = "Backup", views.Badge{Tone: views.Quiet, Icon: "file", Word: "backup"}
		v.Message = "The history tells nothing of it: it is older than what is listed, or was put there by hand."
		return v
	}
	v.ID, v.Kind = r.ID, string(r.Kind)
	v.Title, v.Badge = entryTitle(*r)
	v.By, v.Note, v.Source = r.By, r.Note, r.Source
	if r.Kind == stack.KindTrading || r.Kind == stack.KindLater {
		v.Source = ""
	} else if isRevision(v.Source) {
		v.Source = "version " + stack.Revision(v.Source).Short()
	}
	if r.Outcome == "" {
		v.Follow = "/config?run=" + url.QueryEscape(r.ID)
	}
	if r.Kind != stack.KindExtern && (r.Kind == stack.KindTrading || r.Kind == stack.KindLater || r.Outcome != stack.Applied) {
		v.Message = r.Message
	}
	if r.PauseMs > 0 {
		v.Pause = ms(r.PauseMs)
	}
	v.Changed, v.More = changedKeys(r.Changed)
	v.More += r.MoreChanged
	if n := len(r.Changed) + r.MoreChanged; n > 0 && v.Changed == nil {
		v.Whole = true
	} else if n > 0 {
		v.Count = changedCount(*r)
	}
	return v
}

// changedKeys are the first of these keys as people write them, and how many more there are; none
// where the file as a whole is all that is known to have changed.
func changedKeys(pointers []string) (keys []string, more int) {
	if len(pointers) == 1 && pointers[0] == "" {
		return nil, 0
	}
	for i, p := range pointers {
		if i == fewKeys {
			return keys, len(pointers) - i
		}
		keys = append(keys, schema.Dotted(p))
	}
	return keys, 0
}

func backupView(b configfile.BackupInfo, live stack.Revision) *views.HistoryBackup {
	return &views.HistoryBackup{Name: b.Name, Words: b.Name, Revision: b.Revision.Short(), Size: sizeWords(b.Size), AsNow: b.Revision == live, Unreadable: b.Revision == ""}
}

func sizeWords(n int64) string {
	if n < 10_000 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d kB", n/1000)
}

// entryTitle is what an entry is called, and its outcome.
func entryTitle(r stack.Report) (string, views.Badge) {
	switch r.Kind {
	case stack.KindExtern:
		return "Edited outside Pitstop", views.Badge{Tone: views.Caution, Icon: "warn", Word: "external edit"}
	case stack.KindTrading:
		b := tradingBadge(r.Source)
		return b.Word, b
	case stack.KindLater:
		return "Apply later", laterTold(r.Source)
	case stack.KindSave, stack.KindRestore, stack.KindReload, stack.KindRecover:
		return runTitle(r), outcomeBadge(r)
	}
	return strings.ToUpper(string(r.Kind[:min(1, len(r.Kind))])) + string(r.Kind[min(1, len(r.Kind)):]), outcomeBadge(r)
}

// historyParts draw the timeline anew when the history has changed: looking at every backup is dear.
func (s *Server) historyParts(q url.Values) func() []views.Part {
	seen, last := "", views.HistoryList{}
	return func() []views.Part {
		var sign strings.Builder
		sign.WriteString(s.now().In(s.zone()).Format(time.DateOnly) + s.o.Controller.HistoryProblem() + string(s.live().Revision))
		for _, r := range s.o.Controller.Reports() {
			sign.WriteString("\n" + r.ID + string(r.Outcome) + r.Note)
		}
		if now := sign.String(); now != seen {
			if list, err := s.historyList(q); err == nil {
				seen, last = now, list
			}
		}
		return []views.Part{{ID: "timeline", Body: views.HistoryTimeline(last), Morph: true}}
	}
}
