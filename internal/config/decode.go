package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a file may make the decoder do: aliases can make a small file describe
// a huge configuration.
const (
	maxValues = 100_000
	maxDepth  = 64
)

// decoder fills a Config and collects everything that is wrong with what it is
// given. It is used once.
type decoder struct {
	file    string
	dirs    directories
	env     *environment
	origins map[string]Origin
	unset   map[string]unsetSecret
	// sameKey says that the file has brain.api_key, but as the default, which
	// says no more than nothing.
	sameKey  bool
	problems Problems
	warnings []Warning
	values   int
}

// unsetSecret is a secret whose variable has no value. Whether it is missed
// shows when the whole configuration is known.
type unsetSecret struct {
	Origin
	variable string
}

// place is where in the configuration the decoder stands.
type place struct {
	key   string
	depth int
	// loose accepts numbers and booleans where a text is expected: in lists
	// and maps of texts, where nobody expects to have to quote a port.
	loose bool
}

func (d *decoder) fail(n *yaml.Node, key, message, suggestion string) {
	d.problems = append(d.problems, Problem{d.at(n), key, message, suggestion})
}

func (d *decoder) at(n *yaml.Node) Origin { return Origin{d.file, n.Line, n.Column} }

// enter follows an alias and says whether n may be decoded at all.
func (d *decoder) enter(n *yaml.Node, p place) (*yaml.Node, bool) {
	d.values++
	if d.values > maxValues {
		if d.values == maxValues+1 {
			d.fail(n, p.key, "makes the configuration too large; use fewer aliases", "")
		}
		return nil, false
	}
	if p.depth > maxDepth {
		d.fail(n, p.key, "is nested too deeply", "")
		return nil, false
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if tag := n.ShortTag(); n.Kind == yaml.ScalarNode && !strings.HasPrefix(tag, "!!") || tag == "!!binary" {
		d.fail(n, p.key, "has the tag "+quote(tag)+", which means nothing here; remove it", "")
		return nil, false
	}
	return n, true
}

// value decodes n into v. Null leaves the default.
func (d *decoder) value(n *yaml.Node, v reflect.Value, f field, p place) {
	n, ok := d.enter(n, p)
	if !ok || isNull(n) {
		return
	}
	switch {
	case v.Kind() == reflect.Struct:
		if d.isKind(n, yaml.MappingNode, p) {
			d.mapping(n, v, p)
		}
	case v.Kind() == reflect.Slice:
		d.list(n, v, f, p)
	case v.Kind() == reflect.Map:
		if d.isKind(n, yaml.MappingNode, p) {
			d.table(n, v, f, p)
		}
	case v.Kind() == reflect.Interface:
		if x := d.free(n, p); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	default:
		if d.isKind(n, yaml.ScalarNode, p) {
			d.scalar(n, v, f, p)
		}
	}
}

func (d *decoder) isKind(n *yaml.Node, kind yaml.Kind, p place) bool {
	if n.Kind == kind {
		return true
	}
	want := map[yaml.Kind]string{
		yaml.MappingNode:  "a map (lines of key: value)",
		yaml.SequenceNode: "a list ([a, b], or lines that begin with -)",
		yaml.ScalarNode:   "one value",
	}[kind]
	d.fail(n, p.key, "must be "+want+", not "+kindOf(n), "")
	return false
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	}
	return "a text"
}

// entries visits the pairs of a mapping; what is no proper key is a problem.
func (d *decoder) entries(n *yaml.Node, p place, visit func(name string, key, value *yaml.Node)) {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			d.fail(key, p.key, "has a key that is no plain text", "")
			continue
		}
		if key.ShortTag() == "!!merge" {
			d.fail(key, p.key, "uses <<, which is not supported; write the keys out", "")
			continue
		}
		if line, ok := seen[key.Value]; ok {
			d.fail(key, joinKey(p.key, key.Value), fmt.Sprintf("is here a second time, after line %d; remove one of them", line), "")
			continue
		}
		seen[key.Value] = key.Line
		visit(key.Value, key, n.Content[i+1])
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, p place) {
	fields := fieldsOf(v.Type())
	d.entries(n, p, func(name string, key, value *yaml.Node) {
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if at < 0 {
			for _, u := range unknownKey(p.key, name, fields) {
				d.fail(key, u.Key, u.Message, u.Suggestion)
			}
			return
		}
		f := fields[at]
		sub := place{key: joinKey(p.key, name), depth: p.depth + 1}
		d.setBy(sub.key, key, value)
		d.value(value, v.Field(f.index), f, sub)
	})
}

