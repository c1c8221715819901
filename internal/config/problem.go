package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Origin says where a value was set.
type Origin struct {
	// File is the configuration file, the name of an environment variable, or
	// "command line"; "" is nowhere: the value is a default.
	File string
	Line int // 1 is the first; 0 where File is no file
	// Column counts characters, not bytes; 1 is the first.
	Column int
}

// IsFile says whether the value was set in a file.
func (o Origin) IsFile() bool { return o.Line > 0 }

// String returns file:line:column, as far as known.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line) + ":" + strconv.Itoa(o.Column)
}

// Problem is one reason why a configuration cannot be used. None of its texts
// contains the value of a secret.
type Problem struct {
	Origin
	Key        string // dotted; "" where no key is concerned
	Message    string // what is wrong, and what to do
	Suggestion string // the nearest valid text; may be empty
}

// String returns "file:line:col: key: message (did you mean "x"?)" in one line.
func (p Problem) String() string {
	s := located(p.Origin, p.Key, p.Message)
	if p.Suggestion != "" {
		s += " (did you mean " + strconv.Quote(p.Suggestion) + "?)"
	}
	return s
}

func located(o Origin, key, message string) string {
	parts := make([]string, 0, 3)
	if where := o.String(); where != "" {
		parts = append(parts, where)
	}
	if key != "" {
		parts = append(parts, key)
	}
	return strings.Join(append(parts, message), ": ")
}

// Problems is every reason why a configuration cannot be used, in the order of
// the file. It is the only type of error that Load returns.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key))
	})
}

// Warning is something a person should know about a configuration that works.
type Warning struct {
	Origin
	Key     string // dotted; "" where no key is concerned
	Message string
}

// String returns "file:line:col: key: message" in one line.
func (w Warning) String() string { return located(w.Origin, w.Key, w.Message) }
