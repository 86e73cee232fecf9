package features

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"
)

// editableConfig and its schema have a bit of everything that an editor has to get right.
const editableConfig = `# feeds of the desk

[limits]
max_usd = 5000   # the most
port    = 9000

[account]
user     = "desk"
password = "" # was old-token-of-2024
colour   = "green" # known to nobody

# the main one
[[feeds]]
name  = "main"
host  = "main.example:1"
token = "first-token" # rotates monthly

# when main is gone
[[feeds]]
name  = "backup"
host  = "backup.example:1"
token = "second-token"

# soon to go
[[feeds]]
name  = "legacy"
host  = "legacy.example:1"
token = "third-token"
`

const editableSchema = `{
  "title": "Desk", "type": "object",
  "properties": {
    "limits": {"title": "Limits", "type": "object", "x-reload": "live", "properties": {
      "max_usd": {"title": "Largest position", "type": "integer", "minimum": 1, "maximum": 100000, "x-unit": "USD"},
      "port": {"title": "Port", "description": "Where it listens.", "type": "integer", "x-reload": "restart"}}},
    "account": {"title": "Account", "type": "object", "properties": {
      "user": {"type": "string"},
      "password": {"type": "string", "writeOnly": true, "x-secret-env": "DESK_PASSWORD"}}},
    "feeds": {"title": "Feeds", "type": "array", "items": {"type": "object", "required": ["name", "host"], "properties": {
      "name": {"type": "string", "minLength": 1}, "host": {"type": "string", "minLength": 1},
      "token": {"type": "string", "format": "password"}}}}
  }
}`

func (w *world) editingSteps(sc *godog.ScenarioContext) {
	sc.Given(`^a stack of feeds that can be edited$`, w.feedsAreRunning)
	sc.Given(`^the text page is open(?: on a wide screen)?$`, func() { w.openPage("/config?view=raw", look{}) })
	sc.Given(`^the text page is open on a phone$`, func() { w.openPage("/config?view=raw", look{phone: true}) })
	sc.Given(`^the config page is open with JavaScript$`, func() { w.openPage("/config", look{}) })
	w.reviewSteps(sc)
	w.conflictSteps(sc)
	w.textSteps(sc)
	w.draftSteps(sc)
	w.feedSteps(sc)
	w.placeSteps(sc)
	w.undoSteps(sc)

	sc.When(`^I choose "([^"]*)"$`, func(whose string) {
		must(w.TB, w.page.Locator(".clash button").Filter(playwright.LocatorFilterOptions{HasText: whose}).Click())
	})
	sc.When(`^somebody changes "([^"]*)" to "([^"]*)" in config\.toml$`, w.overwrite)
	sc.Given(`^somebody leaves config\.toml in a state that does not parse$`, func() { w.overwrite("max_usd = 5000", "max_usd = = 5000") })
	sc.Then(`^the editor says "([^"]*)"$`, func(text string) { see(w.TB, w.page, "main", text) })
	sc.Then(`^the page nowhere holds "([^"]*)"$`, func(text string) {
		content, err := w.page.Content()
		must(w.TB, err)
		if strings.Contains(content, text) {
			w.Fatalf("the page holds %q", text)
		}
	})
	sc.Then(`^config\.toml is still as it was$`, func() { w.fileIs(w.before) })
	away := func() string { return w.panel.config + ".away" }
	sc.When(`^somebody takes config\.toml away$`, func() { must(w.TB, os.Rename(w.panel.config, away())) })
	sc.When(`^config\.toml comes back$`, func() { must(w.TB, os.Rename(away(), w.panel.config)) })
	sc.When(`^I type 17 MB of comments below the text$`, func() {
		_, err := w.page.Locator("textarea[name=':raw']").Evaluate(`text => {
			text.value += ("# " + "0123456789".repeat(100000) + "\n").repeat(18)
		}`, nil)
		must(w.TB, err)
	})
	sc.Then(`^config\.toml is as it was but for (.+)$`, func(changes string) {
		want := w.before
		for _, m := range regexp.MustCompile(`"([^"]*)" → "([^"]*)"`).FindAllStringSubmatch(changes, -1) {
			want = strings.Replace(want, m[1], m[2], 1)
		}
		w.fileIs(want)
	})
	sc.When(`^I look for "([^"]*)"$`, func(text string) { must(w.TB, w.page.Locator("#find").Fill(text)) })
	sc.Then(`^of all fields only "([^"]*)" is shown$`, func(name string) {
		must(w.TB, w.field(name).WaitFor())
		eventually(w.TB, "the others to be hidden", func() (bool, string) {
			n, err := w.page.Locator("#config-form .field:visible").Count()
			return err == nil && n == 1, fmt.Sprint(n, err)
		})
	})
	sc.Then(`^the action bar is in reach of the thumb$`, func() {
		eventually(w.TB, "Save & Restart to be in reach", func() (bool, string) {
			box, err := w.page.Locator(".actions .save").BoundingBox()
			if err != nil || box == nil { // the page is being exchanged
				return false, fmt.Sprint(err)
			}
			return box.X >= 0 && box.X+box.Width <= 390 && box.Y > 600 && box.Y+box.Height <= 844 && box.Height >= 40, fmt.Sprintf("%+v", *box)
		})
	})
}

