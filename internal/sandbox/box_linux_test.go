package sandbox_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/sandbox"
)

func TestBoxTellsReadableFromBlocked(t *testing.T) {
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{".ssh/id": "secret", "note": "note", "work/old": "old"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	box, err := newRunner(t).Box(sandbox.Rules{Workspace: filepath.Join(home, "work"), Blocked: []string{filepath.Join(home, ".ssh")}})
	if err != nil {
		t.Fatal(err)
	}
	if box.Layer() == sandbox.LayerNone || box.Layer() == sandbox.LayerSeccomp {
		t.Skipf("files are not confined here: %q", box.Gaps())
	}
	var out bytes.Buffer
	job := shellJob(`cat note; cat .ssh/id 2>/dev/null || echo refused; ls -A; echo new > work/new; cat work/old work/new
		(echo x > made) 2>/dev/null || echo refused; touch "$TMPDIR/x" && echo temporary`, &out)
	job.Dir = home
	if _, err := box.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	want := "note\nrefused\n.ssh\nnote\nwork\nold\nnew\nrefused\ntemporary\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
}

// Something blocked inside of the workspace must not make the rest unusable,
// nor be reached because of it.
func TestBlockedInsideTheWorkspace(t *testing.T) {
	found := layers(t)
	for layer, r := range found {
		t.Run(string(layer), func(t *testing.T) {
			p, rules := newPrison(t)
			rules.Workspace = p.home
			rules.Writable = []string{p.file(".openclaw/workspace")}
			box, err := r.Box(rules)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			job := shellJob(`cat note
				for secret in .ssh/id_ed25519 a/b/c/token .openclaw/openclaw.db .openclaw/anything.key; do
					[ -z "$(cat $secret 2>/dev/null)" ] || echo read $secret; done
				cat .openclaw/skills/greet/SKILL.md
				{ echo x >.openclaw/skills/greet/SKILL.md; } 2>/dev/null && echo changed a skill
				{ echo x >.openclaw/new.key; } 2>/dev/null && echo made a file of the gateway
				{ mv a b; mv a/b a/x; mv .openclaw moved; rm -rf .ssh a/b/c/token; mv .ssh a/b/c/token moved; } 2>/dev/null
				echo more >.openclaw/workspace/more && cat .openclaw/workspace/more
				{ echo new >made && cat made; } 2>/dev/null`, &out)
			job.Dir = p.home
			if _, err := box.Run(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			want := "note\n.openclaw/skills/greet/SKILL.md\nmore\n"
			if layer != sandbox.LayerLandlock { // there, docs/security.md says why not
				want += "new\n"
			}
			if out.String() != want {
				t.Errorf("got %q, want %q", &out, want)
			}
			for _, name := range []string{".ssh/id_ed25519", "a/b/c/token", ".openclaw/openclaw.db", ".openclaw/skills/greet/SKILL.md"} {
				if data, err := os.ReadFile(p.file(name)); err != nil || string(data) != name+"\n" {
					t.Errorf("%s: %q, %v", name, data, err)
				}
			}
		})
	}
}

func TestModes(t *testing.T) {
	seccompOnly, err := sandbox.New(sandbox.Options{Without: []sandbox.Layer{sandbox.LayerLandlock}})
	if err != nil {
		t.Fatal(err)
	}
	workspace := t.TempDir()
	_, err = seccompOnly.Box(sandbox.Rules{Mode: sandbox.ModeRequire, Workspace: workspace})
	if err == nil || !strings.Contains(err.Error(), "lacks Landlock") {
		t.Errorf("a required sandbox without Landlock: %v", err)
	}
	box, err := seccompOnly.Box(sandbox.Rules{Mode: sandbox.ModeAuto, Workspace: workspace})
	if err != nil || box.Layer() != sandbox.LayerSeccomp || len(box.Gaps()) != 1 {
		t.Fatalf("without Landlock: %v, %v", box, err)
	}
	script := `cat ` + workspace + `/../x 2>/dev/null; perl -e 'use Socket; socket(S,AF_INET,SOCK_STREAM,0) or print "refused\n"'`
	for mode, want := range map[string]string{sandbox.ModeAuto: "refused\n", sandbox.ModeOff: ""} {
		box, err := seccompOnly.Box(sandbox.Rules{Mode: mode, Workspace: workspace})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		exit, err := box.Run(t.Context(), shellJob(script, &out))
		if err != nil || out.String() != want || exit.NetworkRefused != (want != "") {
			t.Errorf("mode %s: %+v, %v, %q", mode, exit, err, &out)
		}
		if loud := len(box.Gaps()) > 0; !loud {
			t.Errorf("mode %s says nothing of what is open", mode)
		}
	}
	for _, rules := range []sandbox.Rules{
		{Mode: "maybe", Workspace: workspace}, {Workspace: "relative"}, {Workspace: workspace, Blocked: []string{"x"}},
		{Workspace: workspace, Blocked: []string{filepath.Dir(workspace)}},
	} {
		if _, err := seccompOnly.Box(rules); err == nil {
			t.Errorf("%+v was accepted", rules)
		}
	}
}

// An approved command may do more, and never what is blocked.
func TestGrants(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			p, rules := newPrison(t)
			_, port, _ := net.SplitHostPort(p.tcp)
			rules.OwnPort = func() int { n, _ := strconv.Atoi(port); return n }
			box, err := r.Box(rules)
			if err != nil {
				t.Fatal(err)
			}
			try := func(name string, grant sandbox.Grant) sandbox.Exit {
				var out bytes.Buffer
				job := p.job(name, &out)
				job.Grant = grant
				exit, err := box.Run(t.Context(), job)
				if err != nil {
					t.Errorf("%s with %+v: %v", name, grant, err)
				}
				t.Logf("%s: %s", name, &out)
				return exit
			}
			network := sandbox.Grant{Network: true}
			if exit := try("UDP", network); exit.Code != 0 {
				t.Errorf("UDP: %+v", exit)
			}
			for _, name := range []string{"TCP", "MPTCP", "TCP Fast Open", "TCP Fast Open by a message", "TCP Fast Open by several messages", "SMC", "a socket with a path", "an abstract socket", "read a secret"} {
				if exit := try(name, network); exit.Code != refusedCode {
					t.Errorf("%s, with the network: %+v", name, exit)
				}
			}
			rules.OwnPort = nil
			if box, err = r.Box(rules); err != nil {
				t.Fatal(err)
			}
			if exit := try("TCP", network); exit.Code != 0 {
				t.Errorf("TCP to another port: %+v", exit)
			}
			if exit := try("write to a file outside", sandbox.Grant{Writable: []string{p.file("note")}}); exit.Code != 0 {
				t.Errorf("a granted file: %+v", exit)
			}
			if exit := try("empty a file outside", sandbox.Grant{Writable: []string{p.file("note")}}); exit.Code != refusedCode {
				t.Errorf("a file beside a granted one: %+v", exit)
			}
			job := p.job("nothing", nil)
			job.Grant.Writable = []string{p.file(".ssh")}
			if _, err := box.Run(t.Context(), job); openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
				t.Errorf("a grant of a blocked folder: %v", err)
			}
			if exit := try("read a secret", sandbox.Grant{Unconfined: true}); exit.Code != 0 {
				t.Errorf("unconfined: %+v", exit)
			}
		})
	}
}

