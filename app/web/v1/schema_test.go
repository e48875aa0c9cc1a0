package v1

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// examples are values of fields that have no example of their own: a name means
// the same wherever it stands.
var examples = map[string]any{
	"key":            "reports/2026/summary.pdf",
	"keys":           []any{"reports/2025/summary.pdf", "reports/2026/summary.pdf"},
	"from":           "inbox/summary.pdf",
	"to":             "reports/2026/summary.pdf",
	"size":           20_000_000,
	"etag":           `"5d41402abc4b2a76b9719d911017c592"`,
	"if_match":       `"5d41402abc4b2a76b9719d911017c592"`,
	"type":           "application/pdf",
	"modified":       "2026-01-31T09:30:00Z",
	"expires_at":     "2026-01-31T10:30:00Z",
	"expires_in":     3600,
	"version":        "3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l",
	"sha256":         "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
	"undo":           "/v1/versions/reports/2026/summary.pdf?before=3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l",
	"number":         1,
	"part_size":      8 << 20,
	"last_part_size": 20_000_000 - 2*(8<<20),
	"min_size":       1,
	"max_size":       10 << 20,
	"newest":         true,
	"method":         "PUT",
	"prefixes":       []any{"reports/2025/", "reports/2026/"},
}

// schemas are the JSON schemas (2020-12) of Go types, from what encoding/json
// makes of them and the tags doc and example of their fields. A struct that has
// a name is a component.
type schemas struct {
	components jsonObject
	types      map[string]reflect.Type // of the components
	err        error                   // the first
}

func newSchemas() *schemas {
	return &schemas{components: jsonObject{}, types: map[string]reflect.Type{}}
}

// of returns the schema of v's type.
func (s *schemas) of(v any) jsonObject { return s.ofType(reflect.TypeOf(v)) }

// ofRequest returns the schema of v's type, closed: a request's unknown field is
// refused.
func (s *schemas) ofRequest(v any) jsonObject {
	schema := s.of(v)
	s.close(reflect.TypeOf(v))
	return schema
}

// close refuses what the structs in t do not have.
func (s *schemas) close(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		s.close(t.Elem())
	case reflect.Struct:
		component, found := s.components[componentName(t)].(jsonObject)
		if !found || component["additionalProperties"] != nil {
			return
		}
		component["additionalProperties"] = false
		for _, f := range reflect.VisibleFields(t) {
			s.close(f.Type)
		}
	}
}

func (s *schemas) ofType(t reflect.Type) jsonObject {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return jsonObject{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[[]byte]():
		return jsonObject{"type": "string", "contentEncoding": "base64"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return jsonObject{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return jsonObject{"type": "integer", "format": "int64"}
	case reflect.String:
		return jsonObject{"type": "string"}
	case reflect.Interface:
		return jsonObject{}
	case reflect.Pointer:
		return s.ofType(t.Elem())
	case reflect.Slice:
		return jsonObject{"type": "array", "items": s.ofType(t.Elem())}
	case reflect.Map:
		return jsonObject{"type": "object", "additionalProperties": s.ofType(t.Elem())}
	case reflect.Struct:
		return s.component(t)
	}
	s.fail("%s: there is no schema for it", t)
	return nil
}

// component returns the reference to a struct's schema.
func (s *schemas) component(t reflect.Type) jsonObject {
	name := componentName(t)
	ref := jsonObject{"$ref": "#/components/schemas/" + name}
	switch known := s.types[name]; known {
	case t:
		return ref
	case nil:
		s.types[name] = t
	default:
		s.fail("%s and %s have one name: rename one", known, t)
		return ref
	}
	properties, required := jsonObject{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		tag, tagged := f.Tag.Lookup("json")
		if f.Anonymous && !tagged || !f.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" || f.Tag.Get("doc") == "" {
			s.fail("%s.%s: give it the tags json, with a name, and doc", t, f.Name)
			continue
		}
		property := s.ofType(f.Type)
		property["description"] = f.Tag.Get("doc")
		if example, found := f.Tag.Lookup("example"); found {
			property["examples"] = []any{s.value(t, f, example)}
		} else if example, found := examples[name]; found {
			property["examples"] = []any{example}
		}
		properties[name] = property
		if !strings.Contains(options, "omit") {
			required = append(required, name)
			if f.Type.Kind() == reflect.Pointer {
				s.fail("%s.%s can be null: let it be omitted", t, f.Name)
			}
		}
	}
	schema := jsonObject{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	s.components[name] = schema
	return ref
}

// value reads an example: JSON, unless the field is text.
func (s *schemas) value(t reflect.Type, f reflect.StructField, text string) any {
	if f.Type.Kind() == reflect.String || f.Type == reflect.TypeFor[time.Time]() {
		return text
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		s.fail("%s.%s: the example %q: %w", t, f.Name, text, err)
	}
	return v
}

func (s *schemas) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// componentName is a type's name as a stranger to the package would have it.
func componentName(t reflect.Type) string {
	if t.Name() == "Details" {
		return "Problem"
	}
	first, size := utf8.DecodeRuneInString(t.Name())
	return string(unicode.ToUpper(first)) + t.Name()[size:]
}
