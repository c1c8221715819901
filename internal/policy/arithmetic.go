package policy

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// In arithmetic the shell reads the value of a variable as an expression, and
// runs the $( ) in its subscripts. So what a variable holds must be a number
// for certain, or it cannot be said what the arithmetic runs.

const valueUnknown = "this one computes with values that are not written out, which may run commands"

var (
	plainNameOnce = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_]\w*(\[[0-9@*]*\])?$`) })
	expression    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w\s+*/%<>=!&|^~?:(),#-]*$`) })
	identifier    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z_]\w*`) })
	numberRange   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\{-?\d+\.\.-?\d+(\.\.-?\d+)?\}$`) })
)

// numbers says which variables of a text hold something else than a number.
type numbers struct {
	other  []string
	opaque bool // it cannot be told
}

// setters give variables values that do not stand in the text.
var setters = []string{
	"eval", "read", "mapfile", "readarray", "getopts", "declare", "typeset", "local", "export", "readonly", "wait", "printf", ".", "source",
}

// readNumbers finds what the variables of a text are set to.
func readNumbers(file *syntax.File) *numbers {
	var v numbers
	set := func(name string, w *syntax.Word) {
		if !isNumber(w) {
			v.other = append(v.other, name)
		}
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			v.assign(n, set)
		case *syntax.WordIter:
			if !n.InPos.IsValid() {
				v.other = append(v.other, n.Name.Value)
			}
			for _, w := range n.Items {
				set(n.Name.Value, w)
			}
		case *syntax.ParamExp:
			if n.Exp != nil && n.Param != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				set(n.Param.Value, n.Exp.Word)
			}
		case *syntax.CallExpr:
			v.opaque = v.opaque || len(n.Args) > 0 && mayWrite(readWords(n.Args))
		}
		return true
	})
	return &v
}

func (v *numbers) assign(n *syntax.Assign, set func(string, *syntax.Word)) {
	switch {
	case n.Name == nil: // an option of declare, or something in quotes
		w := wordOf(n.Value)
		v.opaque = v.opaque || !w.fixed || !strings.HasPrefix(w.text, "-")
	case n.Array != nil:
		for _, e := range n.Array.Elems {
			set(n.Name.Value, e.Value)
		}
	case n.Value != nil:
		set(n.Name.Value, n.Value)
	}
}

// mayWrite says whether a command may set variables.
func mayWrite(words []word) bool {
	at := slices.IndexFunc(words, func(w word) bool { return w.fixed && slices.Contains(setters, w.text) })
	if at == 0 && words[0].text == "printf" {
		return len(words) > 1 && (!words[1].fixed || strings.HasPrefix(words[1].text, "-v"))
	}
	return at >= 0
}

// isNumber says whether a word becomes a number, or a range of them.
func isNumber(w *syntax.Word) bool {
	if w == nil {
		return true
	}
	if len(w.Parts) == 1 {
		switch p := w.Parts[0].(type) {
		case *syntax.ArithmExp:
			return true
		case *syntax.ParamExp:
			return p.Length || isCounter(p)
		case *syntax.Lit:
			if numberRange().MatchString(p.Value) {
				return true
			}
		}
	}
	text, fixed := readParts(w.Parts, false)
	return fixed && isInteger(text)
}

// isCounter says whether the shell alone sets a parameter, to a number.
func isCounter(p *syntax.ParamExp) bool {
	return p.Param != nil && p.Index == nil && p.Exp == nil && p.Slice == nil && p.Repl == nil && !p.Excl &&
		slices.Contains([]string{"#", "?", "$", "!"}, p.Param.Value)
}

// number says whether a variable holds a number, or what the gateway gave it.
func (r *denyReader) number(name string) bool {
	switch {
	case r.numbers == nil || r.numbers.opaque || slices.Contains(r.numbers.other, name):
		return false
	case slices.Contains([]string{"REPLY", "MAPFILE", "OPTARG", "PWD", "OLDPWD", "DIRSTACK", "FUNCNAME", "_", "COPROC"}, name):
		return false
	}
	return identifier().MatchString(name) && !strings.HasPrefix(name, "BASH_") && name == identifier().FindString(name)
}

