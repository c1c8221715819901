package policy

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// knownStarters start the command that is their first operand. The text lists
// their options, with : where a value follows and ! where that is a text to run;
// +N says that N operands come before the command, = that variables may. An
// option that is not here makes every argument one that may be the command.
var knownStarters = map[string]string{
	"builtin": "",
	"chrt":    "a b d f i m o r v R T: P: D: all-tasks batch deadline fifo idle other rr reset-on-fork verbose +1",
	"command": "p",
	"env":     "i 0 v u: C: S! ignore-environment null debug unset: chdir: split-string! =",
	"exec":    "c l a:",
	"flock":   "s x e u n F o v w: E: c! shared exclusive unlock nonblock no-fork close verbose timeout: wait: conflict-exit-code: command! +1",
	"ionice":  "t c: n: class: classdata: ignore",
	"nice":    "n: adjustment:",
	"nohup":   "",
	"setsid":  "c f w ctty fork wait",
	"stdbuf":  "i: o: e: input: output: error:",
	"taskset": "a c all-tasks cpu-list +1",
	"time":    "p v a q o: f: portability verbose append quiet output: format:",
	"timeout": "v s: k: signal: kill-after: preserve-status foreground verbose +1",
	"xargs": "0 r t p x o a: d: E: I: L: n: P: s: null no-run-if-empty verbose interactive exit open-tty arg-file: delimiter: " +
		"max-args: max-procs: max-chars:",
}

// openStarters start a command somewhere in their arguments, with the number of
// operands that come before it.
var openStarters = map[string]int{
	"arch": 0, "bwrap": 0, "busybox": 0, "cgexec": 0, "coreutils": 0, "choom": 0, "chpst": 0, "chroot": 1, "coproc": 0, "cpulimit": 0, "daemonize": 0,
	"dbus-run-session": 0, "direnv": 0, "doas": 0, "dumb-init": 0, "eatmydata": 0, "entr": 0, "envdir": 1, "fakechroot": 0, "fakeroot": 0,
	"faketime": 1, "fd": 0, "fdfind": 0, "firejail": 0, "gdb": 0, "gdbserver": 1, "gosu": 1, "hyperfine": 0, "i386": 0, "ip": 0, "jobs": 0,
	"linux32": 0, "linux64": 0, "ltrace": 0, "newgrp": 1, "nsenter": 0, "numactl": 0, "parallel": 0, "perf": 0, "pkexec": 0, "prlimit": 0, "proot": 0,
	"proxychains": 0, "proxychains4": 0, "rlwrap": 0, "runuser": 0, "screen": 0, "script": 0, "setarch": 1, "setpriv": 0, "setuidgid": 1, "sg": 1,
	"ssh": 1, "start-stop-daemon": 0, "strace": 0, "su": 0, "su-exec": 1, "sudo": 0, "systemd-run": 0, "tini": 0, "tmux": 0, "torsocks": 0,
	"toybox": 0, "unbuffer": 0, "uname26": 0, "unshare": 0, "valgrind": 0, "watch": 0, "x86_64": 0, "xvfb-run": 0,
}

// textStarters hand text to a shell, wherever it stands.
var textStarters = []string{"hyperfine", "parallel", "runuser", "script", "sg", "ssh", "su", "watch"}

// isStarter says whether a program starts the command that its arguments name.
// find is not among them: it has a syntax of its own.
func isStarter(name string) bool {
	_, known := knownStarters[name]
	_, open := openStarters[name]
	return known || open || strings.HasPrefix(name, "ld-linux") || strings.HasPrefix(name, "ld-musl") || name == "ld.so"
}

// started is what a starter's arguments come to.
type started struct {
	command []word
	texts   []word // run by a shell, or split by env
	assigns []word
	values  map[string]word // of its options
}

