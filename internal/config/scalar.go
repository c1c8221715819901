package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	typeDuration = reflect.TypeFor[Duration]()
	typeSize     = reflect.TypeFor[Size]()
	typeSecret   = reflect.TypeFor[Secret]()
)

// fault is what is wrong with one value; the caller knows where it stands.
type fault struct {
	message    string
	suggestion string
}

// set gives v, of the field's type, the value that text says. Lists are
// separated by commas. Whatever sets a key, a default, the file, the
// environment or a flag, comes through here.
func (f field) set(v reflect.Value, text string, dirs directories) *fault {
	if v.Kind() == reflect.Slice {
		return f.setList(v, text, dirs)
	}
	switch v.Type() {
	case typeSecret:
		v.SetString(text)
		return nil
	case typeDuration:
		return f.setDuration(v, text)
	case typeSize:
		return f.setSize(v, text)
	}
	switch v.Kind() {
	case reflect.Bool:
		return setBool(v, text)
	case reflect.Int:
		return f.setInt(v, text)
	case reflect.Float64:
		return f.setFloat(v, text)
	}
	return f.setString(v, text, dirs)
}

func (f field) setList(v reflect.Value, text string, dirs directories) *fault {
	list := reflect.Zero(v.Type())
	for _, part := range splitList(text) {
		item := reflect.New(v.Type().Elem()).Elem()
		if wrong := f.element().set(item, part, dirs); wrong != nil {
			return wrong
		}
		list = reflect.Append(list, item)
	}
	v.Set(list)
	return nil
}

func setBool(v reflect.Value, text string) *fault {
	switch text {
	case "true", "True", "TRUE":
		v.SetBool(true)
		return nil
	case "false", "False", "FALSE":
		v.SetBool(false)
		return nil
	}
	wrong := &fault{message: "must be true or false, not " + quote(text)}
	switch strings.ToLower(text) {
	case "yes", "on", "y", "1", "enabled":
		wrong.suggestion = "true"
	case "no", "off", "n", "0", "disabled":
		wrong.suggestion = "false"
	default:
		wrong.suggestion = nearest(text, []string{"true", "false"})
	}
	return wrong
}

func (f field) setInt(v reflect.Value, text string) *fault {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return &fault{message: "must be a whole number, not " + quote(text)}
		}
		return f.outOfBounds(text, "a whole number")
	}
	if f.min != "" && n < parseBound(f.min) || f.max != "" && n > parseBound(f.max) {
		return f.outOfBounds(text, "a whole number")
	}
	v.SetInt(n)
	return nil
}

func (f field) setFloat(v reflect.Value, text string) *fault {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return &fault{message: "must be a number, not " + quote(text)}
	}
	if low, err := strconv.ParseFloat(f.min, 64); err == nil && n < low {
		return f.outOfBounds(text, "a number")
	}
	if high, err := strconv.ParseFloat(f.max, 64); err == nil && n > high {
		return f.outOfBounds(text, "a number")
	}
	v.SetFloat(n)
	return nil
}

func (f field) setDuration(v reflect.Value, text string) *fault {
	unit := time.Duration(0)
	switch f.unit {
	case "ms":
		unit = time.Millisecond
	case "s":
		unit = time.Second
	}
	d, err := parseDuration(text, unit)
	if err != nil {
		return &fault{message: err.Error() + "; it is " + quote(text)}
	}
	if low, err := parseDuration(f.min, 0); err == nil && d < low {
		return f.outOfBounds(text, "a duration")
	}
	v.SetInt(int64(d))
	return nil
}

func (f field) setSize(v reflect.Value, text string) *fault {
	s, err := parseSize(text)
	if err != nil {
		return &fault{message: err.Error() + "; it is " + quote(text)}
	}
	if low, err := parseSize(f.min); err == nil && s < low {
		return f.outOfBounds(text, "a size")
	}
	if high, err := parseSize(f.max); err == nil && s > high {
		return f.outOfBounds(text, "a size")
	}
	v.SetInt(int64(s))
	return nil
}

func (f field) setString(v reflect.Value, text string, dirs directories) *fault {
	if f.enum != nil && !slices.Contains(f.enum, text) {
		return &fault{
			message:    "must be one of " + strings.TrimPrefix(strings.Join(f.enum, ", "), ", ") + ", not " + quote(text),
			suggestion: nearest(text, f.enum),
		}
	}
	if f.isPath() {
		if f.form == placeForm {
			if wrong := checkPlace(text); wrong != nil {
				return wrong
			}
		}
		path, err := dirs.resolve(text)
		if err != nil {
			return &fault{message: err.Error()}
		}
		v.SetString(path)
		return nil
	}
	if wrong := checkForm(f.form, text); wrong != nil {
		return wrong
	}
	v.SetString(text)
	return nil
}

func (f field) outOfBounds(text, what string) *fault {
	bounds := ""
	switch {
	case f.min != "" && f.max != "":
		bounds = fmt.Sprintf(" from %s to %s", f.min, f.max)
	case f.min != "":
		bounds = " of at least " + f.min
	case f.max != "":
		bounds = " of at most " + f.max
	}
	return &fault{message: "must be " + what + bounds + ", not " + quote(text)}
}

// parseBound reads the bound of an integer from its tag.
func parseBound(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // a test reads every tag
	return n
}

// quote shows a value in a message: short, on one line, and never in a way
// that a terminal could obey.
func quote(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strconv.Quote(text)
}
