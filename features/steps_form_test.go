package features

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"github.com/playwright-community/playwright-go"

	"pitstop/stack"
)

// everyKindConfig and its schema have a setting of every kind that a form has a control for.
const everyKindConfig = `# market maker of the London desk

orders  = "live" # paper while something new is tried
account = "LDN-7"

[engine]
log       = "info"
post_only = true # never takes
hedge     = false
max_usd   = 5000 # per order
stop_pct  = 1.5 # without it there is no stop
retries   = 5 # three were not enough
protocol  = 2
build     = "2026.3.1" # the installer writes it
old_port  = 7001 # nobody connects any more

[session]
opens     = "08:00"
licence   = 2026-12-31 # runs out that day
since     = "2026-03-02T07:45:00"
heartbeat = "PT30S" # as the venue wants it
timeout   = "750ms"
feed      = "https://feed.example/v1" # the fast one
days      = ["mon", "tue", "wed"]

# where the orders go
[venue]
kind = "fix" # the fast way
host = "fix.example:443"

[quote]
size    = 10 # or one for each level
symbols = ["BTC-USD", "ETH-USD", "SOL-USD"] # by rank

[fees] # in basis points
"BTC-USD" = 1.5
"ETH-USD" = 2.0 # since May

# the main one
[[book]]
name = "spot"
[book.limits]
max_usd = 20000
[book.limits.alert]
at_pct = 80 # rings on the desk
[[book.level]]
bps = 5 # the inner one
[[book.level]]
bps = 12

# only quotes at night
[[book]]
name = "perp"
[book.limits]
max_usd = 9000
`

const everyKindSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Market maker", "type": "object", "required": ["orders"],
  "properties": {
    "orders": {"title": "Orders", "enum": ["live", "paper"]},
    "engine": {"title": "Engine", "type": "object", "required": ["log", "protocol"], "properties": {
      "log": {"title": "Log level", "enum": ["debug", "info", "warn"], "x-order": 2},
      "protocol": {"title": "Protocol", "description": "The venue speaks no other.", "const": 2, "x-order": 1},
      "post_only": {"title": "Post only", "type": "boolean", "default": true},
      "hedge": {"title": "Hedge", "description": "Lay off what was filled.", "type": "boolean"},
      "max_usd": {"title": "Largest order", "type": "integer", "minimum": 1, "maximum": 100000, "x-unit": "USD", "x-group": "Risk"},
      "stop_pct": {"title": "Stop", "description": "No stop where it is left out.", "type": ["number", "null"], "exclusiveMinimum": 0, "x-unit": "%", "x-group": "Risk"},
      "retries": {"title": "Retries", "type": "integer", "minimum": 0, "default": 3},
      "build": {"title": "Build", "type": "string", "readOnly": true},
      "old_port": {"title": "Old port", "description": "Use the venue's.", "type": "integer", "deprecated": true}}},
    "session": {"title": "Session", "type": "object", "properties": {
      "opens": {"title": "Opens", "type": "string", "format": "time"},
      "licence": {"title": "Licence until", "type": "string", "format": "date"},
      "since": {"title": "Since", "type": "string", "format": "date-time"},
      "heartbeat": {"title": "Heartbeat", "type": "string", "format": "duration"},
      "timeout": {"title": "Timeout", "type": "string", "format": "go-duration", "default": "1s"},
      "feed": {"title": "Feed", "type": "string", "format": "uri"},
      "days": {"title": "Days", "type": "array", "uniqueItems": true, "items": {"enum": ["mon", "tue", "wed", "thu", "fri"]}, "default": ["mon", "tue", "wed", "thu", "fri"]}}},
    "venue": {"title": "Venue", "oneOf": [
      {"title": "FIX", "type": "object", "required": ["kind", "host"], "properties": {"kind": {"const": "fix"}, "host": {"type": "string", "minLength": 1}}},
      {"title": "Simulator", "type": "object", "required": ["kind", "latency"], "properties": {"kind": {"const": "sim"}, "latency": {"type": "integer", "minimum": 0, "x-unit": "ms"}}}]},
    "quote": {"title": "Quotes", "type": "object", "properties": {
      "size": {"title": "Size", "x-unit": "lots", "anyOf": [{"title": "the same everywhere", "type": "number", "exclusiveMinimum": 0}, {"title": "one for each level", "type": "array", "minItems": 1, "items": {"type": "number", "exclusiveMinimum": 0}}]},
      "symbols": {"title": "Symbols", "type": "array", "items": {"type": "string", "pattern": "^[A-Z]+-[A-Z]+$", "x-pattern-message": "must be two currencies, such as BTC-USD"}}}},
    "fees": {"title": "Fees", "type": "object", "propertyNames": {"pattern": "^[A-Z]+-[A-Z]+$", "x-pattern-message": "must be two currencies, such as BTC-USD"}, "additionalProperties": {"type": "number", "minimum": -10, "x-unit": "bps"}},
    "book": {"title": "Books", "type": "array", "items": {"$ref": "#/$defs/book"}}
  },
  "if": {"properties": {"orders": {"const": "live"}}},
  "then": {"required": ["account"], "properties": {"account": {"title": "Account", "type": "string", "minLength": 1}}},
  "else": {"required": ["seed"], "properties": {"seed": {"title": "Seed", "description": "Of the simulated fills.", "type": "integer"}}},
  "$defs": {
    "usd": {"title": "Most", "type": "integer", "minimum": 1, "x-unit": "USD"},
    "book": {"type": "object", "required": ["name"], "properties": {
      "name": {"title": "Name", "type": "string", "minLength": 1},
      "limits": {"title": "Limits", "type": "object", "properties": {
        "max_usd": {"$ref": "#/$defs/usd"},
        "alert": {"title": "Alert", "type": "object", "properties": {"at_pct": {"title": "Rings at", "type": "integer", "minimum": 1, "maximum": 100, "x-unit": "%"}}}}},
      "level": {"title": "Levels", "type": "array", "items": {"type": "object", "required": ["bps"], "properties": {"bps": {"title": "Distance", "type": "number", "exclusiveMinimum": 0, "x-unit": "bps"}}}}}}
  }
}`

func (w *world) formSteps(sc *godog.ScenarioContext) {
	sc.Given(`^a market maker with a setting of every kind$`, func() { w.ownStack("maker", everyKindConfig, everyKindSchema) })
	sc.Given(`^a stack with the config and the schema of "([^"]*)"$`, func(name string) {
		golden := filepath.Join("..", "schema", "testdata", "golden", name)
		config, err := os.ReadFile(golden + ".toml")
		must(w.TB, err)
		rules, err := os.ReadFile(golden + ".schema.json")
		must(w.TB, err)
		w.ownStack("program", string(config), string(rules))
	})
	sc.Given(`^the config page is open on a wide screen$`, func() { w.openPage("/config", look{}) })
	sc.When(`^I open the config page again$`, func() { open(w.TB, w.page, w.panel.url+"/config") })
	sc.When(`^I widen the window to (\d+)$`, func(width int) { must(w.TB, w.page.SetViewportSize(width, 800)) })
	sc.Given(`^the panel is slow to answer$`, func() {
		must(w.TB, w.page.Route("**/config/run", func(r playwright.Route) {
			time.Sleep(500 * time.Millisecond) // longer than the next step takes to type
			_ = r.Continue()
		}))
	})
	w.controlSteps(sc)
	w.shapeSteps(sc)
	w.fieldSteps(sc)

	sc.Then(`^these lines of config\.toml changed, and no others:$`, func(lines *godog.Table) {
		want := w.before
		for _, row := range lines.Rows {
			was, now := row.Cells[0].Value+"\n", row.Cells[1].Value+"\n"
			if now == "\n" {
				now = ""
			}
			if !strings.Contains(want, was) {
				w.Fatalf("config.toml never had the line %q", was)
			}
			want = strings.Replace(want, was, now, 1)
		}
		w.fileIs(want)
	})
	sc.Then(`^the second run is applied$`, func() {
		eventually(w.TB, "a second run that is applied", func() (bool, string) {
			var reports []stack.Report
			w.panel.call("GET", "/api/v1/runs", "", "", &reports)
			return len(reports) == 2 && reports[0].Outcome == stack.Applied, fmt.Sprint(reports)
		})
	})
}