// readStarter reads the arguments of a starter by its options; false: they are
// not all known.
func readStarter(spec string, args []word) (s started, known bool) {
	skip, options := 0, strings.Fields(spec)
	if n := len(options); n > 0 && options[n-1] == "+1" {
		skip, options = 1, options[:n-1]
	}
	s.values = map[string]word{}
	if args, known = s.options(options, args); !known {
		return s, false
	}
	if skip > 0 && len(args) > 0 {
		if args[0].many {
			return s, false
		}
		if args, known = s.options(options, args[1:]); !known { // flock FILE -c TEXT
			return s, false
		}
	}
	for slices.Contains(options, "=") && len(args) > 0 && !args[0].many && strings.Contains(args[0].text, "=") {
		s.assigns, args = append(s.assigns, args[0]), args[1:]
	}
	s.command = args
	return s, true
}

// options reads all options and returns what follows.
func (s *started) options(options []string, args []word) ([]word, bool) {
	for {
		took, known := s.option(options, args)
		if !known {
			return nil, false
		}
		if took == 0 {
			break
		}
		args = args[took:]
	}
	if len(args) > 0 && args[0].fixed && args[0].text == "--" {
		args = args[1:]
	}
	return args, true
}

// option reads one word of options, with the value behind it, and says how many
// words that were: none where the first is an operand.
func (s *started) option(options []string, args []word) (took int, known bool) {
	if len(args) == 0 || !args[0].fixed || !strings.HasPrefix(args[0].text, "-") || args[0].text == "--" {
		return 0, len(args) == 0 || args[0].fixed || !strings.HasPrefix(args[0].text, "-")
	}
	text := args[0].text
	if text == "-" {
		return 1, slices.Contains(options, "=") // env -
	}
	names, attached, has := strings.Split(text[1:], ""), "", false
	if strings.HasPrefix(text, "--") {
		var name string
		name, attached, has = strings.Cut(text[2:], "=")
		names = []string{name}
	}
	for i, name := range names {
		switch {
		case slices.Contains(options, name):
			continue
		case !slices.Contains(options, name+":") && !slices.Contains(options, name+"!"):
			return 0, false
		}
		value, took := word{text: attached, fixed: true}, 1
		if rest := strings.Join(names[i+1:], ""); rest != "" {
			value.text = rest
		} else if !has {
			if len(args) < 2 {
				return 0, false
			}
			value, took = args[1], 2
		}
		s.values[name] = value
		if slices.Contains(options, name+"!") {
			s.texts = append(s.texts, value)
		}
		return took, !value.many
	}
	return 1, true
}

// starter checks a command whose arguments name another.
func (r *denyReader) starter(name string, args []word) *denial {
	if *r.left--; *r.left < 0 {
		return nil // check says so
	}
	spec, known := knownStarters[name]
	if name == "command" && len(args) > 0 && args[0].fixed && (args[0].text == "-v" || args[0].text == "-V") {
		return nil
	}
	s, understood := readStarter(spec, args)
	if !understood && (name == "xargs" || name == "env") { // they may make other words of these
		return r.list.unreadable("options of " + name + " in this one are not known here; leave them out or write them out")
	}
	if !known || !understood {
		return r.anywhere(name, args)
	}
	for _, w := range s.assigns {
		if found := r.assigned(w); found != nil {
			return found
		}
	}
	for _, w := range s.texts {
		if name == "env" {
			return r.split(w, s.command)
		}
		if found := r.text(w); found != nil {
			return found
		}
	}
	if len(s.command) == 0 {
		return nil
	}
	if name == "xargs" {
		s.command = append(slices.Clone(s.command), word{many: true})
		if mark, has := s.values["I"]; has {
			s.command = filled(s.command, mark.text)
		}
	}
	return r.call(s.command)
}

// split checks what env -S makes words of, by rules of its own.
func (r *denyReader) split(text word, rest []word) *denial {
	if !text.fixed || strings.ContainsAny(text.text, "\\$") {
		return r.list.unreadable("what env splits in this one cannot be read; write it plainly")
	}
	line := "env " + text.text
	for _, w := range rest {
		quoted, err := syntax.Quote(w.text, r.lang)
		if err != nil || !w.fixed {
			quoted = `"$unknown"`
		}
		line += " " + quoted
	}
	return r.text(word{text: line, fixed: true})
}

