package handlers

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pitstop/schema"
	"pitstop/stack"
	"pitstop/stack/configfile"
	"pitstop/views"
)

// theFileNow names the live config file where the history names versions; no backup can be called so.
const theFileNow = "live"

// version is one version of the config that can be had: a backup, the live file, or one that is kept
// because the panel saw it.
type version struct {
	name    string // of the backup, theFileNow, or the revision of one that was seen
	content []byte
	when    time.Time // zero: now
	seen    bool
}

func (v version) revision() stack.Revision { return stack.RevisionOf(v.content) }

// versionNamed finds a version by its name.
func (s *Server) versionNamed(name string) (version, error) {
	if name == theFileNow {
		live := s.live()
		if live.Revision == "" {
			return version{}, refuse(http.StatusServiceUnavailable, live.Unusable)
		}
		return version{name: name, content: live.Content}, nil
	}
	if isRevision(name) {
		return s.seenVersion(stack.Revision(name))
	}
	list, err := s.backups()
	if err != nil {
		return version{}, err
	}
	i := slices.IndexFunc(list, func(b configfile.BackupInfo) bool { return b.Name == name })
	if i < 0 {
		return version{}, refuse(http.StatusNotFound, "There is no backup of that name. It may have been pruned.")
	}
	content, err := s.o.Store.Backup(name)
	if err != nil {
		return version{}, refuse(http.StatusServiceUnavailable, "The backup cannot be read. The log says why.").because(err)
	}
	return version{name: name, content: content, when: list[i].Time}, nil
}

func (s *Server) backups() ([]configfile.BackupInfo, error) {
	list, err := s.o.Store.Backups()
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "The backups cannot be listed. The log says why.").because(err)
	}
	return list, nil
}

// getCompare compares any two versions.
func (s *Server) getCompare(c echo.Context) error {
	from, err := s.versionNamed(c.QueryParam("from"))
	if err != nil {
		return err
	}
	to, err := s.versionNamed(c.QueryParam("to"))
	if err != nil {
		return err
	}
	list, err := s.backups()
	if err != nil {
		return err
	}
	page := views.HistoryCompare{
		Frame: s.frame("Compare", "history", c.Request()),
		From:  s.versionView(from), To: s.versionView(to),
		Diff: s.difference(from.content, to.content),
		Pick: s.versionPicker(list, from.name, to.name),
	}
	page.Stream = streamURL("frame", page.Trading.Back, nil)
	return s.render(c, http.StatusOK, views.HistoryComparePage(page))
}

func (s *Server) versionView(v version) views.HistoryVersion {
	out := views.HistoryVersion{Revision: v.revision().Short(), Words: "The file now"}
	if v.name != theFileNow {
		out.Name = v.name
		out.When = views.At(v.when, s.now(), s.zone())
		out.Words = "The backup of"
	}
	if v.seen {
		out.Words = "The file as it was,"
	}
	return out
}

// versionPicker is the form in which two versions are chosen, newest first; an empty from is the
// newest that is not the file. It has no options where there is nothing to compare with the file.
func (s *Server) versionPicker(backups []configfile.BackupInfo, from, to string) views.HistoryPicker {
	now := s.live().Revision
	type choice struct {
		at    time.Time
		value string
		label string
	}
	var choices []choice
	add := func(at time.Time, value, label string) {
		choices = append(choices, choice{at, value, at.In(s.zone()).Format("Mon 2 Jan 2006 15:04:05") + " · " + label})
	}
	there := map[stack.Revision]bool{now: true}
	for _, b := range backups {
		there[b.Revision] = true
		label := b.Revision.Short()
		if b.Revision == now {
			label += " · as now"
		}
		add(b.Time, b.Name, label)
	}
	for _, v := range s.seenVersions() {
		if !there[v.Revision] {
			add(v.Time, string(v.Revision), v.Revision.Short()+" · no backup")
		}
	}
	if len(choices) == 0 {
		return views.HistoryPicker{}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return b.at.Compare(a.at) })
	p := views.HistoryPicker{From: cmp.Or(from, choices[0].value), To: to}
	p.Options = append(p.Options, views.HistoryOption{Value: theFileNow, Label: "The file now · " + now.Short()})
	for _, c := range choices {
		p.Options = append(p.Options, views.HistoryOption{Value: c.value, Label: c.label})
	}
	return p
}

// How much of a difference is shown. More is nothing that somebody reads.
const (
	shownChanges = 400
	shownLines   = 3000
	contextLines = 3
)

