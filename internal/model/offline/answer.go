package offline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// outcome is what came of an ask.
type outcome struct {
	ask     ask
	call    option
	result  *openclaw.Result // nil: there was no call
	missing string           // the tool that is wanted and not offered
}

// failed says whether what comes after this must not be done.
func (o outcome) failed() bool {
	return o.missing != "" || o.result != nil && o.result.ExitCode != 0
}

// name is what a place or file is called in an answer.
func (a ask) name() string {
	if a.label != "" {
		return a.label
	}
	return a.path
}

// said describes an ask that was not carried out.
func (a ask) said() string {
	switch a.kind {
	case kindRun:
		return "run " + code(a.text)
	case kindWrite, kindAppend:
		return "write to " + a.path
	case kindRemember:
		return "remember something"
	case kindForget:
		return "forget something"
	case kindSkill:
		return "use the skill " + a.text
	case kindInfo:
		return "show: " + strings.ToLower(a.label)
	case kindRead:
		return "read " + a.path
	}
	return "look into " + a.name()
}

// answer returns what is said about the outcome of an ask that used a tool.
func (o outcome) answer() string {
	if o.missing != "" {
		return "For that I would need the tool `" + o.missing + "`, which is not offered here. The configuration decides which tools there are; `openclaw config list` shows it."
	}
	text := o.report()
	if o.result.Truncated {
		if o.result.OutputBytes > 0 {
			return text + fmt.Sprintf("\n\n(This is cut: it had %d bytes in all.)", o.result.OutputBytes)
		}
		return text + "\n\n(This is cut: there was more.)"
	}
	return text
}

func (o outcome) report() string {
	a, output := o.ask, strings.Trim(o.result.Output, "\n")
	if o.result.ExitCode != 0 {
		return o.failure(output)
	}
	switch a.kind {
	case kindList:
		return titled("Here are the files in "+a.name()+":", output, "There are no files in "+a.name()+" (hidden ones aside).")
	case kindCount:
		return o.counted(output)
	case kindFind:
		what := "named " + code(a.pattern)
		if a.text != "" {
			what = "with " + code(a.text) + " in it"
		}
		return titled("Here is what I found "+what+" in "+a.name()+":", output, "I found nothing "+what+" in "+a.name()+".")
	case kindRead:
		return titled("Here is "+lines(a.n)+a.path+":", output, a.path+" is empty.")
	case kindWrite:
		return "Written to " + a.path + "."
	case kindAppend:
		return "Added to the end of " + a.path + "."
	case kindRemember:
		if strings.Contains(output, "already") {
			return "I have that in memory already: " + a.text
		}
		return "I will remember: " + a.text
	case kindForget:
		return output
	case kindRecall:
		return o.recalled(output)
	case kindRun:
		return titled("Here is the output of "+code(a.text)+":", output, code(a.text)+" is done; it wrote nothing.")
	}
	return titled(a.label+":", output, code(a.text)+" wrote nothing.")
}

// emptyNotes are what the file tools write where there is nothing to show.
var emptyNotes = []string{"", "[the folder is empty]", "[nothing found]", "[the file is empty]"}

// titled puts a title above output, or says that there is none.
func titled(title, output, empty string) string {
	if slices.Contains(emptyNotes, strings.TrimSpace(output)) {
		return empty
	}
	return title + "\n" + output
}

func lines(n int) string {
	switch {
	case n > 0:
		return "the beginning of "
	case n < 0:
		return "the end of "
	}
	return ""
}

// counted answers from what the pipe to wc wrote: a number, and before it the
// complaint of a find that failed.
func (o outcome) counted(output string) string {
	n, err := strconv.Atoi(strings.TrimSpace(output))
	if err != nil {
		return "I could not count that:\n" + output
	}
	what := "file"
	if o.ask.text == "d" {
		what = "directory"
	}
	verb := "are"
	if n == 1 {
		verb = "is"
	}
	answer := fmt.Sprintf("There %s %s in %s", verb, count(n, what), o.ask.name())
	if o.ask.pattern != "" {
		return answer + " named " + code(o.ask.pattern) + "."
	}
	return answer + ", hidden ones included."
}

func (o outcome) recalled(output string) string {
	about := ""
	if o.ask.text != "" {
		about = " about " + o.ask.text
	}
	if output == "" || output == "Nothing found." {
		return "I have nothing in memory" + about + "."
	}
	return "Here is what I have in memory" + about + ":\n" + output
}

// failure says that a call failed, how, and what it wrote.
func (o outcome) failure(output string) string {
	what := "The tool `" + o.call.tool + "`"
	if args, ok := o.call.args.(shellArgs); ok {
		what = code(args.Command)
	}
	code := o.result.ExitCode
	switch {
	case code == openclaw.ExitTimeout:
		what += " did not finish in time and was stopped"
	case code == openclaw.ExitDenied:
		what += " was not allowed"
	case code > openclaw.ExitSignal:
		what += fmt.Sprintf(" was ended by signal %d", code-openclaw.ExitSignal)
	case o.call.tool == toolShell:
		what += fmt.Sprintf(" failed with exit code %d", code)
	default:
		what += " failed"
	}
	return titled(what+":", output, what+" and wrote nothing.")
}

// code marks a text as code, with as many backticks as it needs.
func code(s string) string {
	s = strings.ReplaceAll(s, "\n", " ")
	if !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	return "`` " + s + " ``"
}
