package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/openclaw/openclaw-go/internal/config"
)

// The tools of a server are listed as soon as it is connected, not only after
// the next turn.
func TestServedToolsAreListed(t *testing.T) {
	served := sdk.NewServer(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	sdk.AddTool(served, &sdk.Tool{Name: "echo"}, func(context.Context, *sdk.CallToolRequest, map[string]any) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{}, nil, nil
	})
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return served }, nil))
	t.Cleanup(web.Close) // after the app has
	s := serveApp(t)
	if slices.Contains(s.parts.toolNames(), "remote__echo") {
		t.Fatal("it is there already")
	}
	c := s.load()
	c.MCP.Servers = map[string]config.MCPServer{"remote": {URL: web.URL}}
	if err := s.parts.servers.Set(mcpServers(c)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s.parts.servers.Settle(ctx)
	if names := s.parts.toolNames(); !slices.Contains(names, "remote__echo") {
		t.Errorf("the tools are %v", names)
	}
}
