package policy

import (
	"slices"
	"strings"
)

// builtinProblem says why it cannot be told what a command of the shell's own
// runs; "": it can, or it is none of those that run what they are told.
func builtinProblem(name string, args []word) string {
	switch name {
	case ".", "source":
		return "this one runs what a file holds; run commands directly"
	case "alias":
		if hasOperand(args, "=") {
			return "this one lets names of commands mean others"
		}
	case "shopt":
		if hasOperand(args, "expand_aliases") {
			return "this one lets names of commands mean others"
		}
	case "hash":
		if hasFlag(args, "p") {
			return "this one lets names of commands mean others"
		}
	case "enable":
		if hasFlag(args, "f") {
			return "this one loads code into the shell"
		}
	case "set":
		if hasFlag(args, "k") || hasOperand(args, "keyword") {
			return "this one turns arguments into variables"
		}
	case "complete", "compgen":
		if hasFlag(args, "CFW") {
			return "this one gives the shell code to run later"
		}
	case "bind":
		if len(args) > 0 {
			return "this one gives the shell code to run later"
		}
	case "fc", "at", "batch":
		return "this one runs commands from elsewhere; run them directly"
	case "crontab":
		if len(args) != 1 || args[0].text != "-l" {
			return "this one runs commands from elsewhere; run them directly"
		}
	case "mapfile", "readarray":
		if hasFlag(args, "C") {
			return "this one gives the shell code to run later"
		}
		return namesProblem(args, "dnOsutcC")
	case "read":
		return namesProblem(args, "adinNptu")
	case "unset":
		return namesProblem(args, "")
	case "getopts":
		return namesProblem(args[min(1, len(args)):min(2, len(args))], "")
	case "printf":
		return printfProblem(args)
	case "wait":
		if hasFlag(args, "p") {
			return namesProblem(args, "")
		}
	case "test", "[":
		return testProblem(args)
	}
	return ""
}

// hasFlag says whether one of the letters may be among the options.
func hasFlag(args []word, letters string) bool {
	return slices.ContainsFunc(args, func(w word) bool {
		return !w.fixed && (w.text == "" || strings.HasPrefix(w.text, "-")) ||
			strings.HasPrefix(w.text, "-") && !strings.HasPrefix(w.text, "--") && strings.ContainsAny(w.text, letters)
	})
}

// hasOperand says whether an argument may hold text.
func hasOperand(args []word, text string) bool {
	return slices.ContainsFunc(args, func(w word) bool { return !w.fixed || strings.Contains(w.text, text) })
}

const nameHides = "the name of a variable in this one is not written out, or may run something"

// namesProblem checks arguments that name variables, behind options of which
// those of the letters take a value.
func namesProblem(args []word, valued string) string {
	for i := 0; i < len(args); i++ {
		w := args[i]
		if w.fixed && len(w.text) > 1 && w.text[0] == '-' {
			at := strings.IndexAny(w.text, valued)
			if _, name, has := strings.Cut(w.text, "a"); has && valued != "" {
				if name != "" && !plainName().MatchString(name) {
					return nameHides
				}
				continue // or an array's name follows
			}
			if at == len(w.text)-1 && at > 0 {
				i++
			}
			continue
		}
		if !w.fixed || !plainName().MatchString(w.text) && !isInteger(w.text) || holdsCode(w.text) {
			return nameHides
		}
	}
	return ""
}

// holdsCode says whether a variable is one whose value is run.
func holdsCode(name string) bool {
	name, _, _ = strings.Cut(name, "[")
	return slices.Contains(commandVariables, name) || slices.Contains(promptVariables, name) || slices.Contains(closedVariables, name)
}

// printfProblem checks printf -v NAME.
func printfProblem(args []word) string {
	if len(args) == 0 {
		return ""
	}
	first := args[0]
	switch {
	case !first.fixed && (first.text == "" || strings.HasPrefix(first.text, "-")):
		return "the first argument of printf in this one is not written out; write printf '%s' before it"
	case first.text == "-v":
		return namesProblem(args[1:min(2, len(args))], "")
	case strings.HasPrefix(first.text, "-v"):
		return namesProblem([]word{{text: first.text[2:], fixed: true}}, "")
	}
	return ""
}

// testProblem checks test -v NAME. What is not written out is taken for an
// operand where one stands, which text that may become several words is not.
func testProblem(args []word) string {
	for i, w := range args {
		if w.fixed && (w.text == "-v" || w.text == "-R") && i+1 < len(args) {
			if problem := namesProblem(args[i+1:i+2], ""); problem != "" && args[i+1].text != "]" {
				return problem
			}
		}
		last := i+1 == len(args) || args[i+1].text == "]"
		if !w.fixed && !last && !args[i+1].fixed {
			return "an operator of a test in this one is not written out"
		}
	}
	return ""
}
