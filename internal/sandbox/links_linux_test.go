package sandbox_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// What commands make of the paths in the rules must not move the walls: not of
// the Box they ran in, nor of the one that the next start makes.
func TestLinksMadeByCommands(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules func(r *sandbox.Rules, p prison)
		made  string // by a command
		do    string // what is then tried
	}{
		{"a shared folder", func(r *sandbox.Rules, p prison) { r.Shared = []string{p.file("docs/shared")} },
			`ln -s ../.openclaw docs/shared`, `cat .openclaw/anything.key`},
		{"a folder above a shared one", func(r *sandbox.Rules, p prison) { r.Shared = []string{p.file("docs/x/.openclaw")} },
			`ln -s .. docs/x`, `cat .openclaw/anything.key`},
		{"a link to the shared one", func(r *sandbox.Rules, p prison) { r.Shared = []string{p.file("b")} },
			`ln -s ../.openclaw docs/made`, `cat .openclaw/anything.key`},
		{"a writable folder", func(r *sandbox.Rules, p prison) { r.Writable = append(r.Writable, p.file("docs/inner")) },
			`ln -s .. docs/inner`, `echo more >>note; cat note`},
		{"a folder above a writable one", func(r *sandbox.Rules, p prison) { r.Writable = append(r.Writable, p.file("docs/x/a")) },
			`ln -s .. docs/x`, `echo more >a/b/c/plain && cat a/b/c/plain`},
		{"the workspace", func(r *sandbox.Rules, p prison) { r.Workspace = p.file("docs/work") },
			`rmdir docs/work; ln -s .. docs/work`, `echo more >note && cat note`},
		{"a folder above one in the gateway's", func(r *sandbox.Rules, p prison) {
			r.Workspace, r.Writable = p.home, []string{p.file(".openclaw/workspace"), p.file(".openclaw/workspace/x/.ssh")}
		}, `ln -s ../.. .openclaw/workspace/x`, `cat .ssh/id_ed25519`},
		{"a link to a blocked folder", func(r *sandbox.Rules, p prison) { r.Blocked = []string{p.file("docs/secrets")} },
			`rm docs/secrets`, `cat .ssh/id_ed25519`},
	} {
		for layer, r := range layers(t) {
			t.Run(tt.name+"/"+string(layer), func(t *testing.T) {
				p, rules := newPrison(t)
				for link, to := range map[string]string{"b": "docs/made", "docs/secrets": "../.ssh"} {
					if err := os.MkdirAll(p.file("docs"), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.Symlink(to, p.file(link)); err != nil {
						t.Fatal(err)
					}
				}
				rules.Writable = append(rules.Writable, p.file("docs"))
				tt.rules(&rules, p)
				box, err := r.Box(rules)
				if err != nil {
					t.Fatal(err)
				}
				run := func(box *sandbox.Box, script string) string {
					var out bytes.Buffer
					job := shellJob(script, &out)
					job.Dir = p.home
					if _, err := box.Run(t.Context(), job); err != nil {
						t.Fatal(err)
					}
					return out.String()
				}
				if out := run(box, tt.made); out != "" {
					t.Logf("it cannot even be made: %s", out)
				}
				again, err := r.Box(rules)
				if err != nil {
					t.Fatal(err)
				}
				boxes := map[string]*sandbox.Box{"the same": box, "the next": again}
				if tt.name == "a link to a blocked folder" {
					delete(boxes, "the next") // who forgets where it led
				}
				for name, box := range boxes {
					if out := run(box, tt.do); !strings.Contains(out, "Permission denied") && !strings.Contains(out, "Read-only") && !strings.Contains(out, "No such file") {
						t.Errorf("%s: %q", name, out)
					}
				}
			})
		}
	}
}

// The owner's own links lead where they did.
func TestLinksOfTheOwner(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			p, rules := newPrison(t)
			for link, to := range map[string]string{"w": "a/../docs/work", ".openclaw/x": "w", "out": p.file("docs/out"), "extra": ".openclaw/skills"} {
				if err := os.Symlink(to, p.file(link)); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"docs/work", "docs/out"} {
				if err := os.MkdirAll(p.file(name), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			rules.Workspace, rules.Writable, rules.Shared = p.file("w"), []string{p.file("out")}, []string{p.file("extra")}
			box, err := r.Box(rules)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			job := shellJob(`cd "$0"; echo 1 >docs/work/f; echo 2 >docs/out/f; cat w/f out/f extra/greet/SKILL.md`, &out)
			job.Argv = append(job.Argv, p.home)
			if _, err := box.Run(t.Context(), job); err != nil || out.String() != "1\n2\n.openclaw/skills/greet/SKILL.md\n" {
				t.Errorf("%q, %v", &out, err)
			}
		})
	}
}

// A writable file in a folder that is to be seen again, in what hides it, keeps
// what is in it: it was emptied when its place was made, which was there already.
func TestWritableFileSeenAgain(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			p, rules := newPrison(t)
			mine := p.file(".openclaw/workspace/mine.txt")
			rules.Workspace, rules.Writable = p.home, []string{filepath.Dir(mine), mine}
			box, err := r.Box(rules)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := box.Run(t.Context(), shellJob("cat "+mine+"; echo more >>"+mine, &out)); err != nil || out.String() != ".openclaw/workspace/mine.txt\n" {
				t.Errorf("%q, %v", &out, err)
			}
			if text, err := os.ReadFile(mine); err != nil || string(text) != ".openclaw/workspace/mine.txt\nmore\n" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
}
