package schema

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	compose "github.com/compose-spec/compose-go/v2/schema"
)

// A schema that somebody else wrote, as it is: the Compose specification's, from its own module.
func TestTheSchemaOfTheComposeSpecification(t *testing.T) {
	file := filepath.Join(t.TempDir(), "compose-spec.json")
	if err := os.WriteFile(file, []byte(compose.Schema), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	value := parse(t, `name = "desk"

[services.feed]
image = "example/feed:1.2"
restart = "unless-stopped"
ports = ["127.0.0.1:8080:8080", { target = 9000, published = "9001" }]
command = ["feed", "--fast"]
environment = { LEVEL = "info", WORKERS = 4 }
healthcheck = { test = ["CMD", "true"], interval = "30s" }
depends_on = { store = { condition = "service_healthy" } }
deploy.resources.limits = { cpus = "0.5", memory = "256M" }

[services.store]
image = "example/store"
volumes = ["data:/data"]

[volumes.data]
driver = "local"

[networks.default]
internal = true
`)
	for _, p := range s.Validate(value, nil) {
		t.Errorf("a valid document has a problem: %s %s", p.Pointer, p.Message)
	}
	t.Run("draws a form in which a service can be changed, and nothing else is", func(t *testing.T) {
		form, fields := url.Values{}, 0
		for _, f := range fieldsOf(s.Form(value)) {
			fields++
			if f.Name == "services.feed.image" {
				form.Set(f.Name, "example/feed:1.3")
			}
		}
		if fields < 100 || len(form) != 1 {
			t.Fatalf("the form has %d fields, and %d of them are the image", fields, len(form))
		}
		edits, problems := s.Decode(form, value)
		if len(edits) != 1 || edits[0].Pointer != "/services/feed/image" || edits[0].Value != "example/feed:1.3" || len(problems) > 0 {
			t.Errorf("got %+v, %+v", edits, problems)
		}
	})
	t.Run("says where a document is wrong", func(t *testing.T) {
		bad := parse(t, "[services.feed]\nimage = 5\nrestrat = \"no\"\n")
		at := map[string]bool{}
		for _, p := range s.Validate(bad, nil) {
			at[p.Pointer] = true
		}
		if !at["/services/feed/image"] || !at["/services/feed/restrat"] {
			t.Errorf("the problems are at %v", at)
		}
	})
}

func fieldsOf(f Form) (all []Field) {
	var walk func([]Section)
	walk = func(list []Section) {
		for _, s := range list {
			all = append(all, s.Fields...)
			walk(s.Sections)
		}
	}
	walk(f.Sections)
	return all
}