// arithmetic checks expressions, of which some may be missing.
func (r *denyReader) arithmetic(list ...syntax.ArithmExpr) *denial {
	for _, x := range list {
		if x == nil {
			continue
		}
		readable := true
		syntax.Walk(x, func(n syntax.Node) bool {
			if w, is := n.(*syntax.Word); is {
				readable = readable && r.operand(w.Parts)
				return false
			}
			return readable
		})
		if !readable {
			return r.list.unreadable(valueUnknown)
		}
	}
	return nil
}

// operand says whether parts of an expression are numbers for certain.
func (r *denyReader) operand(parts []syntax.WordPart) bool {
	for _, p := range parts {
		ok := false
		switch p := p.(type) {
		case *syntax.Lit:
			ok = r.expressionText(p.Value)
		case *syntax.SglQuoted:
			ok = r.expressionText(p.Value)
		case *syntax.DblQuoted:
			ok = r.operand(p.Parts)
		case *syntax.ArithmExp:
			ok = true
		case *syntax.ParamExp:
			ok = p.Length || isCounter(p) || p.Param != nil && p.Slice == nil && p.Repl == nil && !p.Excl && r.number(p.Param.Value) && r.alternative(p.Exp)
		}
		if !ok {
			return false
		}
	}
	return true
}

// alternative says whether ${x:-…} is a number if x is one.
func (r *denyReader) alternative(e *syntax.Expansion) bool {
	return e == nil || e.Word == nil || isNumber(e.Word)
}

// expressionText says whether text is an expression over numbers.
func (r *denyReader) expressionText(text string) bool {
	if !expression().MatchString(text) {
		return false
	}
	return !slices.ContainsFunc(identifier().FindAllString(text, -1), func(name string) bool { return !r.number(name) })
}

// let checks expressions that are arguments.
func (r *denyReader) let(args []word) *denial {
	if slices.ContainsFunc(args, func(w word) bool { return !w.fixed || !r.expressionText(w.text) }) {
		return r.list.unreadable(valueUnknown)
	}
	return nil
}

// expansion checks what ${ } computes.
func (r *denyReader) expansion(n *syntax.ParamExp) *denial {
	switch {
	case n.Flags != nil || n.NestedParam != nil, n.Exp != nil && n.Exp.Op == syntax.OtherParamOps && wordOf(n.Exp.Word).text == "P":
		return r.list.unreadable("this one expands text once more")
	case n.Excl && n.Names == 0 && !isAllKeys(n.Index):
		return r.list.unreadable("this one names a variable by another")
	case n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull):
		if found := r.value(n.Param.Value, wordOf(n.Exp.Word)); found != nil {
			return found
		}
	}
	if n.Slice != nil {
		if found := r.arithmetic(n.Slice.Offset, n.Slice.Length); found != nil {
			return found
		}
	}
	if isAllKeys(n.Index) {
		return nil
	}
	return r.arithmetic(n.Index)
}

// isAllKeys says whether a subscript is @ or *.
func isAllKeys(x syntax.ArithmExpr) bool {
	w, is := x.(*syntax.Word)
	return is && (w.Lit() == "@" || w.Lit() == "*")
}

// unaryTest checks [[ -v name ]], which reads its operand as a name.
func (r *denyReader) unaryTest(n *syntax.UnaryTest) *denial {
	if n.Op != syntax.TsVarSet && n.Op != syntax.TsRefVar {
		return nil
	}
	if w, is := n.X.(*syntax.Word); is {
		if name := wordOf(w); name.fixed && plainName().MatchString(name.text) {
			return nil
		}
	}
	return r.list.unreadable("the name of a variable in this one is not written out")
}

// binaryTest checks the comparisons of [[ ]] that compute.
func (r *denyReader) binaryTest(n *syntax.BinaryTest) *denial {
	switch n.Op {
	case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
	default:
		return nil
	}
	for _, x := range []syntax.TestExpr{n.X, n.Y} {
		if w, is := x.(*syntax.Word); is && !r.operand(w.Parts) {
			return r.list.unreadable(valueUnknown)
		}
	}
	return nil
}
