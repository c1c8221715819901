package offline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// The tools that are called, where they are offered.
const (
	toolShell  = "shell"
	toolList   = "list_files"
	toolFind   = "find_files"
	toolRead   = "read_file"
	toolWrite  = "write_file"
	toolSave   = "memory_save"
	toolSearch = "memory_search"
	toolForget = "memory_forget"
	toolSkill  = "use_skill"
)

// The arguments of the tools, in the order they are written.
type (
	shellArgs struct {
		Command string `json:"command"`
	}
	pathArgs struct {
		Path  string `json:"path"`
		Limit int    `json:"limit,omitempty"`
	}
	findArgs struct {
		Pattern string `json:"pattern,omitempty"`
		Path    string `json:"path"`
		Content string `json:"content,omitempty"`
	}
	writeArgs struct {
		Path    string `json:"path"`
		Content string `json:"content"`
	}
	saveArgs struct { // and of memory_forget
		Text string `json:"text"`
	}
	searchArgs struct {
		Query string `json:"query"`
	}
)

// skillArgs are those of use_skill.
type skillArgs struct {
	Name string `json:"name"`
}

// option is one way to carry out an ask.
type option struct {
	tool string
	args any
}

// options returns the ways to carry out an ask, the preferred one first; none
// for an ask that needs no tool.
func options(a ask, c catalog) []option {
	shell := func(format string, args ...any) option {
		return option{toolShell, shellArgs{fmt.Sprintf(format, args...)}}
	}
	p := shellPath(a.path)
	switch a.kind {
	case kindList:
		ls := shell("%s", strings.Join(strings.Fields("ls "+a.flags), " ")+inPlace(p))
		list := option{toolList, pathArgs{Path: a.path}}
		if a.flags == "" && !strings.HasPrefix(a.path, "~") && !path.IsAbs(a.path) {
			return []option{list, ls}
		}
		return []option{ls, list}
	case kindCount:
		named := ""
		if a.pattern != "" {
			named = " -name " + quote(a.pattern)
		}
		return []option{shell("find -H %s -mindepth 1 -maxdepth 1 -type %s%s | wc -l", p, a.text, named)}
	case kindFind:
		return findOptions(a, p, shell)
	case kindRead:
		return readOptions(a, p, shell)
	case kindWrite:
		return []option{{toolWrite, writeArgs{a.path, line(a.text)}}}
	case kindAppend:
		return []option{shell("printf '%%s\\n' %s >> %s", quote(a.text), p)}
	case kindInfo, kindRun:
		return []option{{toolShell, shellArgs{a.text}}}
	case kindRemember:
		return []option{{toolSave, saveArgs{a.text}}}
	case kindForget:
		return []option{{toolForget, saveArgs{a.text}}}
	case kindRecall:
		return []option{{toolSearch, searchArgs{a.text}}}
	case kindSkill:
		if l, ok := c.find(a.text); ok {
			return []option{{toolSkill, skillArgs{l.name}}, {toolRead, pathArgs{Path: l.file}}, shell("cat %s", shellPath(l.file))}
		}
	}
	return nil
}

func findOptions(a ask, p string, shell func(string, ...any) option) []option {
	if a.text != "" {
		return []option{
			{toolFind, findArgs{Path: a.path, Content: regexp.QuoteMeta(a.text)}},
			shell("grep -rIlF -e %s %s", quote(a.text), p),
		}
	}
	return []option{
		{toolFind, findArgs{Pattern: a.pattern, Path: a.path}},
		shell("find -H %s -name %s", p, quote(a.pattern)),
	}
}

func readOptions(a ask, p string, shell func(string, ...any) option) []option {
	switch {
	case a.n < 0:
		return []option{shell("tail -n %d %s", -a.n, p)}
	case a.n > 0:
		return []option{{toolRead, pathArgs{Path: a.path, Limit: a.n}}, shell("head -n %d %s", a.n, p)}
	}
	return []option{{toolRead, pathArgs{Path: a.path}}, shell("cat %s", p)}
}

// inPlace returns a path as the argument of a command that works where it is
// without one.
func inPlace(p string) string {
	if p == "." {
		return ""
	}
	return " " + p
}

// line ends a text with a line break: what is written is a text file.
func line(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// shellPath quotes a path for the shell. Only a leading "~/" keeps its meaning;
// a leading hyphen is no option.
func shellPath(p string) string {
	switch {
	case p == "~":
		return p
	case strings.HasPrefix(p, "~/"):
		return "~/" + quote(p[2:])
	case strings.HasPrefix(p, "-"):
		p = "./" + p
	}
	return quote(p)
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./+:@%,=-", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// encode returns args as JSON that people can read: & and < stay themselves.
func encode(args any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(args); err != nil {
		return json.RawMessage("{}") // cannot happen: the arguments are strings and numbers
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// choose takes the first option whose tool is offered. Without one, missing is
// the tool that would be wanted.
func choose(ways []option, offered []openclaw.ToolSpec) (chosen option, missing string) {
	for _, way := range ways {
		for _, spec := range offered {
			if spec.Name == way.tool {
				return way, ""
			}
		}
	}
	return option{}, ways[0].tool
}

// count returns "1 file" or "n files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		what = stem + "ie"
	}
	return strconv.Itoa(n) + " " + what + "s"
}