func (w *world) feedsAreRunning() { w.ownStack("feeds", editableConfig, editableSchema) }

// ownStack is one service that takes any config, so that the schema can be one of our own.
func (w *world) ownStack(service, config, schema string) {
	w.before = config
	p := newPanel(w.TB, "process", config, fmt.Sprintf(`
[[stack.service]]
name = %q
command = ["sleep", "infinity"]
reload = { watch = true, confirm = "" }
`, service))
	rules := filepath.Join(p.folder, "schema.json")
	must(w.TB, os.WriteFile(rules, []byte(schema), 0o644))
	settings, err := os.ReadFile(p.settings)
	must(w.TB, err)
	must(w.TB, os.WriteFile(p.settings, append(fmt.Appendf(nil, "schema = %q\n", rules), settings...), 0o644))
	w.containers = &containers{TB: w.TB, panel: p}
	p.start()
	w.servicesRun()
}

// overwrite edits the file as somebody without Pitstop does.
func (w *world) overwrite(old, new string) {
	w.Helper()
	content := w.panel.readConfig()
	if !strings.Contains(content, old) {
		w.Fatalf("config.toml has no %q", old)
	}
	must(w.TB, os.WriteFile(w.panel.config, []byte(strings.Replace(content, old, new, 1)), 0o644))
}

func (w *world) fileIs(want string) {
	w.Helper()
	if got := w.panel.readConfig(); got != want {
		w.Fatalf("config.toml is\n%s\nwant\n%s", got, want)
	}
}

// conflictSteps are what somebody else does meanwhile, and what becomes of it.
func (w *world) conflictSteps(sc *godog.ScenarioContext) {
	feed := func(from, to string) (before, feed, after string) {
		w.Helper()
		content := w.panel.readConfig()
		start := strings.Index(content, from)
		end := len(content)
		if to != "" {
			end = strings.Index(content, to)
		}
		if start < 0 || end < start {
			w.Fatalf("config.toml has no feed from %q to %q", from, to)
		}
		return content[:start], content[start:end], content[end:]
	}
	leaves := func(content string) {
		w.left = content
		must(w.TB, os.WriteFile(w.panel.config, []byte(content), 0o644))
	}
	sc.When(`^somebody moves the main feed to the end of config\.toml$`, func() {
		before, moved, after := feed("# the main one", "# when main is gone")
		leaves(before + after + "\n" + strings.TrimSuffix(moved, "\n"))
	})
	sc.When(`^somebody takes the last feed out of config\.toml$`, func() {
		before, _, _ := feed("# soon to go", "")
		leaves(strings.TrimSuffix(before, "\n"))
	})
	sc.Then(`^config\.toml is as somebody left it but for "([^"]*)" → "([^"]*)"$`, func(old, now string) {
		w.fileIs(strings.Replace(w.left, old, now, 1))
	})
	sc.Then(`^config\.toml is as somebody left it$`, func() { w.fileIs(w.left) })
	sc.Then(`^the text as I typed it has "([^"]*)"$`, func(text string) {
		must(w.TB, w.page.Locator("#unmerged textarea").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateAttached}))
		if all, err := w.page.Locator("#unmerged textarea").InputValue(); err != nil || !strings.Contains(all, text) {
			w.Fatalf("it is (%v)\n%s", err, all)
		}
	})
}

