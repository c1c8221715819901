package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

type acting interface {
	openclaw.Tool
	Action(call *openclaw.Call) (*openclaw.Action, error)
}

// newOutside returns the tools by name, and folders: home with the workspace
// and a blocked one in it, and one outside.
func newOutside(t *testing.T) (tools map[string]openclaw.Tool, home, outside string) {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home, outside = filepath.Join(base, "home"), filepath.Join(base, "outside")
	for _, dir := range []string{home + "/work", home + "/.ssh", outside} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{outside + "/a.txt": "one\n", home + "/b.txt": "two\n", home + "/.ssh/id": "secret\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{outside + "/link": home + "/.ssh/id", home + "/work/out": outside} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	list, err := New(Options{Workspace: home + "/work", Home: home, Blocked: []string{home + "/.ssh"}})
	if err != nil {
		t.Fatal(err)
	}
	tools = map[string]openclaw.Tool{}
	for _, tool := range list {
		tools[tool.Spec().Name] = tool
	}
	return tools, home, outside
}

func fileCall(args map[string]any) *openclaw.Call {
	data, _ := json.Marshal(args)
	return &openclaw.Call{ID: "c", Args: data}
}

func TestWhatNeedsAnApproval(t *testing.T) {
	tools, home, outside := newOutside(t)
	read := func(p string) openclaw.Needs { return openclaw.Needs{Read: []string{p}} }
	write := func(p string) openclaw.Needs { return openclaw.Needs{Write: []string{p}} }
	for _, tt := range []struct {
		tool, path string
		want       openclaw.Needs
	}{
		{"read_file", "x", openclaw.Needs{}}, {"read_file", "~/b.txt", openclaw.Needs{}}, {"read_file", outside + "/a.txt", read(outside + "/a.txt")},
		{"read_file", "out/a.txt", read(outside + "/a.txt")}, {"list_files", outside, read(outside)}, {"list_files", "", openclaw.Needs{}},
		{"write_file", "x", openclaw.Needs{}}, {"write_file", "~/new/c.txt", write(home + "/new/c.txt")}, {"edit_file", "~/b.txt", write(home + "/b.txt")},
		{"write_file", "out/new", write(outside + "/new")},
		// No approval opens these.
		{"read_file", "~/.ssh/id", openclaw.Needs{}}, {"write_file", "~/.ssh/x", openclaw.Needs{}}, {"read_file", outside + "/link", openclaw.Needs{}},
		{"read_file", "/proc/self/environ", openclaw.Needs{}},
	} {
		got, err := tools[tt.tool].(acting).Action(fileCall(map[string]any{"path": tt.path}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got.Needs); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.tool, tt.path, diff)
		}
	}
}

// An approval opens its own path and nothing else, and a blocked one not at
// all.
func TestApprovedPaths(t *testing.T) {
	tools, home, outside := newOutside(t)
	run := func(tool string, args map[string]any, needs openclaw.Needs) error {
		call := fileCall(args)
		call.Approved = &openclaw.Action{Needs: needs}
		_, err := tools[tool].Run(t.Context(), call)
		return err
	}
	read := func(p string) openclaw.Needs { return openclaw.Needs{Read: []string{p}} }
	write := func(p string) openclaw.Needs { return openclaw.Needs{Write: []string{p}} }
	for name, err := range map[string]error{
		"read":          run("read_file", map[string]any{"path": outside + "/a.txt"}, read(outside+"/a.txt")),
		"read by link":  run("read_file", map[string]any{"path": "out/a.txt"}, read(outside+"/a.txt")),
		"list":          run("list_files", map[string]any{"path": outside}, read(outside)),
		"write":         run("write_file", map[string]any{"path": "~/new/deep/c.txt", "content": "x"}, write(home+"/new/deep/c.txt")),
		"edit":          run("edit_file", map[string]any{"path": "~/b.txt", "old": "two", "new": "three"}, write(home+"/b.txt")),
		"the workspace": run("write_file", map[string]any{"path": "w.txt", "content": "x"}, openclaw.Needs{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(home + "/b.txt"); err != nil || string(text) != "three\n" {
		t.Errorf("edited: %q, %v", text, err)
	}
	for name, err := range map[string]error{
		"not approved":           run("read_file", map[string]any{"path": outside + "/a.txt"}, openclaw.Needs{}),
		"reading is not writing": run("write_file", map[string]any{"path": outside + "/a.txt", "content": "x"}, read(outside+"/a.txt")),
		"blocked":                run("read_file", map[string]any{"path": "~/.ssh/id"}, read(home+"/.ssh/id")),
		"has become a link":      run("read_file", map[string]any{"path": outside + "/link"}, read(outside+"/link")),
		"system":                 run("read_file", map[string]any{"path": "/proc/self/environ"}, read("/proc/self/environ")),
	} {
		if err == nil {
			t.Errorf("%s: it was allowed", name)
		}
	}
}
