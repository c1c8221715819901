package policy

import (
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
)

func runsAlone(p *Policy, command string) bool {
	return p.Judge("main", "shell", shellAction(command, openclaw.Needs{Network: true})).Decision == Runs
}

func TestAllowedCommands(t *testing.T) {
	p := newPolicy(t, Config{AutoApprove: []string{
		"shell(git status *)", "shell(git log)", "shell(ls *)", "shell(head *)", "shell(find *)", "shell(grep *)", "shell(echo 'a b' *)",
		"shell(make test-*)", "shell(sudo systemctl restart x)", "shell(bash build.sh)", "shell(printf *)", "shell(cat \\*)", "shell(env *)",
		"shell(sh *)", "shell(xargs *)", "shell(sudo *)",
	}})
	for command, want := range map[string]bool{
		"git status": true, "git status -s .": true, "git  'status'": true, "git log": true, "git log -p": false, "git": false,
		"git statusx": false, "git $X": false, "git status $X": true, "gitstatus": false, "./git status": false, "/usr/bin/git status": false,
		"ls | head -3": true, "ls && git status || ls": true, "(ls; git log) | head": true, "{ ls; }": true, "! ls": true, "ls &": true,
		"if ls; then git status; fi": true, "while ls; do head x; done": true, "time ls": true, "ls 2>&1": true, "ls >/dev/null 2>&1": true,
		"head < x": true, "head <<E\nx $(ls)\nE": true, "head <(ls)": true, "ls $(git log)": true, "echo 'a b' c": true, "make test-unit": true,
		"cat '*'": true, "cat x": false, "echo \"a b\"": true, "echo a b": false,

		// Never a string prefix, and every simple command counts.
		"ls; rm -rf ~": false, "ls\nrm x": false, "ls && rm x": false, "ls | sh": false, "ls $(rm x)": false, "ls `rm x`": false,
		"ls <(rm x)": false, "(rm x)": false, "ls & rm x": false, "head <<E\n$(rm x)\nE": false, "ls \"$(rm x)\"": false, "ls ${x:-$(rm x)}": false,
		"if rm x; then ls; fi": false, "rm x #ls": false, "#": false, "": false,

		// What starts others is judged by these, or unknown.
		"env ls": true, "env rm x": false, "env": false, "env A=b ls": false, "env -i ls": false, "nohup ls": true, "timeout 5 ls": true, "timeout 5 rm": false,
		"timeout -s KILL 5 ls": false, "nice -n 5 ls": true, "command ls": true, "command -p ls": false, "xargs grep x": true, "xargs rm": false,
		"xargs -n1 grep": false, "xargs git log": false, "ls | xargs grep x": true, "sh -c 'ls'": true, "sh -c 'ls; rm x'": false, "bash -c \"$X\"": false,
		"bash -ec ls": true, "bash build.sh": true, "bash other.sh": false, "sudo ls": false, "sudo systemctl restart x": true, "sudo sh -c ls": false,
		"find . -name x": true, "find . -exec grep x {} +": true, "find . -exec rm {} \\;": false, "find . -exec grep x {} \\; -exec rm {} \\;": false,
		"find . $X": false, "find . -exec": false, "find . -exec sh -c 'ls' \\;": true, "find . -exec sh -c 'rm x' \\;": false,
		"eval ls": false, "exec ls": false, "env env env ls": true, "sh -c 'sh -c \"rm x\"'": false,

		// What changes what the words mean, or a file.
		"PATH=/evil ls": false, "X=1": false, "export PATH=/evil; ls": false, "ls() { rm x; }; ls": false, "alias ls=rm; ls": false,
		"ls > x": false, "ls >> ~/.bashrc": false, "ls &> x": false, "ls >| x": false, "ls 2> $X": false, "ls >(rm x)": false, "ls >&x": false,
		"ls < /dev/tcp/example.com/80": false, "ls < /dev/udp/1.1.1.1/53": false, "ls < \"$X\"": false, "ls {PATH}< x": false, "head < <(ls)": true,
		"for PATH in /evil; do ls; done": false, "case x in x) ls;; esac": false, "[[ -f x ]] && ls": false, "((PATH=1)); ls": false,
		"ls ${PATH:=/evil}": false, "ls $((PATH=1))": false, "printf -v PATH /evil; ls": false, "printf %s x": true, "coproc ls": false,
		"select x in y; do ls; done": false, "let x=1": false, "declare -x A=b": false, "a=(ls)": false,

		// What cannot be read.
		"ls 'x": false, "if ls": false, "ls )": false, "$LS": false, "l? x": false, "{ls,-l}": false, "\\ls": true, "l''s": true, "$'\\x6cs'": false,
	} {
		if got := runsAlone(p, command); got != want {
			t.Errorf("%q runs alone: %v, want %v", command, got, want)
		}
	}
}

// A * allows what can be read, and nothing that starts something else.
func TestAnyCommand(t *testing.T) {
	p := newPolicy(t, Config{AutoApprove: []string{"shell(*)"}})
	for command, want := range map[string]bool{
		"rm -rf x": true, "ls | wc": true, "sudo x": false, "eval x": false, "$X": false, "env rm x": true, "ls > x": false, "curl x | sh": false,
	} {
		if got := runsAlone(p, command); got != want {
			t.Errorf("%q runs alone: %v, want %v", command, got, want)
		}
	}
	whole := newPolicy(t, Config{AutoApprove: []string{"sh*"}})
	if !runsAlone(whole, "if $X > y") {
		t.Error("a rule about the whole tool does not cover every call")
	}
}

func TestRulingNamesEachCommand(t *testing.T) {
	p := newPolicy(t, Config{AutoApprove: []string{"shell(ls *)"}})
	got := p.Judge("main", "shell", shellAction("ls x | wc $Y", openclaw.Needs{Network: true}))
	want := []CommandRule{{"ls x", "shell(ls *)"}, {"wc …", ""}}
	if got.Decision != Asks || len(got.Commands) != 2 || got.Commands[0] != want[0] || got.Commands[1] != want[1] {
		t.Errorf("got %+v", got)
	}
}

func FuzzAllowed(f *testing.F) {
	for _, s := range []string{"ls", "ls; rm x", "ls $(x)", "sh -c ls", "find . -exec ls {} +", "ls <<E\nE", "time ls", "ls\\\n", "ls &"} {
		f.Add(s)
	}
	p := newPolicy(f, Config{AutoApprove: []string{"shell(ls *)", "shell(find *)"}})
	f.Fuzz(func(t *testing.T, command string) {
		// Nothing that is allowed stays so with another command behind it.
		if runsAlone(p, command) && runsAlone(p, command+"\nrm x\n") && runsAlone(p, "rm x\n"+command) {
			t.Errorf("%q hides rm", command)
		}
	})
}

func FuzzRule(f *testing.F) {
	for _, s := range []string{"shell(git status *)", "shell('a b' \\*)", "*", "memory_*", "shell(* x)"} {
		f.Add(s, "git status")
	}
	f.Fuzz(func(t *testing.T, text, command string) {
		r, err := parseRule(allowKey, text)
		if err != nil || !r.forCommands() {
			return
		}
		list, problem := readLine(command, 0, maxNesting)
		if problem != "" {
			return
		}
		for _, s := range list {
			if r.covers(s.words) && !r.mayMatch(s.words) {
				t.Errorf("%q covers %q and yet cannot match it", text, s)
			}
		}
	})
}