// controlSteps are what a person does to one control.
func (w *world) controlSteps(sc *godog.ScenarioContext) {
	pick := func(label, name string) {
		_, err := w.field(name).SelectOption(playwright.SelectOptionValues{Labels: &[]string{label}})
		must(w.TB, err)
	}
	shown := func(name string) { must(w.TB, w.field(name).WaitFor()) }
	sc.When(`^I choose "([^"]*)" for "([^"]*)"$`, pick)
	sc.When(`^I choose "([^"]*)" for "([^"]*)", which brings "([^"]*)"$`, func(label, name, brings string) {
		pick(label, name)
		w.showWithoutScript(name)
		shown(brings)
	})
	sc.When(`^I choose "([^"]*)" as the kind of "([^"]*)"$`, func(label, name string) {
		pick(label, ":pick:"+name)
		w.showWithoutScript(name)
		must(w.TB, w.page.Locator(fmt.Sprintf(`[name=":pick:%s"] option[selected]`, name)).
			Filter(playwright.LocatorFilterOptions{HasText: label}).
			WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateAttached}))
	})
	sc.When(`^I switch "([^"]*)" (on|off)$`, func(name, to string) { must(w.TB, w.field(name).SetChecked(to == "on")) })
	sc.When(`^I tick "([^"]*)" of "([^"]*)"$`, func(value, name string) {
		must(w.TB, w.page.Locator(fmt.Sprintf(`[name=%q][value=%q]`, name, value)).Check())
	})
	sc.When(`^I type into "([^"]*)" the lines "([^"]*)"$`, func(name, lines string) {
		w.typeInto(strings.ReplaceAll(lines, ", ", "\n"), name)
	})
	sc.When(`^I take the month out of "([^"]*)"$`, func(name string) {
		must(w.TB, w.field(name).Focus()) // on its first part, which is the month where Chromium speaks English
		must(w.TB, w.field(name).Press("Delete"))
	})
	sc.When(`^I scroll the page over "([^"]*)"$`, func(name string) {
		must(w.TB, w.field(name).Focus())
		must(w.TB, w.field(name).Hover())
		must(w.TB, w.page.Mouse().Wheel(0, 200))
		eventually(w.TB, "the page to be scrolled", func() (bool, string) {
			y, err := w.page.Evaluate("scrollY")
			return err == nil && fmt.Sprint(y) != "0", fmt.Sprint(y, err)
		})
	})
	sc.When(`^a forged form has "([^"]*)" in "([^"]*)"$`, func(value, name string) {
		_, err := w.field(name).Evaluate(`(el, value) => { el.disabled = false; el.value = value }`, value)
		must(w.TB, err)
	})
}

// showWithoutScript presses the button that a page with JavaScript presses by itself.
func (w *world) showWithoutScript(name string) {
	w.Helper()
	button := w.page.Locator(fmt.Sprintf(`button[name=":show"][value=%q]`, name))
	if seen, err := button.IsVisible(); err != nil {
		w.Fatal(err)
	} else if seen {
		must(w.TB, button.Click())
	}
}

// shapeSteps change which fields the form has. Each waits until the form is as it asked for.
func (w *world) shapeSteps(sc *godog.ScenarioContext) {
	press := func(button, value string) {
		w.Helper()
		must(w.TB, w.page.Locator(fmt.Sprintf(`button[name=%q][value=%q]`, button, value)).Click())
	}
	gone := func(selector string) {
		w.Helper()
		must(w.TB, w.page.Locator(selector).First().WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateDetached}))
	}
	items := func(name, want string) {
		w.Helper()
		must(w.TB, w.page.Locator(fmt.Sprintf(`[name=":items:%s"][value=%q]`, name, want)).
			WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateAttached}))
	}
	sc.When(`^I name a new entry of "([^"]*)" "([^"]*)"$`, func(name, key string) {
		input := w.field(":key:" + name)
		must(w.TB, input.Fill(key))
		must(w.TB, input.Press("Enter"))
		must(w.TB, w.page.Locator(fmt.Sprintf(`[name="%s.%s"], .add .problem`, name, key)).First().WaitFor())
	})
	sc.When(`^I remove "([^"]*)"$`, func(name string) {
		press(":remove", name)
		gone(fmt.Sprintf(`[name=%q], [name^="%s."]`, name, name))
	})
	sc.When(`^I reset "([^"]*)"$`, func(name string) {
		press(":remove", name)
		gone(fmt.Sprintf(`button[name=":remove"][value=%q]`, name))
	})
	sc.When(`^I move "([^"]*)\.1" up$`, func(list string) {
		press(":move", "up "+list+".1")
		items(list, "1 0")
	})
	sc.When(`^I add to "([^"]*)" an item with "([^"]*)" = "([^"]*)"$`, func(list, key, value string) {
		press(":add", list)
		items(list, "0")
		w.typeInto(value, list+".0."+key)
	})
}

