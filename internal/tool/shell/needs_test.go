package shell

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// newHome returns a home directory with a workspace, a blocked folder and a
// link to it, and the tool in it.
func newHome(t *testing.T, exec Exec) (string, *Tool) {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".ssh", "work", "src"} {
		if err := os.Mkdir(filepath.Join(home, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(home, ".ssh"), filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	return home, newTool(t, Options{
		Workspace: filepath.Join(home, "work"), Blocked: []string{filepath.Join(home, ".ssh")}, Environ: []string{"HOME=" + home}, Exec: exec,
	})
}

func TestAction(t *testing.T) {
	home, tool := newHome(t, nil)
	for args, want := range map[string]openclaw.Needs{
		`{"command":"ls"}`: {},
		`{"command":"ls","needs":["network","unconfined"],"reason":"why"}`:        {Network: true, Unconfined: true},
		`{"command":"ls","needs":["~/src","` + home + `/new/x","./sub","~/src"]}`: {Write: []string{home + "/new/x", home + "/src"}},
		`{"command":"ls","workdir":"~/src","needs":["./sub"]}`:                    {Write: []string{home + "/src/sub"}},
	} {
		got, err := tool.Action(callOf(args))
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if diff := cmp.Diff(want, got.Needs); diff != "" || got.Argv[2] != "ls\n\n" || !filepath.IsAbs(got.Dir) {
			t.Errorf("%s: %+v %s", args, got, diff)
		}
	}
	for _, need := range []string{"~", "~/.ssh", "~/.ssh/x", "~/link", "~/link/x", "~/.SSH", "/", "net", "", "src", "~/src/../.ssh"} {
		if got, err := tool.Action(callOf(`{"command":"ls","needs":["` + need + `"]}`)); openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
			t.Errorf("needs %q: %+v, %v", need, got, err)
		}
	}
	many := strings.Repeat(`"/x",`, maxNeeds) + `"/x"`
	for _, needs := range []string{`"network"`, `[1]`, `[` + many + `]`} {
		if _, err := tool.Action(callOf(`{"command":"ls","needs":` + needs + `}`)); openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
			t.Errorf("needs %s: %v", needs, err)
		}
	}
}

// A question shows where a name leads, and what the name leads to later does
// not count.
func TestActionHasNoLinks(t *testing.T) {
	home, tool := newHome(t, nil)
	alias, src := filepath.Join(home, "alias"), filepath.Join(home, "src")
	if err := os.Symlink(src, alias); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]openclaw.Action{
		`{"command":"ls","workdir":"~/alias","needs":["./x"]}`: {Dir: src, Needs: openclaw.Needs{Write: []string{src + "/x"}}},
		`{"command":"ls","needs":["~/alias/"]}`:                {Dir: filepath.Join(home, "work"), Needs: openclaw.Needs{Write: []string{src}}},
	} {
		got, err := tool.Action(callOf(args))
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		want.Argv = got.Argv
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
	call := callOf(`{"command":"ls"}`)
	call.Dir = alias // what an earlier command made of the directory it left the conversation in
	if got, err := tool.Action(call); err != nil || got.Dir != filepath.Join(home, "work") {
		t.Errorf("%+v, %v", got, err)
	}
	linked := newTool(t, Options{Workspace: alias, Exec: func(context.Context, Command) (Exit, error) { return Exit{Dir: src}, nil }})
	if res, err := linked.Run(t.Context(), callOf(`{"command":"ls"}`)); err != nil || res.Output != "" || res.Dir != "" {
		t.Errorf("in a workspace that is a link: %+v, %v", res, err)
	}
}

// What was approved runs, whatever the arguments say; without an approval
// nothing runs with more than the sandbox gives.
func TestRunDoesWhatWasApproved(t *testing.T) {
	var ran Command
	home, tool := newHome(t, func(_ context.Context, c Command) (Exit, error) { ran = c; return Exit{}, nil })
	call := callOf(`{"command":"ls","needs":["network"]}`)
	if _, err := tool.Run(t.Context(), call); err != nil || !ran.Needs.None() || ran.Argv[2] != "ls\n\n" {
		t.Errorf("not approved: ran %+v, %v", ran, err)
	}
	call.Approved = &openclaw.Action{Argv: []string{"/bin/sh", "-c", "date"}, Dir: home, Needs: openclaw.Needs{Network: true}}
	if _, err := tool.Run(t.Context(), call); err != nil || !ran.Needs.Network || ran.Argv[2] != "date" || ran.Dir != home {
		t.Errorf("approved: ran %+v, %v", ran, err)
	}
}
