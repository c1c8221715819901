package files

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openclaw/openclaw-go"
)

const secret = "TOP SECRET"

// house is a home directory with a workspace in it, things that are none of the
// agent's business, and the tools.
type house struct {
	dir, home, workspace, data, outside string
	tools                               map[string]openclaw.Tool
	options                             Options
}

func newHouse(t testing.TB, blocked ...string) *house {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{
		dir:       dir,
		home:      filepath.Join(dir, "home"),
		workspace: filepath.Join(dir, "home/.openclaw/workspace"),
		data:      filepath.Join(dir, "data"),
		outside:   filepath.Join(dir, "outside"),
	}
	h.put(t, "home/.ssh/id", secret)
	h.put(t, "home/.ssh/keys/deep", secret)
	h.put(t, "home/.openclaw/config.yml", secret)
	h.put(t, "outside/file", secret)
	h.put(t, "home/Documents/report.txt", "report\n")
	h.put(t, "home/.openclaw/workspace/notes.txt", "one\ntwo\nthree\n")
	h.put(t, "data/table.csv", "a,b\n")
	h.options = Options{
		Workspace: h.workspace,
		Home:      h.home,
		Writable:  []string{h.data},
		Blocked:   append([]string{"~/.ssh", "~/.openclaw/config.yml", "~/.aws"}, blocked...),
	}
	h.open(t)
	return h
}

func (h *house) open(t testing.TB) {
	t.Helper()
	tools, err := New(h.options)
	if err != nil {
		t.Fatal(err)
	}
	h.tools = make(map[string]openclaw.Tool)
	for _, tool := range tools {
		h.tools[tool.Spec().Name] = tool
	}
}

func (h *house) put(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (h *house) link(t testing.TB, target, name string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(h.workspace, name)); err != nil {
		t.Fatal(err)
	}
}

type args = map[string]any

func (h *house) call(t testing.TB, tool string, a args) (*openclaw.Result, error) {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return h.tools[tool].Run(t.Context(), &openclaw.Call{ID: "c1", Tool: tool, Args: data})
}

func (h *house) output(t testing.TB, tool string, a args) string {
	t.Helper()
	res, err := h.call(t, tool, a)
	if err != nil {
		t.Fatalf("%s %v: %v", tool, a, err)
	}
	return res.Output
}

// snapshot returns every name below the house with what is there.
func (h *house) snapshot(t testing.TB) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		all[path] = e.Type().String()
		if e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			all[path] += " " + string(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSpecs(t *testing.T) {
	tools, err := New(Options{Workspace: "/w", Home: "/h"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range tools {
		spec := tool.Spec()
		names = append(names, spec.Name)
		if n := len(spec.Description); n == 0 || n > 400 {
			t.Errorf("%s: the description is %d bytes long", spec.Name, n)
		}
		var schema struct {
			Type       string
			Properties map[string]struct{ Type string }
			Required   []string
		}
		if err := json.Unmarshal(spec.Parameters, &schema); err != nil || schema.Type != "object" {
			t.Errorf("%s: parameters %s: %v", spec.Name, spec.Parameters, err)
		}
		for _, r := range schema.Required {
			if schema.Properties[r].Type == "" {
				t.Errorf("%s: %s is required and not described", spec.Name, r)
			}
		}
	}
	want := []string{"edit_file", "find_files", "list_files", "read_file", "write_file"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]Options{
		"relative workspace": {Workspace: "w", Home: "/h"},
		"relative home":      {Workspace: "/w", Home: "h"},
		"relative writable":  {Workspace: "/w", Home: "/h", Writable: []string{"x"}},
		"relative blocked":   {Workspace: "/w", Home: "/h", Blocked: []string{"x"}},
		"tiny output":        {Workspace: "/w", Home: "/h", MaxOutput: 1},
		"blocked workspace":  {Workspace: "/h/w", Home: "/h", Blocked: []string{"~"}},
		"everything blocked": {Workspace: "/w", Home: "/h", Blocked: []string{"/"}},
	}
	for name, o := range tests {
		if _, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestBadArguments(t *testing.T) {
	h := newHouse(t)
	tests := []struct{ tool, args, want string }{
		{"read_file", `{}`, `"path" is missing`},
		{"read_file", `{"path":7}`, `"path" has the wrong type`},
		{"read_file", `{"path":"notes.txt","offset":-1}`, "negative"},
		{"read_file", `{"invalid_arguments":"notes.txt"}`, "JSON object such as"},
		{"read_file", `"notes.txt"`, "JSON object such as"},
		{"read_file", `{"path":"notes.txt","offset":9}`, "only 3 lines"},
		{"read_file", `{"path":"."}`, "use list_files"},
		{"read_file", `{"path":"missing"}`, "does not exist"},
		{"read_file", `{"path":"notes.txt/x"}`, "is not a folder"},
		{"read_file", `{"path":"` + strings.Repeat("x/", 3000) + `"}`, "the limit is 4096"},
		{"write_file", `{"path":"x"}`, `"content" is missing`},
		{"write_file", `{"path":"x/","content":""}`, "names a folder"},
		{"write_file", `{"path":".","content":""}`, "folder"},
		{"write_file", `{"path":"x","content":"` + strings.Repeat("x", maxFile+1) + `"}`, "the limit is"},
		{"edit_file", `{"path":"notes.txt","old":"x"}`, "both needed"},
		{"edit_file", `{"path":"notes.txt","old":"","new":"x"}`, "is empty"},
		{"edit_file", `{"path":"notes.txt","old":"x","new":"x"}`, "the same"},
		{"edit_file", `{"path":"missing","old":"x","new":"y"}`, "write_file makes it"},
		{"list_files", `{"path":"notes.txt"}`, "use read_file"},
		{"list_files", `{"depth":9}`, "between 1 and 8"},
		{"find_files", `{"pattern":"/etc/*"}`, "relative"},
		{"find_files", `{"pattern":"../*"}`, `".."`},
		{"find_files", `{"pattern":"[a"}`, "not complete"},
		{"find_files", `{"pattern":"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"}`, "more than 64"},
		{"find_files", `{"content":"("}`, "no regular expression"},
		{"find_files", `{"limit":5000}`, "between 1 and 1000"},
		{"find_files", `{"path":"notes.txt"}`, "not a folder"},
	}
	for _, tt := range tests {
		_, err := h.tools[tt.tool].Run(t.Context(), &openclaw.Call{Args: json.RawMessage(tt.args)})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %.60s: got %v, want %q in it", tt.tool, tt.args, err, tt.want)
		}
	}
}