// setBy remembers who set a key; null sets nothing.
func (d *decoder) setBy(name string, key, value *yaml.Node) {
	if !isNull(value) {
		d.origins[name] = d.at(key)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, f field, p place) {
	items := n.Content
	switch {
	case n.Kind == yaml.SequenceNode:
	case f.one && n.Kind == yaml.MappingNode:
		items = []*yaml.Node{n}
	default:
		d.isKind(n, yaml.SequenceNode, p)
		return
	}
	list := reflect.Zero(v.Type())
	for i, item := range items {
		key := indexKey(p.key, i)
		d.origins[key] = d.at(item)
		list = reflect.Append(list, d.element(item, f, place{key, p.depth + 1, true}))
	}
	v.Set(list)
}

func (d *decoder) table(n *yaml.Node, v reflect.Value, f field, p place) {
	table := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	d.entries(n, p, func(name string, key, value *yaml.Node) {
		sub := place{joinKey(p.key, name), p.depth + 1, true}
		d.setBy(sub.key, key, value)
		table.SetMapIndex(reflect.ValueOf(name), d.element(value, f, sub))
	})
	if table.Len() > 0 {
		v.Set(table)
	} else {
		v.SetZero()
	}
}

func (d *decoder) element(n *yaml.Node, f field, p place) reflect.Value {
	e := f.element()
	v := reflect.New(e.typ).Elem()
	if v.Kind() == reflect.Struct {
		setDefaults(v, d.dirs)
	}
	if p.loose && isNull(n) && v.Kind() != reflect.Struct && v.Kind() != reflect.Interface {
		d.fail(n, p.key, "is empty; write \"\" for an empty text", "")
		return v
	}
	d.value(n, v, e, p)
	return v
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, f field, p place) {
	e, err := expand(n.Value, d.env.lookup)
	if err != nil {
		d.fail(n, p.key, err.Error(), "")
		return
	}
	if len(e.unset) > 0 {
		if f.typ == typeSecret {
			d.sameKey = f.def != "" && n.Value == f.def
			d.unset[p.key] = unsetSecret{d.at(n), e.unset[0]}
			return
		}
		d.warnings = append(d.warnings, Warning{d.at(n), p.key, e.unset[0] + " is not set; it counts as empty here"})
		if e.text == "" {
			return // as if nobody had written it
		}
	}
	if f.typ == typeSecret && f.def != "" && n.Value == f.def {
		d.sameKey = true
		return
	}
	if message := f.wrongType(n, e.used, p.loose); message != "" {
		d.fail(n, p.key, message, "")
		return
	}
	if wrong := f.set(v, e.text, d.dirs); wrong != nil {
		message, suggestion := wrong.message, wrong.suggestion
		if e.used { // the value comes from the environment and may be private
			message, _, _ = strings.Cut(message, ", not \"")
			message, _, _ = strings.Cut(message, "; it is \"")
			message, suggestion = message+"; the value of "+quote(n.Value)+" is not", ""
		}
		d.fail(n, p.key, message, suggestion)
	}
}

// wrongType compares how YAML understands a value with what the field wants.
// A value with references has the type of what they stand for.
func (f field) wrongType(n *yaml.Node, expanded, loose bool) string {
	if expanded {
		return ""
	}
	tag := n.ShortTag()
	number := tag == "!!int" || tag == "!!float"
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
	switch kind := f.kindName(); kind {
	case "integer", "number", "boolean":
		if quoted {
			want := map[string]string{"integer": "a whole number", "number": "a number", "boolean": "true or false"}[kind]
			return "must be " + want + ", not a text; remove the quotes"
		}
	case "duration", "size":
		if !number && tag != "!!str" {
			return "must be a " + kind + ", not " + kindOf(n)
		}
	default:
		if tag == "!!str" || tag == "!!timestamp" || loose && tag != "!!null" {
			return ""
		}
		return "must be a text, not " + kindOf(n) + "; put it in quotes"
	}
	return ""
}
