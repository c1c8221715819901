package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTools returns the tools for loopback servers.
func newTools(t *testing.T, opts Options) []openclaw.Tool {
	t.Helper()
	opts.AllowPrivate = true
	tools, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

// serve starts a server on loopback.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// run calls a tool with arguments that become JSON.
func run(ctx context.Context, t *testing.T, tool openclaw.Tool, args map[string]any) (*openclaw.Result, error) {
	t.Helper()
	data, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return tool.Run(ctx, &openclaw.Call{ID: "1", Tool: tool.Spec().Name, Args: data})
}

// read fetches an address and returns what the model reads.
func read(t *testing.T, tool openclaw.Tool, address string) string {
	t.Helper()
	res, err := run(t.Context(), t, tool, map[string]any{"url": address})
	if err != nil {
		t.Fatal(err)
	}
	return res.Output
}

// wantError checks that a call failed with a message that has all words.
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
