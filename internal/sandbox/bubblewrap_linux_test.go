package sandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"golang.org/x/sys/unix"
)

func bubblewrap(t *testing.T) *sandbox.Runner {
	t.Helper()
	r, found := layers(t)[sandbox.LayerBubblewrap]
	if !found {
		t.Skip("no bwrap that works")
	}
	return r
}

// bwrap is given paths and follows links. What another command does to them
// meanwhile must not make it show a secret.
func TestPathsChangedWhileBwrapStarts(t *testing.T) {
	r := bubblewrap(t)
	p, rules := newPrison(t)
	rules.Workspace = p.home
	rules.Blocked = append(rules.Blocked, p.file("x/gone"))
	box, err := r.Box(rules)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.file("x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".ssh", p.file("link")); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var other sync.WaitGroup
	defer other.Wait()
	defer close(done)
	other.Go(func() { // another command, which began when nothing below x was blocked
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond): // as long as bwrap takes for some of its steps
				_ = unix.Renameat2(unix.AT_FDCWD, p.file("x"), unix.AT_FDCWD, p.file("link"), unix.RENAME_EXCHANGE)
			}
		}
	})
	ran := 0
	for range 60 {
		var out bytes.Buffer
		job := shellJob(`cat .ssh/* x/* link/* 2>/dev/null; echo ran`, &out)
		job.Dir = p.home
		switch _, err := box.Run(t.Context(), job); {
		case strings.Contains(out.String(), "id_ed25519"):
			t.Fatalf("it got out: %q", &out)
		case err == nil:
			ran++
		case openclaw.CodeOf(err) != openclaw.CodeInternal:
			t.Fatal(err)
		default:
			t.Log(err)
		}
	}
	t.Logf("%d ran", ran)
}

// What bwrap cannot do fails, in its words, and the command does not run.
func TestWhatBwrapSays(t *testing.T) {
	r := bubblewrap(t)
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	rules := sandbox.Rules{Workspace: home}
	for i := range 3000 { // bwrap takes 9,000 arguments
		dir := fmt.Sprintf("%s/%d", home, i)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		rules.Writable = append(rules.Writable, dir)
	}
	box, err := r.Box(rules)
	if err != nil {
		t.Fatal(err)
	}
	_, err = box.Run(t.Context(), shellJob("touch "+home+"/ran", nil))
	if openclaw.CodeOf(err) != openclaw.CodeInternal || !strings.Contains(fmt.Sprint(err), "bwrap: Exceeded maximum number of arguments 9000") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(home + "/ran"); err == nil {
		t.Error("the command ran")
	}
}

// Whatever ends bwrap ends all that it started.
func TestBwrapKilled(t *testing.T) {
	box, err := bubblewrap(t).Box(sandbox.Rules{Workspace: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	m := mark()
	out := &watch{text: "ready", seen: func() {
		lists, _ := filepath.Glob("/proc/self/task/*/children")
		for _, l := range lists {
			data, _ := os.ReadFile(l)
			for _, pid := range strings.Fields(string(data)) {
				if name, _ := os.ReadFile("/proc/" + pid + "/comm"); string(name) == "bwrap\n" {
					n, _ := strconv.Atoi(pid)
					_ = syscall.Kill(n, syscall.SIGKILL)
				}
			}
		}
	}}
	exit, err := box.Run(t.Context(), shellJob("setsid sleep "+m+" & echo ready; sleep "+m, out))
	if exit.Signal != syscall.SIGKILL || !strings.Contains(fmt.Sprint(err), "killed its supervisor") {
		t.Errorf("got %+v, %v", exit, err)
	}
	if left := marked(t, m); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a command in bwrap could use besides files.
func TestInsideBwrap(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"no descriptors", `cd /proc/self/fd; for f in *; do [ $f -lt 3 ] || [ ! -e $f ] || echo $f; done`, ""},
		{"no new privileges", `grep NoNewPrivs: /proc/self/status`, "NoNewPrivs:\t1\n"},
		{"no other processes", `ls /proc | grep -c '^[0-9]*$'`, "4\n"}, // supervisor, sh, ls, grep
		{"no arguments of bwrap's", `tr '\0' ' ' </proc/1/cmdline`, "/proc/self/fd/7 openclaw-job "},
		{"modes of devices", `chmod 666 /dev/null 2>/dev/null || echo refused`, "refused\n"},
		{"a full /dev", `(echo x >/dev/x) 2>/dev/null || echo refused`, "refused\n"},
	}
	box, err := bubblewrap(t).Box(sandbox.Rules{Workspace: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if _, err := box.Run(t.Context(), shellJob(tt.script, &out)); err != nil || out.String() != tt.want {
				t.Errorf("got %q, %v; want %q", &out, err, tt.want)
			}
		})
	}
}
