package handlers

import (
	"net/url"
	"strings"
	"testing"
)

// A script says why, as a person can.
func TestScriptsSendNotes(t *testing.T) {
	p := settled(t)
	patch := func(usd, path string, headers ...string) {
		t.Helper()
		p.do("PATCH", path, `{"risk":{"max_position_usd":`+usd+`}}`, append([]string{"Content-Type", mergePatch}, headers...)...).want(t, 200)
	}
	wantNote := func(want string) {
		t.Helper()
		if got := p.ended().Note; got != want {
			t.Errorf("the note is %q, want %q", got, want)
		}
	}
	patch("6000", "/api/v1/config", "Pitstop-Note", " wider \u00fcber the call ")
	wantNote("wider \u00fcber the call")
	patch("7000", "/api/v1/config?note="+url.QueryEscape(strings.Repeat("x", maxNote+9)+"\x00\xff"))
	wantNote(strings.Repeat("x", maxNote))
	p.do("PUT", "/api/v1/config", document, "Content-Type", asTOML, "Pitstop-Note", "all back").want(t, 200)
	r := p.ended()
	wantNote("all back")
	p.get("/history").want(t, 200).has(t, "all back", "wider \u00fcber the call")
	p.do("POST", "/api/v1/backups/"+r.Backup+"/restore?note=once+more", "").want(t, 200)
	wantNote("once more")
	patch("8000", "/api/v1/config")
	wantNote("")
}
