package views

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"pitstop/schema"
)

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "1000": "1000", "-1000": "-1000", "100000": "100\u202f000", "-1234567": "-1\u202f234\u202f567", "12345.5": "12345.5", "1e9": "1e9",
	} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		field schema.Field
		want  string
	}{
		{schema.Field{}, ""},
		{schema.Field{Control: schema.Number, Min: "1", Max: "100000", Default: "5000", HasDefault: true}, "1 to 100\u202f000 · default 5000"},
		{schema.Field{Min: "0", Description: "Also open+5m.", Examples: []string{"open+5m", "09:30"}}, "at least 0 · such as 09:30"},
		{schema.Field{Hint: "Such a thing, such as 3.", Examples: []string{"4"}}, ""},
		{schema.Field{Max: "9", Examples: []string{"3", "4"}}, "at most 9 · such as 3, 4"},
		{schema.Field{Control: schema.ListLines, Default: "a\nb", HasDefault: true}, "default a, b"},
		{schema.Field{Control: schema.Checks, Default: "a, b", HasDefault: true}, "default a, b"},
		{schema.Field{Control: schema.Number, Min: "0", Above: true}, "more than 0"},
		{schema.Field{Control: schema.Number, Min: "0", Max: "1", Below: true}, "at least 0 and less than 1"},
	} {
		if got := bounds(c.field); got != c.want {
			t.Errorf("bounds(%+v) = %q, want %q", c.field, got, c.want)
		}
	}
}

func draw(t *testing.T, f schema.Field, live map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	if err := field(f, drawing{live: live}).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestField(t *testing.T) {
	t.Run("every control names its key, its help and what is wrong with it", func(t *testing.T) {
		for _, control := range []schema.Control{
			schema.Text, schema.TextArea, schema.Number, schema.Checkbox, schema.Select, schema.Time, schema.Date, schema.DateTime, schema.Password, schema.ListLines,
		} {
			html := draw(t, schema.Field{ID: "f1", Name: "risk.max", Label: "Most", Control: control, Problems: []string{"too much"}}, nil)
			for _, want := range []string{`for="f1"`, `id="f1"`, `name="risk.max"`, `aria-describedby="f1-err0 f1-help"`, `aria-invalid="true"`, "too much", `id="f1-err0"`, `id="f1-help"`} {
				if !strings.Contains(html, want) {
					t.Errorf("%s lacks %s:\n%s", control, want, html)
				}
			}
		}
	})
	t.Run("a secret has no value in the page", func(t *testing.T) {
		html := draw(t, schema.Field{ID: "f1", Name: "k", Control: schema.Password, Value: "hunter2", Default: "hunter3", Present: true, Secret: true}, map[string]string{"k": "hunter4"})
		if strings.Contains(html, "hunter") {
			t.Errorf("the field shows it: %s", html)
		}
	})
	t.Run("an unchecked box sends false", func(t *testing.T) {
		html := draw(t, schema.Field{ID: "f1", Name: "k", Control: schema.Checkbox, Value: "true"}, nil)
		if !strings.Contains(html, `type="hidden" name="k" value="false"`) || !strings.Contains(html, "checked") {
			t.Errorf("got %s", html)
		}
	})
	t.Run("a value that differs from the file's tells that one", func(t *testing.T) {
		html := draw(t, schema.Field{ID: "f1", Name: "k", Control: schema.Text, Value: "b"}, map[string]string{"k": "a"})
		if !strings.Contains(html, `data-was="a"`) {
			t.Errorf("got %s", html)
		}
	})
	t.Run("text from a file or a schema is never markup", func(t *testing.T) {
		evil := `"><script>alert(1)</script>`
		html := draw(t, schema.Field{ID: "f1", Name: evil, Label: evil, Key: evil, Value: evil, Description: evil, Control: schema.Text, Unit: evil}, nil)
		if strings.Contains(html, "<script") {
			t.Errorf("got %s", html)
		}
	})
}

func TestAt(t *testing.T) {
	now := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{time.Time{}, ""},
		{now, "15:00"},
		{now.Add(5 * time.Second), "15:00:05"},
		{now.Add(24 * time.Hour), "Tue 15:00"},
		{now.Add(-30 * 24 * time.Hour), "Sat 31 Jan 15:00"},
		{now.AddDate(1, 0, 0), "Tue 2 Mar 2027 15:00"},
	} {
		if got := At(c.t, now, time.UTC).Text; got != c.want {
			t.Errorf("At(%s) = %q, want %q", c.t, got, c.want)
		}
	}
}

func TestAReloadThatIsNotEnoughIsSaidPlainly(t *testing.T) {
	for reload, want := range map[string]string{"restart": "needs the service restarted by hand", "live": "", "": ""} {
		var b bytes.Buffer
		if err := tags(reload, false, false).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("reload %q: got %q, want it to say %q", reload, got, want)
		}
	}
}

// TestBoxesThatDifferFromTheFileSaySo: else a form that was drawn anew marks them as they are.
func TestBoxesThatDifferFromTheFileSaySo(t *testing.T) {
	days := schema.Field{Name: "days", Control: schema.Checks, Options: []schema.Option{{Value: "mon", Selected: true}, {Value: "tue"}}}
	for live, want := range map[string]string{"mon": "", "tue": `data-was="true"`, "mon\ntue": `data-was="true"`, "": `data-was="false"`} {
		var b bytes.Buffer
		if err := checks(days, drawing{live: map[string]string{"days": live}}).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); want == "" && strings.Contains(got, "data-was") || !strings.Contains(got, want) {
			t.Errorf("the file has %q: got %s, want %s in it", live, got, want)
		}
	}
}
