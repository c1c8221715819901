package offline

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// row is one way to say something. Its pattern (see compile) matches a whole
// piece of a message, after manners and the last punctuation are gone; make
// turns what the groups caught into an ask, or refuses. Only a piece with one
// of the words of when in it is matched at all, so that a short run of the
// program compiles few patterns.
type row struct {
	when    string // in lower case, divided by |
	pattern string
	make    func(p *piece) (ask, bool)
}

// phrase is a row in use.
type phrase struct {
	when    []string
	pattern func() *regexp.Regexp
	make    func(p *piece) (ask, bool)
}

// may says whether the phrase can match a piece, given in lower case.
func (ph phrase) may(lower string) bool {
	return slices.ContainsFunc(ph.when, func(w string) bool { return strings.Contains(lower, w) })
}

// piece is a match of a phrase.
type piece struct {
	quotes quotes
	groups []string
	loose  bool // a path may have spaces in it
}

// phrases is the table of everything that is understood, the more particular
// first.
var phrases = sync.OnceValue(func() []phrase {
	var all []phrase
	for _, table := range [][]row{talkRows(), infoRows(), runRows(), writeRows(), listRows(), findRows(), readRows()} {
		for _, r := range table {
			pattern := sync.OnceValue(func() *regexp.Regexp { return compile(r.pattern) })
			all = append(all, phrase{strings.Split(r.when, "|"), pattern, r.make})
		}
	}
	return all
})

// shorthand are the words that many patterns share.
var shorthand = strings.NewReplacer(
	" ", `\s+`,
	"'", `['’]`,
	"{Q}", "(\x01\\d+\x01)",
	"{X}", `(.+?)`,
	"{ALL}", `(?:all |every |any )?(?:of )?(?:the |my )?`,
	"{IN}", `(?: (?:in|inside|within|under|below|of|from|at) (.+?))?`,
	"{NOW}", `(?: (?:right now|now|today|currently|at the moment|here|please))?`,
	"{HERE}", `(?: (?:on|in|of|for) (?:this|the|my) (?:machine|computer|system|server|pc|laptop|host|disk|drive))?`,
	"{SHOW}", `(?:show|list|display|print|get|give|check|tell|what(?:'s| is| are)|see)(?: me)?`,
)

// compile makes a regular expression of a pattern in which a space stands for
// any white space, an apostrophe for either kind, and {…} for a shorthand.
func compile(pattern string) *regexp.Regexp {
	for _, name := range []string{"{ALL}", "{IN}", "{NOW}", "{HERE}", "{SHOW}"} {
		pattern = strings.ReplaceAll(pattern, name, shorthand.Replace(name))
	}
	return regexp.MustCompile(`(?i)^(?:` + shorthand.Replace(pattern) + `)$`)
}

// phrase reads one piece of a message as one request.
func (q quotes) phrase(text string, loose bool) (ask, bool) {
	if len(text) > 8<<10 {
		return ask{}, false
	}
	plain := trimEnd(strings.TrimSpace(text)) // with manners: "hi there" is all manners
	a, ok := q.match(plain, loose)
	if bare := trim(text); !ok && bare != plain {
		a, ok = q.match(bare, loose)
	}
	return a, ok
}

func (q quotes) match(text string, loose bool) (ask, bool) {
	lower := strings.ToLower(text)
	for _, ph := range phrases() {
		if !ph.may(lower) {
			continue
		}
		groups := ph.pattern().FindStringSubmatch(text)
		if groups == nil {
			continue
		}
		if a, ok := ph.make(&piece{q, groups, loose}); ok {
			return a, true
		}
	}
	return ask{}, false
}

// politePattern finds what may stand before a request without being part of
// it.
var politePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:(?:(?:hi|hello|hey)(?:\s+(?:there|openclaw))?|openclaw|please|pls|kindly|ok|okay|so|just|also|first|now|then|next|finally` +
		`|(?:could|can|would|will)\s+you|i\s+(?:want|need)\s+you\s+to|i['’]d\s+like\s+(?:you\s+)?to|i\s+would\s+like\s+(?:you\s+)?to|i\s+(?:want|need)\s+to` +
		`|go\s+ahead\s+and|let['’]s|tell\s+me|can\s+i)[,:!]?\s+)+`)
})

// endPattern finds what may stand after one.
var endPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:[,\s]+(?:please|pls|thanks|thank\s+you|for\s+me))+$`)
})

// trim takes manners and the last punctuation off a piece.
func trim(text string) string {
	text = strings.TrimSpace(text)
	if rest := politePattern().ReplaceAllString(text, ""); rest != "" {
		text = rest
	}
	text = trimEnd(text)
	if rest := endPattern().ReplaceAllString(text, ""); rest != text {
		text = trimEnd(rest)
	}
	return text
}

// trimEnd takes off the last punctuation, but not the dots of a path.
func trimEnd(text string) string {
	text = strings.TrimRight(text, " \t\n?!,;:")
	if rest, ok := strings.CutSuffix(text, "."); ok && rest != "" && !strings.ContainsAny(rest[len(rest)-1:], "./ \t~") {
		text = strings.TrimRight(rest, " \t")
	}
	return text
}

// fixed returns a make that always gives a.
func fixed(a ask) func(*piece) (ask, bool) {
	return func(*piece) (ask, bool) { return a, true }
}

// info is an ask for the output of a command.
func info(command, label string) func(*piece) (ask, bool) {
	return fixed(ask{kind: kindInfo, text: command, label: label})
}

// words returns what a group caught, out of its quotes.
func (p *piece) words(group int) string {
	s := strings.TrimSpace(p.groups[group])
	if text, ok := p.quotes.content(s); ok {
		return text
	}
	return strings.TrimSpace(p.quotes.restore(s))
}

// placeOr reads the place that a group caught; without one it is otherwise.
func (p *piece) placeOr(group int, otherwise place) (place, bool) {
	if p.groups[group] == "" {
		return otherwise, true
	}
	return p.quotes.place(p.groups[group], p.loose)
}
