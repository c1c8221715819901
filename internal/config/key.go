package config

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// Key describes one key of the configuration.
type Key struct {
	Name    string   // dotted, as gateway.auth.token
	Env     string   // the environment variable that sets it; "" where none can
	Type    string   // string, path, boolean, integer, number, duration, size, secret, list or map
	Default string   // as a file would have it; "" is empty
	Doc     string   // what it does
	Values  []string // the texts it may have; nil: any
	Inert   bool     // accepted, but nothing reads it yet
	Restart bool     // a running gateway cannot take over a change
}

// Keys returns all keys that have a fixed name, in the order of the file; keys
// below a name or an index of the user's choosing, such as those of a
// provider, are not among them.
func Keys() []Key {
	var keys []Key
	eachField(reflect.TypeFor[Config](), "", false, func(name string, f field, inert bool) {
		k := Key{
			Name: name, Type: f.kindName(), Default: f.def, Doc: f.doc, Values: f.enum,
			Inert: inert, Restart: f.restart,
		}
		if f.settable() {
			k.Env = envName(name)
		}
		keys = append(keys, k)
	})
	return keys
}

// eachField calls visit for every key with a fixed name that is no mapping of
// such keys itself.
func eachField(t reflect.Type, prefix string, inert bool, visit func(name string, f field, inert bool)) {
	for _, f := range fieldsOf(t) {
		if f.moved != "" {
			continue
		}
		name, off := joinKey(prefix, f.name), inert || f.inert
		if f.typ.Kind() == reflect.Struct {
			eachField(f.typ, name, off, visit)
			continue
		}
		visit(name, f, off)
	}
}

// field is a field of one of the configuration's structs, as its tags describe
// it.
type field struct {
	index       int
	typ         reflect.Type
	name        string
	doc         string
	def         string
	enum        []string
	min, max    string
	unit        string
	form        string
	moved       string
	inert       bool
	inertValues []string
	one         bool
	restart     bool
}

func fieldsOf(t reflect.Type) []field {
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		sf := t.Field(i)
		f := field{index: i, typ: sf.Type}
		f.readTag(string(sf.Tag))
		if f.name != "" && f.name != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

// readTag goes through the tag once; reflect would for every word, and this
// runs for every key at every start of the program.
func (f *field) readTag(tag string) {
	for tag != "" {
		name, rest, _ := strings.Cut(strings.TrimLeft(tag, " "), ":")
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return // go vet checks the form of tags
		}
		tag = rest[len(quoted):]
		text, _ := strconv.Unquote(quoted) // QuotedPrefix has checked it
		switch name {
		case "yaml":
			f.name = text
		case "doc":
			f.doc = text
		case "default":
			f.def = text
		case "enum":
			f.enum = splitList(text)
		case "min":
			f.min = text
		case "max":
			f.max = text
		case "unit":
			f.unit = text
		case "form":
			f.form = text
		case "moved":
			f.moved = text
		case "one":
			f.one = true
		case "restart":
			f.restart = true
		case "inert":
			if f.inert = text == "true"; !f.inert {
				f.inertValues = splitList(text)
			}
		}
	}
}

// element describes an element of the list or map that f is.
func (f field) element() field {
	e := f
	e.typ, e.def, e.one = f.typ.Elem(), "", false
	return e
}

// settable says whether one text can set the whole key: a scalar, or a list of
// them.
func (f field) settable() bool {
	t := f.typ
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() != reflect.Struct && t.Kind() != reflect.Map && t.Kind() != reflect.Interface
}

func (f field) kindName() string {
	switch f.typ {
	case typeDuration:
		return "duration"
	case typeSize:
		return "size"
	case typeSecret:
		return "secret"
	}
	switch f.typ.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list"
	case reflect.Map, reflect.Struct, reflect.Interface:
		return "map"
	}
	if f.isPath() {
		return "path"
	}
	return "string"
}

func fieldNames(fields []field) []string {
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		if f.moved == "" {
			names = append(names, f.name)
		}
	}
	return names
}

