package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/tool/mcp"
)

// TestMain lets the test binary be the client that the conformance suite tests.
func TestMain(m *testing.M) {
	if scenario := os.Getenv("MCP_CONFORMANCE_SCENARIO"); scenario != "" {
		beClient(scenario, os.Args[len(os.Args)-1])
		return
	}
	os.Exit(m.Run())
}

const scope = "node_modules/@modelcontextprotocol/"

// need returns node and the script of a package, or skips the test where one
// of them is missing.
func need(t *testing.T, pkg string) (node, script string) {
	t.Helper()
	script, err := filepath.Abs(scope + pkg + "/dist/index.js")
	if err == nil {
		_, err = os.Stat(script)
	}
	if err == nil {
		node, err = exec.LookPath("node")
	}
	switch {
	case err == nil:
	case os.Getenv("CI_FOREIGN") == "1":
		t.Fatalf("%s is not installed: %v", pkg, err)
	default:
		t.Skipf("%s is not installed (npm ci --prefix foreign/mcp): %v", pkg, err)
	}
	return node, script
}

// theRunner is the one of this process.
var theRunner = sync.OnceValues(func() (*sandbox.Runner, error) { return sandbox.New(sandbox.Options{}) })

// connect returns a host that has reached the server.
func connect(t *testing.T, server mcp.Server) *mcp.Host {
	t.Helper()
	runner, err := theRunner()
	if err != nil {
		t.Fatal(err)
	}
	h, err := mcp.New(mcp.Options{
		Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), StartTimeout: 2 * time.Minute,
		Exec: func(ctx context.Context, c mcp.Command) error {
			exit, err := runner.Run(ctx, sandbox.Job{Argv: c.Argv, Dir: c.Dir, Env: c.Env, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr})
			if err == nil {
				err = fmt.Errorf("the program ended with exit code %d", exit.Code)
			}
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.Set([]mcp.Server{server}); err != nil {
		t.Fatal(err)
	}
	h.Settle(t.Context())
	if len(h.Tools()) == 0 {
		t.Fatal("the server has no tools")
	}
	return h
}

// call runs a tool and returns its result.
func call(h *mcp.Host, name, args string) (*openclaw.Result, error) {
	for _, tool := range h.Tools() {
		if tool.Spec().Name == name {
			return tool.Run(context.Background(), &openclaw.Call{ID: "1", Tool: name, Args: json.RawMessage(args)})
		}
	}
	return nil, fmt.Errorf("there is no tool %s", name)
}

func TestEverything(t *testing.T) {
	node, script := need(t, "server-everything")
	h := connect(t, mcp.Server{Name: "every", Command: node, Args: []string{script, "stdio"}, Blocked: []string{"get-env"}})
	var names []string
	for _, tool := range h.Tools() {
		names = append(names, tool.Spec().Name)
		var schema map[string]any
		if err := json.Unmarshal(tool.Spec().Parameters, &schema); err != nil || schema["type"] != "object" {
			t.Errorf("%s: %s, %v", tool.Spec().Name, tool.Spec().Parameters, err)
		}
	}
	t.Log(names)
	if slices.Contains(names, "every__get_env") {
		t.Error("a blocked tool is offered")
	}
	for _, tt := range []struct {
		tool, args, want string
		exit             int
	}{
		{"every__echo", `{"message":"hello"}`, "Echo: hello", 0},
		{"every__get_sum", `{"a":2,"b":3}`, "The sum of 2 and 3 is 5.", 0},
		{"every__get_sum", `{"a":"x"}`, "number", openclaw.ExitFailed},
		{"every__get_tiny_image", `{}`, "[image, image/png, ", 0},
		{"every__get_structured_content", `{"location":"New York"}`, "temperature", 0},
		{"every__get_resource_links", `{"count":2}`, "[resource ", 0},
		{"every__get_annotated_message", `{"messageType":"success"}`, "success", 0},
		{"every__trigger_long_running_operation", `{"duration":1,"steps":2}`, "completed", 0},
	} {
		res, err := call(h, tt.tool, tt.args)
		if err != nil || res.ExitCode != tt.exit || !strings.Contains(res.Output, tt.want) {
			t.Errorf("%s %s: %+v, %v", tt.tool, tt.args, res, err)
		}
	}
}

func TestFilesystem(t *testing.T) {
	node, script := need(t, "server-filesystem")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tea.txt"), []byte("two minutes"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := connect(t, mcp.Server{Name: "fs", Command: node, Args: []string{script, dir}})
	for _, tt := range []struct {
		tool, path, want string
		exit             int
	}{
		{"fs__read_text_file", filepath.Join(dir, "tea.txt"), "two minutes", 0},
		{"fs__list_directory", dir, "[FILE] tea.txt", 0},
		{"fs__read_text_file", "/etc/passwd", "denied", openclaw.ExitFailed},
	} {
		res, err := call(h, tt.tool, fmt.Sprintf(`{"path":%q}`, tt.path))
		if err != nil || res.ExitCode != tt.exit || !strings.Contains(res.Output, tt.want) {
			t.Errorf("%s %s: %+v, %v", tt.tool, tt.path, res, err)
		}
	}
}
