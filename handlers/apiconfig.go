package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pitstop/stack"
	"pitstop/stack/configfile"
)

// apiGetConfig is the file with its secrets masked, and what is remarked beside them, as the raw view
// and the backups have it; its ETag is the revision of the file itself.
func (s *Server) apiGetConfig(c echo.Context) error {
	live, err := s.usable() // what does not parse could not be masked
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("ETag", `"`+string(live.Revision)+`"`)
	h.Add("Vary", "Accept")
	if prefersJSON(c.Request().Header.Get("Accept")) {
		doc, err := s.masked(live.Content)
		if err != nil {
			return err
		}
		return s.json(c, http.StatusOK, jsonValue(doc.Value()))
	}
	shown, err := s.shown(live.Content)
	if err != nil {
		return err
	}
	return write(c, http.StatusOK, "application/toml; charset=utf-8", shown.text)
}

// prefersJSON tells whether JSON is asked for by name, and not less than TOML is.
func prefersJSON(accept string) bool {
	weight := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight[name] = 1
		if q, given := params["q"]; given {
			weight[name], _ = strconv.ParseFloat(q, 64)
		}
	}
	return weight["application/json"] > 0 && weight["application/json"] >= weight["application/toml"]
}

// jsonValue is a document's value without the floats that JSON has no word for.
func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = jsonValue(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = jsonValue(e)
		}
		return out
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return v
}

// apiPutConfig replaces the whole document, and answers when the run has ended.
func (s *Server) apiPutConfig(c echo.Context) error {
	if err := requireType(c, "application/toml"); err != nil {
		return err
	}
	return s.runSent(c)
}

// apiPatchConfig changes some keys (RFC 7396), and answers when the run has ended.
func (s *Server) apiPatchConfig(c echo.Context) error {
	if err := requireType(c, mergePatch); err != nil {
		return err
	}
	return s.runSent(c)
}

func (s *Server) runSent(c echo.Context) error {
	content, base, err := s.sentConfig(c)
	if err != nil {
		return err
	}
	return s.runToEnd(c, stack.Change{Kind: stack.KindSave, Content: content, Base: base, By: by(c), Note: s.sentNote(c, content)})
}

// mergePatch is the media type of RFC 7396.
const mergePatch = "application/merge-patch+json"

// sentConfig is the config that a request's body asks for, as a whole document or as a merge patch,
// and the revision that it was made from; empty: whatever is there.
func (s *Server) sentConfig(c echo.Context) (content []byte, base stack.Revision, err error) {
	if base, err = s.ifMatch(c); err != nil {
		return nil, "", err
	}
	if requireType(c, mergePatch) == nil {
		return s.sentPatch(c, base)
	}
	if content, err = io.ReadAll(c.Request().Body); err != nil {
		return nil, "", err
	}
	if len(bytes.TrimSpace(content)) == 0 {
		// What a script sends whose own reading of a file failed.
		r := refuse(http.StatusUnprocessableEntity, "The document is empty, which would remove every key. If that is what you mean, send a comment.")
		r.problems = []stack.Problem{{Line: 1, Column: 1, Message: "There is nothing here."}}
		return nil, "", r
	}
	content, err = s.unmaskedText(content, s.live())
	return content, base, err
}

func (s *Server) sentPatch(c echo.Context, base stack.Revision) ([]byte, stack.Revision, error) {
	live, err := s.usable()
	if err != nil {
		return nil, "", err
	}
	if base == "" {
		base = live.Revision // so that a save in between is a conflict, not lost
	}
	if base != live.Revision {
		return nil, "", stack.ErrConflict
	}
	patch, err := readPatch(c, live.Value)
	if err != nil {
		return nil, "", err
	}
	doc, err := configfile.Parse(live.Content)
	if err != nil {
		return nil, "", err
	}
	if err := doc.MergePatch(patch); err != nil {
		return nil, "", refuse(http.StatusUnprocessableEntity, "The patch cannot be made: "+err.Error()).because(err)
	}
	content, err := s.unmasked(doc.Bytes(), live)
	return content, base, err
}

// readPatch reads a merge patch with the numbers that TOML has.
func readPatch(c echo.Context, live map[string]any) (map[string]any, error) {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return nil, err
	}
	v, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	patch, ok := v.(map[string]any)
	if !ok {
		return nil, refuse(http.StatusUnprocessableEntity, "A merge patch for a config file is a JSON object.")
	}
	out, err := tomlValue(patch, live, "")
	if err != nil {
		return nil, err
	}
	return out.(map[string]any), nil
}

