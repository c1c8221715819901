package e2e

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/protocol"
)

// home is the home directory of a user, with ~/.openclaw in it.
type home struct {
	t    *testing.T
	dir  string
	env  []string // what a later variable says wins
	last *gateway
}

func newHome(t *testing.T) *home {
	t.Helper()
	dir := t.TempDir()
	return &home{t: t, dir: dir, env: []string{
		"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "OPENCLAW_PROVIDER=offline", "OPENCLAW_PORT=0",
	}}
}

// set adds variables to the environment of everything started from now on.
func (h *home) set(env ...string) *home {
	h.env = append(h.env, env...)
	return h
}

// state returns a path below ~/.openclaw; the agent's workspace is one.
func (h *home) state(elem ...string) string {
	return filepath.Join(append([]string{h.dir, ".openclaw"}, elem...)...)
}

func (h *home) workspace(name string) string { return h.state("workspace", name) }

// write puts text into a file below ~/.openclaw, in one step.
func (h *home) write(name, text string) {
	h.t.Helper()
	path := h.state(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		h.t.Fatal(err)
	}
}

// read waits until a file of the workspace has a line in it and returns that.
func (h *home) read(name string) string {
	h.t.Helper()
	var line string
	eventually(h.t, name+" in the workspace", func() bool {
		data, _ := os.ReadFile(h.workspace(name))
		var whole bool
		line, _, whole = strings.Cut(string(data), "\n")
		return whole
	})
	return line
}

// pid waits until a command has written its process id into the file, and
// returns what that process is called outside of its sandbox.
func (h *home) pid(name string) int {
	h.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(h.read(name)))
	if err != nil {
		h.t.Fatal(err)
	}
	return outside(h.dir, pid)
}

// touch makes a file in the workspace, which a command may wait for.
func (h *home) touch(name string) {
	h.t.Helper()
	if err := os.WriteFile(h.workspace(name), nil, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = h.env, h.dir, patience
	return cmd
}

// finished is what came of a command.
type finished struct {
	stdout, stderr string
	code           int
}

// run runs the program to its end.
func (h *home) run(args ...string) finished {
	h.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := h.command(within(h.t), args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		h.t.Fatalf("openclaw %s: %v", strings.Join(args, " "), err)
	}
	return finished{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// say is a chat in a session of its own name.
func say(session, text string) protocol.Chat {
	return protocol.Chat{Text: text, Context: []byte(`{"session":"` + session + `"}`)}
}

// text collects what a process writes.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *text) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *text) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// within returns a context that ends with the patience of the test.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// freePort returns a port nobody listens on. It lies below those the system
// gives to outgoing connections, which a test beside this one may just make.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}
