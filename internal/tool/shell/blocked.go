package shell

import (
	"errors"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// blockList says which commands the user does not want to be run. It reads the
// command line as the shell would and looks at every simple command in it, also
// those behind sudo, xargs and the like. What it cannot read it refuses. It is
// advice: a program can start others in ways that no reading of its command
// line shows.
type blockList struct {
	rules []blockRule
	lang  syntax.LangVariant
}

// blockRule matches a command by name and by arguments that must all be there.
type blockRule struct {
	text string // as the user wrote it
	name string
	args []string
}

func newBlockList(blocked []string, shell string) (blockList, error) {
	b := blockList{lang: syntax.LangPOSIX}
	switch shell {
	case "bash":
		b.lang = syntax.LangBash
	case "zsh", "ksh", "mksh":
		b.lang = syntax.LangMirBSDKorn
	}
	for _, text := range blocked {
		words := strings.Fields(text)
		if len(words) == 0 {
			return b, errors.New("shell: Blocked contains a blank entry")
		}
		b.rules = append(b.rules, blockRule{text: text, name: path.Base(words[0]), args: words[1:]})
	}
	return b, nil
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

// check returns why command is refused, written for the model, or "".
func (b *blockList) check(command string) string {
	if len(b.rules) == 0 {
		return ""
	}
	return b.checkText(command, maxNesting)
}

const notReadable = "refused: some commands are blocked here (hands.shell.blocked_commands), and "

func (b *blockList) checkText(text string, depth int) (reason string) {
	if depth == 0 {
		return notReadable + "this one is nested too deep to be checked; write it plainly"
	}
	file, err := syntax.NewParser(syntax.Variant(b.lang)).Parse(strings.NewReader(text), "")
	if err != nil {
		return notReadable + "this one cannot be read: " + err.Error()
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && reason == "" && len(call.Args) > 0 {
			reason = b.checkCall(readWords(call.Args), depth)
		}
		return reason == ""
	})
	return reason
}

// word is one word of a simple command. Only the shell knows what a word that is
// not fixed becomes.
type word struct {
	text  string
	fixed bool
}

// checkCall looks at one simple command, of at least one word.
func (b *blockList) checkCall(words []word, depth int) string {
	if !words[0].fixed {
		return notReadable + "the name of a command in this one is not written out; write it plainly"
	}
	if reason := b.match(words); reason != "" {
		return reason
	}
	name, args := path.Base(words[0].text), words[1:]
	switch {
	case name == "eval":
		return b.checkJoined(args, depth)
	case slices.Contains(shells, name):
		return b.checkShell(args, depth)
	case slices.Contains(runners, name):
		return b.checkRunner(args, depth)
	}
	return ""
}

// match applies the rules to a command whose name is fixed.
func (b *blockList) match(words []word) string {
	for _, r := range b.rules {
		if path.Base(words[0].text) != r.name {
			continue
		}
		all := true
		for _, arg := range r.args {
			all = all && slices.ContainsFunc(words[1:], func(w word) bool { return !w.fixed || w.text == arg })
		}
		if all {
			return "refused: the user has blocked " + r.text + " (hands.shell.blocked_commands); do it another way or ask the user"
		}
	}
	return ""
}

// checkJoined checks words that are run as one text.
func (b *blockList) checkJoined(words []word, depth int) string {
	texts := make([]string, len(words))
	for i, w := range words {
		if !w.fixed {
			return notReadable + "text that this one runs is not written out; write it plainly"
		}
		texts[i] = w.text
	}
	return b.checkText(strings.Join(texts, " "), depth-1)
}

// checkShell checks the text that a shell gets with -c. A script file is not
// looked into.
func (b *blockList) checkShell(args []word, depth int) string {
	for i, w := range args {
		switch {
		case !w.fixed:
			return notReadable + "what a shell runs in this one is not written out; write it plainly"
		case strings.HasPrefix(w.text, "--") || strings.HasPrefix(w.text, "+"):
		case strings.HasPrefix(w.text, "-") && strings.Contains(w.text, "c"):
			rest := slices.DeleteFunc(slices.Clone(args[i+1:]), func(w word) bool {
				return w.fixed && strings.HasPrefix(w.text, "-")
			})
			return b.checkJoined(rest[:min(1, len(rest))], depth)
		case !strings.HasPrefix(w.text, "-"):
			return ""
		}
	}
	return notReadable + "this one feeds commands to a shell; run them directly"
}

// checkRunner checks a command whose arguments name another: each of them might
// be the one.
func (b *blockList) checkRunner(args []word, depth int) string {
	for i, w := range args {
		switch {
		case !w.fixed && i == 0:
			return notReadable + "the name of a command in this one is not written out; write it plainly"
		case !w.fixed:
		case slices.Contains(shells, path.Base(w.text)), path.Base(w.text) == "eval":
			if reason := b.checkCall(args[i:], depth); reason != "" {
				return reason
			}
		default:
			if reason := b.match(args[i:]); reason != "" {
				return reason
			}
		}
	}
	return ""
}