// fieldSteps are what a person reads at a field.
func (w *world) fieldSteps(sc *godog.ScenarioContext) {
	around := func(name string) playwright.Locator {
		return w.page.Locator(fmt.Sprintf(`.field:has([name=%q])`, name)).First()
	}
	reads := func(name, selector, text string) {
		w.Helper()
		found := around(name).Locator(selector).Filter(playwright.LocatorFilterOptions{HasText: text}).First()
		if err := found.WaitFor(); err != nil {
			now, _ := around(name).InnerText()
			w.Fatalf("the field %s does not say %q: %v\n%s", name, text, err, now)
		}
	}
	spaces := strings.NewReplacer(" 000", "\u202f000")
	sc.Then(`^the field "([^"]*)" says "([^"]*)"$`, func(name, text string) {
		reads(name, ".problem", spaces.Replace(text))
		if invalid, err := w.field(name).GetAttribute("aria-invalid"); err != nil || invalid != "true" {
			w.Fatalf("aria-invalid is %q (%v)", invalid, err)
		}
	})
	sc.Then(`^the summary leads to each of them$`, func() {
		leads, err := w.page.Evaluate(`[...document.querySelectorAll("#summary li")].map((li) =>
			document.getElementById(decodeURIComponent(li.querySelector("a")?.hash.slice(1) ?? ""))?.name).join(" ")`)
		want := "engine.max_usd session.heartbeat session.timeout session.feed quote.symbols"
		if err != nil || fmt.Sprint(leads) != want {
			w.Fatalf("it leads to %v (%v), want %s", leads, err, want)
		}
	})
	sc.Then(`^"([^"]*)" is counted in "([^"]*)"$`, func(name, unit string) { reads(name, ".unit", unit) })
	sc.Then(`^"([^"]*)" is marked "([^"]*)"$`, func(name, mark string) { reads(name, ".tag", mark) })
	sc.Then(`^"([^"]*)" is told to be "([^"]*)"$`, func(name, text string) { reads(name, ".help", text) })
	sc.Then(`^"([^"]*)" is told to be (\d\S*) by default$`, func(name, value string) { reads(name, ".help", "default "+value) })
	sc.Then(`^"([^"]*)" can only be "([^"]*)"$`, func(name, only string) {
		options, err := w.field(name).Locator("option").AllInnerTexts()
		if err != nil || !slices.Equal(options, []string{only}) {
			w.Fatalf("%s offers %q (%v)", name, options, err)
		}
	})
	sc.Then(`^nothing can be typed into "([^"]*)"$`, func(name string) {
		if free, err := w.field(name).IsEditable(); err != nil || free {
			w.Fatalf("%s can be typed into (%v)", name, err)
		}
	})
	sc.Then(`^there is a field "([^"]*)"$`, func(name string) { must(w.TB, w.field(name).WaitFor()) })
	sc.Then(`^nothing counts as changed$`, func() {
		see(w.TB, w.page, "#changes", "No changes")
		if n, err := w.page.Locator(".field.changed").Count(); err != nil || n > 0 {
			w.Fatalf("%d fields are marked as changed (%v)", n, err)
		}
	})
	sc.Then(`^the form shows, in this order:$`, func(want *godog.Table) {
		for i, row := range want.Rows {
			group := w.page.Locator("#config-form .group").Nth(i)
			title, err := group.Locator("h2, h3").First().InnerText()
			must(w.TB, err)
			labels, err := group.Locator(":scope > .fields > .field .label, :scope > .choice .label").AllInnerTexts()
			must(w.TB, err)
			if got := strings.Join(labels, ", "); title != row.Cells[0].Value || got != row.Cells[1].Value {
				w.Fatalf("group %d is %s: %s", i+1, title, got)
			}
		}
	})
}
