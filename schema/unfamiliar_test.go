package schema_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pitstop/schema"
)

func TestUnfamiliar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(path, []byte(`{"type": "object", "properties": {
		"risk": {"type": "object", "properties": {"max_position_usd": {"type": "integer"}, "max_order_usd": {"type": "integer"}}},
		"feeds": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
		"limits": {"type": "object", "additionalProperties": {"type": "integer"}},
		"anything": {"type": "object"}
	}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := schema.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Unfamiliar(map[string]any{
		"risk":     map[string]any{"max_postion_usd": int64(1), "max_order_usd": int64(2), "max_orders_usd": int64(3), "colour": "green"},
		"feeds":    []any{map[string]any{"name": "a"}, map[string]any{"nam": "b"}},
		"limits":   map[string]any{"whatever": int64(1)},
		"anything": map[string]any{"at": map[string]any{"all": true}},
		"desk":     map[string]any{"below": "is not told"},
	})
	want := []schema.Unfamiliar{
		{"/desk", ""},
		{"/feeds/1/nam", "name"},
		{"/risk/colour", ""},
		{"/risk/max_orders_usd", ""}, // the one that is near is there already
		{"/risk/max_postion_usd", "max_position_usd"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
