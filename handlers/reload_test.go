package handlers

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pitstop/stack"
)

// behind is a panel whose services have not loaded what somebody wrote without it.
func behind(t *testing.T) *panel {
	t.Helper()
	p := newPanel(t)
	wrote := strings.Replace(document, "max_open_positions", "# by hand\nmax_open_positions", 1)
	if wrote == document {
		t.Fatal("the document has no such key")
	}
	if err := os.WriteFile(p.file, []byte(wrote), 0o644); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(generous); ; time.Sleep(10 * time.Millisecond) {
		page := p.get("/").want(t, 200).body
		if strings.Contains(page, "loaded another config") {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("the overview does not say who is behind:\n%s", page)
		}
	}
}

func TestReloadBringsServicesToTheFile(t *testing.T) {
	t.Run("by the API", func(t *testing.T) {
		p := behind(t)
		r := decode[stack.Report](t, p.do("POST", "/api/v1/reload", "", "Pitstop-Note", "after the edit by hand").want(t, 200))
		if r.Kind != stack.KindReload || r.Outcome != stack.Applied || r.Note != "after the edit by hand" || r.PauseMs != 0 {
			t.Errorf("got %+v", r)
		}
		if page := p.get("/").want(t, 200).body; strings.Contains(page, "loaded another config") {
			t.Errorf("the overview still says that they did not:\n%s", page)
		}
		p.get("/history").want(t, 200).has(t, "Reload services")
		if r := decode[stack.Report](t, p.do("POST", "/api/v1/reload", "").want(t, 200)); r.Outcome != stack.Unchanged {
			t.Errorf("the second time it ended as %s: %s", r.Outcome, r.Message)
		}
		if n := p.calls("Pause"); n > 0 {
			t.Errorf("%d instances were paused for it", n)
		}
	})
	t.Run("by the page", func(t *testing.T) {
		p := behind(t)
		p.post("/config/run", p.form()).want(t, 200).has(t, "Nothing to apply", "python-orchestrator, go-scanner loaded another one")
		if a := p.post("/reload", url.Values{}).want(t, 303); a.Header.Get("Location") != "/" {
			t.Errorf("it leads to %q", a.Header.Get("Location"))
		}
		if r := p.ended(); r.Kind != stack.KindReload || r.Outcome != stack.Applied {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("not to one that is not valid", func(t *testing.T) {
		p := behind(t)
		if err := os.WriteFile(p.file, []byte("[risk]\nmax_open_positions = \"many\"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, p.do("POST", "/api/v1/reload", ""), 422)
		p.post("/reload", url.Values{}).want(t, 422).has(t, "The config file is not valid, so nobody was told to load it")
	})
}
