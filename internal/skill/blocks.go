package skill

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// usedKeys are the keys that mean something here.
var usedKeys = []string{
	"name", "description", "metadata", "allowed-tools", "tools", "triggers", "user-invocable", "disable-model-invocation",
}

// block is a key at the beginning of a line, and the indented lines below it.
type block struct {
	key  string
	at   int // index of its first line
	text string
}

// readBlocks reads front matter that is no valid YAML as a whole, each used key
// by itself; why is the first of the problems. A name, a description and
// triggers are taken even where they are no YAML by themselves.
func readBlocks(doc document, why Problem) (map[string]field, []Problem) {
	fields, problems := make(map[string]field), []Problem{why}
	for _, b := range blocks(doc.front) {
		if _, twice := fields[b.key]; twice || !slices.Contains(usedKeys, b.key) {
			continue
		}
		f := field{line: doc.frontLine + b.at}
		if node := loadBlock(b.text); node != nil {
			f = fieldOf(node, f.line)
		} else {
			_, value, _ := strings.Cut(b.text, ":")
			f.raw = value
			switch b.key {
			case "name", "description":
				f.text, f.plain = rawText(value), true
			case "triggers", "allowed-tools", "tools": // their readers say so
			default:
				problems = append(problems, Problem{Line: f.line, Reason: b.key + " cannot be read as YAML"})
			}
		}
		fields[b.key] = f
	}
	return fields, problems
}

// blocks takes front matter apart. Lines that belong to no key are left out.
func blocks(front string) []block {
	var found []block
	inside := false
	for i, line := range strings.Split(front, "\n") {
		key, _, ok := strings.Cut(line, ":")
		switch {
		case line == "" || line[0] == ' ' || line[0] == '\t':
			if inside {
				found[len(found)-1].text += "\n" + line
			}
		case ok && !strings.ContainsAny(key, " \t#\"'{[<>="):
			found = append(found, block{key, i, line})
			inside = true
		default:
			inside = false
		}
	}
	return found
}

// loadBlock returns the value of the one key that text has; nil when it is no
// YAML.
func loadBlock(text string) *yaml.Node {
	if len(text) > maxFront {
		return nil
	}
	var node yaml.Node
	if err := yaml.Load([]byte(text), &node); err != nil || len(node.Content) != 1 {
		return nil
	}
	if m := node.Content[0]; m.Kind == yaml.MappingNode && len(m.Content) == 2 {
		return m.Content[1]
	}
	return nil
}

// rawText is a text that was meant to be one scalar, on one line.
func rawText(value string) string {
	first, rest, _ := strings.Cut(value, "\n")
	first = unquote(strings.TrimSpace(first))
	if strings.Trim(first, "|>+-") == "" {
		first = ""
	}
	return oneLine(first + " " + rest)
}
