package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openclaw/openclaw-go"
)

func TestReadFile(t *testing.T) {
	h := newHouse(t)
	h.options.MaxOutput = 256
	h.open(t)
	long := strings.Repeat("0123456789\n", 100)
	files := map[string]string{
		"empty":    "",
		"crlf":     "a\r\nb\r\n",
		"unended":  "a\nb",
		"latin":    "caf\xe9\n",
		"long":     long,
		"one-line": strings.Repeat("é", 300) + "\nnext\n",
		"script":   "日本語 🦞\n",
	}
	for name, content := range files {
		h.put(t, "home/.openclaw/workspace/"+name, content)
	}
	tests := []struct {
		name string
		args args
		want openclaw.Result
	}{
		{"whole", args{"path": "notes.txt"}, openclaw.Result{Output: "one\ntwo\nthree\n", OutputBytes: 14}},
		{"home", args{"path": "~/Documents/report.txt"}, openclaw.Result{Output: "report\n", OutputBytes: 7}},
		{"absolute", args{"path": h.data + "/table.csv"}, openclaw.Result{Output: "a,b\n", OutputBytes: 4}},
		{"empty", args{"path": "empty"}, openclaw.Result{Output: "[the file is empty]\n"}},
		{"line ends", args{"path": "crlf"}, openclaw.Result{Output: "a\r\nb\r\n", OutputBytes: 6}},
		{"no final line end", args{"path": "unended"}, openclaw.Result{Output: "a\nb", OutputBytes: 3}},
		{"not UTF-8", args{"path": "latin"}, openclaw.Result{Output: "caf\uFFFD\n[it is not UTF-8 throughout; \uFFFD stands for other bytes]\n", OutputBytes: 5}},
		{"other scripts", args{"path": "script"}, openclaw.Result{Output: "日本語 🦞\n", OutputBytes: 15}},
		{"from a line", args{"path": "notes.txt", "offset": 2}, openclaw.Result{Output: "two\nthree\n", OutputBytes: 14, Truncated: true}},
		{"some lines", args{"path": "notes.txt", "offset": 2, "limit": 1}, openclaw.Result{Output: "two\n[lines 2 to 2; go on with offset 3]\n", OutputBytes: 14, Truncated: true}},
		{"more lines than there are", args{"path": "notes.txt", "limit": 99}, openclaw.Result{Output: "one\ntwo\nthree\n", OutputBytes: 14}},
		{"exactly the lines", args{"path": "notes.txt", "limit": 3}, openclaw.Result{Output: "one\ntwo\nthree\n", OutputBytes: 14}},
		{"too long", args{"path": "long"}, openclaw.Result{Output: long[:11*23] + "[lines 1 to 23; go on with offset 24]\n", OutputBytes: 1100, Truncated: true}},
		{"going on", args{"path": "long", "offset": 90}, openclaw.Result{Output: long[11*89:], OutputBytes: 1100, Truncated: true}},
		{"long line", args{"path": "one-line"}, openclaw.Result{Output: strings.Repeat("é", 128) + "\n[line 1 is longer than 256 bytes; the next one is at offset 2]\n", OutputBytes: 606, Truncated: true}},
		{"after a long line", args{"path": "one-line", "offset": 2}, openclaw.Result{Output: "next\n", OutputBytes: 606, Truncated: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := h.call(t, "read_file", tt.args)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.CallID = "c1"
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	h.put(t, "home/.openclaw/workspace/image", "\x89PNG\x00\x00")
	if _, err := h.call(t, "read_file", args{"path": "image"}); err == nil || !strings.Contains(err.Error(), "not text (6 bytes)") {
		t.Errorf("binary: %v", err)
	}
}

func TestSymlinksInsideWork(t *testing.T) {
	h := newHouse(t)
	h.link(t, "notes.txt", "link")
	h.link(t, h.data, "data")
	h.link(t, filepath.Join(h.home, "Documents"), "docs")
	for path, want := range map[string]string{"link": "one\ntwo\nthree\n", "data/table.csv": "a,b\n", "docs/report.txt": "report\n"} {
		if got := h.output(t, "read_file", args{"path": path}); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	h.output(t, "write_file", args{"path": "link", "content": "new\n"})
	h.output(t, "write_file", args{"path": "data/sub/new", "content": "x"})
	if info, err := os.Lstat(filepath.Join(h.workspace, "link")); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if got, _ := os.ReadFile(filepath.Join(h.workspace, "notes.txt")); string(got) != "new\n" {
		t.Errorf("its target has %q", got)
	}
	if got, _ := os.ReadFile(filepath.Join(h.data, "sub/new")); string(got) != "x" {
		t.Errorf("the new file has %q", got)
	}
}

func TestWriteFile(t *testing.T) {
	h := newHouse(t)
	if err := os.RemoveAll(h.workspace); err != nil {
		t.Fatal(err)
	}
	if got := h.output(t, "write_file", args{"path": "a/b/c.txt", "content": "é\n"}); got != "made a/b/c.txt, 3 bytes\n" {
		t.Errorf("got %q", got)
	}
	if info, err := os.Stat(h.workspace); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("workspace: %v, %v", info, err)
	}
	path := filepath.Join(h.workspace, "a/b/c.txt")
	if err := os.Chmod(path, 0o750); err != nil {
		t.Fatal(err)
	}
	if got := h.output(t, "write_file", args{"path": path, "content": ""}); !strings.HasPrefix(got, "replaced ") {
		t.Errorf("got %q", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o750 || info.Size() != 0 {
		t.Errorf("file: %v, %v", info, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestEditFile(t *testing.T) {
	tests := []struct {
		name, content, old, new string
		all                     bool
		want, output, err       string
	}{
		{name: "once", content: "a\nb\nc\n", old: "b", new: "x\ny", want: "a\nx\ny\nc\n", output: "changed f at line 2\n"},
		{name: "several lines", content: "a\nb\nc\n", old: "b\nc\n", new: "", want: "a\n", output: "changed f at line 2\n"},
		{name: "all", content: "a b\nb\n", old: "b", new: "bb", all: true, want: "a bb\nbb\n", output: "changed f at lines 1, 2\n"},
		{name: "not the only one", content: "b\nb\nb\n", old: "b", new: "x", err: "occurs 3 times, at lines 1, 2, 3"},
		{name: "CRLF", content: "a\r\nb\r\nc\r\n", old: "a\nb", new: "x\ny\nz", want: "x\r\ny\r\nz\r\nc\r\n", output: "changed f at line 1\n"},
		{name: "CRLF within a line", content: "a\r\nb\r\n", old: "b", new: "x\ny", want: "a\r\nx\r\ny\r\n", output: "changed f at line 2\n"},
		{name: "CRLF given", content: "a\r\nb\r\n", old: "a\r\nb", new: "c", want: "c\r\n", output: "changed f at line 1\n"},
		{name: "mixed line ends", content: "a\r\nb\nc\n", old: "b\nc", new: "x\ny", want: "a\r\nx\ny\n", output: "changed f at line 2\n"},
		{name: "not UTF-8", content: "caf\xe9 a", old: " a", new: " b", want: "caf\xe9 b", output: "changed f at line 1\n"},
		{name: "indentation", content: "if x {\n\tgo()\n}\n", old: "if x {\n    go()\n}", new: "y", err: `the text at line 1 differs from it only in spaces: "if x {"`},
		{name: "another line", content: "a\nb\nc\nd\n", old: "b\nc\nx", new: "y", err: `its beginning is at line 2, but line 4 is "d"`},
		{name: "end of file", content: "a\nb", old: "b\nc", new: "y", err: "there the file ends"},
		{name: "nowhere", content: "a\n", old: "zzz", new: "y", err: "read the file"},
		{name: "binary", content: "a\x00b", old: "a", new: "y", err: "not text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.put(t, "home/.openclaw/workspace/f", tt.content)
			res, err := h.call(t, "edit_file", args{"path": "f", "old": tt.old, "new": tt.new, "all": tt.all})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %q in it", err, tt.err)
				}
				tt.want = tt.content
			} else if err != nil || res.Output != tt.output {
				t.Errorf("got %+v, %v", res, err)
			}
			if got, _ := os.ReadFile(filepath.Join(h.workspace, "f")); string(got) != tt.want {
				t.Errorf("the file has %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParallelEditsAreAllKept(t *testing.T) {
	h := newHouse(t)
	const n = 20
	var content strings.Builder
	for i := range n {
		fmt.Fprintf(&content, "<%d>\n", i)
	}
	h.put(t, "home/.openclaw/workspace/f", content.String())
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := h.call(t, "edit_file", args{"path": "f", "old": fmt.Sprintf("<%d>", i), "new": "done"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, _ := os.ReadFile(filepath.Join(h.workspace, "f")); string(got) != strings.Repeat("done\n", n) {
		t.Errorf("got %q", got)
	}
}

func TestListFiles(t *testing.T) {
	h := newHouse(t)
	h.put(t, "home/.openclaw/workspace/src/main.go", "package main\n")
	h.put(t, "home/.openclaw/workspace/src/a/deep.txt", "")
	h.put(t, "home/.openclaw/workspace/new\nline", "")
	h.link(t, "notes.txt", "link")
	if got, want := h.output(t, "list_files", args{}), "link -> notes.txt\n\"new\\nline\"\t0\nnotes.txt\t14\nsrc/\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := h.output(t, "list_files", args{"path": "src", "depth": 2}), "a/\na/deep.txt\t0\nmain.go\t13\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := h.output(t, "list_files", args{"path": h.data}); got != "table.csv\t4\n" {
		t.Errorf("got %q", got)
	}
	if err := os.Mkdir(filepath.Join(h.data, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := h.output(t, "list_files", args{"path": h.data + "/empty"}); got != "[the folder is empty]\n" {
		t.Errorf("got %q", got)
	}
	for i := range maxEntries + 5 {
		h.put(t, fmt.Sprintf("data/many/%04d", i), "")
	}
	res, err := h.call(t, "list_files", args{"path": h.data + "/many"})
	if err != nil || !res.Truncated || strings.Count(res.Output, "\n") != maxEntries+1 || !strings.Contains(res.Output, "[at least 5 more") {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestFindFiles(t *testing.T) {
	h := newHouse(t)
	for name, content := range map[string]string{
		"main.go":             "package main\n\nfunc main() {}\n",
		"src/a.go":            "package src // main\r\n",
		"src/b.ts":            "main\n",
		"src/deep/c_test.go":  "package deep\n",
		"node_modules/x/y.go": "main\n",
		".git/config":         "main\n",
		"image.go":            "main\x00",
	} {
		h.put(t, "home/.openclaw/workspace/"+name, content)
	}
	h.link(t, h.outside, "out.go")
	tests := []struct {
		name string
		args args
		want string
	}{
		{"at any depth", args{"pattern": "*.go"}, "image.go\nmain.go\nout.go\nsrc/a.go\nsrc/deep/c_test.go\n"},
		{"below a folder", args{"pattern": "src/**/*.{go,ts}"}, "src/a.go\nsrc/b.ts\nsrc/deep/c_test.go\n"},
		{"one level", args{"pattern": "src/*.go"}, "src/a.go\n"},
		{"folders", args{"pattern": "deep"}, "src/deep/\n"},
		{"in a folder", args{"pattern": "**/*_test.go", "path": "src"}, "src/deep/c_test.go\n"},
		{"named folder", args{"pattern": "node_modules/**/*.go"}, "node_modules/x/y.go\n"},
		{"home", args{"pattern": "report*", "path": "~"}, "~/Documents/report.txt\n"},
		{"content", args{"content": "\\bmain\\b"}, "main.go:1: package main\nmain.go:3: func main() {}\nsrc/a.go:1: package src // main\nsrc/b.ts:1: main\n"},
		{"content and name", args{"content": "main", "pattern": "*.ts"}, "src/b.ts:1: main\n"},
		{"nothing", args{"pattern": "*.rs"}, "[nothing found]\n"},
		{"limit", args{"pattern": "*.go", "limit": 2}, "image.go\nmain.go\n[more than 2 results; narrow the pattern or give a folder as path]\n"},
		{"exactly the limit", args{"pattern": "*.go", "limit": 5}, "image.go\nmain.go\nout.go\nsrc/a.go\nsrc/deep/c_test.go\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, h.output(t, "find_files", tt.args)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, a := range map[string]string{
		"read_file":  `{"path":"notes.txt"}`,
		"write_file": `{"path":"notes.txt","content":"x"}`,
		"edit_file":  `{"path":"notes.txt","old":"one","new":"x"}`,
		"list_files": `{}`,
		"find_files": `{}`,
	} {
		if _, err := h.tools[name].Run(ctx, &openclaw.Call{Args: json.RawMessage(a)}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.output(t, "read_file", args{"path": "notes.txt"}); got != "one\ntwo\nthree\n" {
		t.Errorf("it was changed to %q", got)
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, path string
		want          bool
	}{
		{"*.go", "a/b/c.go", true},
		{"./*.go", "c.go", true},
		{"**", "a/b", true},
		{"**/c", "c", true},
		{"a/**", "a/b/c", true},
		{"a/**/c", "a/c", true},
		{"a/**/c", "a/b/b/c", true},
		{"a/**/b/**/c", "a/x/b/y/b/c", true},
		{"a/**/c", "a/b/d", false},
		{"a/*/c", "a/b/b/c", false},
		{"a/?", "a/b", true},
		{"[ab]/[!a]", "a/b", false}, // path.Match negates with ^
		{"[ab]/[^a]", "a/b", true},
		{"{a,b}/{c,d}.go", "b/c.go", true},
		{"{a,{b,c}}", "c", true},
		{"{a", "{a", true},
		{"a/{b,}", "a/", true},
		{"*.GO", "a.go", false},
	}
	for _, tt := range tests {
		g, err := parseGlob(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := g.matches(tt.path); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.pattern, tt.path, got)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a/**/{b,c}*.go", "a/x/b.go")
	f.Add("{{{,},},}", "")
	f.Add("**/**/[^a-z]?", "x/Y1")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		g, err := parseGlob(pattern)
		if err != nil {
			return
		}
		if len(g.alternatives) > maxAlternatives {
			t.Errorf("%d alternatives", len(g.alternatives))
		}
		if g.matches(path) && !strings.ContainsAny(pattern, "*?[{\\") && !strings.HasSuffix(path, strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")) {
			t.Errorf("%q matches %q", pattern, path)
		}
	})
}
