package skill

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFront is the most bytes of front matter that are read as YAML; anything
// longer is read line by line.
const maxFront = 32 << 10

// document is a file taken apart.
type document struct {
	front     string
	frontLine int // the line front begins at; 0: there is no front matter
	body      string
	bodyLine  int
}

// field is one key of the front matter.
type field struct {
	line  int
	text  string     // a scalar's text, "" for null and for anything else
	plain bool       // it is a scalar
	node  *yaml.Node // nil when the key could not be read as YAML
	raw   string     // what stands there, where node is nil
}

// split takes a file apart: byte order mark and carriage returns go, blank
// lines before the first rule are allowed, and only the first closing rule at
// the beginning of a line counts, since bodies have rules of their own.
func split(data []byte) (document, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return document{}, &Problem{Reason: "not UTF-8 text; save it as UTF-8"}
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")

	line, rest := 1, text
	for strings.TrimSpace(firstLine(rest)) == "" && rest != "" {
		_, rest, _ = strings.Cut(rest, "\n")
		line++
	}
	if !isRule(firstLine(rest)) {
		return document{body: text, bodyLine: 1}, nil
	}
	open := line
	_, rest, _ = strings.Cut(rest, "\n")
	doc := document{frontLine: open + 1}
	for start, end := 0, 0; start < len(rest); start = end + 1 {
		line++
		end = start + len(firstLine(rest[start:]))
		if isRule(rest[start:end]) {
			doc.front = rest[:start]
			doc.body = rest[min(end+1, len(rest)):]
			doc.bodyLine = line + 1
			return doc, nil
		}
	}
	return document{}, &Problem{Line: open, Reason: "the front matter opened here is never closed; end it with a line ---"}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func isRule(line string) bool { return strings.TrimRight(line, " \t") == "---" }

// readFront reads the keys of a document's front matter. What is no valid
// YAML as a whole is read key by key.
func readFront(doc document) (map[string]field, []Problem) {
	if len(doc.front) > maxFront {
		return readBlocks(doc, Problem{Line: doc.frontLine, Reason: "the front matter is over 32 KiB; it is read key by key"})
	}
	var node yaml.Node
	err := yaml.Load([]byte(doc.front), &node)
	if err == nil && node.Kind == yaml.DocumentNode && len(node.Content) == 1 && node.Content[0].Kind == yaml.MappingNode {
		return readMapping(node.Content[0], doc.frontLine)
	}
	if strings.TrimSpace(withoutComments(doc.front)) == "" {
		return nil, nil
	}
	problem := Problem{Line: doc.frontLine, Reason: "the front matter is not a list of keys and values"}
	if where, ok := errors.AsType[*yaml.LoadError](err); ok {
		problem.Line = doc.frontLine + max(where.Mark.Line, 1) - 1
		problem.Reason = "not valid YAML (" + where.Message + "); it is read key by key"
		if strings.Contains(where.Message, "mapping values") {
			problem.Reason += "; put quotes around a text that has a colon in it"
		}
	}
	return readBlocks(doc, problem)
}

func readMapping(mapping *yaml.Node, firstLine int) (map[string]field, []Problem) {
	fields := make(map[string]field)
	var problems []Problem
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		line := firstLine + key.Line - 1
		if _, twice := fields[key.Value]; twice {
			problems = append(problems, Problem{Line: line, Reason: "the key " + quoted(key.Value) + " is there twice; the first one counts"})
			continue
		}
		fields[key.Value] = fieldOf(value, line)
	}
	return fields, problems
}

func fieldOf(value *yaml.Node, line int) field {
	value = meant(value)
	f := field{line: line, node: value, plain: value.Kind == yaml.ScalarNode}
	if f.plain && value.Tag != "!!null" {
		f.text = strings.TrimSpace(value.Value)
	}
	return f
}

// meant follows an alias.
func meant(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}

func unquote(s string) string {
	if n := len(s); n >= 2 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		return s[1 : n-1]
	}
	return s
}

func withoutComments(front string) string {
	var b strings.Builder
	for line := range strings.Lines(front) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// quoted returns s for a message: short, on one line, in quotes.
func quoted(s string) string { return `"` + cut(oneLine(s), maxName) + `"` }