// maxArgs bounds how many arguments are looked at as commands.
const maxArgs = 1000

// anywhere checks a command of which each argument might be the one that is
// started, or a text that a shell gets.
func (r *denyReader) anywhere(name string, args []word) *denial {
	if r.inside {
		return nil // all of that is being done
	}
	if len(args) > maxArgs {
		return r.list.unreadable("this one has too many arguments to be checked")
	}
	inner := *r
	inner.inside = true
	if name == "parallel" {
		args = filled(args, "{}")
	}
	operands, before, takesText := 0, openStarters[name], slices.Contains(textStarters, name)
	for i, w := range args {
		if !w.fixed {
			if operands <= before || takesText {
				return r.list.unreadable(nameUnknown)
			}
			continue
		}
		if found := inner.argument(args, i, takesText); found != nil {
			return found
		}
		option := strings.HasPrefix(w.text, "-") || i > 0 && strings.HasPrefix(args[i-1].text, "-")
		if slices.Contains(textStarters, path.Base(w.text)) {
			operands, before, takesText = 0, openStarters[path.Base(w.text)], true
		} else if !option && !strings.Contains(w.text, "=") {
			operands++
		}
	}
	if startsShell(name, args, operands) {
		return r.list.unreadable("this one takes commands from its input; run them directly")
	}
	return nil
}

// startsShell says whether a starter may start a shell, or what its input says,
// for want of a command.
func startsShell(name string, args []word, operands int) bool {
	switch name {
	case "su", "script", "newgrp", "sg", "runuser":
		return !slices.ContainsFunc(args, func(w word) bool {
			return isTextOption(w.text) || strings.HasPrefix(w.text, "--command=") || strings.HasPrefix(w.text, "-c") ||
				name == "runuser" && strings.HasPrefix(w.text, "-u")
		})
	case "sudo", "doas":
		return operands == 0 && slices.ContainsFunc(args, func(w word) bool {
			return w.text == "--login" || w.text == "--shell" || isCluster(w.text, "s") || isCluster(w.text, "i")
		})
	case "parallel", "unshare", "nsenter", "chroot", "fakeroot", "fakechroot", "firejail", "setarch", "linux32", "linux64", "i386", "x86_64", "uname26":
		return operands <= openStarters[name]
	case "ssh":
		return operands == 0 || len(args) < 2
	}
	return false
}

// argument checks the argument that may be a command or a text.
func (r *denyReader) argument(args []word, i int, takesText bool) *denial {
	text, name := args[i].text, path.Base(args[i].text)
	if found := r.list.match(args[i:]); found != nil {
		return found
	}
	if slices.Contains(shells, name) || name == "eval" || name == "find" || isStarter(name) {
		if found := r.call(args[i:]); found != nil {
			return found
		}
	}
	if takesText && i > 0 && args[i-1].fixed && isTextOption(args[i-1].text) {
		return r.text(args[i])
	}
	if strings.HasPrefix(text, "--") {
		_, text, _ = strings.Cut(text, "=")
	} else if _, after, has := strings.Cut(text, "c"); has && strings.HasPrefix(text, "-") {
		text = after // su -crm
	}
	if takesText && i < maxJoined {
		if found := r.guess(joinFixed(args[i:])); found != nil {
			return found
		}
	}
	if name, _, sets := strings.Cut(args[i].text, "="); sets && plainName().MatchString(name) {
		if found := r.assigned(args[i]); found != nil {
			return found
		}
	}
	if text != "" && (text != args[i].text || strings.ContainsAny(text, " \t\n;|&<>(){}'\"\\`")) {
		return r.guesses(text)
	}
	return nil
}

// maxJoined is how many arguments may stand before those that watch, ssh and
// their like make a text of.
const maxJoined = 8

func joinFixed(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}

// isTextOption says whether a text to run follows.
func isTextOption(text string) bool {
	return text == "--command" || strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "--") && strings.HasSuffix(text, "c")
}
