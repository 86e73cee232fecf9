package schema

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// everything lists a schema with all that may apply with it: references, alternatives and branches,
// whether or not they hold for a particular document.
func everything(list []*jsonschema.Schema) []*jsonschema.Schema {
	var parts []*jsonschema.Schema
	seen := map[*jsonschema.Schema]bool{}
	var add func(s *jsonschema.Schema)
	add = func(s *jsonschema.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		parts = append(parts, s)
		for _, sub := range []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.DynamicRef, s.Then, s.Else} {
			add(sub)
		}
		for _, more := range [][]*jsonschema.Schema{s.AllOf, s.OneOf, s.AnyOf} {
			for _, sub := range more {
				add(sub)
			}
		}
		for _, sub := range s.DependentSchemas {
			add(sub)
		}
		for _, sub := range s.Dependencies {
			if sub, ok := sub.(*jsonschema.Schema); ok {
				add(sub)
			}
		}
	}
	for _, s := range list {
		add(s)
	}
	return parts
}

// At tells what the schema says of the key at this pointer.
func (s *Schema) At(ptr string) Info {
	parts := everything([]*jsonschema.Schema{s.root})
	info := Info{Known: true, Secret: marksSecret(parts)}
	info.Reload = firstText(parts, "x-reload")
	keys := split(ptr)
	for n, key := range keys {
		below, ok := forKey(parts, key)
		if i, err := strconv.Atoi(key); !ok && err == nil {
			below = forItem(parts, i)
			ok = len(below) > 0
		}
		if !ok {
			title := titleOf(key)
			if n < len(keys)-1 {
				title = titleOf(keys[len(keys)-1])
			}
			return Info{Title: title, Reload: info.Reload, Secret: info.Secret || slices.ContainsFunc(keys[n:], soundsSecret)}
		}
		parts = everything(below)
		if reload := firstText(parts, "x-reload"); reload != "" {
			info.Reload = reload
		}
		info.Secret = info.Secret || marksSecret(parts)
		info.Deprecated = info.Deprecated || anyFlag(parts[:1], "deprecated")
		info.ReadOnly = info.ReadOnly || anyFlag(parts[:1], "readOnly")
	}
	info.Title = firstText(parts, "title")
	if info.Title == "" {
		info.Title = titleOf(last(ptr))
	}
	info.Description = firstText(parts, "description")
	info.Unit = firstText(parts, "x-unit")
	info.Danger = danger(parts)
	if !info.Secret {
		info.Default, info.HasDefault = firstDefault(parts)
	}
	return info
}

// Secrets returns the pointers of the secret values in this document, sorted: those that the schema
// marks writeOnly or of format password, wherever they may apply, and those of keys that the schema
// does not know but whose name says that they are one.
func (s *Schema) Secrets(value map[string]any) []string {
	var found []string
	var walk func(v any, ptr, key string, list []*jsonschema.Schema, known, secret bool)
	walk = func(v any, ptr, key string, list []*jsonschema.Schema, known, secret bool) {
		parts := everything(list)
		secret = secret || marksSecret(parts) || !known && soundsSecret(key)
		switch v := v.(type) {
		case map[string]any:
			for key, item := range v {
				below, ok := forKey(parts, key)
				walk(item, join(ptr, key), key, below, ok, secret)
			}
		case []any:
			for i, item := range v {
				below := forItem(parts, i)
				walk(item, ptr+"/"+strconv.Itoa(i), key, below, known || len(below) > 0, secret)
			}
		default:
			if secret {
				found = append(found, ptr)
			}
		}
	}
	walk(value, "", "", []*jsonschema.Schema{s.root}, true, false)
	sort.Strings(found)
	return found
}

// SecretNamed says whether a key of this name is secret, or holds a list of secrets, anywhere in the
// documents that the schema describes: for texts of which nobody can tell where in them a key is.
func (s *Schema) SecretNamed(key string) bool { return s.secretNames()[key] }

func (s *Schema) findSecretNames() map[string]bool {
	names := map[string]bool{}
	for _, p := range s.byLocation {
		for key, sub := range p.Properties {
			parts := everything([]*jsonschema.Schema{sub})
			if marksSecret(parts) || marksSecret(everything(forItem(parts, 0))) {
				names[key] = true
			}
		}
	}
	return names
}

var joined = strings.NewReplacer("-", "", "_", "", ".", "")

// soundsSecret guesses from a key that nobody described.
func soundsSecret(key string) bool {
	key = joined.Replace(strings.ToLower(key))
	for _, word := range []string{"password", "passwd", "passphrase", "secret", "apikey", "privatekey", "accesskey", "authtoken", "accesstoken", "bearer", "credential"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return key == "token" || strings.HasSuffix(key, "token")
}
