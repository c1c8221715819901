package offline

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

// The first lines of the prompts that the gateway writes itself: package skill
// makes one, the heartbeat another, the agent the third when it wants a
// conversation summed up. They are spelled out here because a model shares
// nothing with them but the text.
const (
	skillHead     = "# Skill: "
	summaryHead   = "# Summary\n\n[Record of the conversation;"
	heartbeatHead = "# Heartbeat"
	heartbeatOK   = "HEARTBEAT_OK"
	noRequest     = "Carry out this skill."
)

// plan decides what is to be done about a message. What the memory has to say
// to one that is no request is the answer to it.
func plan(text, recall string) script {
	head, rest, _ := strings.Cut(text, "\n")
	switch {
	case strings.HasPrefix(head, skillHead):
		if s, ok := parseSkill(strings.TrimSpace(head[len(skillHead):]), rest); ok {
			return s.script()
		}
	case strings.TrimSpace(head) == heartbeatHead:
		return planHeartbeat(rest)
	case strings.HasPrefix(text, summaryHead):
		return script{} // no words: who asks has a way to do without
	}
	steps, unknown := parse(text)
	if unknown == "" {
		return script{steps: steps}
	}
	if recall != "" && len(steps) == 0 {
		return script{reply: "Here is what I have in memory about that:\n" + recall}
	}
	return script{reply: notUnderstood(text, unknown, len(steps) > 0)}
}

// planHeartbeat does what the lines of HEARTBEAT.md ask for, as far as they
// are requests.
func planHeartbeat(text string) script {
	var asks []ask
	for _, it := range prose(text) {
		if strings.Contains(it.text, heartbeatOK) {
			continue
		}
		if steps, ok := doable(it, true); ok {
			for _, step := range steps {
				asks = append(asks, step...)
			}
		}
	}
	if len(asks) == 0 {
		return script{reply: heartbeatOK}
	}
	return script{steps: [][]ask{asks[:min(len(asks), maxAsks)]}, independent: true}
}

// prose returns the lines of a Markdown text: not those of code, comments or
// headings.
func prose(text string) []item {
	var out []item
	code, comment := false, false
	for line := range strings.SplitSeq(clean(text), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			code = !code
			continue
		case code, strings.HasPrefix(trimmed, "#"):
			continue
		case comment || strings.HasPrefix(trimmed, "<!--"):
			comment = !strings.Contains(trimmed, "-->")
			continue
		}
		if it, ok := newItem(line); ok && len(line) <= maxText {
			_, it.raw = parseRaw(it.text)
			if !it.raw {
				it.text = it.quotes.mask(it.text)
			}
			out = append(out, it)
		}
	}
	return out
}

// doable returns the steps of a line written by somebody other than the user:
// requests that need a tool, but nothing that goes into the memory.
func doable(it item, skills bool) ([][]ask, bool) {
	steps, ok := it.asks()
	for _, step := range steps {
		for _, a := range step {
			switch a.kind {
			case kindRemember, kindForget, kindAsked, kindHello, kindThanks, kindHelp, kindAbout, kindSkills:
				return nil, false
			case kindSkill:
				ok = ok && skills
			}
		}
	}
	return steps, ok && len(steps) > 0
}

// skillText is a skill as it was read.
type skillText struct {
	name, description, body string
	request                 string // the user's own words, may be empty
}

// fencePattern finds the marker lines around a skill's text.
var fencePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^<(skill-[0-9a-f]+)>$`)
})

// parseSkill reads the prompt of a skill's turn.
func parseSkill(name, prompt string) (skillText, bool) {
	m := fencePattern().FindStringSubmatchIndex(prompt)
	if m == nil {
		return skillText{}, false
	}
	inside, after, ok := strings.Cut(prompt[m[1]:], "\n</"+prompt[m[2]:m[3]]+">")
	if !ok {
		return skillText{}, false
	}
	s := skillText{name: name}
	if request, ok := strings.CutPrefix(strings.TrimSpace(after), "Request:"); ok {
		s.request = strings.TrimSpace(request)
	}
	if s.request == noRequest {
		s.request = ""
	}
	first, rest, _ := strings.Cut(strings.TrimLeft(inside, "\n"), "\n")
	if d, ok := strings.CutPrefix(first, "Description: "); ok {
		s.description, s.body = d, rest
	} else {
		s.body = inside
	}
	return s, true
}

// script does what the skill's text says as far as that is a request: lines
// that begin with "run:", and list items. Then comes the user's own request.
func (s skillText) script() script {
	var sc script
	for _, it := range prose(s.body) {
		if !it.listed && !it.raw {
			continue
		}
		if steps, ok := doable(it, false); ok && len(sc.steps)+len(steps) <= maxAsks {
			sc.steps = append(sc.steps, steps...)
		}
	}
	understood := true
	if s.request != "" {
		steps, unknown := parse(s.request)
		if understood = unknown == ""; understood {
			sc.steps = append(sc.steps, steps...)
		}
	}
	switch {
	case len(sc.steps) == 0:
		sc.reply = "The skill \"" + s.name + "\" is written for a language model, and I am none, so I cannot follow it."
		if s.description != "" {
			sc.reply += " It says of itself: \"" + s.description + "\""
		}
		sc.reply += "\n\n" + setup
	case !understood:
		sc.notes = []string{"I did what the skill \"" + s.name + "\" says as commands, but did not understand the request \"" + short(s.request) + "\"."}
	}
	return sc
}

// catalog are the skills that the instructions of a conversation list.
type catalog []catalogLine

type catalogLine struct{ name, description, file string }

// catalogPattern finds the lines of the list that package skill writes.
var catalogPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^- ([^\s:(]+)(?:: (.*))? \(([^\n]*)\)$`)
})

// readCatalog finds the list under its heading.
func readCatalog(system string) catalog {
	const head = "\n# Skills\n"
	at := strings.LastIndex("\n"+system, head) // the last layer: files before it may have such a heading too
	if at < 0 {
		return nil
	}
	list := ("\n" + system)[at+len(head):]
	var c catalog
	for line := range strings.SplitSeq(list, "\n") {
		if strings.HasPrefix(line, "# ") {
			break
		}
		if m := catalogPattern().FindStringSubmatch(line); m != nil {
			c = append(c, catalogLine{m[1], m[2], m[3]})
		}
	}
	return c
}

func (c catalog) find(name string) (catalogLine, bool) {
	for _, l := range c {
		if strings.EqualFold(l.name, strings.ReplaceAll(strings.TrimSpace(name), " ", "-")) {
			return l, true
		}
	}
	return catalogLine{}, false
}

// read makes a skill of what use_skill, or a file tool, has returned.
func (c catalog) read(name, text string) skillText {
	l, _ := c.find(name)
	if l.name == "" { // there was no list
		l.name = name
	}
	if head, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(head, skillHead) {
		if s, ok := parseSkill(l.name, rest); ok {
			return s
		}
	}
	s := skillText{name: l.name, description: l.description, body: text}
	if rest, ok := strings.CutPrefix(text, "---\n"); ok {
		if _, body, ok := strings.Cut(rest, "\n---\n"); ok {
			s.body = body
		}
	}
	s.body = strings.ReplaceAll(s.body, "{baseDir}", path.Dir(l.file))
	return s
}