// What an earlier command makes of a writable path must not move the walls.
func TestWritablePathTurnedIntoALink(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			p, rules := newPrison(t)
			inner := filepath.Join(rules.Workspace, "inner")
			rules.Writable = []string{inner}
			if err := os.Mkdir(inner, 0o700); err != nil {
				t.Fatal(err)
			}
			box, err := r.Box(rules)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(inner); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(p.home, inner); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"write a file outside", "change the mode of a file outside"} {
				if layer == sandbox.LayerLandlock && strings.Contains(name, "mode") {
					continue
				}
				var out bytes.Buffer
				exit, err := box.Run(t.Context(), p.job(name, &out))
				if err != nil || exit.Code != refusedCode {
					t.Errorf("%s: %+v, %v: %s", name, exit, err, &out)
				}
			}
		})
	}
}

// A file where the directory of something blocked would be hides nothing, and
// is no reason to run nothing any more.
func TestFileInThePlaceOfABlockedFolder(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			p, rules := newPrison(t)
			rules.Workspace = p.home
			box, err := r.Box(rules) // does/not/exist is blocked
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p.file("does"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := box.Run(t.Context(), shellJob("cat "+p.file("note"), &out)); err != nil || out.String() != "note\n" {
				t.Errorf("got %q, %v", &out, err)
			}
		})
	}
}
