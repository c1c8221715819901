package policy

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// denyReader looks for what rules deny in one text that a shell runs.
type denyReader struct {
	list    denyList
	lang    syntax.LangVariant
	depth   int
	left    *int     // how many more texts and starters may be read
	numbers *numbers // nil: nothing is known of variables
	inside  bool     // somebody already looks at every argument from here on
}

// Reasons that occur more than once.
const (
	nameUnknown = "the name of a command in this one is not written out; write it plainly"
	textUnknown = "text that this one runs is not written out; write it plainly"
	fedShell    = "this one feeds commands to a shell; run them directly"
)

// node looks at one node of the syntax tree; its children come by themselves.
func (r *denyReader) node(n syntax.Node) *denial {
	switch n := n.(type) {
	case *syntax.CallExpr:
		if len(n.Args) > 0 {
			return r.call(readWords(n.Args))
		}
	case *syntax.DeclClause:
		return r.declaration(n)
	case *syntax.Assign:
		return r.assignment(n)
	case *syntax.WordIter:
		return r.variable(n.Name.Value)
	case *syntax.ParamExp:
		return r.expansion(n)
	case *syntax.ArithmExp:
		return r.arithmetic(n.X)
	case *syntax.ArithmCmd:
		return r.arithmetic(n.X)
	case *syntax.CStyleLoop:
		return r.arithmetic(n.Init, n.Cond, n.Post)
	case *syntax.LetClause:
		return r.arithmetic(n.Exprs...)
	case *syntax.ArrayElem:
		return r.arithmetic(n.Index)
	case *syntax.UnaryTest:
		return r.unaryTest(n)
	case *syntax.BinaryTest:
		return r.binaryTest(n)
	}
	return nil
}

// text checks what is run as a text of its own.
func (r *denyReader) text(w word) *denial {
	if !w.fixed {
		return r.list.unreadable(textUnknown)
	}
	return r.list.checkText(w.text, r.lang, r.depth-1, r.left)
}

// guess checks what may be a text that is run, or something else altogether:
// then it need not be readable.
func (r *denyReader) guess(text string) *denial {
	if found := r.list.checkText(text, r.lang, r.depth-1, r.left); found != nil && found.unreadable == "" {
		return found
	}
	return nil
}

// guesses checks what may hold such a text.
func (r *denyReader) guesses(value string) *denial {
	for _, text := range textsIn(value) {
		if found := r.guess(text); found != nil {
			return found
		}
	}
	return nil
}

// call looks at one simple command, of at least one word.
func (r *denyReader) call(words []word) *denial {
	if !words[0].fixed {
		return r.list.unreadable(nameUnknown)
	}
	if strings.HasPrefix(words[0].text, "-") && len(words) > 1 { // time -- ls
		return r.call(words[1:])
	}
	if found := r.list.match(words); found != nil {
		return found
	}
	name, args := path.Base(words[0].text), words[1:]
	if why := builtinProblem(name, args); why != "" {
		return r.list.unreadable(why)
	}
	switch {
	case name == "eval":
		return r.joined(args)
	case name == "trap":
		return r.trap(args)
	case name == "let":
		return r.let(args)
	case slices.Contains(declarations, name):
		return r.declared(name, args)
	case slices.Contains(shells, name):
		return r.shell(args)
	case name == "find":
		return r.find(args)
	case isStarter(name):
		return r.starter(name, args)
	}
	return r.carrier(name, args)
}

// joined checks words that are run as one text.
func (r *denyReader) joined(words []word) *denial {
	texts := make([]string, len(words))
	for i, w := range words {
		if !w.fixed {
			return r.list.unreadable(textUnknown)
		}
		texts[i] = w.text
	}
	return r.text(word{text: strings.Join(texts, " "), fixed: true})
}

// shells run the text behind -c, or a file.
var shells = []string{
	"ash", "bash", "csh", "dash", "fish", "ksh", "lksh", "mksh", "oksh", "posh", "pwsh", "rbash", "rksh", "sh", "tcsh", "yash", "zsh",
}

