package sandbox_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// Ordinary work needs nobody's permission.
var work = []struct{ name, needs, script, want string }{
	{"names of a home directory", "ls", `ls -A "$HOME" | tr '\n' ' '`, ".openclaw .ssh a datagrams note removable socket victim "},
	{"read outside of the workspace", "cat", `cat "$HOME/note"`, "note\n"},
	{"beside a blocked file", "cat", `cat "$HOME/a/b/c/plain"`, "a/b/c/plain\n"},
	{"skills", "cat", `cat "$HOME/.openclaw/skills/greet/SKILL.md"`, ".openclaw/skills/greet/SKILL.md\n"},
	{"files and folders", "sh", `mkdir -p d/e && echo x >d/e/f && mv d/e/f d/g && ln d/g d/h && ln -s g d/i && cat d/i && chmod 600 d/g && touch -d @1 d/g && rm -r d && ls`, "x\nmine.txt\n"},
	{"temporary files", "mktemp", `f=$(mktemp) && echo x >"$f" && cat "$f" && case $f in "$TMPDIR"/*) echo private;; esac`, "x\nprivate\n"},
	{"caches", "mkdir", `mkdir -p "$XDG_CACHE_HOME/x" && case $XDG_CACHE_HOME in "$HOME"/.openclaw/workspace/*) echo its own;; esac`, "its own\n"},
	{"a cache of Go's", "go", `mkdir -p "$(go env GOCACHE)" && echo usable`, "usable\n"},
	{"pipes and jobs", "sort", `(echo b; echo a) | sort | tr '\n' ' '; sleep 0 & wait; echo $?`, "a b 0\n"},
	{"null and zero", "head", `head -c 3 /dev/zero | wc -c; echo x >/dev/null; cat </dev/null; test -c /dev/urandom`, "3\n"},
	{"its own processes", "sh", `test -d /proc/self/fd && sleep 9 & kill $! && wait $! 2>/dev/null; echo $?`, "143\n"},
	{"a program of its own", "sh", `printf '#!/bin/sh\necho ran\n' >p && chmod +x p && ./p`, "ran\n"},
	{"a compiler", "gcc", `printf 'int main(){return 7;}' >c.c && gcc c.c -o c && ./c; echo $?`, "7\n"},
	{"git", "git", `git -c init.defaultBranch=main init -q r && cd r && echo x >f && git add f && git -c user.name=n -c user.email=e commit -qm m && git log --format=%s`, "m\n"},
	{"tar", "tar", `mkdir t && echo x >t/f && tar czf t.tgz t && rm -r t && tar xzf t.tgz && cat t/f`, "x\n"},
	{"python", "python3", `python3 -c 'import subprocess, tempfile; print(subprocess.run(["echo","x"],capture_output=True,text=True).stdout, end=""); print(tempfile.TemporaryFile().write(b"ab"))'`, "x\n2\n"},
	{"node", "node", `echo 'process.send(7)' >c.js; node -e 'require("child_process").fork("./c.js").on("message",m=>{console.log(m);process.exit()})'`, "7\n"},
}

func TestOrdinaryWork(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			for _, tt := range work {
				t.Run(tt.name, func(t *testing.T) {
					if _, err := exec.LookPath(tt.needs); err != nil {
						t.Skipf("%s is not installed", tt.needs)
					}
					p, rules := newPrison(t)
					box, err := r.Box(rules)
					if err != nil {
						t.Fatal(err)
					}
					var out bytes.Buffer
					job := shellJob(tt.script, &out)
					job.Dir = rules.Workspace
					job.Env = append(job.Env, "HOME="+p.home)
					if exit, err := box.Run(t.Context(), job); err != nil || exit.Code != 0 || out.String() != tt.want {
						t.Errorf("got %+v, %v, %q; want %q", exit, err, &out, tt.want)
					}
				})
			}
		})
	}
}

func TestForkBomb(t *testing.T) {
	for layer := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			r, err := sandbox.New(sandbox.Options{Processes: 40, Without: stronger[layer]})
			if err != nil {
				t.Fatal(err)
			}
			box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			m := mark()
			began := time.Now()
			exit, err := box.Run(t.Context(), shellJob(strings.ReplaceAll(`i=0; while [ $i -lt 300 ]; do setsid sleep M & i=$((i+1)); sleep 0.005; done; wait`, "M", m), nil))
			if err != nil || !exit.TooMany {
				t.Errorf("got %+v, %v after %v", exit, err, time.Since(began))
			}
			if left := marked(t, m); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
