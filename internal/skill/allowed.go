package skill

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// toolNames are the names that skills written for other agents have for our
// tools, in lower case.
var toolNames = map[string]string{
	"bash": "shell", "exec": "shell", "terminal": "shell",
	"read": "read_file", "write": "write_file", "edit": "edit_file", "multiedit": "edit_file",
	"glob": "find_files", "grep": "find_files", "find": "find_files", "search": "find_files", "ls": "list_files",
	"webfetch": "web_fetch", "websearch": "web_search", "skill": "use_skill", "task": "task", "agent": "task",
}

// readAllowed reads the tools a skill declares: as written, and by our names. A
// nil names declares none, so that the skill may use all; an empty one that is
// not nil allows none. names may hold the wildcards of path.Match.
func readAllowed(fields map[string]field, warn func(Problem)) (written, names []string) {
	f, ok := fields["allowed-tools"]
	if !ok {
		f = fields["tools"]
	}
	switch {
	case f.line == 0:
		return nil, nil
	case f.node == nil, f.node.Kind == yaml.MappingNode:
		warn(Problem{Line: f.line, Reason: "the tools it declares cannot be read, so it may use none; write them as a list"})
		return nil, []string{}
	case f.plain && f.text == "":
		return nil, nil
	case f.plain:
		written = splitTools(f.node.Value)
	default:
		for _, element := range words(f.node) {
			written = append(written, splitTools(element)...)
		}
	}
	written = written[:min(len(written), maxListed)]
	names = []string{}
	for _, tool := range written {
		if name := ToolName(tool); name == "*" {
			return written, nil
		} else if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return written, names
}

// ToolName returns our name of a declared tool. What a declaration says in
// brackets, such as the command in Bash(git:*), does not narrow the tool.
func ToolName(declared string) string {
	name, _, _ := strings.Cut(declared, "(")
	name = strings.TrimSpace(name)
	if own, ok := toolNames[strings.ToLower(name)]; ok {
		return own
	}
	return name
}

// splitTools takes a list with spaces or commas apart, outside of brackets.
func splitTools(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
		case ',', ' ', '\t', '\n':
			return depth == 0
		}
		return false
	})
}
