package skill

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// knownKeys are the keys a front matter may have: those of the AgentSkills
// standard, then those that OpenClaw's own skills use.
var knownKeys = []string{
	"name", "description", "license", "compatibility", "metadata", "allowed-tools",
	"version", "author", "homepage", "triggers", "tools", "user-invocable", "disable-model-invocation",
	"command-dispatch", "command-tool", "command-arg-mode",
}

// Validate checks a skill's directory or file by the letter of the AgentSkills
// standard, which is stricter than what loads, and returns what is wrong with
// it: nothing when it is valid.
func Validate(path string) []Problem {
	file, err := realPath(path)
	if err == nil {
		if info, statErr := os.Stat(file); statErr == nil && info.IsDir() {
			entries, _ := os.ReadDir(file)
			name := preferred(entries)
			if name == "" {
				return []Problem{{File: path, Reason: "no SKILL.md in this directory", Skipped: true}}
			}
			file = filepath.Join(file, name)
		}
	}
	if err != nil {
		return []Problem{{File: path, Reason: reason(err), Skipped: true}}
	}
	data, err := readFile(filepath.Dir(file), file)
	if err != nil {
		return []Problem{{File: file, Reason: reason(err), Skipped: true}}
	}
	return validate(file, data)
}

// Validate checks the skill of that name as Validate does, and returns its
// file. The error is as of Get.
func (x *Index) Validate(name string) (file string, problems []Problem, err error) {
	s, err := x.Get(name)
	if err != nil {
		return "", nil, err
	}
	data, err := s.root.bytes(s.File)
	if err != nil {
		return s.File, []Problem{{File: s.File, Reason: reason(err), Skipped: true}}, nil
	}
	return s.File, validate(s.File, data), nil
}

func validate(file string, data []byte) []Problem {
	_, problems := parse(file, data)
	if slices.ContainsFunc(problems, func(p Problem) bool { return p.Skipped }) {
		return problems
	}
	doc, _ := split(data)
	fields, _ := readFront(doc)
	return append(problems, placed(file, checkFields(file, doc, fields))...)
}

// checkFields finds what parse lets pass.
func checkFields(file string, doc document, fields map[string]field) []Problem {
	var problems []Problem
	add := func(line int, reason string) {
		problems = append(problems, Problem{Line: line, Reason: reason})
	}
	if isSkillFile(filepath.Base(file)) && filepath.Base(file) != "SKILL.md" {
		add(0, "the file must be called SKILL.md")
	}
	own := ownName(file, !isSkillFile(filepath.Base(file)))
	if f := fields["name"]; f.text != "" {
		if !strictName(f.text) {
			add(f.line, "name must be 1 to 64 lower-case letters, digits and single hyphens")
		} else if f.text != own {
			add(f.line, "name must be "+quoted(own)+", as its directory or file is called")
		}
		if f.node != nil && f.node.Tag != "!!str" {
			add(f.line, "name must be a text; put quotes around it")
		}
	}
	for _, key := range []string{"license", "compatibility"} {
		if f, ok := fields[key]; ok && (!f.plain || f.text == "") {
			add(f.line, key+" must be a text")
		}
	}
	if f := fields["compatibility"]; utf8.RuneCountInString(f.text) > 500 {
		add(f.line, "compatibility must be at most 500 characters")
	}
	if f := fields["metadata"]; f.node != nil && f.node.Kind == yaml.ScalarNode && (f.text == "" || mapping(f.node) != nil) {
		add(f.line, "metadata must be a list of keys and values, not a text")
	}
	for _, key := range []string{"user-invocable", "disable-model-invocation"} {
		if f, ok := fields[key]; ok && f.text != "true" && f.text != "false" {
			add(f.line, key+" must be true or false")
		}
	}
	for key, f := range fields {
		if !slices.Contains(knownKeys, key) {
			add(f.line, "the key "+quoted(key)+" is not known")
		}
	}
	if n := strings.Count(doc.body, "\n"); n > 500 {
		add(doc.bodyLine, "the instructions have "+strconv.Itoa(n)+" lines; move details into files beside it (at most 500)")
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, strings.Compare(a.Reason, b.Reason))
	})
	return problems
}