func (w *world) reviewSteps(sc *godog.ScenarioContext) {
	sc.Then(`^the review says "([^"]*)" "([^"]*)" → "([^"]*)" "([^"]*)" and "([^"]*)"$`, func(key, old, now, unit, effect string) {
		spaces := strings.NewReplacer(" ", "\u202f")
		word := fmt.Sprintf(`#review .word[data-key=%q]`, key)
		see(w.TB, w.page, word+" del", spaces.Replace(old))
		see(w.TB, w.page, word+" ins", spaces.Replace(now))
		see(w.TB, w.page, word, unit)
		see(w.TB, w.page, word, effect)
	})
	sc.Then(`^the review shows the line "([^"]*)"$`, func(line string) { see(w.TB, w.page, "#review tr.added", line) })
	sc.When(`^I note "([^"]*)"$`, func(note string) {
		must(w.TB, w.page.GetByText("Note for the history").First().Click())
		must(w.TB, w.page.Locator(`[name=":note"]`).Fill(note))
	})
	sc.Then(`^the page asks, and says "([^"]*)"$`, func(text string) {
		see(w.TB, w.page, "#summary", "dangerous")
		see(w.TB, w.page, "#review", text)
	})
	sc.When(`^I say yes$`, func() { must(w.TB, w.button("Yes, apply this").Click()) })
	sc.When(`^I go to the review$`, func() {
		must(w.TB, w.page.Locator("#review h2").WaitFor())
		must(w.TB, w.page.Locator(".actions .changes").Click())
	})
	sc.Then(`^the run is kept with the note "([^"]*)"$`, func(note string) {
		if got := w.lastRun().Note; got != note {
			w.Fatalf("the note is %q", got)
		}
	})
}

func (w *world) textSteps(sc *godog.ScenarioContext) {
	sc.Then(`^the text has "([^"]*)"$`, func(text string) { w.rawHas(text) })
	sc.When(`^I replace "([^"]*)" by "([^"]*)" in the text$`, w.retype)
	sc.Then(`^line (\d+) is marked$`, func(n int) {
		must(w.TB, w.page.Locator(fmt.Sprintf(".raw .gutter li:nth-child(%d).wrong", n)).WaitFor())
	})
	sc.Then(`^no line is marked$`, func() {
		eventually(w.TB, "the mark to go", func() (bool, string) {
			n, err := w.page.Locator(".raw .gutter li.wrong").Count()
			must(w.TB, err)
			return n == 0, strconv.Itoa(n)
		})
	})
	sc.When(`^I follow the problem to line (\d+)$`, func(n int) {
		must(w.TB, w.page.Locator(fmt.Sprintf(`a[data-line="%d"]:visible`, n)).First().Click())
	})
	sc.Then(`^line (\d+) is selected$`, func(n int) {
		got, err := w.page.Evaluate(`(() => { const t = document.activeElement; return t.value.slice(0, t.selectionStart).split("\n").length })()`)
		must(w.TB, err)
		if fmt.Sprint(got) != strconv.Itoa(n) {
			w.Fatalf("line %v is selected", got)
		}
	})
}

// rawHas waits until the text has this in it.
func (w *world) rawHas(part string) (all string) {
	w.Helper()
	eventually(w.TB, "the text to have "+part, func() (bool, string) {
		if n, err := w.page.Locator("#raw").Count(); err != nil || n == 0 {
			return false, "there is no text"
		}
		var err error
		all, err = w.page.Locator("#raw").InputValue()
		return err == nil && strings.Contains(all, part), all
	})
	return all
}

func (w *world) retype(old, new string) {
	w.Helper()
	must(w.TB, w.page.Locator("#raw").Fill(strings.Replace(w.rawHas(old), old, new, 1)))
}

