package policy

import (
	"path"
	"slices"
	"strings"
)

// carriers run the text that some of their options hold. A trailing = says that
// the text stands in the same word.
var carriers = map[string][]string{
	"expect":  {"-c"},
	"git":     {"-c", "-u", "-x", "--exec=", "--exec", "--extcmd=", "--extcmd", "--upload-pack=", "--upload-pack", "--receive-pack=", "--receive-pack", "--open-files-in-pager=", "-O", "--tree-filter", "--index-filter", "--msg-filter", "--env-filter", "--commit-filter", "--parent-filter", "--tag-name-filter"},
	"less":    {"+!", "++!"},
	"make":    {"--eval=", "--eval"},
	"man":     {"-P", "--pager=", "--pager", "-H", "--html="},
	"rsync":   {"-e", "--rsh=", "--rsh", "--rsync-path=", "--rsync-path"},
	"scp":     {"-S", "-o"},
	"sftp":    {"-S", "-o"},
	"sort":    {"--compress-program=", "--compress-program"},
	"split":   {"--filter=", "--filter"},
	"tar":     {"--to-command=", "--to-command", "--checkpoint-action=", "--checkpoint-action", "-I", "--use-compress-program=", "--use-compress-program", "--rsh-command=", "-F", "--info-script=", "--new-volume-script="},
	"vi":      {"-c", "--cmd", "+"},
	"ex":      {"-c", "--cmd", "+"},
	"vim":     {"-c", "--cmd", "+"},
	"nvim":    {"-c", "--cmd", "+"},
	"view":    {"-c", "--cmd", "+"},
	"zip":     {"-TT", "--unzip-command"},
	"tcpdump": {"-z"},
}

// carried returns the texts that options of a program may run.
func carried(name string, args []word) (texts []word) {
	for i, w := range args {
		for _, option := range carriers[name] {
			switch {
			case option == "-u" && i+1 < len(args) && !args[i+1].fixed: // git push -u "$remote"
			case w.fixed && w.text == option && i+1 < len(args):
				texts = append(texts, args[i+1])
			case len(option) == 2 && option != "+!" && isCluster(w.text, option[1:]) && i+1 < len(args):
				texts = append(texts, args[i+1])
			case strings.HasPrefix(w.text, option) && w.text != option && (strings.HasSuffix(option, "=") || len(option) <= 3 && !strings.HasPrefix(w.text, "--")):
				texts = append(texts, word{text: w.text[len(option):], fixed: w.fixed})
			}
		}
	}
	if at := slices.IndexFunc(args, func(w word) bool { return w.text == "config" }); name == "git" && at >= 0 && len(args) > at+2 {
		texts = append(texts, args[len(args)-1]) // of an alias, or another that runs
	}
	return texts
}

// isCluster says whether text is options of one letter, of which letter is the last.
func isCluster(text, letter string) bool {
	return strings.HasPrefix(text, "-") && strings.HasSuffix(text, letter) && identifier().FindString(text) == text[1:]
}

// carries says whether options of a program may run something.
func carries(name string, args []word) bool {
	return len(carried(name, args)) > 0 || name == "make" && feedsMake(args) || name == "git" && (runsIn(args) > 0 || slices.ContainsFunc(args, func(w word) bool {
		return strings.HasPrefix(w.text, "--config-env") || strings.HasPrefix(w.text, "--exec-path")
	}))
}

// feedsMake says whether a Makefile may be what another command writes.
func feedsMake(args []word) bool {
	for i, w := range args {
		if w.text == "-" || w.text == "-f-" || isStream(w.text) || !w.fixed && i > 0 && strings.HasPrefix(args[i-1].text, "-") {
			return true
		}
	}
	return false
}

// carrier checks the texts that options of a program may run, and the commands
// behind its words that run one.
func (r *denyReader) carrier(name string, args []word) *denial {
	if name == "make" && feedsMake(args) {
		return r.list.unreadable("this one takes commands from its input; run them directly")
	}
	for _, w := range carried(name, args) {
		if !w.fixed {
			return r.list.unreadable(textUnknown)
		}
		if found := r.guesses(w.text); found != nil {
			return found
		}
	}
	if name == "git" {
		if slices.ContainsFunc(args, func(w word) bool { return strings.HasPrefix(w.text, "--config-env") }) {
			return r.list.unreadable(textUnknown)
		}
		if i := runsIn(args); i > 0 && i < len(args) {
			return r.anywhere(name, args[i:])
		}
	}
	return nil
}

// textsIn returns what of an option's value may be the text: all of it, and
// what follows a sign or a word by which programs mark commands.
func textsIn(value string) []string {
	texts := []string{strings.TrimLeft(value, "!:")}
	for _, mark := range []string{"=", "!", "exec=", "exec ", "shell ", "spawn ", "system "} {
		if _, after, has := strings.Cut(value, mark); has {
			texts = append(texts, strings.TrimLeft(after, "!"))
		}
	}
	return texts
}

// runsIn returns where the command of git submodule foreach and git bisect run
// begins; 0: there is none.
func runsIn(args []word) int {
	for i := range args[:max(len(args)-1, 0)] {
		a, b := path.Base(args[i].text), args[i+1].text
		if a == "bisect" && b == "run" || a == "submodule" && b == "foreach" {
			return i + 2
		}
	}
	return 0
}
