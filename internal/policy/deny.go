package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	openclaw "github.com/openclaw/openclaw-go"
)

// denyList says which commands the owner does not want to be run. It reads the
// command line as the shell would and looks at every simple command in it, also
// those behind sudo, xargs and the like. What it cannot read it refuses. A
// program can start others in ways that no reading of its command line shows:
// this is no boundary.
type denyList []denyRule

// denyRule is one rule about commands.
type denyRule struct {
	key, text string // where it stands, and as the owner wrote it
	may       func(words []word) bool
}

// blockedRule reads an entry of hands.shell.blocked_commands: the name of a
// command and arguments that must all be there, in any order.
func blockedRule(text string) (denyRule, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return denyRule{}, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Message: blockedKey + " contains a blank entry; write the name of a command or remove it",
		}
	}
	name, args := path.Base(words[0]), words[1:]
	return denyRule{key: blockedKey, text: text, may: func(words []word) bool {
		return path.Base(words[0].text) == name && !slices.ContainsFunc(args, func(arg string) bool {
			return !slices.ContainsFunc(words[1:], func(w word) bool { return !w.fixed || w.text == arg })
		})
	}}, nil
}

// denial is why a command is refused.
type denial struct {
	rule       string // the key and the text; the key alone where the command cannot be read
	message    string // for the model
	unreadable string // what is the matter, where no rule matched
}

func (l denyList) denies(r *denyRule) *denial {
	return &denial{
		rule:    r.key + ": " + r.text,
		message: fmt.Sprintf("refused: the user has blocked %s (%s); do it another way or ask the user", r.text, r.key),
	}
}

func (l denyList) unreadable(why string) *denial {
	return &denial{
		rule:       l[0].key,
		message:    fmt.Sprintf("refused: some commands are blocked here (%s), and %s", l[0].key, why),
		unreadable: why,
	}
}

// maxNesting bounds how deep text inside of text is followed.
const maxNesting = 8

// maxTexts bounds how many texts and commands inside of others are read in all.
const maxTexts = 1000

// check returns why command is refused; nil: it is not.
func (l denyList) check(command string, lang syntax.LangVariant) *denial {
	if len(l) == 0 {
		return nil
	}
	left := maxTexts
	found := l.checkText(command, lang, maxNesting, &left)
	if found == nil && left < 0 {
		return l.unreadable("this one holds too many others to be checked; write it plainly")
	}
	return found
}

// checkText checks one text; left is how many more may be read.
func (l denyList) checkText(text string, lang syntax.LangVariant, depth int, left *int) (found *denial) {
	if *left--; *left < 0 {
		return nil // check says so
	}
	if depth == 0 {
		return l.unreadable("this one is nested too deep to be checked; write it plainly")
	}
	file, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "")
	if err != nil {
		return l.unreadable("this one cannot be read: " + err.Error())
	}
	r := denyReader{list: l, lang: lang, depth: depth, left: left}
	if depth == maxNesting { // text inside may get variables from around it
		r.numbers = readNumbers(file)
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if found == nil {
			found = r.node(n)
		}
		return found == nil
	})
	return found
}

// match applies the rules to a command whose name is fixed.
func (l denyList) match(words []word) *denial {
	for i := range l {
		if l[i].may(words) {
			return l.denies(&l[i])
		}
	}
	return nil
}
