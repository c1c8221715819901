package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/paths"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/tool/mcp"
)

// newMCPHost returns a host that has no servers yet: they are set once the
// gateway serves, which must not wait for them.
func newMCPHost(c *config.Config, runner *sandbox.Runner, logger *slog.Logger) (*mcp.Host, error) {
	return mcp.New(mcp.Options{Exec: serveIn(runner), Dir: c.Hands.Workspace, Version: version, Logger: logger})
}

// mcpServers are the configured servers, sorted by name.
func mcpServers(c *config.Config) []mcp.Server {
	list := make([]mcp.Server, 0, len(c.MCP.Servers))
	for _, name := range sortedNames(c.MCP.Servers) {
		s := c.MCP.Servers[name]
		list = append(list, mcp.Server{
			Name: name, Command: s.Command, Args: s.Args, Env: revealed(s.Env), URL: s.URL, Headers: revealed(s.Headers),
			Allowed: s.AllowedTools, Blocked: s.BlockedTools,
		})
	}
	return list
}

func revealed(secrets map[string]config.Secret) map[string]string {
	plain := make(map[string]string, len(secrets))
	for name, s := range secrets {
		plain[name] = s.Reveal()
	}
	return plain
}

// serveIn runs the programs of MCP servers. The owner has named them and they
// need the network, so they run with the owner's rights; nothing of them is
// left behind.
func serveIn(runner *sandbox.Runner) mcp.Exec {
	return func(ctx context.Context, c mcp.Command) error {
		exit, err := runner.Run(ctx, sandbox.Job{
			Argv: c.Argv, Dir: paths.Real(c.Dir), Env: c.Env, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
		})
		switch {
		case err != nil:
			return err
		case exit.Signal != 0:
			return fmt.Errorf("the program was ended by signal %d", exit.Signal)
		}
		return fmt.Errorf("the program ended with exit code %d", exit.Code)
	}
}
