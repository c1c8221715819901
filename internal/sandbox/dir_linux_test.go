package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// Where a command ended is known whatever it was, and however it ended.
func TestExitDir(t *testing.T) {
	workspace, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sub/deep", "odd \n\"name"} {
		if err := os.MkdirAll(filepath.Join(workspace, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("sub/deep", filepath.Join(workspace, "link")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ script, want string }{
		{`true`, "."},
		{`cd sub`, "sub"},
		{`cd sub && cd deep; false`, "sub/deep"},
		{`cd sub; exit 3`, "sub"},
		{`cd sub; kill -KILL $$`, "sub"},
		{`(cd sub)`, "."},
		{`cd sub | true`, "."},
		{`sh -c 'cd sub'; true`, "."},
		{`cd sub; (cd / && sleep 0) & wait`, "sub"},
		{`cd link`, "sub/deep"},
		{`trap 'cd sub' EXIT`, "sub"},
		{`cd sub; exec sleep 0`, "sub"},
		{`cd odd*`, "odd \n\"name"},
		{`umask 777; cd sub`, "sub"},
		{`cd /usr`, "/usr"},
		{`mkdir gone && cd gone && rmdir ../gone`, ""},
		{`mkdir moved && cd moved && mv ../moved ../there`, "there"},
	}
	try := func(t *testing.T, box *sandbox.Box, grant sandbox.Grant) {
		for _, tt := range tests {
			_ = os.RemoveAll(filepath.Join(workspace, "there"))
			job := shellJob(tt.script, nil)
			job.Dir, job.WantDir, job.Grant = workspace, true, grant
			exit, err := box.Run(t.Context(), job)
			want := tt.want
			if want != "" && !filepath.IsAbs(want) {
				want = filepath.Join(workspace, want)
			}
			if err != nil || exit.Dir != want {
				t.Errorf("%s: %+v, %v, want %s", tt.script, exit, err, want)
			}
			job.WantDir = false
			job.Argv[2] = "cd /usr"
			if exit, err := box.Run(t.Context(), job); err != nil || exit.Dir != "" {
				t.Errorf("not asked for: %+v, %v", exit, err)
			}
		}
	}
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			box, err := r.Box(sandbox.Rules{Workspace: workspace})
			if err != nil {
				t.Fatal(err)
			}
			try(t, box, sandbox.Grant{})
			if strings.Contains(string(layer), "landlock") {
				try(t, box, sandbox.Grant{Unconfined: true})
			}
		})
	}
}
