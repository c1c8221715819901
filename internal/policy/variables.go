package policy

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// What variables are read by shells and programs to run what they hold.
var (
	// commandVariables hold a command.
	commandVariables = []string{
		"BROWSER", "EDITOR", "GIT_ASKPASS", "GIT_EDITOR", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_PROXY_COMMAND", "GIT_SEQUENCE_EDITOR", "GIT_SSH",
		"GIT_SSH_COMMAND", "LESSCLOSE", "LESSOPEN", "MANPAGER", "PAGER", "PROMPT_COMMAND", "RSYNC_RSH", "SSH_ASKPASS", "SUDO_ASKPASS", "VISUAL",
	}
	// promptVariables are expanded when they are shown.
	promptVariables = []string{"PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT"}
	// closedVariables name files that are run, or change what words mean.
	closedVariables = []string{"BASHOPTS", "BASH_ALIASES", "BASH_CMDS", "BASH_ENV", "ENV", "SHELLOPTS", "ZDOTDIR"}
)

const variableRuns = "a variable that this one sets is read to run what it holds"

// variable says whether a variable may get a value that is not written out.
func (r *denyReader) variable(name string) *denial {
	return r.value(name, word{})
}

// value checks what a variable is set to.
func (r *denyReader) value(name string, w word) *denial {
	closed := slices.Contains(closedVariables, name) || strings.HasPrefix(name, "BASH_FUNC_") || strings.HasPrefix(name, "GIT_CONFIG_") &&
		!slices.Contains([]string{"", "1", "/dev/null"}, w.text)
	switch {
	case closed && (!w.fixed || w.text != ""), name == "GIT_CONFIG_PARAMETERS":
		return r.list.unreadable(variableRuns)
	case slices.Contains(promptVariables, name) && (!w.fixed || strings.ContainsAny(w.text, "$`\\")):
		return r.list.unreadable(variableRuns)
	case slices.Contains(commandVariables, name):
		return r.text(w)
	case w.fixed && hidesCode(w.text):
		return r.list.unreadable("this one keeps code in a variable; write it plainly")
	}
	return nil
}

// hidesCode says whether text is a subscript that runs something once it is
// taken for a number or for the name of a variable. Other ways to make such a
// text are not recognised, but each way to use one is.
func hidesCode(text string) bool {
	_, after, has := strings.Cut(text, "[")
	return has && (strings.Contains(after, "$(") || strings.Contains(after, "`"))
}

// assigned checks NAME=value in one word, as env has it.
func (r *denyReader) assigned(w word) *denial {
	name, value, _ := strings.Cut(w.text, "=")
	return r.value(name, word{text: value, fixed: w.fixed})
}

// assignment checks NAME=value of the shell.
func (r *denyReader) assignment(n *syntax.Assign) *denial {
	if n.Index != nil {
		if found := r.arithmetic(n.Index); found != nil {
			return found
		}
	}
	if n.Name == nil || n.Naked {
		return nil
	}
	if n.Array != nil {
		for _, e := range n.Array.Elems {
			if found := r.value(n.Name.Value, wordOf(e.Value)); found != nil {
				return found
			}
		}
		return nil
	}
	w := wordOf(n.Value)
	if n.Append { // what was there before is not known
		w.fixed = false
		if !slices.Contains(commandVariables, n.Name.Value) && !slices.Contains(promptVariables, n.Name.Value) {
			w = wordOf(n.Value)
		}
	}
	return r.value(n.Name.Value, w)
}

// wordOf returns a word that may be missing.
func wordOf(w *syntax.Word) word {
	if w == nil {
		return word{fixed: true}
	}
	return readWords([]*syntax.Word{w})[0]
}

// declarations set variables, and some make the shell read values as code.
var declarations = []string{"declare", "export", "local", "nameref", "readonly", "typeset"}

// declaration checks declare and its like.
func (r *denyReader) declaration(n *syntax.DeclClause) *denial {
	words := []word{}
	for _, a := range n.Args {
		switch {
		case a.Naked && a.Value != nil: // an option, or something in quotes
			words = append(words, wordOf(a.Value))
		case a.Name != nil && a.Array != nil:
			words = append(words, word{text: a.Name.Value, fixed: true})
		case a.Name != nil:
			w := wordOf(a.Value)
			words = append(words, word{text: a.Name.Value + "=" + w.text, fixed: w.fixed})
		}
	}
	if n.Variant.Value == "nameref" {
		words = append([]word{{text: "-n", fixed: true}}, words...)
	}
	return r.declared(n.Variant.Value, words)
}

// declared checks the arguments of declare and its like.
func (r *denyReader) declared(command string, args []word) *denial {
	flags := ""
	for _, w := range args {
		if w.fixed && w.text != "" && strings.ContainsAny(w.text[:1], "-+") {
			flags += w.text[1:]
			continue
		}
		name, value, sets := strings.Cut(w.text, "=")
		name = strings.TrimSuffix(name, "+")
		if !plainName().MatchString(name) || !w.fixed && !sets {
			return r.list.unreadable("the name of a variable in this one is not written out")
		}
		name, _, _ = strings.Cut(name, "[")
		switch {
		case strings.Contains(flags, "n") && command != "export":
			return r.list.unreadable("this one names a variable by another")
		case strings.Contains(flags, "i") && (!r.number(name) || sets && !(w.fixed && isInteger(value))):
			return r.list.unreadable(valueUnknown)
		case strings.ContainsAny(flags, "aA") && sets && (!w.fixed || strings.HasPrefix(value, "(")):
			return r.list.unreadable("the values of a list in this one are not written out")
		}
		if found := r.value(name, word{text: value, fixed: w.fixed}); sets && found != nil {
			return found
		}
	}
	return nil
}

// plainName is the name of a variable that runs nothing.
func plainName() *regexp.Regexp { return plainNameOnce() }

// isInteger says whether text is a number, or the empty text that counts as 0.
func isInteger(text string) bool {
	return strings.Trim(strings.TrimLeft(text, "+-"), "0123456789") == ""
}
