package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema returns a JSON Schema (draft 2020-12) of the configuration file, for
// editors. It knows keys, types, bounds and texts; what depends on several
// keys, or on the machine, only Load knows. The error is a fault of the
// program.
func Schema() ([]byte, error) {
	s := structSchema(reflect.TypeFor[Config]())
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "OpenClaw gateway configuration"
	s.Description = "~/.openclaw/config.yml; every key is optional."
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of the configuration: %w", err)
	}
	return append(data, '\n'), nil
}

func structSchema(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Types:                []string{"object", "null"}, // a section may be empty
		Properties:           map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, f := range fieldsOf(t) {
		p := fieldSchema(f, false)
		p.Description = f.doc
		if f.inert {
			p.Description += " (No effect yet.)"
		}
		p.Deprecated = f.moved != ""
		p.Default = f.defaultJSON()
		s.Properties[f.name] = p
		s.PropertyOrder = append(s.PropertyOrder, f.name)
	}
	return s
}

// reference is a text that ${VAR} makes a value of any type.
func reference() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `\$\{`}
}

// nullable is a value, the same by reference, or nothing.
func nullable(kinds ...*jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: append(kinds, reference(), &jsonschema.Schema{Type: "null"})}
}

// fieldSchema describes the values of a field. loose is as in decoder.
func fieldSchema(f field, loose bool) *jsonschema.Schema {
	switch f.kindName() {
	case "boolean":
		return nullable(&jsonschema.Schema{Type: "boolean"})
	case "integer", "number":
		return nullable(&jsonschema.Schema{Type: f.kindName(), Minimum: f.bound(f.min), Maximum: f.bound(f.max)})
	case "duration":
		return nullable(f.durationSchemas()...)
	case "size":
		return nullable(
			&jsonschema.Schema{Type: "integer", Minimum: f.bound(f.min), Maximum: f.bound(f.max)},
			&jsonschema.Schema{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)? ?([TGMKk]B|[TGMK]iB|B)$|^[0-9]+$`})
	case "list":
		list := &jsonschema.Schema{Types: []string{"array", "null"}, Items: fieldSchema(f.element(), true)}
		if f.one {
			return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{list, fieldSchema(f.element(), true)}}
		}
		return list
	case "map":
		return f.mapSchema()
	}
	return f.textSchema(loose)
}

func (f field) mapSchema() *jsonschema.Schema {
	switch f.typ.Kind() {
	case reflect.Struct:
		return structSchema(f.typ)
	case reflect.Interface:
		return &jsonschema.Schema{}
	}
	return &jsonschema.Schema{Types: []string{"object", "null"}, AdditionalProperties: fieldSchema(f.element(), true)}
}

func (f field) textSchema(loose bool) *jsonschema.Schema {
	if f.enum != nil {
		values := make([]any, len(f.enum))
		for i, v := range f.enum {
			values[i] = v
		}
		return nullable(&jsonschema.Schema{Enum: values})
	}
	types := []string{"string", "null"}
	if loose {
		types = []string{"string", "number", "boolean"}
	}
	return &jsonschema.Schema{Types: types}
}

func (f field) durationSchemas() []*jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^[0-9]+(\.[0-9]+)?d$|^0$`}
	if f.unit == "" {
		zero := any(0)
		return []*jsonschema.Schema{text, {Const: &zero}}
	}
	positive := float64(0)
	return []*jsonschema.Schema{text, {Type: "number", Minimum: &positive}}
}

// bound reads the bound of a number or a size; nil where there is none.
func (f field) bound(text string) *float64 {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if f.typ == typeSize {
		var size Size
		size, err = parseSize(text)
		n = float64(size)
	}
	if err != nil {
		return nil // a test reads every tag
	}
	return &n
}

// defaultJSON returns the default as JSON; nil where there is none.
func (f field) defaultJSON() json.RawMessage {
	var value any = f.def
	switch kind := f.kindName(); {
	case f.def == "":
		return nil
	case kind == "list":
		value = splitList(f.def)
	case json.Valid([]byte(f.def)) && kind != "string":
		return json.RawMessage(f.def)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil // texts and lists of texts are always encoded
	}
	return data
}
