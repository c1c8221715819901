package main

import (
	"context"
	"os"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/memory"
	"github.com/openclaw/openclaw-go/internal/policy"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/tool/files"
	memorytool "github.com/openclaw/openclaw-go/internal/tool/memory"
	"github.com/openclaw/openclaw-go/internal/tool/shell"
	"github.com/openclaw/openclaw-go/internal/tool/web"
)

// makeTools returns the tools that the configuration allows. ownPort is as in
// web.Options.
func makeTools(c *config.Config, remembered *memory.Store, runner *sandbox.Runner, ownPort func() int) ([]openclaw.Tool, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	tools, err := files.New(files.Options{
		Workspace: c.Hands.Workspace, Home: home,
		Writable: c.Hands.Filesystem.WritablePaths, Blocked: blockedPaths(c),
	})
	if err != nil {
		return nil, err
	}
	if c.Hands.Shell.Enabled {
		s := c.Hands.Shell
		tool, err := shell.New(shell.Options{
			Workspace: c.Hands.Workspace, Timeout: time.Duration(s.Timeout), MaxOutput: int(s.MaxOutput),
			EnvAllow: s.EnvAllow, Blocked: s.BlockedCommands, Exec: execIn(runner),
		})
		if err != nil {
			return nil, err
		}
		tools = append(tools, tool)
	}
	if c.Hands.Web.Enabled {
		web, err := web.New(webOptions(c, ownPort))
		if err != nil {
			return nil, err
		}
		tools = append(tools, web...)
	}
	if c.Memory.Enabled {
		tools = append(tools, memorytool.Tools(remembered)...)
	}
	return policy.Apply(policy.Rules{AlwaysDeny: c.Permissions.AlwaysDeny}, tools)
}

func webOptions(c *config.Config, ownPort func() int) web.Options {
	w := c.Hands.Web
	return web.Options{
		Timeout: time.Duration(w.Timeout), AllowPrivate: w.AllowPrivate, AllowedDomains: w.AllowedDomains,
		OwnPort: ownPort, UserAgent: "OpenClaw/" + version,
		Search: web.Search{Provider: w.Search.Provider, APIKey: w.Search.APIKey.Reveal(), BaseURL: w.Search.BaseURL},
	}
}

// blockedPaths are the configured ones and the gateway's own state.
func blockedPaths(c *config.Config) []string {
	db := c.Store.Path
	return append([]string{c.Path, db, db + "-wal", db + "-shm", db + ".lock"}, c.Hands.Filesystem.BlockedPaths...)
}

// execIn lets the shell tool run its commands in the sandbox.
func execIn(runner *sandbox.Runner) shell.Exec {
	return func(ctx context.Context, c shell.Command) (shell.Exit, error) {
		exit, err := runner.Run(ctx, sandbox.Job{
			Argv: c.Argv, Dir: c.Dir, Env: c.Env, Stdout: c.Output, Stderr: c.Output,
		})
		return shell.Exit{Code: exit.Code, Signal: exit.Signal}, err
	}
}
