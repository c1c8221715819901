package skill

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// The bounds of triggers.
const (
	maxTriggers = 32
	maxTrigger  = 200     // bytes of one
	maxProgram  = 1000    // instructions of a compiled expression
	maxHeard    = 2 << 10 // bytes of a message that are looked at
)

// trigger says which messages a skill is for. Exactly one field is set.
type trigger struct {
	all     bool
	pattern *regexp.Regexp
	keyword string // in lower case
}

// readTriggers reads the triggers of a skill: texts in a list, or one of them,
// or several in one line with commas between.
func readTriggers(f field, warn func(Problem)) (texts []string, compiled []trigger) {
	if f.line == 0 {
		return nil, nil
	}
	for _, text := range triggerTexts(f) {
		if len(compiled) == maxTriggers {
			warn(Problem{Line: f.line, Reason: "over " + strconv.Itoa(maxTriggers) + " triggers; the rest is left out"})
			break
		}
		t, bad := compile(text)
		if bad != "" {
			warn(Problem{Line: f.line, Reason: "the trigger " + quoted(text) + " " + bad + "; it is left out"})
			continue
		}
		texts, compiled = append(texts, text), append(compiled, t)
	}
	return texts, compiled
}

func triggerTexts(f field) []string {
	var list []string
	switch {
	case f.node == nil: // a bare * is no YAML
		for line := range strings.SplitSeq(f.raw, "\n") {
			line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "- "))
			if line = unquote(line); line != "" {
				list = append(list, line)
			}
		}
	case f.node.Kind == yaml.ScalarNode && !strings.HasPrefix(f.text, "/"):
		for part := range strings.SplitSeq(f.text, ",") {
			if part = oneLine(part); part != "" {
				list = append(list, part)
			}
		}
	default:
		list = words(f.node)
	}
	return list
}

// compile reads one trigger; bad says what is wrong with it.
func compile(text string) (t trigger, bad string) {
	if len(text) > maxTrigger {
		return t, "is over 200 bytes long"
	}
	if text == "*" {
		return trigger{all: true}, ""
	}
	end := strings.LastIndexByte(text, '/')
	if text[0] != '/' || end == 0 {
		return trigger{keyword: strings.ToLower(text)}, ""
	}
	expression, flags := text[1:end], ""
	for _, r := range text[end+1:] {
		switch r {
		case 'i', 'm', 's':
			flags += string(r)
		case 'g', 'u', 'y': // they change nothing here
		default:
			return trigger{keyword: strings.ToLower(text)}, "" // a path, say
		}
	}
	if flags != "" {
		expression = "(?" + flags + ")" + expression
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return t, "is no regular expression that can be used (" + reasonOf(err) + ")"
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return t, "is too large a regular expression"
	}
	return trigger{pattern: regexp.MustCompile(expression)}, ""
}

// reasonOf is what is wrong with an expression, without the expression.
func reasonOf(err error) string {
	if e, ok := err.(*syntax.Error); ok { //nolint:errorlint // syntax.Parse returns nothing else
		return e.Code.String()
	}
	return "it cannot be read"
}

// heard is the part of a message that triggers look at.
func heard(message string) string {
	if len(message) > maxHeard {
		message = strings.ToValidUTF8(message[:maxHeard], "")
	}
	return message
}

// weight says how well a message fits: 0 not at all, the more the better. A
// keyword counts by its length, an expression by what it matched, * least.
func (t trigger) weight(message, lower string) int {
	switch {
	case t.all:
		return 1
	case t.pattern != nil:
		if at := t.pattern.FindStringIndex(message); at != nil {
			return 2 + at[1] - at[0]
		}
	case t.keyword != "" && hasWord(lower, t.keyword):
		return 2 + len(t.keyword)
	}
	return 0
}

// hasWord says whether text has the words of keyword, not as parts of longer
// ones. Scripts without spaces between words have no longer ones.
func hasWord(text, keyword string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], keyword)
		if i < 0 {
			return false
		}
		begin, end := from+i, from+i+len(keyword)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		first, size := utf8.DecodeRuneInString(keyword)
		last, _ := utf8.DecodeLastRuneInString(keyword)
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !(joins(before) && joins(first)) && !(joins(last) && joins(after)) {
			return true
		}
		from = begin + size
	}
}

// joins says whether r makes one word with a neighbour that does so as well.
func joins(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
