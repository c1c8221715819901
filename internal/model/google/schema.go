package google

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// declaredSchema is the translation of a tool's parameters; empty for a tool
// without any, of which the API wants to hear nothing.
type declaredSchema struct{ value jsontext.Value }

// maxSchemas bounds the translations that are remembered; maxNesting the depth
// of one and maxNodes its size: a schema may refer to itself.
const (
	maxSchemas = 512
	maxNesting = 24
	maxNodes   = 2000
)

// schema translates a JSON Schema into the part of OpenAPI that the API takes.
// Tools are the same from turn to turn, so the translation is remembered.
func (a *Adapter) schema(params []byte) jsontext.Value {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.schemas[string(params)]; ok {
		return known.value
	}
	if len(a.schemas) >= maxSchemas {
		clear(a.schemas)
	}
	translated := &declaredSchema{translate(params)}
	a.schemas[string(params)] = translated
	return translated.value
}

// object is a JSON object as it is read.
type object = map[string]any

func translate(params []byte) jsontext.Value {
	var root object
	if loose.Unmarshal(params, &root) != nil || root == nil {
		return nil
	}
	t := translation{root: root}
	out := t.schema(root, 0)
	if properties, _ := out["properties"].(object); out["type"] == "OBJECT" && len(properties) == 0 {
		return nil
	}
	data, err := json.Marshal(out, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil
	}
	return data
}

// translation is one schema as it is translated.
type translation struct {
	root  object
	nodes int
}

// kept are the keywords that mean the same on both sides.
var kept = []string{
	"title", "description", "nullable", "minItems", "maxItems", "minLength", "maxLength",
	"minProperties", "maxProperties", "pattern", "minimum", "maximum", "default", "example",
}

// formats are the only ones that the API takes.
var formats = []string{"enum", "date-time", "int32", "int64", "float", "double"}

// schema translates one level. What cannot be said in OpenAPI is left out: the
// tool itself checks its arguments.
func (t *translation) schema(in object, depth int) object {
	if t.nodes++; depth > maxNesting || t.nodes > maxNodes {
		return object{"type": "STRING"}
	}
	in = t.resolve(in, depth)
	out := object{}
	for _, key := range kept {
		if v, ok := in[key]; ok && v != nil {
			out[key] = v
		}
	}
	if format, ok := in["format"].(string); ok && slices.Contains(formats, format) {
		out["format"] = format
	}
	t.setType(in, out, depth)
	t.setValues(in, out)
	t.setObject(in, out, depth)
	if out["type"] == "ARRAY" {
		items, _ := in["items"].(object)
		if out["items"] = t.schema(items, depth+1); len(items) == 0 {
			out["items"] = object{"type": "STRING"} // an array of anything is refused
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if list := t.list(in[key], out, depth); len(list) > 0 {
			out["anyOf"] = list
		}
	}
	return out
}

// resolve follows a reference within the schema and merges what allOf lists.
func (t *translation) resolve(in object, depth int) object {
	if t.nodes++; depth > maxNesting || t.nodes > maxNodes {
		return object{}
	}
	for range maxNesting {
		ref, ok := in["$ref"].(string)
		if !ok {
			break
		}
		target, _ := t.at(ref)
		in = merge(target, in)
		delete(in, "$ref")
		if next, again := target["$ref"]; again {
			in["$ref"] = next
		}
	}
	all, _ := in["allOf"].([]any)
	for _, part := range all {
		if p, ok := part.(object); ok {
			in = merge(t.resolve(p, depth+1), in)
		}
	}
	return in
}

// merge returns a new object with the entries of both; those of over win, and
// properties and required are united.
func merge(under, over object) object {
	out := object{}
	for k, v := range under {
		out[k] = v
	}
	for k, v := range over {
		out[k] = v
	}
	a, _ := under["properties"].(object)
	b, _ := over["properties"].(object)
	if len(a) > 0 && len(b) > 0 {
		out["properties"] = merge(a, b)
	}
	x, _ := under["required"].([]any)
	y, _ := over["required"].([]any)
	if len(x) > 0 && len(y) > 0 {
		out["required"] = append(slices.Clone(x), y...)
	}
	return out
}

// at finds what a reference such as #/$defs/name points to.
func (t *translation) at(ref string) (object, bool) {
	where, ok := strings.CutPrefix(ref, "#")
	here := t.root
	for name := range strings.SplitSeq(strings.Trim(where, "/"), "/") {
		if name == "" {
			continue
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		if here, ok = here[name].(object); !ok {
			return object{}, false
		}
	}
	return here, ok
}

// setType translates type, which JSON Schema allows to be a list.
func (t *translation) setType(in, out object, depth int) {
	var types []string
	switch v := in["type"].(type) {
	case string:
		types = []string{v}
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				types = append(types, s)
			}
		}
	}
	if i := slices.Index(types, "null"); i >= 0 && len(types) > 1 {
		types = slices.Delete(types, i, i+1)
		out["nullable"] = true
	}
	switch {
	case len(types) > 1:
		var any []object
		for _, name := range types {
			one := merge(in, object{"type": name})
			delete(one, "description")
			any = append(any, t.schema(one, depth+1))
		}
		out["anyOf"] = any
	case len(types) == 1:
		out["type"] = strings.ToUpper(types[0])
	case in["properties"] != nil:
		out["type"] = "OBJECT"
	case in["items"] != nil:
		out["type"] = "ARRAY"
	case in["enum"] != nil, in["const"] != nil:
		out["type"] = "STRING"
	}
}

// setValues translates the allowed values, which can only be strings; others
// stand in the description.
func (t *translation) setValues(in, out object) {
	values, _ := in["enum"].([]any)
	if v, ok := in["const"]; ok {
		values = []any{v}
	}
	if len(values) == 0 || out["anyOf"] != nil {
		return
	}
	var texts []string
	var written []string
	for _, v := range values {
		if v == nil {
			out["nullable"] = true
			continue
		}
		data, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			continue
		}
		written = append(written, string(data))
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		}
	}
	if out["type"] == "STRING" && len(texts) == len(written) && !slices.Contains(texts, "") {
		out["enum"] = texts
		return
	}
	said, _ := out["description"].(string)
	out["description"] = strings.TrimSpace(said + " One of: " + strings.Join(written, ", "))
}

func (t *translation) setObject(in, out object, depth int) {
	properties, _ := in["properties"].(object)
	if out["type"] != "OBJECT" || len(properties) == 0 {
		return
	}
	translated := object{}
	for name, p := range properties {
		schema, _ := p.(object) // true and false say nothing
		translated[name] = t.schema(schema, depth+1)
		if len(translated[name].(object)) == 0 {
			translated[name] = object{"type": "STRING"}
		}
	}
	out["properties"] = translated
	required, _ := in["required"].([]any)
	var names []string
	for _, r := range required {
		if name, ok := r.(string); ok && translated[name] != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		out["required"] = names
	}
}

// list translates alternatives; null among them makes the value nullable.
func (t *translation) list(v any, out object, depth int) []object {
	given, _ := v.([]any)
	var list []object
	for _, e := range given {
		one, ok := e.(object)
		if !ok {
			continue
		}
		if one["type"] == "null" {
			out["nullable"] = true
			continue
		}
		list = append(list, t.schema(one, depth+1))
	}
	return list
}
