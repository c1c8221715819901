package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFileSize is far more than any configuration needs; reading one must not
// exhaust memory.
const maxFileSize = 1 << 20

// readBounded reads a regular file of at most maxFileSize bytes.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file") // opening a named pipe would block
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileSize {
		return nil, errors.New("is longer than 1 MiB")
	}
	return data, nil
}

// parse returns the root of the only YAML document in data; nil if there is
// none, which is a configuration without settings.
func parse(file string, data []byte) (*yaml.Node, Problems) {
	if at := firstBadByte(data); at >= 0 {
		o := originOf(file, data, at)
		return nil, Problems{{Origin: o, Message: "contains a byte that is not UTF-8 text; save the file as UTF-8"}}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, Problems{yamlProblem(file, data, err)}
	}
	var document, second yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, Problems{yamlProblem(file, data, err)}
	}
	if err := loader.Load(&second); err == nil {
		return nil, Problems{{
			Origin:  Origin{file, max(second.Line, 1), max(second.Column, 1)},
			Message: "begins a second YAML document; a configuration is one document: remove the --- line",
		}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Problems{yamlProblem(file, data, err)}
	}
	if len(document.Content) == 0 || isNull(document.Content[0]) {
		return nil, nil
	}
	return document.Content[0], nil
}

// yamlProblem turns a syntax error of the YAML library into a Problem.
func yamlProblem(file string, data []byte, err error) Problem {
	p := Problem{Origin: Origin{File: file, Line: 1, Column: 1}}
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p.Message = "is no valid YAML: " + err.Error()
		return p
	}
	p.Message = "is no valid YAML: " + load.Message
	mark := load.Mark
	if mark.Line == 0 {
		mark = load.ContextMark
	}
	if mark.Line > 0 {
		p.Line, p.Column = mark.Line, max(mark.Column, 1)
		if end := originOf(file, data, len(data)); p.Line > end.Line {
			p.Origin = end // something is missing at the end, which the parser puts a line further
		}
	}
	if c := load.ContextMark; load.ContextMsg != "" && c.Line > 0 && c.Line != p.Line {
		p.Message += fmt.Sprintf(" (%s that begins in line %d)", load.ContextMsg, c.Line)
	}
	if strings.Contains(load.Message, "cannot start any token") {
		p.Message += "; indent with spaces, not tabs, and put texts that begin with @ or ` in quotes"
	}
	return p
}

// firstBadByte returns where data stops being text that YAML allows, or -1.
func firstBadByte(data []byte) int {
	for i := 0; i < len(data); {
		c := data[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || c < ' ' || c == 0x7f {
			return i
		}
		i += size
	}
	return -1
}

func originOf(file string, data []byte, offset int) Origin {
	starts := lineStarts(data[:offset])
	last := min(starts[len(starts)-1], offset)
	return Origin{File: file, Line: len(starts), Column: 1 + utf8.RuneCount(data[last:offset])}
}

// lineStarts returns the offset at which each line begins, with the line
// breaks that YAML knows, behind a byte order mark.
func lineStarts(data []byte) []int {
	starts := []int{0}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		starts[0] = len("\ufeff")
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		i += size
		switch r {
		case '\r':
			if i < len(data) && data[i] == '\n' {
				continue
			}
			fallthrough
		case '\n', 0x85, 0x2028, 0x2029:
			starts = append(starts, i)
		}
	}
	return starts
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
