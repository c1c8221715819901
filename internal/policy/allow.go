package policy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// simple is one simple command of a command line.
type simple struct {
	words []word
	// starts says that the command starts others, inner, by which it is judged;
	// nil where they cannot be told.
	starts bool
	inner  []simple
	acts   bool // it does something itself beside starting others
}

// String returns the command as far as it is written out.
func (s simple) String() string {
	texts := make([]string, len(s.words))
	for i, w := range s.words {
		texts[i] = w.text
		if !w.fixed {
			texts[i] = "…"
		}
	}
	return strings.Join(texts, " ")
}

// lineReader collects the simple commands of a command line, for rules that
// allow: what it does not know it reports, and then no rule applies.
type lineReader struct {
	lang    syntax.LangVariant
	found   []simple
	problem string // why rules cannot judge the line; "": they can
}

// readLine returns every simple command of a command line, or why it cannot be
// told what they are.
func readLine(text string, lang syntax.LangVariant, depth int) ([]simple, string) {
	if depth == 0 {
		return nil, "it is nested too deep"
	}
	file, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), "")
	if err != nil {
		return nil, "it cannot be read: " + err.Error()
	}
	r := lineReader{lang: lang}
	syntax.Walk(file, func(n syntax.Node) bool {
		r.node(n, depth)
		return r.problem == ""
	})
	if r.problem == "" && len(r.found) == 0 {
		r.problem = "it has no command"
	}
	return r.found, r.problem
}

// node looks at one node of the syntax tree; every kind that is not named here
// is one that rules do not cover.
func (r *lineReader) node(n syntax.Node, depth int) {
	switch n := n.(type) {
	case nil, *syntax.File, *syntax.Comment, *syntax.Word, *syntax.Lit, *syntax.SglQuoted, *syntax.DblQuoted,
		*syntax.BinaryCmd, *syntax.Subshell, *syntax.Block, *syntax.IfClause, *syntax.WhileClause, *syntax.TimeClause,
		*syntax.Stmt, *syntax.CmdSubst:
	case *syntax.ProcSubst:
		if n.Op != syntax.CmdIn {
			r.problem = "it writes to another command with >( )"
		}
	case *syntax.ParamExp:
		if n.Exp != nil || n.Repl != nil || n.Slice != nil || n.Index != nil || n.Excl {
			r.problem = "it computes a value with ${ }"
		}
	case *syntax.Redirect:
		r.redirect(n)
	case *syntax.CallExpr:
		if len(n.Assigns) > 0 {
			r.problem = "it sets a variable"
			return
		}
		var c simple
		if c, r.problem = readCall(readWords(n.Args), r.lang, depth); r.problem == "" {
			r.found = append(r.found, c)
		}
	default:
		name := strings.TrimPrefix(fmt.Sprintf("%T", n), "*syntax.")
		r.problem = "it contains a " + name + ", which no rule covers"
	}
}

// redirect accepts what changes no file and opens no connection.
func (r *lineReader) redirect(n *syntax.Redirect) {
	target, fixed := "", true
	if n.Word != nil {
		target, fixed = readParts(n.Word.Parts, false)
	}
	if n.N != nil && strings.HasPrefix(n.N.Value, "{") {
		r.problem = "it sets a variable"
		return
	}
	switch n.Op {
	case syntax.RdrIn:
		if !fixed && !isProcSubst(n.Word) || isConnection(target) {
			r.problem = "it reads from what may be a connection"
		}
		return
	case syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc, syntax.DplIn:
		return
	case syntax.DplOut:
		if fixed && strings.Trim(target, "0123456789-") == "" {
			return
		}
	}
	if fixed && target == "/dev/null" {
		return
	}
	r.problem = "it writes to a file with " + n.Op.String()
}

// isProcSubst says whether a word is <( ) and nothing else; its commands are
// judged by themselves.
func isProcSubst(w *syntax.Word) bool {
	if w == nil || len(w.Parts) != 1 {
		return false
	}
	_, is := w.Parts[0].(*syntax.ProcSubst)
	return is
}

// isConnection says whether bash takes the name of a file for a connection.
func isConnection(name string) bool {
	return strings.HasPrefix(name, "/dev/tcp/") || strings.HasPrefix(name, "/dev/udp/")
}

