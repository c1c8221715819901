package config

import (
	"errors"
	"strings"
)

// maxNesting bounds ${A:-${B:-…}}.
const maxNesting = 8

// expansion is a text whose references are resolved.
type expansion struct {
	text  string
	used  bool     // there was at least one reference
	unset []string // the variables that are unset or empty and have no default
}

// expand resolves ${VAR} and ${VAR:-default} with lookup; $${ becomes ${. A $
// that does not begin one of these stays as it is. What a variable contains is
// never looked at again.
func expand(text string, lookup func(string) (string, bool)) (expansion, error) {
	var e expansion
	if !strings.Contains(text, "${") { // nearly every value
		e.text = text
		return e, nil
	}
	out, rest, err := e.run(text, lookup, 0)
	if err != nil {
		return expansion{}, err
	}
	e.text = out + rest
	return e, nil
}

// run expands text up to a } that ends the reference it stands in, where depth
// says that it stands in one. It returns what follows that }.
func (e *expansion) run(text string, lookup func(string) (string, bool), depth int) (out, rest string, err error) {
	if depth > maxNesting {
		return "", "", errors.New("nests references too deeply")
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if b.Len() > maxFileSize {
			return "", "", errors.New("is longer than 1 MiB once its variables are put in")
		}
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			b.WriteString("${")
			i += len("$${")
		case strings.HasPrefix(text[i:], "${"):
			value, after, err := e.reference(text[i+len("${"):], lookup, depth)
			if err != nil {
				return "", "", err
			}
			b.WriteString(value)
			text, i = after, 0
		case depth > 0 && text[i] == '}':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	if depth > 0 {
		return "", "", errUnclosed
	}
	return b.String(), "", nil
}

var (
	errUnclosed = errors.New("has a ${ without its }; write $${ for a literal ${")
	errName     = errors.New("has a ${…} that names no variable; write ${NAME}, ${NAME:-default}, or $${ for a literal ${")
)

// reference reads what follows ${ and returns its value and what follows it.
func (e *expansion) reference(text string, lookup func(string) (string, bool), depth int) (value, rest string, err error) {
	e.used = true
	end := 0
	for end < len(text) && isNameByte(text[end], end) {
		end++
	}
	name, rest := text[:end], text[end:]
	if rest == "" {
		return "", "", errUnclosed
	}
	if name == "" {
		return "", "", errName
	}
	value, _ = lookup(name)
	if after, ok := strings.CutPrefix(rest, "}"); ok {
		if value == "" {
			e.unset = append(e.unset, name)
		}
		return value, after, nil
	}
	after, ok := strings.CutPrefix(rest, ":-")
	if !ok {
		return "", "", errName
	}
	kept := len(e.unset)
	fallback, after, err := e.run(after, lookup, depth+1)
	if err != nil {
		return "", "", err
	}
	if value != "" {
		e.unset = e.unset[:kept] // the default is not needed
		return value, after, nil
	}
	return fallback, after, nil
}

func isNameByte(c byte, at int) bool {
	return c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || at > 0 && c >= '0' && c <= '9'
}
