package schema

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"sort"
	"testing"
)

// nasty are things that people and programs type.
var nasty = []string{"", " ", "0", "1", "-1", "2.5", "1e3", "true", "false", "on", `""`, `"5"`, "5", "text", "a\r\nb\r\n", "\n", "09:30", "09:30:00", "2026-12-24", "2026-12-24T09:30:00Z",
	"<script>", "__proto__", "ünï", "9223372036854775807", "0x10", "1_000", "inf", "x y", "é\u2028", "[", "{}", `"quo"te"`, "0 1", "2 1 0", "1", "7 0", "a b%2Ec", "%"}

// TestAnythingFilledInIsWhatIsSaved fills forms in at random, the same way every time: pressing
// buttons, choosing, typing. The edits must make the very document that the form says, and a form
// drawn again from what was typed must say the same.
func TestAnythingFilledInIsWhatIsSaved(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			for seed := range rounds {
				r := rand.New(rand.NewPCG(uint64(seed), 7))
				form := submit(g.schema.Form(g.value))
				log := ""
				for range 1 + r.IntN(4) {
					log += scribble(r, form)
					if Pressed(form) || r.IntN(3) == 0 {
						form = submit(g.schema.Form(g.value).WithInput(form))
						log += "sent; "
					}
				}
				edits, problems := g.schema.Decode(form, g.value)
				got, err := Apply(g.value, edits)
				if err != nil {
					t.Fatalf("seed %d (%s): %v", seed, log, err)
				}
				want, _, _ := g.schema.decode(form, g.value)
				if !same(got, want) {
					t.Fatalf("seed %d (%s): the edits make another document:\n got %s\nwant %s", seed, log, notation(got, false), notation(want, false))
				}
				if len(problems) > 0 {
					continue
				}
				// Drawn from what a browser would send, a form says the same when it is drawn again.
				form = submit(g.schema.Form(g.value).WithInput(form))
				once, _, _ := g.schema.decode(form, g.value)
				twice, _, _ := g.schema.decode(submit(g.schema.Form(g.value).WithInput(form)), g.value)
				if !same(once, twice) {
					t.Fatalf("seed %d (%s): drawn again, the form says another thing:\n got %s\nwant %s", seed, log, notation(twice, false), notation(once, false))
				}
			}
		})
	}
}

// scribble changes one thing in a form and tells what.
func scribble(r *rand.Rand, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	if len(names) == 0 {
		return ""
	}
	name := names[r.IntN(len(names))]
	text := nasty[r.IntN(len(nasty))]
	bare := name
	for _, prefix := range []string{":items:", ":pick:", ":key:", ":have:"} {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			bare = name[len(prefix):]
		}
	}
	switch r.IntN(6) {
	case 0:
		form.Set(":add", bare)
		if _, ok := form[":key:"+bare]; ok {
			form.Set(":key:"+bare, text)
		}
		return fmt.Sprintf("add %s %q; ", bare, text)
	case 1:
		form.Set(":remove", bare)
		return "remove " + bare + "; "
	case 2:
		form.Set(":move", "up "+bare)
		return "up " + bare + "; "
	default:
		form.Set(name, text)
		return fmt.Sprintf("%s=%q; ", name, text)
	}
}