func (w *world) draftSteps(sc *godog.ScenarioContext) {
	sc.When(`^I change the limit to 8000 there$`, func() {
		if strings.Contains(w.page.URL(), "raw") {
			w.retype("max_usd = 5000", "max_usd = 8000")
		} else {
			w.typeInto("8000", "limits.max_usd")
		}
		must(w.TB, w.page.Locator("#review h2").WaitFor()) // the draft is kept before the review is asked for
	})
	sc.When(`^the browser has kept "([^"]*)"$`, func(text string) {
		eventually(w.TB, "the draft to be kept", func() (bool, string) {
			kept, err := w.page.Evaluate(`JSON.stringify(localStorage)`)
			must(w.TB, err)
			return strings.Contains(fmt.Sprint(kept), "pitstop:draft") && strings.Contains(fmt.Sprint(kept), text), fmt.Sprint(kept)
		})
	})
	sc.When(`^the browser crashes and is opened again$`, func() {
		person := w.page.Context()
		must(w.TB, w.page.Close()) // without asking the page
		page, err := person.NewPage()
		must(w.TB, err)
		page.SetDefaultTimeout(float64(patience.Milliseconds()))
		w.page = page
		open(w.TB, page, w.panel.url+"/config")
	})
	sc.Then(`^I am told of (\d+) unsaved changes?$`, func(n int) {
		see(w.TB, w.page, "#draft", fmt.Sprintf("You had %d unsaved change", n))
	})
	sc.Then(`^I am told of no unsaved change$`, func() {
		eventually(w.TB, "the kept draft to be dropped", func() (bool, string) {
			kept, err := w.page.Evaluate(`Object.keys(localStorage).filter((k) => k.startsWith("pitstop:draft")).length`)
			must(w.TB, err)
			return fmt.Sprint(kept) == "0", fmt.Sprint(kept)
		})
		if n, err := w.page.Locator("#draft").Count(); err != nil || n > 0 {
			w.Fatalf("a draft is offered (%v)", err)
		}
	})
	sc.When(`^I put "([^"]*)" below the limit$`, func(line string) {
		w.retype("max_usd = 5000", "max_usd = 5000\n"+line)
	})
	sc.When(`^I change the limit to 8000 in a second tab$`, func() {
		page, err := w.page.Context().NewPage()
		must(w.TB, err)
		page.SetDefaultTimeout(float64(patience.Milliseconds()))
		w.page = page
		open(w.TB, page, w.panel.url+"/config")
		w.typeInto("8000", "limits.max_usd")
		must(w.TB, w.page.Locator("#review h2").WaitFor())
	})
	sc.Then(`^the browser keeps (\d+) drafts$`, func(n int) {
		kept, err := w.page.Evaluate(`Object.keys(localStorage).filter((k) => k.startsWith("pitstop:draft")).length`)
		must(w.TB, err)
		if fmt.Sprint(kept) != fmt.Sprint(n) {
			w.Fatalf("it keeps %v", kept)
		}
	})
	sc.Then(`^the browser keeps nothing of "([^"]*)"$`, func(text string) {
		kept, err := w.page.Evaluate(`JSON.stringify(localStorage)`)
		must(w.TB, err)
		if !strings.Contains(fmt.Sprint(kept), "pitstop:draft") || strings.Contains(fmt.Sprint(kept), text) {
			w.Fatalf("the browser keeps %v", kept)
		}
	})
}

// placeSteps are where the keyboard is, and what of the page is on the screen.
func (w *world) placeSteps(sc *godog.ScenarioContext) {
	focus := func(want string) {
		w.Helper()
		eventually(w.TB, "the keyboard to be at "+want, func() (bool, string) {
			at, err := w.page.Evaluate(`(() => { const a = document.activeElement; return a.localName === "button" ? a.textContent : a.name ?? a.localName })()`)
			return err == nil && fmt.Sprint(at) == want, fmt.Sprint(at, err)
		})
	}
	top := func(name string) float64 {
		w.Helper()
		y, err := w.field(name).Evaluate(`el => el.getBoundingClientRect().top`, nil)
		must(w.TB, err)
		n, err := strconv.ParseFloat(fmt.Sprint(y), 64)
		must(w.TB, err)
		return n
	}
	was := 0.0
	sc.Then(`^the keyboard is at "([^"]*)"$`, focus)
	sc.Then(`^the keyboard is at the button "([^"]*)"$`, focus)
	sc.When(`^I go to the field "([^"]*)"$`, func(name string) {
		must(w.TB, w.field(name).Focus())
		was = top(name)
	})
	sc.When(`^I press Enter in "([^"]*)"$`, func(name string) {
		was = top(name)
		must(w.TB, w.field(name).Press("Enter"))
	})
	sc.Then(`^the keyboard is at "([^"]*)", and that is where it was$`, func(name string) {
		focus(name)
		if now := top(name); now < was-1 || now > was+1 {
			w.Fatalf("it is at %v, and was at %v", now, was)
		}
	})
	sc.Then(`^it is not said that anything would be dropped$`, func() {
		eventually(w.TB, "no word of dropping", func() (bool, string) {
			said, err := w.page.Locator("#stale").InnerText()
			return err == nil && !strings.Contains(said, "drops"), said
		})
	})
	sc.Then(`^the action bar says "([^"]*)"$`, func(text string) { see(w.TB, w.page, ".actions", text) })
	sc.Then(`^the review says that "([^"]*)" is "([^"]*)"$`, func(key, text string) {
		see(w.TB, w.page, fmt.Sprintf(`#review .word[data-key=%q]`, key), text)
	})
	sc.When(`^I follow the review to "([^"]*)"$`, func(name string) {
		must(w.TB, w.page.Locator(fmt.Sprintf(`#review a[href="#f-%s"]`, name)).Click())
	})
}

