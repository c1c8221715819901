package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// TestMain lets the test binary be a server.
func TestMain(m *testing.M) {
	if mode := os.Getenv("MCP_TEST_SERVER"); mode != "" {
		playServer(mode)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// playServer is a server on standard input and output.
func playServer(mode string) {
	switch mode {
	case "dead":
		fmt.Fprintln(os.Stderr, "cannot start: the key hunter2-hunter2 is wrong\x1b[0m")
		os.Exit(3)
	case "deaf":
		time.Sleep(time.Hour)
	case "endless":
		for {
			_, _ = os.Stdout.WriteString(strings.Repeat("{", 1<<16)) // until it is killed
		}
	case "shouting":
		go func() {
			for {
				_, _ = os.Stderr.WriteString(strings.Repeat("x", 1<<16)) // the same
			}
		}()
	case "greeting":
		fmt.Println("Welcome to the server!\n\n  it is ready\n[info] listening")
	case "stubborn":
		signal.Ignore(os.Interrupt)
	case "silent", "strict":
		playOlder(mode == "strict")
		return
	}
	_ = newTestServer().Run(context.Background(), &sdk.StdioTransport{}) // ends with standard input
	if mode == "stubborn" {
		time.Sleep(time.Hour)
	}
}

// playOlder is a server written by hand that knows nothing but initialize,
// tools/list and tools/call. Other requests have no answer, or are its end.
func playOlder(strict bool) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		_ = json.Unmarshal(lines.Bytes(), &m)
		result := ""
		switch m.Method {
		case "initialize":
			result = `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"older","version":"1"}}`
		case "tools/list":
			result = `{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}`
		case "tools/call":
			result = `{"content":[{"type":"text","text":"echo"}]}`
		}
		switch {
		case result != "":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, result)
		case strict && m.ID != nil:
			os.Exit(1)
		}
	}
}

// newTestServer returns a server with tools that do what servers do.
func newTestServer() *sdk.Server {
	s := sdk.NewServer(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	text := func(t string) *sdk.CallToolResult {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: t}}}
	}
	add := func(name string, f func(context.Context, map[string]any) (*sdk.CallToolResult, error)) {
		sdk.AddTool(s, &sdk.Tool{Name: name, Description: "Tool " + name + ".", Annotations: &sdk.ToolAnnotations{ReadOnlyHint: name == "echo"}},
			func(ctx context.Context, _ *sdk.CallToolRequest, args map[string]any) (*sdk.CallToolResult, any, error) {
				res, err := f(ctx, args)
				return res, nil, err
			})
	}
	type sum struct {
		A int `json:"a"`
		B int `json:"b"`
	}
	sdk.AddTool(s, &sdk.Tool{Name: "get-sum"}, func(_ context.Context, _ *sdk.CallToolRequest, in sum) (*sdk.CallToolResult, any, error) {
		return text(fmt.Sprint(in.A + in.B)), nil, nil
	})
	for _, name := range []string{"echo", "Echo"} {
		add(name, func(_ context.Context, args map[string]any) (*sdk.CallToolResult, error) {
			return text(fmt.Sprint(name, " ", args["text"])), nil
		})
	}
	add("fail", func(context.Context, map[string]any) (*sdk.CallToolResult, error) {
		return nil, fmt.Errorf("it went wrong")
	})
	add("slow", func(ctx context.Context, _ map[string]any) (*sdk.CallToolResult, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	add("crash", func(context.Context, map[string]any) (*sdk.CallToolResult, error) { os.Exit(3); return nil, nil })
	add("long", func(context.Context, map[string]any) (*sdk.CallToolResult, error) {
		return text(strings.Repeat("é", 100_000)), nil
	})
	add("env", func(context.Context, map[string]any) (*sdk.CallToolResult, error) {
		return text(strings.Join(os.Environ(), "\n")), nil
	})
	add("media", func(context.Context, map[string]any) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{
			&sdk.ImageContent{MIMEType: "image/png", Data: []byte("123")}, &sdk.AudioContent{MIMEType: "audio/wav", Data: []byte("1")},
			&sdk.ResourceLink{Name: "a file", URI: "file:///a"},
			&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "file:///b", Text: "inside"}},
			&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "file:///c", MIMEType: "image/gif", Blob: []byte("12")}},
		}}, nil
	})
	add("grow", func(context.Context, map[string]any) (*sdk.CallToolResult, error) {
		add("grown", func(context.Context, map[string]any) (*sdk.CallToolResult, error) { return text("new"), nil })
		s.RemoveTools("fail")
		return text("grown"), nil
	})
	return s
}

// log collects what is logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newHost returns a host that runs programs as the gateway does.
func newHost(t *testing.T, opts Options) (*Host, *log) {
	t.Helper()
	logged := &log{}
	opts.Dir, opts.Logger = t.TempDir(), slog.New(slog.NewTextHandler(logged, nil))
	if opts.FirstPause == 0 {
		opts.FirstPause = 10 * time.Millisecond
	}
	runner := theRunner(t)
	opts.Exec = func(ctx context.Context, c Command) error {
		exit, err := runner.Run(ctx, sandbox.Job{Argv: c.Argv, Dir: c.Dir, Env: c.Env, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr})
		if err == nil {
			err = fmt.Errorf("the program ended with exit code %d", exit.Code)
		}
		return err
	}
	h, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, logged
}

// theRunner is the one of this process.
var theRunner = func() func(t *testing.T) *sandbox.Runner {
	make := sync.OnceValues(func() (*sandbox.Runner, error) { return sandbox.New(sandbox.Options{}) })
	return func(t *testing.T) *sandbox.Runner {
		r, err := make()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}()

// program is the test binary as a server.
func program(name, mode string) Server {
	return Server{Name: name, Command: os.Args[0], Env: map[string]string{"MCP_TEST_SERVER": mode, "KEY": "hunter2-hunter2"}}
}

// start sets the servers and waits until they are connected.
func start(t *testing.T, h *Host, servers ...Server) {
	t.Helper()
	if err := h.Set(servers); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h.Settle(ctx)
}

func names(h *Host) (list []string) {
	for _, t := range h.Tools() {
		list = append(list, t.Spec().Name)
	}
	return list
}

func find(t *testing.T, h *Host, name string) openclaw.Tool {
	t.Helper()
	for _, tool := range h.Tools() {
		if tool.Spec().Name == name {
			return tool
		}
	}
	t.Fatalf("no tool %s among %v", name, names(h))
	return nil
}

func call(ctx context.Context, t *testing.T, tool openclaw.Tool, args string) (*openclaw.Result, error) {
	t.Helper()
	return tool.Run(ctx, &openclaw.Call{ID: "1", Tool: tool.Spec().Name, Args: json.RawMessage(args)})
}

// output calls a tool and returns what the model reads.
func output(t *testing.T, tool openclaw.Tool, args string) string {
	t.Helper()
	res, err := call(t.Context(), t, tool, args)
	if err != nil {
		t.Fatal(err)
	}
	return res.Output
}

func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q has no %q", err, w)
		}
	}
}

// eventually waits for what happens on another goroutine.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}