// otherShells have a language of their own.
var otherShells = []string{"csh", "fish", "pwsh", "tcsh"}

// shell checks the text that a shell gets with -c. A script file is not looked
// into, unless that is what another command writes at the same time.
func (r *denyReader) shell(args []word) *denial {
	for i := 0; i < len(args); i++ {
		w := args[i]
		switch {
		case !w.fixed:
			return r.list.unreadable("what a shell runs in this one is not written out; write it plainly")
		case w.text == "--version" || w.text == "--help":
			return nil
		case strings.HasPrefix(w.text, "--rcfile"), strings.HasPrefix(w.text, "--init-file"):
			return r.list.unreadable("this one has a shell run a file first; run commands directly")
		case w.text == "-o" || w.text == "+o" || w.text == "-O" || w.text == "+O":
			if i++; i < len(args) && (!args[i].fixed || args[i].text == "expand_aliases") {
				return r.list.unreadable("this one lets names of commands mean others")
			}
		case strings.HasPrefix(w.text, "--") || strings.HasPrefix(w.text, "+"):
		case strings.HasPrefix(w.text, "-") && strings.Contains(w.text, "c"):
			return r.shellText(args[i+1:])
		case !strings.HasPrefix(w.text, "-") || w.text == "-":
			if len(w.text) > 1 && !isStream(w.text) {
				return nil
			}
			return r.list.unreadable(fedShell)
		}
	}
	return r.list.unreadable(fedShell)
}

// shellText checks what follows -c: perhaps more options, then the text.
func (r *denyReader) shellText(args []word) *denial {
	for len(args) > 0 && args[0].fixed && args[0].text != "" && strings.ContainsAny(args[0].text[:1], "-+") {
		if strings.HasPrefix(args[0].text, "-O") || strings.HasSuffix(args[0].text, "o") || strings.HasPrefix(args[0].text, "--") {
			return r.list.unreadable("options of a shell stand behind -c; write them before it")
		}
		args = args[1:]
	}
	return r.joined(args[:min(1, len(args))])
}

// isStream says whether a file's name may stand for what is being written
// elsewhere.
func isStream(name string) bool {
	name = path.Clean(name)
	return strings.Contains(name, "dev/std") || strings.Contains(name, "dev/fd") || strings.Contains(name, "proc/") ||
		strings.HasPrefix(name, "/dev/")
}

// trap checks the text that a signal runs.
func (r *denyReader) trap(args []word) *denial {
	if len(args) > 0 && args[0].fixed && args[0].text == "--" {
		args = args[1:]
	}
	if len(args) == 0 || args[0].fixed && (strings.HasPrefix(args[0].text, "-") || len(args) == 1) {
		return nil // it shows or resets
	}
	return r.text(args[0])
}

// find checks the commands behind -exec and its like.
func (r *denyReader) find(args []word) *denial {
	if *r.left--; *r.left < 0 {
		return nil // check says so
	}
	for i := 0; i < len(args); i++ {
		if args[i].many {
			return r.list.unreadable("what find gets in this one is not written out; put quotes around it")
		}
		switch args[i].text {
		case "-exec", "-execdir", "-ok", "-okdir":
		default:
			continue
		}
		end := i + 1
		for end < len(args) && args[end].text != ";" && (args[end].text != "+" || args[end-1].text != "{}") {
			end++
		}
		if end > i+1 {
			if found := r.call(filled(args[i+1:end], "{}")); found != nil {
				return found
			}
		}
		i = end
	}
	return nil
}

// filled marks the words that another program replaces mark in.
func filled(words []word, mark string) []word {
	words = slices.Clone(words)
	for i, w := range words {
		if before, _, has := strings.Cut(w.text, mark); has && w.fixed {
			words[i] = word{text: before}
		}
	}
	return words
}
