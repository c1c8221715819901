package shell

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openclaw/openclaw-go"
)

// plainExec runs the command with os/exec: enough for commands that end.
func plainExec(ctx context.Context, c Command) (Exit, error) {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, c.Output, c.Output
	cmd.WaitDelay = 100 * time.Millisecond // what it has started lives on, unlike in the sandbox
	if c.Input != nil {
		cmd.Stdin = c.Input
	}
	if tty := c.Terminal; tty != nil {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	err := cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		if ws := failed.Sys().(syscall.WaitStatus); ws.Signaled() {
			return Exit{Code: -1, Signal: ws.Signal()}, ctx.Err()
		}
		return Exit{Code: failed.ExitCode()}, ctx.Err()
	}
	return Exit{}, err
}

func newTool(t *testing.T, o Options) *Tool {
	t.Helper()
	if o.Exec == nil {
		o.Exec = plainExec
	}
	if o.Workspace == "" {
		o.Workspace = filepath.Join(t.TempDir(), "workspace")
	}
	tool, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

func callOf(args string) *openclaw.Call {
	return &openclaw.Call{ID: "c1", Tool: "shell", Args: json.RawMessage(args)}
}

func command(text string) *openclaw.Call {
	data, _ := json.Marshal(map[string]string{"command": text})
	return callOf(string(data))
}

func TestRun(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "Documents"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, args string
		want       openclaw.Result
	}{
		{"output", `{"command":"printf 'a\\nb\\n'"}`, openclaw.Result{Output: "a\nb\n", OutputBytes: 4}},
		{"no final newline", `{"command":"printf a"}`, openclaw.Result{Output: "a", OutputBytes: 1}},
		{"nothing", `{"command":"true"}`, openclaw.Result{}},
		{"exit code", `{"command":"echo no >&2; exit 3"}`, openclaw.Result{Output: "no\n[exit code 3]\n", ExitCode: 3, OutputBytes: 3}},
		{"signal", `{"command":"kill -KILL $$"}`, openclaw.Result{Output: "[exit code 137]\n", ExitCode: 137}},
		{"unknown arguments", `{"command":"echo x","explanation":"a test"}`, openclaw.Result{Output: "x\n", OutputBytes: 2}},
		{"home", `{"command":"ls","workdir":"~"}`, openclaw.Result{Output: "Documents\n", OutputBytes: 10}},
		{"below home", `{"command":"basename \"$PWD\"","workdir":"~/Documents"}`, openclaw.Result{Output: "Documents\n", OutputBytes: 10}},
		{"relative directory", `{"command":"basename \"$PWD\"","workdir":"../workspace"}`, openclaw.Result{Output: "workspace\n", OutputBytes: 10}},
		{"number with a point", `{"command":"echo x","timeout_ms":5000.0}`, openclaw.Result{Output: "x\n", OutputBytes: 2}},
		{"enormous timeout", `{"command":"echo x","timeout_ms":1e300}`, openclaw.Result{Output: "x\n", OutputBytes: 2}},
	}
	tool := newTool(t, Options{Environ: []string{"HOME=" + home}})
	if _, err := tool.Run(t.Context(), command("true")); err != nil {
		t.Fatal(err) // makes the workspace
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tool.Run(t.Context(), callOf(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.CallID = "c1"
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"none", `{}`, `"command" is missing`},
		{"null", `{"command":null}`, `"command" is missing`},
		{"blank", `{"command":" \n"}`, "blank"},
		{"wrong type", `{"command":["ls"]}`, `"command" must be a string`},
		{"wrong timeout", `{"command":"ls","timeout_ms":"5"}`, `"timeout_ms" must be a number`},
		{"no timeout", `{"command":"ls","timeout_ms":0}`, "above 0"},
		{"NUL", `{"command":"ls\u0000"}`, "NUL"},
		{"NUL in workdir", `{"command":"ls","workdir":"/tmp\u0000"}`, "NUL"},
		{"huge", `{"command":"` + strings.Repeat("x", 128<<10) + `"}`, "limit is 131069"},
		{"no object", `["ls"]`, "JSON object"},
		{"no JSON", `{"command":`, "not valid JSON"},
		{"twice", `{"command":"ls","command":"rm x"}`, "not valid JSON"},
		{"what the model wrote was no object", `{"invalid_arguments":"ls -l"}`, "JSON object"},
		{"missing directory", `{"command":"ls","workdir":"/nonexistent"}`, "does not exist"},
		{"file as directory", `{"command":"ls","workdir":"/etc/passwd"}`, "not a directory"},
		{"no home", `{"command":"ls","workdir":"~"}`, "absolute path"},
	}
	tool := newTool(t, Options{Environ: []string{}, Exec: func(context.Context, Command) (Exit, error) {
		t.Error("something was run")
		return Exit{}, nil
	}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tool.Run(t.Context(), callOf(tt.args))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// blockUntilDone stands for a command that prints something and never ends.
func blockUntilDone(ctx context.Context, c Command) (Exit, error) {
	_, _ = c.Output.Write([]byte("so far"))
	<-ctx.Done()
	return Exit{Code: -1, Signal: syscall.SIGTERM}, ctx.Err()
}

func TestTimeout(t *testing.T) {
	tests := []struct {
		args string
		want time.Duration
	}{
		{`{"command":"sleep 100"}`, 30 * time.Second},
		{`{"command":"sleep 100","timeout_ms":1500}`, 1500 * time.Millisecond},
		{`{"command":"sleep 100","timeout_ms":99999999999}`, 10 * time.Minute},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			tool := newTool(t, Options{Exec: blockUntilDone})
			start := time.Now()
			got, err := tool.Run(t.Context(), callOf(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d != tt.want {
				t.Errorf("stopped after %v, want %v", d, tt.want)
			}
			if got.ExitCode != openclaw.ExitTimeout || !strings.HasPrefix(got.Output, "so far\n[stopped after "+tt.want.String()) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCancelReturnsWhatThereIs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tool := newTool(t, Options{Exec: func(ctx context.Context, c Command) (Exit, error) {
		cancel()
		return blockUntilDone(ctx, c)
	}})
	got, err := tool.Run(ctx, command("sleep 100"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	want := &openclaw.Result{CallID: "c1", Output: "so far\n[stopped before it had finished, with all it had started]\n", ExitCode: 137, OutputBytes: 6}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExecErrorIsReturned(t *testing.T) {
	cause := &openclaw.Error{Code: openclaw.CodeInternal, Message: "out of processes"}
	tool := newTool(t, Options{Exec: func(context.Context, Command) (Exit, error) { return Exit{}, cause }})
	if _, err := tool.Run(t.Context(), command("ls")); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsRun(t *testing.T) {
	var got Command
	workspace := filepath.Join(t.TempDir(), "a", "b")
	tool := newTool(t, Options{
		Workspace: workspace,
		Shell:     "/bin/sh",
		Environ: []string{
			"HOME=/home/u", "LC_ALL=C", "LC_=x", "ANTHROPIC_API_KEY=sk", "OPENCLAW_AUTH_TOKEN=t",
			"TERM=xterm", "EMPTY", "LANGUAGE=de", "=C:=x", "PATHS=1",
		},
		Exec: func(_ context.Context, c Command) (Exit, error) { got = c; return Exit{}, nil },
	})
	text := "echo 'a  b' \t; é"
	if _, err := tool.Run(t.Context(), command(text)); err != nil {
		t.Fatal(err)
	}
	want := Command{
		Argv: []string{"/bin/sh", "-c", text + "\n\n"},
		Dir:  workspace,
		Env:  []string{"HOME=/home/u", "LC_=x", "LC_ALL=C", "PATH=" + defaultPath, "TERM=xterm"},
	}
	got.Output = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	info, err := os.Stat(workspace)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("workspace: %v, %v", info, err)
	}
}

func TestAllowedEnvKeepsOwnSecrets(t *testing.T) {
	environ := []string{"OPENCLAW_AUTH_TOKEN=t", "OPENCLAW_HOME=/x", "OTHER=1", "PATH=/bin"}
	got, err := allowedEnv(environ, []string{"*", "OPENCLAW_HOME"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"OPENCLAW_HOME=/x", "OTHER=1", "PATH=/bin"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewRefuses(t *testing.T) {
	valid := Options{Workspace: "/w", Exec: plainExec}
	tests := map[string]func(*Options){
		"no exec":             func(o *Options) { o.Exec = nil },
		"relative workspace":  func(o *Options) { o.Workspace = "w" },
		"relative shell":      func(o *Options) { o.Shell = "sh" },
		"negative timeout":    func(o *Options) { o.Timeout = -1 },
		"timeout above bound": func(o *Options) { o.Timeout, o.MaxTimeout = time.Hour, time.Minute },
		"tiny output":         func(o *Options) { o.MaxOutput = 1 },
		"bad pattern":         func(o *Options) { o.EnvAllow = []string{"["} },
	}
	if _, err := New(valid); err != nil {
		t.Fatal(err)
	}
	for name, edit := range tests {
		o := valid
		edit(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestSpec(t *testing.T) {
	spec := newTool(t, Options{}).Spec()
	if spec.Name != "shell" || len(spec.Description) > 400 || !json.Valid(spec.Parameters) {
		t.Errorf("got %+v", spec)
	}
}