func splitList(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

func joinKey(prefix, name string) string {
	if name == "" || strings.ContainsAny(name, `."[] `) {
		name = strconv.Quote(name)
	}
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

func indexKey(prefix string, i int) string { return prefix + "[" + strconv.Itoa(i) + "]" }

var errKeySyntax = errors.New(`a key is written as gateway.port, cron[0].name or providers."a.b".api`)

// splitKey is the inverse of joinKey and indexKey. An index comes back as its
// digits; cron.0 means the same as cron[0].
func splitKey(key string) ([]string, error) {
	var parts []string
	for rest := key; ; {
		part, after := "", ""
		switch {
		case strings.HasPrefix(rest, `"`):
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, errKeySyntax
			}
			part, _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
			after = rest[len(quoted):]
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			part, after = rest[:end], rest[end:]
			if part == "" || strings.ContainsAny(part, `]"`) {
				return nil, errKeySyntax
			}
		}
		parts = append(parts, part)
		for strings.HasPrefix(after, "[") {
			digits, more, ok := strings.Cut(after[1:], "]")
			if !ok || !isIndex(digits) {
				return nil, errKeySyntax
			}
			parts, after = append(parts, digits), more
		}
		if after == "" {
			return parts, nil
		}
		if after[0] != '.' {
			return nil, errKeySyntax
		}
		rest = after[1:]
	}
}

func isIndex(s string) bool {
	return s != "" && len(s) <= 9 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// below returns the field that part leads to: a key of a section, or an
// element of a list or a map. Without such a field it has no type.
func (f field) below(part string) field {
	switch {
	case f.typ == nil:
	case f.typ.Kind() == reflect.Struct:
		for _, sub := range fieldsOf(f.typ) {
			if sub.name == part {
				return sub
			}
		}
	case f.typ.Kind() == reflect.Slice || f.typ.Kind() == reflect.Map:
		return f.element()
	case f.typ.Kind() == reflect.Interface:
		return f
	}
	return field{}
}

// findField returns the field that a key leads to.
func findField(parts []string) (field, error) {
	f := field{typ: reflect.TypeFor[Config]()}
	for i, part := range parts {
		sub, here := f.below(part), strings.Join(parts[:i+1], ".")
		switch {
		case sub.typ == nil && f.typ.Kind() == reflect.Struct:
			return field{}, unknownKey(strings.Join(parts[:i], "."), part, fieldsOf(f.typ))
		case sub.typ == nil:
			return field{}, Problems{{Key: here, Message: "does not exist: " + strings.Join(parts[:i], ".") + " has no keys"}}
		case f.typ.Kind() == reflect.Slice && !isIndex(part):
			return field{}, Problems{{Key: here, Message: "is in a list: name its element by a number, the first is 0"}}
		}
		f = sub
	}
	return f, nil
}

func unknownKey(prefix, name string, fields []field) Problems {
	p := Problem{Key: joinKey(prefix, name), Message: "is not a key of the configuration"}
	if prefix != "" {
		p.Message = "is not a key of " + prefix
	}
	p.Suggestion = nearest(name, fieldNames(fields))
	if p.Suggestion != "" && prefix != "" {
		p.Suggestion = joinKey(prefix, p.Suggestion)
	}
	if p.Suggestion == "" {
		p.Suggestion = sameNameElsewhere(name)
	}
	return Problems{p}
}

// sameNameElsewhere returns the key in another section that has the same name,
// for those who wrote it in the wrong place: the one with the fewest parts, if
// that is only one.
func sameNameElsewhere(name string) string {
	found, fewest, several := "", 0, false
	eachField(reflect.TypeFor[Config](), "", false, func(key string, _ field, _ bool) {
		if !strings.HasSuffix(key, "."+name) {
			return
		}
		switch n := strings.Count(key, "."); {
		case found == "" || n < fewest:
			found, fewest, several = key, n, false
		case n == fewest:
			several = true
		}
	})
	if several {
		return ""
	}
	return found
}
