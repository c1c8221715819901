package offline

import (
	"regexp"
	"strings"
	"sync"
)

// talkRows are about the conversation, the memory and the skills.
func talkRows() []row {
	recall := func(p *piece) (ask, bool) {
		about := p.words(1)
		switch strings.ToLower(about) {
		case "me", "everything", "anything", "it", "this", "that":
			about = ""
		}
		return ask{kind: kindRecall, text: about}, len(about) <= 200 && !strings.Contains(about, " then ")
	}
	skill := func(p *piece) (ask, bool) {
		return ask{kind: kindSkill, text: p.words(1), pattern: p.words(2)}, true
	}
	asked := func(p *piece) (ask, bool) {
		which := "last"
		if strings.EqualFold(p.groups[1], "first") {
			which = "first"
		}
		return ask{kind: kindAsked, text: which}, true
	}
	return []row{
		{"hi|hello|hey|greet|howdy|good", `(?:hi|hello|hey|greetings|howdy|good (?:morning|afternoon|evening|day))(?: there| openclaw)?`, fixed(ask{kind: kindHello})},
		{"thank|thx", `(?:many )?(?:thanks|thank you|thx)(?: (?:very much|a lot|so much|again))?`, fixed(ask{kind: kindThanks})},
		{"help|command|what can|what do|how does", `help(?: me)?|commands|what (?:can|do) you (?:do|understand|know how to do)(?: for me)?|what can i (?:ask|say|do)(?: you)?|how does this work`, fixed(ask{kind: kindHelp})},
		{"you|model", `(?:who|what) are you|what(?:'s| is) your name|(?:what|which) (?:ai |language )?model (?:are you|is this|do you use)|are you (?:an? )?(?:ai|bot|llm|gpt|claude|chatgpt|language model|real model|human)`, fixed(ask{kind: kindAbout})},
		{"did i|have i", `what (?:did|have) i (?:just )?(?:ask(?:ed)?|sa(?:y|id))(?: you)?(?: (before|first|last|earlier|previously|just now))?`, asked},
		{"was my", `what was my (first|last|previous) (?:question|message|request)`, asked},
		{"remember|recall", `what (?:do|can) you (?:remember|recall)(?: (?:about|of|from) {X})?`, recall},
		{"remember", `what (?:have you|did you) remember(?:ed)?(?: (?:about|of) {X})?`, recall},
		{"know about", `what do you know about (me|my .+?)`, recall},
		{"did i", `what did i (?:tell you|ask you to remember)(?: about {X})?`, recall},
		{"do you", `do you (?:remember|recall) (?:what |that |who |when |where |which |how |anything about )?{X}`, recall},
		{"recall|memory", `(?:recall|(?:search|look in|look up in|check)(?: your| my| the)? memory (?:for|about)) {X}`, recall},
		{"memor", `(?:show|list|open)(?: me)?(?: all)?(?: of)?(?: your| my| the)? (?:memory|memories|long-term memory)()|what(?:'s| is) in (?:your|the|my) memory`, recall},
		{"skill", `(?:use|run|invoke|apply|try) (?:the |my )?skill {X}(?:(?: with| for| to| on|[:,]) (.+))?`, skill},
		{"skill", `(?:use|run|invoke|apply|try) (?:the |my )?(\S+) skill(?:(?: with| for| to| on|[:,]) (.+))?`, skill},
		{"skill", `(?:list|show)(?: me)?(?: all)?(?: the| my| your)?(?: available| installed)? skills|(?:what|which) skills (?:do you (?:have|know)|are (?:there|available|installed)|can you use)`, fixed(ask{kind: kindSkills})},
	}
}

// runRows are about running a command. The forms that take the rest of the
// line as it is are in parseRaw.
func runRows() []row {
	run := func(p *piece) (ask, bool) {
		command := strings.TrimSpace(p.words(1))
		return ask{kind: kindRun, text: command}, command != "" && !strings.Contains(command, "\n")
	}
	return []row{
		{"run|execute", `(?:run|execute)(?: the)?(?: shell| bash)?(?: command)? {Q}(?: in (?:the|a) (?:shell|terminal))?`, run},
	}
}

// rawPatterns find the forms whose text is the rest of the line, unchanged.
var rawPatterns = sync.OnceValue(func() []*regexp.Regexp {
	polite := `(?i)^(?:(?:hi|hello|hey|openclaw|please|ok|okay|now|then|(?:could|can|would|will)\s+you|i\s+want\s+you\s+to)[,!]?\s+)*`
	return []*regexp.Regexp{
		regexp.MustCompile(polite + `(?:run|execute)(?:\s+(?:this|the)(?:\s+(?:shell\s+)?command)?|\s+command)?\s*:\s*(\S.*)$`),
		regexp.MustCompile(polite + `(?:run|execute)\s+the\s+(?:shell\s+)?command\s+(\S.*)$`),
		regexp.MustCompile(polite + `(?:remember|(?:keep|bear)\s+in\s+mind|don['’]t\s+forget|do\s+not\s+forget)(?:\s+that|\s+this\s*:|\s*:)\s*(\S.*)$`),
		regexp.MustCompile(polite + `remember\s+(\S.*)$`),
		regexp.MustCompile(polite + `forget(?:\s+that|\s+this\s*:|\s*:)\s+(\S.*)$`),
	}
})

// notFactPattern finds what follows "remember" in a question or a story rather
// than in a fact.
var notFactPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:when|how|what|where|why|who|which|me|us|him|her|them|it|this|the\s+time|if|whether)\b`)
})

// parseRaw reads a line of which the rest is a command or a fact.
func parseRaw(line string) (ask, bool) {
	for i, pattern := range rawPatterns() {
		m := pattern.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		text := strings.TrimSpace(m[1])
		if i < 2 {
			text, ok := command(text, i == 0)
			return ask{kind: kindRun, text: text}, ok
		}
		if strings.HasSuffix(text, "?") || i == 3 && (notFactPattern().MatchString(text) || !strings.Contains(text, " ")) {
			return ask{}, false
		}
		if i == 4 {
			return ask{kind: kindForget, text: text}, true
		}
		return ask{kind: kindRemember, text: text}, true
	}
	return ask{}, false
}

// notCommandPattern finds what follows "run the command" in a sentence about a
// command.
var notCommandPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("(?i)`|^(?:that|which|to|for|in|on|from|with|below|above|again|you|i|and|or|when|if|as|shown|given|line)\\b")
})

// command reads a command that is the rest of a line. Backticks around all of
// it are Markdown; backticks at its beginning and words after them are a
// sentence about a command, and the shell would take them for something else.
func command(text string, marked bool) (string, bool) {
	rest := strings.TrimRight(text, ".!")
	if n := len(rest); n > 2 && rest[0] == '`' && rest[n-1] == '`' && strings.Count(rest, "`") == 2 {
		return strings.TrimSpace(rest[1 : n-1]), true
	}
	if marked {
		return text, text[0] != '`'
	}
	return text, !notCommandPattern().MatchString(text)
}
