package mcp

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/internal/tool/mcp"
)

// TestConformance lets the suite judge the client. The scenarios that are left
// out are about OAuth and elicitation, which the client does not offer.
func TestConformance(t *testing.T) {
	node, script := need(t, "conformance")
	for _, scenario := range []string{"initialize", "tools_call", "sse-retry"} {
		t.Run(scenario, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), node, script, "client", "--scenario", scenario, "--command", os.Args[0], "--timeout", "60000")
			cmd.Dir = t.TempDir()
			cmd.WaitDelay = time.Minute
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			t.Logf("%s", out[max(0, len(out)-300):])
		})
	}
}

// beClient does what the client of a scenario has to do: it connects, and calls
// each tool there is.
func beClient(scenario, address string) {
	h, err := mcp.New(mcp.Options{FirstPause: time.Hour})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer h.Close()
	if err := h.Set([]mcp.Server{{Name: "suite", URL: address}}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	h.Settle(ctx)
	for _, tool := range h.Tools() {
		args := `{}`
		if strings.Contains(tool.Spec().Name, "add_numbers") {
			args = `{"a":5,"b":3}`
		}
		if _, err := call(h, tool.Spec().Name, args); err != nil {
			fmt.Fprintln(os.Stderr, scenario, err)
		}
	}
}
