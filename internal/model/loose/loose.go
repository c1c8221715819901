// Package loose reads what the servers of model APIs write where they are
// loose with their own formats: numbers in quotes, characters cut in two,
// arguments that are no JSON, calls without an id.
//
// It holds no API's format, and its values keep nothing but what was read into
// them.
package loose

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Unmarshal reads what the servers write: a duplicate name or a broken
// character must not cost the whole answer.
func Unmarshal(data []byte, out any) error {
	return json.Unmarshal(data, out, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// Says says whether a value is more than a way to write nothing.
func Says(v jsontext.Value) bool {
	return len(v) > 0 && v.Kind() != 'n' && v.Kind() != 'f' && string(v) != `""` && string(v) != `{}`
}

// Text is a string that may be missing, null or of another type, whose JSON
// is then taken as the text.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.Equal(b, []byte("null")):
		*t = ""
	case b[0] == '"':
		var s string
		if err := Unmarshal(b, &s); err != nil {
			return err
		}
		*t = Text(s)
	default:
		*t = Text(b)
	}
	return nil
}

// Count is a number of something, 0 where it is missing, null or no number.
type Count int

// UnmarshalJSON implements json.Unmarshaler.
func (c *Count) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || f < 0 || f > 1<<40 || f != f {
		f = 0
	}
	*c = Count(f)
	return nil
}

// Amount is like Count with a fraction.
type Amount float64

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amount) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || f < 0 || f > 1e9 || f != f {
		f = 0
	}
	*a = Amount(f)
	return nil
}

// Flag is true where the value is true, and false for anything else.
type Flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *Flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true"
	return nil
}
