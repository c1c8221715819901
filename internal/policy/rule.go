package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
)

// commandTool is the tool whose rules can look at the command.
const commandTool = "shell"

// rule is one entry of permissions.auto_approve or permissions.always_deny:
// the name of a tool, with the wildcards of path.Match, or shell(command).
type rule struct {
	text    string    // as the owner wrote it
	tool    string    // a pattern of path.Match
	command []pattern // nil: every call of the tool
	rest    bool      // any number of words may follow those of command
}

// parseRule reads a rule. key names the list it stands in.
func parseRule(key, text string) (rule, error) {
	r := rule{text: strings.TrimSpace(text)}
	bad := func(why string) (rule, error) {
		return rule{}, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf("%s: %q is no rule: %s", key, text, why),
		}
	}
	name, command, hasCommand := strings.Cut(r.text, "(")
	r.tool = strings.TrimSpace(name)
	match, err := path.Match(r.tool, commandTool)
	if err != nil || r.tool == "" {
		return bad("write the name of a tool, * for any part of it")
	}
	if !hasCommand {
		return r, nil
	}
	command, closed := strings.CutSuffix(command, ")")
	if !closed {
		return bad("the closing bracket is missing at its end")
	}
	if !match {
		return bad("only the tool shell has commands; write shell(git status *)")
	}
	if r.command, err = parsePatterns(command); err != nil {
		return bad(err.Error())
	}
	if last := len(r.command) - 1; r.command[last].any() {
		r.command, r.rest = r.command[:last], true
	}
	return r, nil
}

// forTool says whether the rule is about calls of this tool at all.
func (r *rule) forTool(name string) bool {
	match, _ := path.Match(r.tool, name) // the pattern has been checked
	return match
}

// forCommands says whether the rule looks at the command.
func (r *rule) forCommands() bool { return r.command != nil || r.rest }

// exact says whether the rule writes out every word of the command.
func (r *rule) exact() bool {
	return !r.rest && !slices.ContainsFunc(r.command, func(p pattern) bool { return len(p) > 1 })
}

// covers says whether the rule matches for certain: what only the shell knows
// is matched by nothing but a * at the end of the rule.
func (r *rule) covers(words []word) bool {
	for i, p := range r.command {
		if i >= len(words) || !words[i].fixed || !p.match(words[i].text) {
			return false
		}
	}
	return r.rest || len(words) == len(r.command)
}

// mayMatch says whether the rule matches for some value of what only the shell
// knows. The name of a program counts with and without its folder, and behind
// it options of which the rule says nothing.
func (r *rule) mayMatch(words []word) bool {
	if len(r.command) == 0 {
		return r.rest
	}
	if !words[0].fixed {
		return true
	}
	if name := words[0].text; !r.command[0].match(name) && !r.command[0].match(path.Base(name)) {
		return false
	}
	patterns, words := r.command[1:], words[1:]
	if len(patterns) == 0 || patterns[0].any() {
		return mayFollow(patterns, r.rest, words)
	}
	// Options of the program, each perhaps with a value, may stand before its
	// subcommand: git -C folder push.
	reached := make([]bool, len(words)+2)
	reached[0] = true
	for i := range len(words) + 1 {
		if !reached[i] {
			continue
		}
		if mayFollow(patterns, r.rest, words[i:]) {
			return true
		}
		if i < len(words) && strings.HasPrefix(words[i].text, "-") {
			reached[i+1], reached[i+2] = true, true
		}
	}
	return false
}

// mayFollow matches words with patterns, where a word that is not fixed may
// become any number of words.
func mayFollow(patterns []pattern, rest bool, words []word) bool {
	switch {
	case len(patterns) == 0 && rest:
		return true
	case len(words) == 0:
		return len(patterns) == 0
	case words[0].fixed:
		return len(patterns) > 0 && patterns[0].match(words[0].text) && mayFollow(patterns[1:], rest, words[1:])
	}
	for i := range len(patterns) + 1 {
		if mayFollow(patterns[i:], rest, words[1:]) {
			return true
		}
	}
	return false
}

// pattern is one word of a rule: its literal pieces, between which there may
// be any text.
type pattern []string

func (p pattern) any() bool { return len(p) == 2 && p[0] == "" && p[1] == "" }

func (p pattern) match(text string) bool {
	if len(p) == 1 {
		return text == p[0]
	}
	rest, ok := strings.CutPrefix(text, p[0])
	if !ok {
		return false
	}
	for _, piece := range p[1 : len(p)-1] {
		if _, rest, ok = strings.Cut(rest, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, p[len(p)-1])
}

// parsePatterns splits the command of a rule into words: at blanks that are not
// in single quotes. A backslash makes the character after it an ordinary one.
func parsePatterns(text string) (list []pattern, err error) {
	var piece strings.Builder
	var current pattern
	begun, quoted := false, false
	end := func() {
		if begun {
			list = append(list, append(current, piece.String()))
		}
		piece.Reset()
		current, begun = nil, false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\'':
			quoted, begun = !quoted, true
		case quoted:
			piece.WriteByte(c)
		case c == ' ' || c == '\t':
			end()
		case c == '*':
			current, begun = append(current, piece.String()), true
			piece.Reset()
		case c == '\\' && i+1 < len(text):
			i++
			piece.WriteByte(text[i])
			begun = true
		default:
			piece.WriteByte(c)
			begun = true
		}
	}
	if quoted {
		return nil, fmt.Errorf("a single quote is not closed")
	}
	end()
	if len(list) == 0 {
		return nil, fmt.Errorf("the brackets are empty; write shell alone for every command")
	}
	return list, nil
}