// undoSteps take back what was done to the form.
func (w *world) undoSteps(sc *godog.ScenarioContext) {
	around := func(name string) playwright.Locator {
		return w.page.Locator(fmt.Sprintf(`.field:has([name=%q])`, name)).First()
	}
	sc.When(`^I take "([^"]*)" out with the keyboard$`, func(name string) {
		must(w.TB, w.page.Locator(fmt.Sprintf(`button[name=":remove"][value=%q]`, name)).Press("Enter"))
	})
	sc.Then(`^the field "([^"]*)" is marked as changed$`, func(name string) {
		must(w.TB, w.page.Locator(fmt.Sprintf(`.field.changed:has([name=%q])`, name)).WaitFor())
	})
	sc.Then(`^nothing is wrong with the field "([^"]*)"$`, func(name string) {
		eventually(w.TB, "the problem to go", func() (bool, string) {
			n, err := around(name).Locator(".problem").Count()
			must(w.TB, err)
			invalid, err := w.field(name).GetAttribute("aria-invalid")
			return n == 0 && invalid == "", fmt.Sprint(n, invalid, err)
		})
	})
	sc.When(`^I undo "([^"]*)"$`, func(name string) { must(w.TB, around(name).Locator(".undo").Click()) })
	sc.Then(`^(\d+) changes? (?:is|are) counted$`, func(n string) { see(w.TB, w.page, "#changes", n+" change") })
	sc.When(`^I discard all changes$`, func() {
		must(w.TB, w.page.Locator("#ask-discard summary").Click())
		must(w.TB, w.button("Discard all changes").Click())
		must(w.TB, w.page.Locator("#ask-discard").WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateHidden}))
	})
	sc.Then(`^a second tab is not offered it$`, func() {
		page, err := w.page.Context().NewPage()
		must(w.TB, err)
		defer func() { _ = page.Close() }()
		open(w.TB, page, w.panel.url+"/config")
		// Nothing says that nothing comes: an offer takes less than half a second.
		_, err = page.Evaluate(`new Promise((done) => setTimeout(done, 2000))`)
		must(w.TB, err)
		if n, err := page.Locator("#draft").Count(); err != nil || n > 0 {
			w.Fatalf("it is offered (%v)", err)
		}
	})
}

func (w *world) feedSteps(sc *godog.ScenarioContext) {
	button := func(name, value string) {
		w.Helper()
		must(w.TB, w.page.Locator(fmt.Sprintf(`button[name=%q][value=%q]`, name, value)).Click())
	}
	names := func() ([]string, error) {
		values, err := w.page.Evaluate(`[...document.querySelectorAll("input[name^='feeds.'][name$='.name']")].map((i) => "=" + i.value).join()`)
		return strings.Split(strings.ReplaceAll(fmt.Sprint(values), "=", ""), ","), err
	}
	shows := func(want ...string) {
		eventually(w.TB, "the feeds "+strings.Join(want, ", "), func() (ok bool, seen string) {
			got, err := names()
			return err == nil && slices.Equal(got, want), fmt.Sprint(got, err)
		})
	}
	sc.When(`^I move feed 2 up$`, func() {
		must(w.TB, w.page.Locator(`[id="f-feeds.1"] button`).Filter(playwright.LocatorFilterOptions{HasText: "up"}).First().Click())
		shows("backup", "main", "legacy")
	})
	sc.When(`^I remove the last feed$`, func() {
		button(":remove", "feeds.2")
		shows("backup", "main")
	})
	sc.When(`^I add a feed "([^"]*)" at "([^"]*)"$`, func(name, host string) {
		button(":add", "feeds")
		shows("backup", "main", "")
		must(w.TB, w.page.Locator(`input[name^="feeds."][name$=".name"]`).Last().Fill(name))
		must(w.TB, w.page.Locator(`input[name^="feeds."][name$=".host"]`).Last().Fill(host))
	})
	sc.Then(`^config\.toml has the feeds "backup, main, tape", each with its comment and token$`, func() {
		head, _, _ := strings.Cut(editableConfig, "# the main one")
		w.fileIs(head + `# when main is gone
[[feeds]]
name  = "backup"
host  = "backup.example:1"
token = "second-token"

# the main one
[[feeds]]
name  = "main"
host  = "main.example:1"
token = "first-token" # rotates monthly

[[feeds]]
host = "tape.example:1"
name = "tape"
`)
	})
}
