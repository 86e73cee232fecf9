package schema
import "net/url"
func (s *Schema) Form(value map[string]any) Form { return Form{schema: s, value: value} }
func Pressed(form url.Values) bool { return false }
func (s *Schema) Decode(form url.Values, current map[string]any) ([]Edit, []Problem) { return nil, nil }
func Apply(current map[string]any, edits []Edit) (map[string]any, error) { return current, nil }
