package handlers

import (
	"strings"
	"testing"
)

func TestATableThatIsRenamedKeepsItsSecret(t *testing.T) {
	renamed := strings.Replace(feeds, `"backup"`, `"spare"`, 1)
	t.Run("in the text", func(t *testing.T) {
		p := newFeeds(t)
		p.applied(retyped(t, p.raw(), `"backup"`, `"spare"`))
		p.wantFile(renamed)
	})
	t.Run("renamed and with another host", func(t *testing.T) {
		p := newFeeds(t)
		p.applied(retyped(t, retyped(t, p.raw(), `"backup"`, `"spare"`), "backup.example", "spare.example"))
		p.wantFile(strings.Replace(renamed, "backup.example", "spare.example", 1))
	})
	t.Run("by a script", func(t *testing.T) {
		p := newFeeds(t)
		sent := strings.Replace(p.get("/api/v1/config").want(t, 200).body, `"backup"`, `"spare"`, 1)
		p.do("PUT", "/api/v1/config", sent, "Content-Type", asTOML).want(t, 200)
		p.wantFile(renamed)
	})
	t.Run("but two at once are not told apart", func(t *testing.T) {
		p := newFeeds(t)
		form := retyped(t, retyped(t, p.raw(), `"backup"`, `"spare"`), `"legacy"`, `"older"`)
		form = retyped(t, retyped(t, form, "backup.example", "1.example"), "legacy.example", "2.example")
		p.post("/config/run", form).want(t, 422).has(t, "Give the secret itself")
		p.wantFile(feeds)
	})
}
