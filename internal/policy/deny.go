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

// runners start the command that their arguments name.
var runners = []string{
	"builtin", "busybox", "chroot", "command", "coproc", "doas", "env", "exec", "find", "flock", "ionice",
	"nice", "nohup", "parallel", "pkexec", "script", "setsid", "stdbuf", "strace", "su", "sudo", "taskset",
	"time", "timeout", "toybox", "unshare", "watch", "xargs",
}

// shells run the text behind -c.
var shells = []string{"ash", "bash", "dash", "fish", "ksh", "mksh", "rbash", "sh", "zsh"}

// maxNesting bounds how deep text inside of text is followed.
const maxNesting = 8

// check returns why command is refused; nil: it is not.
func (l denyList) check(command string, lang syntax.LangVariant) *denial {
	if len(l) == 0 {
		return nil
	}
	return l.checkText(command, lang, maxNesting)
}

func (l denyList) checkText(text string, lang syntax.LangVariant, depth int) (found *denial) {
	if depth == 0 {
		return l.unreadable("this one is nested too deep to be checked; write it plainly")
	}
	file, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "")
	if err != nil {
		return l.unreadable("this one cannot be read: " + err.Error())
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && found == nil && len(call.Args) > 0 {
			found = l.checkCall(readWords(call.Args), lang, depth)
		}
		return found == nil
	})
	return found
}

// checkCall looks at one simple command, of at least one word.
func (l denyList) checkCall(words []word, lang syntax.LangVariant, depth int) *denial {
	if !words[0].fixed {
		return l.unreadable("the name of a command in this one is not written out; write it plainly")
	}
	if found := l.match(words); found != nil {
		return found
	}
	name, args := path.Base(words[0].text), words[1:]
	switch {
	case name == "eval":
		return l.checkJoined(args, lang, depth)
	case slices.Contains(shells, name):
		return l.checkShell(args, lang, depth)
	case slices.Contains(runners, name):
		return l.checkRunner(args, lang, depth)
	}
	return nil
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

// checkJoined checks words that are run as one text.
func (l denyList) checkJoined(words []word, lang syntax.LangVariant, depth int) *denial {
	texts := make([]string, len(words))
	for i, w := range words {
		if !w.fixed {
			return l.unreadable("text that this one runs is not written out; write it plainly")
		}
		texts[i] = w.text
	}
	return l.checkText(strings.Join(texts, " "), lang, depth-1)
}

// checkShell checks the text that a shell gets with -c. A script file is not
// looked into.
func (l denyList) checkShell(args []word, lang syntax.LangVariant, depth int) *denial {
	for i, w := range args {
		switch {
		case !w.fixed:
			return l.unreadable("what a shell runs in this one is not written out; write it plainly")
		case strings.HasPrefix(w.text, "--") || strings.HasPrefix(w.text, "+"):
		case strings.HasPrefix(w.text, "-") && strings.Contains(w.text, "c"):
			rest := slices.DeleteFunc(slices.Clone(args[i+1:]), func(w word) bool {
				return w.fixed && strings.HasPrefix(w.text, "-")
			})
			return l.checkJoined(rest[:min(1, len(rest))], lang, depth)
		case !strings.HasPrefix(w.text, "-"):
			return nil
		}
	}
	return l.unreadable("this one feeds commands to a shell; run them directly")
}

// checkRunner checks a command whose arguments name another: each of them might
// be the one.
func (l denyList) checkRunner(args []word, lang syntax.LangVariant, depth int) *denial {
	for i, w := range args {
		var found *denial
		switch {
		case !w.fixed && i == 0:
			found = l.unreadable("the name of a command in this one is not written out; write it plainly")
		case !w.fixed:
		case slices.Contains(shells, path.Base(w.text)), path.Base(w.text) == "eval":
			found = l.checkCall(args[i:], lang, depth)
		default:
			found = l.match(args[i:])
		}
		if found != nil {
			return found
		}
	}
	return nil
}
