package handlers

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pitstop/stack"
)

// sse is one server-sent event.
type sse struct{ id, name, data string }

// listener is a client of an event stream.
type listener struct {
	t      *testing.T
	events chan sse
	stop   func()
}

// listen opens a stream. It is closed with the test, or earlier by stop.
func (p *panel) listen(t *testing.T, path string, headers ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s: status %d, Content-Type %q", path, res.StatusCode, res.Header.Get("Content-Type"))
	}
	if res.Header.Get("Content-Encoding") != "" || res.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("%s: headers %v, want no compression and no buffering", path, res.Header)
	}
	l := &listener{t: t, events: make(chan sse), stop: cancel}
	go func() {
		defer close(l.events)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 4<<20)
		var e sse
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case field == "id":
				e.id = value
			case field == "event":
				e.name = value
			case field == "data":
				e.data += value + "\n"
			case lines.Text() == "" && e != (sse{}):
				select {
				case l.events <- e:
				case <-ctx.Done():
					return
				}
				e = sse{}
			}
		}
	}()
	t.Cleanup(cancel)
	return l
}

// next is the next event; false at the end of the stream.
func (l *listener) next() (sse, bool) {
	l.t.Helper()
	select {
	case e, ok := <-l.events:
		return e, ok
	case <-time.After(generous):
		l.t.Fatal("the stream brought nothing")
		return sse{}, false
	}
}

// until reads on until an event holds all of these.
func (l *listener) until(texts ...string) string {
	l.t.Helper()
	for {
		e, ok := l.next()
		if !ok {
			l.t.Fatalf("the stream ended before %q came", texts)
		}
		all := true
		for _, text := range texts {
			all = all && strings.Contains(e.data, text)
		}
		if strings.Contains(e.data, secret) {
			l.t.Error("an event holds a secret")
		}
		if all {
			return e.data
		}
	}
}

func TestRunEvents(t *testing.T) {
	p := newPanel(t)
	form := p.form()
	form.Set("risk.max_position_usd", "8000")
	p.post("/config/run", form).want(t, 303)
	id := p.control.Last().ID()
	path := "/api/v1/runs/" + id + "/events"
	all := func(headers ...string) []sse {
		t.Helper()
		l := p.listen(t, path, headers...)
		var list []sse
		for {
			e, ok := l.next()
			if !ok {
				return list
			}
			list = append(list, e)
		}
	}
	first := all()
	t.Run("the stream tells the whole run and ends with it", func(t *testing.T) {
		for i, e := range first {
			if e.id != strconv.Itoa(i+1) || e.name != "run" {
				t.Errorf("event %d is %s %q, want run %d", i, e.id, e.name, i+1)
			}
		}
		var last stack.Event
		if err := json.Unmarshal([]byte(first[len(first)-1].data), &last); err != nil {
			t.Fatal(err)
		}
		if last.Report.Outcome != stack.Applied || last.Report.ID != id {
			t.Errorf("the last event is %+v, want run %s applied", last, id)
		}
	})
	t.Run("it can be heard again, whole or from the last event that came", func(t *testing.T) {
		if again := all(); len(again) != len(first) || again[0] != first[0] {
			t.Errorf("%d events the second time, want the same %d", len(again), len(first))
		}
		rest := all("Last-Event-ID", "3")
		if len(rest) != len(first)-3 || rest[0] != first[3] {
			t.Errorf("%d events after the third, want %d", len(rest), len(first)-3)
		}
		p.get(path, "Last-Event-ID", "x").want(t, 400)
	})
}

