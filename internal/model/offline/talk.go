package offline

import (
	_ "embed" // what is understood
	"strings"
	"unicode/utf8"
)

// helpText is the documentation of what is understood.
//
//go:embed help.md
var helpText string

const (
	identity = "I am the built-in offline model: not a language model, but a small, fixed set of requests that I really carry out with the gateway's tools. I need no key and no network."

	setup = "For everything else, connect a language model: set ANTHROPIC_API_KEY or OPENAI_API_KEY before the gateway starts, " +
		"or set it down with `openclaw config set brain.provider anthropic` and `openclaw config set brain.api_key '${ANTHROPIC_API_KEY}'`."

	examples = "I understand, for example:\n- What files are in my home directory?\n- Find all PDF files in ~/Documents\n" +
		"- How much disk space is left?\n- run: uname -a\n\n\"help\" shows all of it."
)

// talk answers an ask that needs no tool.
func (p *performance) talk(a ask) string {
	switch a.kind {
	case kindHello:
		return "Hello! " + identity + "\n\n" + examples
	case kindThanks:
		return "You are welcome."
	case kindHelp:
		return identity + "\n\n" + strings.TrimSpace(helpText) + "\n\n" + setup
	case kindAbout:
		return identity + "\n\n" + setup
	case kindAsked:
		return asked(p.conversation.earlier, a.text)
	case kindSkills:
		return p.catalog.list()
	case kindSkill:
		return "I know of no skill \"" + short(a.text) + "\".\n\n" + p.catalog.list()
	}
	return ""
}

func asked(earlier []string, which string) string {
	if len(earlier) == 0 {
		return "I see no earlier message of yours in this conversation."
	}
	if which == "first" {
		return "The first message of yours that I see here is: \"" + short(earlier[0]) + "\""
	}
	return "Before this you wrote: \"" + short(earlier[len(earlier)-1]) + "\""
}

func (c catalog) list() string {
	if len(c) == 0 {
		return "There are no skills here. A skill is a directory with a SKILL.md in it; `openclaw config get skills.path` shows where they belong."
	}
	lines := []string{"These are the skills:"}
	for _, l := range c {
		line := "- " + l.name
		if l.description != "" {
			line += ": " + l.description
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// notUnderstood is the answer to what is no request.
func notUnderstood(text, unknown string, partly bool) string {
	begin := "I did not understand that."
	if partly && unknown != strings.TrimSpace(text) {
		begin = "I did not understand this part, so I did nothing: \"" + short(unknown) + "\""
	}
	return begin + "\n\n" + identity + " " + examples + "\n\n" + setup
}

// short returns the beginning of a text, on one line.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= 200 {
		return s
	}
	return string([]rune(s)[:200]) + "…"
}