// difference is what differs between two versions, in words and by line, every secret masked.
func (s *Server) difference(old, new []byte) views.HistoryDiff {
	if string(old) == string(new) {
		return views.HistoryDiff{Same: true}
	}
	var d views.HistoryDiff
	before, errOld := s.openVersion(old)
	after, errNew := s.openVersion(new)
	switch {
	case errOld != nil && errNew != nil:
		d.Problem = "Neither version is valid TOML, so that their secrets could not be masked: they are not shown here. Look at them where they lie."
	case errOld != nil:
		d.Problem = "The first version is not valid TOML, so that its secrets could not be masked: the two are not compared here. Look at it where it lies."
	case errNew != nil:
		d.Problem = "The second version is not valid TOML, so that its secrets could not be masked: the two are not compared here. Look at it where it lies."
	}
	if d.Problem != "" {
		return d
	}
	secrets := append(slices.Clone(before.secrets), after.secrets...)
	changes := configfile.Compare(before.doc, after.doc)
	for i, ch := range changes {
		if i == shownChanges {
			d.MoreChanges = len(changes) - i
			break
		}
		d.Changes = append(d.Changes, s.changeView(ch, secrets))
	}
	// A secret of one version may stand in a comment of the other.
	texts := append(before.texts(), after.texts()...)
	shownOld, errOld := before.mask(texts)
	shownNew, errNew := after.mask(texts)
	if errOld != nil || errNew != nil {
		s.log.Error("a version of the config cannot be masked", "first", errOld, "second", errNew)
		return views.HistoryDiff{Problem: "The secrets of the two could not be masked, and so they are not compared here. Look at them where they lie."}
	}
	d.Masked = shownOld.hidden || shownNew.hidden
	lines := 0
	for _, h := range configfile.Hunks(shownOld.text, shownNew.text, contextLines) {
		room := shownLines - lines
		if room <= 0 {
			d.MoreLines = true
			break
		}
		if len(h.Lines) > room {
			h.Lines, d.MoreLines = h.Lines[:room], true
		}
		lines += len(h.Lines)
		d.Hunks = append(d.Hunks, hunkView(h))
	}
	return d
}

func hunkView(h configfile.Hunk) []views.HistoryLine {
	out := make([]views.HistoryLine, len(h.Lines))
	for i, l := range h.Lines {
		v := views.HistoryLine{Text: l.Text, Sign: " "}
		switch l.Kind {
		case '+':
			v.Kind, v.Sign, v.Number = "added", "+", l.NewNo
		case '-':
			v.Kind, v.Sign, v.Number = "removed", "−", l.OldNo
		default:
			v.Number = l.NewNo
		}
		out[i] = v
	}
	return out
}

// changeView is one key that differs, in words.
func (s *Server) changeView(ch configfile.Change, secrets []string) views.HistoryChange {
	info := s.o.Schema.At(ch.Pointer)
	v := views.HistoryChange{Key: schema.Dotted(ch.Pointer), Title: info.Title, Kind: string(ch.Kind), Unit: info.Unit, Danger: info.Danger}
	switch info.Reload {
	case "live":
		v.Effect = "takes effect on reload"
	case "restart":
		v.Effect = "needs the service restarted by hand"
	}
	if v.Secret = info.Secret || touches(ch.Pointer, secrets); v.Secret {
		v.Unit = ""
		return v
	}
	if ch.Kind != configfile.Added {
		v.Old = valueWords(ch.Old, info.Unit != "")
	}
	if ch.Kind != configfile.Removed {
		v.New = valueWords(ch.New, info.Unit != "")
	}
	switch why := s.grave(ch); {
	case tenfold(ch.Old, ch.New):
		v.Large = "More than a factor of ten."
	case strings.HasPrefix(why, "is more than"):
		v.Large = "More" + strings.TrimPrefix(why, "is more") + "."
	}
	return v
}

// touches tells whether a key is one of these, holds one, or lies in one.
func touches(ptr string, pointers []string) bool {
	return slices.ContainsFunc(pointers, func(p string) bool {
		return p == ptr || strings.HasPrefix(p, ptr+"/") || strings.HasPrefix(ptr, p+"/")
	})
}

// tenfold tells whether a number became more than ten times as large, or as small.
func tenfold(old, new any) bool {
	a, okOld := number(old)
	b, okNew := number(new)
	if !okOld || !okNew || a == b {
		return false
	}
	a, b = math.Abs(a), math.Abs(b)
	return max(a, b) > 10*min(a, b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false
}

// longestValue is how many characters of a value are shown in words; the lines show all of it.
const longestValue = 160

// valueWords is a value as people read it: texts in quotes, and numbers in groups of three where
// they count something.
func valueWords(v any, counts bool) string { return wordsOf(v, counts, longestValue) }

// wordsOf is valueWords of at most so many characters.
func wordsOf(v any, counts bool, longest int) string {
	text := plainValue(v)
	if _, ok := number(v); ok && counts {
		text = grouped(text)
	}
	if r := []rune(text); len(r) > longest {
		text = string(r[:longest]) + "…"
	}
	return text
}

func plainValue(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []any:
		items := make([]string, len(v))
		for i, e := range v {
			items[i] = plainValue(e)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for i, k := range keys {
			keys[i] = k + " = " + plainValue(v[k])
		}
		return "{" + strings.Join(keys, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// grouped puts narrow spaces between the thousands of a decimal number.
func grouped(number string) string {
	whole, rest, dot := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u202f" + whole[i:]
	}
	if dot {
		rest = "." + rest
	}
	return sign + whole + rest
}