func TestPageStream(t *testing.T) {
	t.Run("the overview begins with everything, and tells what changes", func(t *testing.T) {
		p := newPanel(t)
		l := p.listen(t, "/events?page=overview&back=/")
		l.until(`hx-target="#services"`, `hx-target="#config-card"`, `hx-target="#next"`, `hx-target="#run"`, `hx-target="#trading"`)
		p.stack.PauseByHand(p.stack.Now()[1])
		l.until(`hx-target="#services"`, `data-state="paused"`)
		if err := p.gate.Halt("test", "news"); err != nil {
			t.Fatal(err)
		}
		l.until(`hx-target="#trading"`, "Trading halted", "news")
		p.stack.Down()
		l.until(`hx-target="#services"`, "cannot be reached")
		p.stack.Up()
		p.stack.UnpauseByHand(p.stack.Now()[1])
	})
	t.Run("a page that was drawn during a run gets the form anew when it has ended, and another stream", func(t *testing.T) {
		p := newPanel(t)
		release := make(chan struct{})
		p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			go func() {
				<-release
				p.stack.Log(i, "Config reloaded revision="+stack.RevisionOf(content).Short())
			}()
			return true
		})
		base := stack.RevisionOf(p.content())
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		p.post("/config/run", form).want(t, 303)
		q := url.Values{"page": {"config"}, "run": {p.control.Last().ID()}, "rev": {string(base)}, "wait": {"1"}, "back": {"/config"}}
		l := p.listen(t, "/events?"+q.Encode())
		l.until(`data-step="ConfirmReload" data-state="running"`)
		close(release)
		end := l.until(`hx-target="#editor"`, `hx-target="#live"`, "Configuration applied", string(stack.RevisionOf(p.content())), `value="8000"`)
		if strings.Contains(end, "wait=1") {
			t.Error("the next stream would send the form again")
		}
	})
	t.Run("a page is told by whom a run was that it did not ask for, and not of one that it did", func(t *testing.T) {
		p := newPanel(t)
		rev := string(stack.RevisionOf(p.content()))
		other := p.listen(t, "/events?"+url.Values{"page": {"config"}, "rev": {rev}}.Encode())
		other.until(`hx-target="#stale"`)
		release := make(chan struct{})
		p.stack.SetProgram(func(i stack.Instance, content []byte, log func(string)) bool {
			go func() {
				<-release
				p.stack.Log(i, "Config reloaded revision="+stack.RevisionOf(content).Short())
			}()
			return true
		})
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		answer := p.post("/config/run", form).want(t, 303)
		other.until(`data-step="ConfirmReload" data-state="running"`)
		later := p.get("/config").want(t, 200).body
		if !strings.Contains(later, inOther+"=1") {
			t.Error("a page that was opened during the run takes it for its own")
		}
		close(release)
		other.until("Configuration applied", "by 127.0.0.1, not from this tab")
		if body := p.get(answer.Header.Get("Location")).want(t, 200).has(t, "Configuration applied").body; strings.Contains(body, "not from this tab") {
			t.Error("the tab that asked is told that it was another")
		}
	})
	t.Run("a page whose file was changed from outside is told so, and keeps its form", func(t *testing.T) {
		p := newPanel(t)
		q := url.Values{"page": {"config"}, "rev": {string(stack.RevisionOf(p.content()))}}
		l := p.listen(t, "/events?"+q.Encode())
		l.until(`hx-target="#stale"`)
		if err := os.WriteFile(p.file, []byte(document+"# more\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		p.Changed()
		if text := l.until("was changed since this page was opened"); strings.Contains(text, `hx-target="#editor"`) {
			t.Error("the form was sent, over what may have been typed")
		}
	})
	t.Run("a page without a file gets its form as soon as there is one", func(t *testing.T) {
		p := newPanel(t)
		if err := os.Remove(p.file); err != nil {
			t.Fatal(err)
		}
		p.get("/config").want(t, 200).has(t, "There is no config file", "wait=1")
		l := p.listen(t, "/events?page=config&wait=1")
		l.until(`hx-target="#editor"`, "There is no config file")
		if err := os.WriteFile(p.file, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		p.Changed()
		l.until(`hx-target="#editor"`, `hx-target="#live"`, "risk.max_position_usd")
	})
	t.Run("a page whose file is being mended as a text is told when somebody else did, and keeps its text", func(t *testing.T) {
		p := newPanel(t)
		if err := os.WriteFile(p.file, []byte("a = = 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		p.get("/config").want(t, 200).has(t, "not valid TOML", "a = = 1")
		l := p.listen(t, "/events?"+url.Values{"page": {"config"}, "rev": {string(stack.RevisionOf(p.content()))}}.Encode())
		l.until(`hx-target="#stale"`)
		if err := os.WriteFile(p.file, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		p.Changed()
		if text := l.until("was changed since this page was opened"); strings.Contains(text, `hx-target="#editor"`) {
			t.Error("the form was sent, over what may have been typed")
		}
	})
	t.Run("a page that nobody knows has no stream", func(t *testing.T) {
		p := newPanel(t)
		p.get("/events?page=nothing").want(t, 404)
	})
}

func TestAPIEvents(t *testing.T) {
	p := newPanel(t)
	l := p.listen(t, "/api/v1/events")
	l.until(`"mode":"schedule"`, `"services":[`)
	if err := p.gate.Halt("test", ""); err != nil {
		t.Fatal(err)
	}
	l.until(`"mode":"halted"`)
}

func TestStreamsHoldUpNobody(t *testing.T) {
	t.Run("a client that does not read keeps neither a run nor another client waiting", func(t *testing.T) {
		p := newPanel(t)
		for range 5 {
			p.listen(t, "/events?page=overview&back=/") // nobody reads what comes
		}
		l := p.listen(t, "/events?page=overview&back=/")
		form := p.form()
		form.Set("risk.max_position_usd", "8000")
		p.post("/config/run", form).want(t, 303)
		if r := p.ended(); r.Outcome != stack.Applied {
			t.Errorf("outcome %q (%s), want applied", r.Outcome, r.Message)
		}
		l.until(`hx-target="#run"`, "applied")
	})
	t.Run("closing the panel ends every stream", func(t *testing.T) {
		p := newPanel(t)
		for _, path := range []string{"/events?page=overview", "/api/v1/events"} {
			l := p.listen(t, path)
			l.next()
			p.Close()
			for {
				if _, ok := l.next(); !ok {
					break
				}
			}
		}
	})
}