// tomlValue makes TOML's integers and floats of JSON's one kind of number: what the file has at that
// place decides, and else whether there is a fraction.
func tomlValue(v, live any, ptr string) (any, error) {
	wrong := func(why string) error {
		r := refuse(http.StatusUnprocessableEntity, "The patch has a value that a config file cannot hold.")
		r.problems = []stack.Problem{{Pointer: ptr, Message: why}}
		return r
	}
	switch v := v.(type) {
	case map[string]any:
		was, _ := live.(map[string]any)
		out := make(map[string]any, len(v))
		for k, e := range v {
			var err error
			key := strings.ReplaceAll(strings.ReplaceAll(k, "~", "~0"), "/", "~1")
			if out[k], err = tomlValue(e, was[k], ptr+"/"+key); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		was, _ := live.([]any)
		out := make([]any, len(v))
		for i, e := range v {
			if e == nil {
				return nil, wrong("A list in a config file has no null.")
			}
			var old any
			if i < len(was) {
				old = was[i]
			}
			var err error
			if out[i], err = tomlValue(e, old, fmt.Sprintf("%s/%d", ptr, i)); err != nil {
				return nil, err
			}
		}
		return out, nil
	case json.Number:
		if _, isFloat := live.(float64); !isFloat && !strings.ContainsAny(v.String(), ".eE") {
			n, err := v.Int64()
			if err != nil {
				return nil, wrong("This whole number is too large for a config file.")
			}
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, wrong("This number is too large for a config file.")
		}
		return f, nil
	}
	return v, nil
}

// ifMatch is the revision that the client expects, from If-Match; empty where it expects none. Of a
// list, as RFC 9110 has it, the one that the file is now is meant. A weak tag counts too: it is what a
// proxy that compresses makes of ours. So does a bare revision, as the status has it.
func (s *Server) ifMatch(c echo.Context) (stack.Revision, error) {
	h := strings.TrimSpace(strings.Join(c.Request().Header.Values("If-Match"), ","))
	if h == "" || h == "*" {
		return "", nil
	}
	if bareRevision.MatchString(h) {
		return stack.Revision(h), nil
	}
	var tags []stack.Revision
	for tag := range strings.SplitSeq(h, ",") {
		m := entityTag.FindStringSubmatch(strings.TrimSpace(tag))
		if m == nil {
			return "", refuse(http.StatusBadRequest, `If-Match must be a revision in double quotes, as ETag gave it, or several with commas between.`)
		}
		tags = append(tags, stack.Revision(m[1]))
	}
	if live := s.live().Revision; slices.Contains(tags, live) {
		return live, nil
	}
	if len(tags) > 1 || tags[0] == "" {
		return "", stack.ErrConflict // "" is a tag that no revision has, and not the same as none
	}
	return tags[0], nil
}

var entityTag = regexp.MustCompile(`^(?:W/)?"([^",]*)"$`)

var bareRevision = regexp.MustCompile(`^[0-9a-f]{64}$`)

// runToEnd starts a run and answers with its report when it has ended. A client that goes away in
// between changes nothing: the run is not its own.
func (s *Server) runToEnd(c echo.Context, ch stack.Change) error {
	if s.o.Broken != "" {
		return refuse(http.StatusServiceUnavailable, s.o.Broken)
	}
	run, err := s.o.Controller.SaveAndRestart(c.Request().Context(), ch)
	if err != nil {
		return err
	}
	return s.answerAtEnd(c, run)
}

// answerAtEnd waits for a run and answers with its report.
func (s *Server) answerAtEnd(c echo.Context, run *stack.Run) error {
	ctx, stop := context.WithCancel(c.Request().Context())
	defer stop()
	defer context.AfterFunc(s.closing, stop)()
	report, err := run.Wait(ctx)
	if err != nil {
		if s.closing.Err() != nil {
			return refuse(http.StatusServiceUnavailable, "Pitstop is shutting down. It ends run "+run.ID()+" first; the history will tell how.")
		}
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/runs/"+report.ID)
	if r := runRefusal(report); r != nil {
		return r
	}
	if report.Outcome == stack.Applied {
		c.Response().Header().Set("ETag", `"`+string(report.Revision.To)+`"`)
	}
	return s.json(c, http.StatusOK, report)
}
