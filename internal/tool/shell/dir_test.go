package shell

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirIsKept(t *testing.T) {
	var ran, ends string
	home, tool := newHome(t, func(_ context.Context, c Command) (Exit, error) { ran = c.Dir; return Exit{Dir: ends}, nil })
	work, src := filepath.Join(home, "work"), filepath.Join(home, "src")
	sub := filepath.Join(work, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(home, "link") // to what is blocked
	for name, tt := range map[string]struct {
		dir, args, ends string
		ran, want, note string
	}{
		"at first":             {"", "", work, work, "", ""},
		"not known":            {"", "", "", work, "", ""},
		"moves":                {"", "", sub, work, sub, "[the next command starts in " + sub + "]\n"},
		"stays":                {sub, "", sub, sub, "", ""},
		"not known, elsewhere": {sub, "", "", sub, "", ""},
		"back":                 {sub, "", work, sub, work, "[the next command starts in " + work + "]\n"},
		"asked for another":    {sub, "~/src", work, src, "", ""},
		"gone":                 {home + "/x", "", work, work, work, "[" + home + "/x cannot be used any more; this ran in " + work + "]\n"},
		"gone, not known":      {home + "/x", "", "", work, work, "[" + home + "/x cannot be used any more; this ran in " + work + "]\n"},
		"blocked":              {home + "/.ssh", "", work, work, work, "[" + home + "/.ssh cannot be used any more; this ran in " + work + "]\n"},
		"blocked by a link":    {linked, "", work, work, work, "[" + linked + " cannot be used any more; this ran in " + work + "]\n"},
		"moves to a blocked":   {"", "", home + "/.ssh", work, "", ""},
		"a file":               {"/etc/passwd", "", work, work, work, "[/etc/passwd cannot be used any more; this ran in " + work + "]\n"},
	} {
		ran, ends = "", tt.ends
		args := m{"command": "ls"}
		if tt.args != "" {
			args["workdir"] = tt.args
		}
		call := callIn("a", args)
		call.Dir = tt.dir
		res, err := tool.Run(t.Context(), call)
		if err != nil || ran != tt.ran || res.Dir != tt.want || res.Output != tt.note {
			t.Errorf("%s: ran in %s, %+v, %v", name, ran, res, err)
		}
		if action, err := tool.Action(call); err != nil || action.Dir != tt.ran {
			t.Errorf("%s: asks to run %+v, %v", name, action, err)
		}
	}
}

// The blank line must not change what a command means.
func TestBlankLine(t *testing.T) {
	tool := newTool(t, Options{})
	for text, want := range map[string]string{
		`echo a \`: "a \\\n", `echo a # b`: "a\n", "cat <<X\na\nX": "a\n", `false; echo $?`: "1\n", `printf a; # b \`: "a",
	} {
		if res, err := tool.Run(t.Context(), command(text)); err != nil || strings.TrimSpace(res.Output) != strings.TrimSpace(want) || res.ExitCode != 0 {
			t.Errorf("%s: %+v, %v", text, res, err)
		}
	}
	if res, err := tool.Run(t.Context(), command("(exit 3)")); err != nil || res.ExitCode != 3 {
		t.Errorf("%+v, %v", res, err)
	}
}
