package schema

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// FuzzDecode fills in the golden forms with anything. Whatever is sent: the edits, applied, are the
// document that was read, no secret is shown back, and the form can be drawn again.
func FuzzDecode(f *testing.F) {
	all := goldens(f)
	for i := range all {
		f.Add(uint8(i), "", false)
	}
	f.Add(uint8(1), "max_open_trades=4&exchange.name=&:add=pairlists", false)
	f.Add(uint8(4), ":pick:storage=1&storage.path=%2Ftmp&:items:rule=1+0+7", false)
	f.Fuzz(func(t *testing.T, which uint8, query string, bare bool) {
		g := all[int(which)%len(all)]
		form := url.Values{}
		if !bare {
			form = submit(g.schema.Form(g.value))
		}
		sent, err := url.ParseQuery(query)
		if err != nil && len(sent) == 0 {
			return
		}
		typed := ""
		for name, values := range sent {
			form[name] = values
			typed += name + " " + strings.Join(values, " ") + " "
		}
		if plain, err := url.PathUnescape(typed); err == nil {
			typed += plain // keys are escaped in names
		}
		before := dump(g.schema.Form(g.value))
		edits, problems := g.schema.Decode(form, g.value)
		for _, p := range problems {
			if p.Message == "" || strings.ContainsRune(p.Message, 0) {
				t.Errorf("the problem at %q says %q", p.Pointer, p.Message)
			}
		}
		got, err := Apply(g.value, edits)
		if err != nil {
			t.Fatalf("the edits %v cannot be made: %v", edits, err)
		}
		pressed, _ := g.schema.press(form, g.value)
		want, _, _ := g.schema.decode(pressed, g.value)
		if !same(got, want) {
			t.Errorf("the edits make another document:\n got %s\nwant %s", notation(got, false), notation(want, false))
		}
		g.schema.Validate(got, nil)
		drawn := g.schema.Form(g.value).WithInput(form).WithProblems(problems)
		shown, err := json.Marshal(drawn)
		if err != nil {
			t.Fatal(err)
		}
		for _, ptr := range g.schema.Secrets(g.value) {
			v, _ := lookup(g.value, ptr)
			if secret := v.(string); !strings.Contains(typed, secret) && strings.Contains(string(shown), jsonQuote(secret)) {
				t.Errorf("the form shows the secret at %s", ptr)
			}
		}
		if dump(g.schema.Form(g.value)) != before {
			t.Error("reading the form changed the document")
		}
	})
}

// FuzzValidate checks any document against every golden schema: each problem is a sentence at a
// place, no secret is in one, and the document's own form, untouched, changes nothing.
func FuzzValidate(f *testing.F) {
	all := append(goldens(f), golden{"default", Default(), nil})
	f.Add("[broker]\napi_key = 5\n[risk]\nmax_order_usd = nan\n")
	f.Add("[exchange]\nname = 'x'\nkey = 'a secret that is long enough to be told from words'\n[api_server]\npassword = ['not a text but all the same a secret that is long']\n")
	f.Add("mode = 'advanced'\n[storage]\ntype = 1\n[[rule]]\nwhen = 2026-01-01\n")
	f.Add("services.a.ports = [1, [2], {target = []}]\n")
	f.Add("name = 1\n[left]\nleft = [[1]]\n[[children]]\nchildren = 5\n")
	f.Fuzz(func(t *testing.T, text string) {
		var value map[string]any
		if toml.Unmarshal([]byte(text), &value) != nil {
			return
		}
		for _, g := range all {
			secrets := g.schema.Secrets(value)
			for _, p := range g.schema.Validate(value, nil) {
				if p.Message == "" || p.Pointer != "" && p.Pointer[0] != '/' {
					t.Errorf("%s: a problem at %q says %q", g.name, p.Pointer, p.Message)
				}
				for _, ptr := range secrets {
					// Short ones may be in a message by chance.
					if v, _ := lookup(value, ptr); ptr == p.Pointer && len(wordsFor(v)) > 40 && strings.Contains(p.Message, wordsFor(v)) {
						t.Errorf("%s: the problem at %s shows the secret: %s", g.name, ptr, p.Message)
					}
				}
			}
			untouched(t, g.schema, value)
		}
	})
}

// wordsFor is how a message might show a value.
func wordsFor(v any) string {
	if text, ok := v.(string); ok {
		return strings.Trim(quoted(text), `"`)
	}
	return people(v)
}
