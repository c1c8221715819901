package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/skill"
	"github.com/openclaw/openclaw-go/protocol"
)

// TestSkillsAgree puts the corpus of package skill into one home: what the
// command line lists is what the index knows, and the system text has those
// that are on, and no others.
func TestSkillsAgree(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	var extra []string
	cases, err := filepath.Glob("../../internal/skill/testdata/corpus/*.txtar")
	if err != nil || len(cases) < 60 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		archive, err := txtar.ParseFile(c)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(home, "corpus", strings.TrimSuffix(filepath.Base(c), ".txtar"))
		extra = append(extra, dir)
		for _, f := range archive.Files[:len(archive.Files)-1] {
			path := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := json.Marshal(extra)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, "config.yml")
	if err := os.WriteFile(path, []byte("gateway: {port: "+port+"}\nskills: {extra_paths: "+string(list)+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(config.Options{Path: path, Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	index := newSkills(cfg, slog.New(slog.DiscardHandler))
	var want []protocol.SkillEntry
	system := instructions(cfg, slog.New(slog.DiscardHandler)).Text("", index.Catalog())
	for _, i := range index.List() {
		want = append(want, protocol.SkillEntry{
			Name: i.Name, Description: i.Description, Source: i.Source, Enabled: i.Enabled, Reason: i.Reason, File: i.File, Warnings: i.Warnings,
		})
		if told := strings.Count(system, "\n- "+i.Name+" ") + strings.Count(system, "\n- "+i.Name+": "); i.Enabled && !i.UserOnly && told != 1 {
			t.Errorf("%s is in the system text %d times", i.Name, told)
		}
	}
	var stdout bytes.Buffer
	if code := run(context.Background(), []string{"skill", "list", "--json", "--config", path}, strings.NewReader(""), &stdout, io.Discard); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	var got protocol.Skills
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Skills); diff != "" || len(want) < 30 {
		t.Errorf("%d skills; the command line differs (-index +command):\n%s", len(want), diff)
	}
}

func TestTurnTools(t *testing.T) {
	offered := []openclaw.ToolSpec{{Name: "memory_save"}, {Name: "memory_search"}, {Name: "read_file"}, {Name: "shell"}}
	root := t.TempDir()
	for name, text := range map[string]string{
		"all/SKILL.md": "---\nname: all\ndescription: d\n---\nB", "none/SKILL.md": "---\nname: none\ndescription: d\nallowed-tools: []\n---\nB",
		"some/SKILL.md":  "---\nname: some\ndescription: d\nallowed-tools: Bash(git:*), memory_*, Unknown, Bash\n---\nB",
		"files/SKILL.md": "---\nname: files\ndescription: d\nallowed-tools: Read\n---\nB", "files/more.md": "More.",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	index := skill.New(skill.Options{Roots: []skill.Root{{Path: root}}})
	for name, want := range map[string][]string{
		"all": nil, "none": {}, "some": {"Unknown", "memory_save", "memory_search", "shell"}, "files": {"read_file", "use_skill"},
	} {
		s, err := index.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, turnTools(s, offered)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestIsOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yml")
	text := "channels: {slack: {token: x}, empty: {}}\nhands: {web: {enabled: false}}\nbrain: {fallback: [{provider: offline}]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(config.Options{Path: path, Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{
		"channels.slack": true, "channels.slack.token": true, "channels.empty": false, "channels.none": false, "hands.web.enabled": false,
		"hands.shell.enabled": true, "gateway.port": true, "brain.fallback": true, "cron": false, "budget.daily_limit_usd": false, "no.such": false, "": false,
	} {
		if got := isOn(cfg, key); got != want {
			t.Errorf("isOn(%q) = %v", key, got)
		}
	}
}
