package offline

import (
	"regexp"
	"strings"
	"sync"
)

// The bounds of what is read.
const (
	maxText = 64 << 10 // bytes of a message
	maxAsks = 20       // requests in one message
)

// kind says what an ask wants.
type kind int

const (
	kindList     kind = iota + 1 // the files in path; flags is for ls
	kindCount                    // how many entries of type text ("f" or "d") path has; pattern narrows them
	kindFind                     // files under path named pattern, or with text in them
	kindRead                     // the file path; the first n lines of it, or for n < 0 the last
	kindWrite                    // text into the file path
	kindAppend                   // text at the end of the file path
	kindInfo                     // the output of the command text, which label describes
	kindRun                      // the command text
	kindRemember                 // text
	kindForget                   // text
	kindRecall                   // what is remembered about text; "" for everything
	kindSkill                    // the skill text, with the request pattern
	kindSkills                   // which skills there are
	kindAsked                    // the user's earlier message: text is "first" or "last"
	kindHello
	kindThanks
	kindHelp
	kindAbout
)

// ask is one request that was understood.
type ask struct {
	kind    kind
	path    string
	label   string // what path or text is called in the answer; "" for path itself
	text    string
	pattern string
	flags   string
	n       int
}

// courtesy says whether an ask is only manners, which need no answer when
// something else was asked as well.
func (a ask) courtesy() bool { return a.kind == kindHello || a.kind == kindThanks }

// parse reads a user's message. steps are its requests in the order they are
// to be carried out, those of one step independent of each other; unknown is
// the first part of the message that is no request. If there is one, the steps
// are those understood besides.
func parse(text string) (steps [][]ask, unknown string) {
	text = clean(text)
	if len(text) > maxText || strings.TrimSpace(text) == "" {
		return nil, "this message"
	}
	if a, ok := parseFollowing(text); ok {
		return [][]ask{{a}}, ""
	}
	for _, it := range items(text) {
		found, ok := it.asks()
		if !ok && unknown == "" {
			unknown = it.said()
		}
		if ok && len(found) > 0 {
			if len(steps) > 0 && !it.numbered {
				last := len(steps) - 1
				steps[last] = append(steps[last], found[0]...)
				found = found[1:]
			}
			steps = append(steps, found...)
		}
	}
	steps, n := withoutCourtesy(steps)
	if n > maxAsks {
		return steps, "more than 20 requests at once"
	}
	if n == 0 && unknown == "" {
		unknown = "this message"
	}
	return steps, unknown
}

// withoutCourtesy drops manners where there is anything else, and counts what
// is left.
func withoutCourtesy(steps [][]ask) ([][]ask, int) {
	all, polite := 0, 0
	for _, step := range steps {
		for _, a := range step {
			all++
			if a.courtesy() {
				polite++
			}
		}
	}
	if polite == 0 || all == 0 {
		return steps, all
	}
	if polite == all {
		return [][]ask{steps[0][:1]}, 1
	}
	var kept [][]ask
	for _, step := range steps {
		var rest []ask
		for _, a := range step {
			if !a.courtesy() {
				rest = append(rest, a)
			}
		}
		if len(rest) > 0 {
			kept = append(kept, rest)
		}
	}
	return kept, all - polite
}

// clean drops control characters, among them the marks of masked quotes.
func clean(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "\uFFFD")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\r', r == '\u00a0':
			return ' '
		case r < ' ', r == 0x7f:
			return -1
		}
		return r
	}, text)
}

// item is one line of a message: the rest of a line that is taken as it is, or
// a sentence with its quoted texts masked.
type item struct {
	text     string
	quotes   quotes
	raw      bool
	listed   bool // it is in a list
	numbered bool // in a numbered one
}

func (it item) said() string { return strings.TrimSpace(it.quotes.restore(it.text)) }

// asks returns the steps of one item.
func (it item) asks() ([][]ask, bool) {
	if it.raw {
		a, ok := parseRaw(it.text)
		return [][]ask{{a}}, ok
	}
	return it.quotes.sentence(it.text)
}

// markPattern finds the mark of a list item; a task that is ticked is done.
var markPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(?:(?:[-*+•]|(\d{1,3})[.)])\s+(?:\[([ xX])\]\s+)?)`)
})

// items splits a message into lines, but not within quotes.
func items(text string) []item {
	var out []item
	var open []string
	flush := func() {
		var q quotes
		for line := range strings.SplitSeq(q.mask(strings.Join(open, "\n")), "\n") {
			if it, ok := newItem(line); ok {
				it.quotes = q
				out = append(out, it)
			}
		}
		open = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		it, ok := newItem(line)
		if _, isRaw := parseRaw(it.text); ok && isRaw && strings.Count(strings.Join(open, "\n"), `"`)%2 == 0 {
			flush()
			it.raw = true
			out = append(out, it)
			continue
		}
		open = append(open, line)
	}
	flush()
	return out
}

// newItem takes the mark off a line. It is not ok when nothing is to be done.
func newItem(line string) (item, bool) {
	it := item{text: line}
	if m := markPattern().FindStringSubmatch(line); m != nil {
		it = item{text: line[len(m[0]):], listed: true, numbered: m[1] != ""}
		if m[2] == "x" || m[2] == "X" {
			return it, false
		}
	}
	it.text = strings.TrimSpace(it.text)
	return it, it.text != ""
}

// separatorPattern finds what may stand between two requests; its group is a
// word that says the second comes after the first.
var separatorPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\s*[,;.!?]*\s+(?:and\s+)?(then|after\s+that|afterwards|next|finally)[,:]?\s+` +
		`|\s*[,;.!?]*\s+(?:and\s+also|and|also)\s+|\s*[,;.!?]+\s+`)
})

// sentence reads one line. A line that is one request is taken whole, so that
// "date and time" is not two; a path without quotes may have spaces in it only
// when the line cannot be split into requests.
func (q quotes) sentence(text string) ([][]ask, bool) {
	if a, ok := q.phrase(text, false); ok {
		return [][]ask{{a}}, true
	}
	if steps, ok := q.pieces(text); ok {
		return steps, true
	}
	a, ok := q.phrase(text, true)
	return [][]ask{{a}}, ok
}

// pieces reads a line of several requests; each piece must be one.
func (q quotes) pieces(text string) ([][]ask, bool) {
	separators := separatorPattern().FindAllStringSubmatchIndex(text, maxAsks)
	if len(separators) == 0 {
		return nil, false
	}
	var steps [][]ask
	begin, next := 0, true
	var last ask
	add := func(piece string) bool {
		a, ok := q.phrase(piece, false)
		if !ok {
			a, ok = q.same(last, piece)
		}
		if next {
			steps = append(steps, nil)
		}
		last = a
		steps[len(steps)-1] = append(steps[len(steps)-1], a)
		return ok
	}
	for _, s := range separators {
		if !add(text[begin:s[0]]) {
			return nil, false
		}
		begin, next = s[1], s[2] >= 0
	}
	if strings.TrimSpace(text[begin:]) == "" {
		return steps, true
	}
	return steps, add(text[begin:])
}

// same reads a piece that only names another path for the request before it.
func (q quotes) same(before ask, piece string) (ask, bool) {
	switch before.kind {
	case kindList, kindCount:
		p, ok := q.place(trim(piece), false)
		before.path, before.label = p.path, p.label
		return before, ok
	case kindRead:
		path, ok := q.file(trim(piece), false, false)
		before.path = path
		return before, ok
	}
	return ask{}, false
}