var shellText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^-[a-z]*c$`)
})

// readCall returns a simple command and, where it starts others in a way that
// can be told, these.
func readCall(words []word, lang syntax.LangVariant, depth int) (simple, string) {
	s := simple{words: words}
	if !words[0].fixed || strings.HasPrefix(words[0].text, "-") { // time -- ls
		return s, "the name of a command is not written out"
	}
	name, args := path.Base(words[0].text), words[1:]
	starts := slices.Contains(shells, name) || name == "find" || isStarter(name)
	switch {
	case starts && name != words[0].text: // it need not be the one of that name
		s.starts = true
	case name == "printf" && slices.ContainsFunc(args, func(w word) bool { return !w.fixed || strings.HasPrefix(w.text, "-v") }):
		return s, "printf may set a variable"
	case slices.Contains(shells, name):
		s.starts = true
		if !slices.Contains(otherShells, name) && len(args) > 1 && args[0].fixed && shellText().MatchString(args[0].text) &&
			args[1].fixed && !strings.HasPrefix(args[1].text, "-") && !strings.HasPrefix(args[1].text, "+") {
			var problem string
			s.inner, problem = readLine(args[1].text, lang, depth-1)
			return s, problem
		}
	case name == "eval":
		s.starts = true
	case name == "find":
		return readFind(s, lang, depth)
	case builtinProblem(name, args) != "" || name == "let" || name == "trap" || slices.Contains(setters, name) && name != "printf",
		slices.Contains(declarations, name), name == "unset":
		return s, "it sets variables or what the shell runs"
	case isStarter(name):
		s.starts = true
		if started := startedBy(name, args); len(started) > 0 && depth > 1 {
			c, problem := readCall(started, lang, depth-1)
			if problem == "" {
				s.inner = []simple{c}
			}
		}
	default:
		s.starts = carries(name, args)
	}
	return s, ""
}

// startedBy returns the command that a runner starts, where that is plain: a
// runner without options of its own.
func startedBy(name string, args []word) []word {
	switch name {
	case "timeout": // DURATION COMMAND
		if len(args) == 0 || !args[0].fixed || strings.HasPrefix(args[0].text, "-") {
			return nil
		}
		args = args[1:]
	case "nice":
		if len(args) > 2 && args[0].fixed && args[0].text == "-n" && args[1].fixed {
			args = args[2:]
		}
	case "xargs": // adds words that only it knows
		args = append(slices.Clone(args), word{})
	case "command", "env", "nohup", "time":
	default: // sudo and others change more than the command's name
		return nil
	}
	if len(args) == 0 || !args[0].fixed || strings.HasPrefix(args[0].text, "-") || strings.Contains(args[0].text, "=") {
		return nil
	}
	return args
}

// readFind reads the commands behind -exec and its like.
func readFind(s simple, lang syntax.LangVariant, depth int) (simple, string) {
	s.acts = true
	for i := 1; i < len(s.words); i++ {
		if !s.words[i].fixed { // it may become -exec
			s.starts, s.inner = true, nil
			return s, ""
		}
		switch s.words[i].text {
		case "-exec", "-execdir", "-ok", "-okdir":
		default:
			continue
		}
		s.starts = true
		end := slices.IndexFunc(s.words[i:], func(w word) bool { return w.fixed && (w.text == ";" || w.text == "+") })
		if end < 2 || depth <= 1 {
			s.inner = nil
			return s, ""
		}
		c, problem := readCall(filled(s.words[i+1:i+end], "{}"), lang, depth-1)
		if problem != "" {
			return s, problem
		}
		s.inner = append(s.inner, c)
		i += end
	}
	return s, ""
}

// CommandRule says which rule allows one simple command.
type CommandRule struct {
	Command string `json:"command"`
	Rule    string `json:"rule,omitzero"` // "": none does
}

// judge returns the rules that allow the commands, and whether each has one.
func judge(rules []rule, tool string, list []simple) (judged []CommandRule, all bool) {
	all = true
	for _, s := range list {
		text := allowedBy(rules, tool, s)
		judged = append(judged, CommandRule{Command: s.String(), Rule: text})
		all = all && text != ""
	}
	return judged, all
}

// allowedBy returns the rule that allows a command; "": none does. One that
// starts others is allowed if these are, or by a rule without any *.
func allowedBy(rules []rule, tool string, s simple) string {
	for i := range rules {
		r := &rules[i]
		if r.forTool(tool) && r.forCommands() && r.covers(s.words) && (!s.starts || r.exact()) {
			return r.text
		}
	}
	if len(s.inner) == 0 {
		return ""
	}
	list := s.inner
	if s.acts {
		list = append(slices.Clone(list), simple{words: s.words})
	}
	var texts []string
	for _, c := range list {
		text := allowedBy(rules, tool, c)
		if text == "" {
			return ""
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}
