package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// Entry is one key and the value in force.
type Entry struct {
	Key    string
	Value  any // as Get returns it
	Origin Origin
}

// List returns every key with a fixed name and the value in force, in the
// order of the file. Secrets are masked.
func (c *Config) List() []Entry {
	var entries []Entry
	eachLeaf(reflect.ValueOf(c).Elem(), "", func(key string, v reflect.Value) {
		entries = append(entries, Entry{key, plain(v), c.Origin(key)})
	})
	return entries
}

// Get returns the value in force of a key, which may also be a section or lead
// into a list or a map: a string, bool, int, int64, float64, []any or
// map[string]any, ready for encoding. Durations and sizes are texts, and
// secrets are masked. The error is of type Problems.
func (c *Config) Get(key string) (any, error) {
	parts, err := splitKey(key)
	if err != nil {
		return nil, Problems{{Key: key, Message: err.Error()}}
	}
	if _, err := findField(parts); err != nil {
		return nil, err
	}
	v := reflect.ValueOf(c).Elem()
	for _, part := range parts {
		if v = step(v, part); !v.IsValid() {
			return nil, Problems{{Key: key, Message: "is not set"}}
		}
	}
	return plain(v), nil
}

// step goes from a value to one below it; the result is invalid where there is
// none.
func step(v reflect.Value, part string) reflect.Value {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			if f.name == part {
				return v.Field(f.index)
			}
		}
	case reflect.Map:
		return v.MapIndex(reflect.ValueOf(part))
	case reflect.Slice:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < v.Len() {
			return v.Index(i)
		}
	}
	return reflect.Value{}
}

// plain makes a value of the configuration one that every encoder knows.
func plain(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case Duration:
		return x.String()
	case Size:
		return x.String()
	case Secret:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Struct:
		m := map[string]any{}
		for _, f := range fieldsOf(v.Type()) {
			if f.moved == "" {
				m[f.name] = plain(v.Field(f.index))
			}
		}
		return m
	case reflect.Map:
		m := map[string]any{}
		for it := v.MapRange(); it.Next(); {
			m[it.Key().String()] = plain(it.Value())
		}
		return m
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	}
	return v.Interface()
}

// Format returns a value of Get or List for people: a text as it is, and
// everything else as JSON in one line.
func Format(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value) // plain returns nothing of the kind
	}
	return string(data)
}

// eachLeaf visits the keys below v that are no sections.
func eachLeaf(v reflect.Value, prefix string, visit func(key string, v reflect.Value)) {
	for _, f := range fieldsOf(v.Type()) {
		if f.moved != "" {
			continue
		}
		key := joinKey(prefix, f.name)
		if f.typ.Kind() == reflect.Struct {
			eachLeaf(v.Field(f.index), key, visit)
			continue
		}
		visit(key, v.Field(f.index))
	}
}

// Inert returns a warning for every key that the configuration file sets and
// that has no effect yet.
func (c *Config) Inert() []Warning {
	var warnings []Warning
	warn := func(key, message string) {
		if o := c.Origin(key); o.File == c.Path && o.IsFile() {
			warnings = append(warnings, Warning{o, key, message})
		}
	}
	eachInert(reflect.ValueOf(c).Elem(), "", warn)
	slices.SortStableFunc(warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return warnings
}

func eachInert(v reflect.Value, prefix string, warn func(key, message string)) {
	for _, f := range fieldsOf(v.Type()) {
		key, value := joinKey(prefix, f.name), v.Field(f.index)
		switch {
		case f.inert:
			warn(key, "has no effect yet")
		case slices.Contains(f.inertValues, value.String()):
			warn(key, quote(value.String())+" is not supported yet")
		case f.typ.Kind() == reflect.Struct:
			eachInert(value, key, warn)
		case f.typ.Kind() == reflect.Map && f.typ.Elem().Kind() == reflect.Struct:
			for it := value.MapRange(); it.Next(); { // Inert sorts
				eachInert(it.Value(), joinKey(key, it.Key().String()), warn)
			}
		}
	}
}

// Diff returns the keys whose values differ, in the order of the file. Lists
// and maps count as one key each. A provider's key that changed in the
// environment shows as providers.<name>.api_key.
func Diff(before, after *Config) []string {
	values := map[string]any{}
	eachLeaf(reflect.ValueOf(before).Elem(), "", func(key string, v reflect.Value) {
		values[key] = v.Interface()
	})
	var changed []string
	eachLeaf(reflect.ValueOf(after).Elem(), "", func(key string, v reflect.Value) {
		if !reflect.DeepEqual(values[key], v.Interface()) {
			changed = append(changed, key)
		}
	})
	for _, name := range []string{"anthropic", "openai", "google"} {
		if before.keyFromEnvironment(name) != after.keyFromEnvironment(name) {
			changed = append(changed, "providers."+name+".api_key")
		}
	}
	return changed
}

// NeedRestart returns those of the given keys whose change a running gateway
// cannot take over.
func NeedRestart(changed []string) []string {
	var fixed []string
	for _, k := range Keys() {
		if k.Restart && slices.Contains(changed, k.Name) {
			fixed = append(fixed, k.Name)
		}
	}
	return fixed
}
