package main

import (
	"os"
	"path/filepath"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/memory"
	"github.com/openclaw/openclaw-go/internal/policy"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/skill"
	"github.com/openclaw/openclaw-go/internal/tool/files"
	memorytool "github.com/openclaw/openclaw-go/internal/tool/memory"
	"github.com/openclaw/openclaw-go/internal/tool/shell"
	skilltool "github.com/openclaw/openclaw-go/internal/tool/skill"
	"github.com/openclaw/openclaw-go/internal/tool/task"
	"github.com/openclaw/openclaw-go/internal/tool/web"
)

// makeTools returns the tools that the configuration allows, each behind the
// one policy. ownPort is as in web.Options.
func makeTools(
	c *config.Config, facts *memory.Store, skills *skill.Index, box *sandbox.Box, ownPort func() int, tasks task.Runner,
	guard *policy.Policy, jobs *shell.Host,
) ([]openclaw.Tool, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	tools, err := files.New(files.Options{
		Workspace: c.Hands.Workspace, Home: home,
		Writable: c.Hands.Filesystem.WritablePaths, Blocked: blockedPaths(c),
		Readable: []string{outputsPath(c)}, State: c.Home,
	})
	if err != nil {
		return nil, err
	}
	if c.Hands.Shell.Enabled {
		s := c.Hands.Shell
		tool, err := shell.New(shell.Options{
			Workspace: c.Hands.Workspace, Timeout: time.Duration(s.Timeout), MaxOutput: int(s.MaxOutput),
			EnvAllow: s.EnvAllow, Blocked: blockedPaths(c), Exec: execIn(box),
			Writable: c.Hands.Filesystem.WritablePaths, Network: c.Hands.Sandbox.Network,
			Host: jobs, MaxJobs: s.Jobs.Max, JobTimeout: time.Duration(s.Jobs.Timeout), Outputs: outputLimits(c),
		})
		if err != nil {
			return nil, err
		}
		tools = append(tools, tool, shell.NewProcess(jobs))
	}
	if c.Hands.Web.Enabled {
		web, err := web.New(webOptions(c, ownPort))
		if err != nil {
			return nil, err
		}
		tools = append(tools, web...)
	}
	if c.Memory.Enabled {
		tools = append(tools, memorytool.Tools(remembered{facts})...)
	}
	tools = append(tools, skilltool.New(shelf{skills}))
	work, err := task.New(task.Options{Runner: tasks, Tools: func() []string {
		names := make([]string, len(tools))
		for i, t := range tools {
			names[i] = t.Spec().Name
		}
		return names
	}})
	if err != nil {
		return nil, err
	}
	tools = append(tools, work)
	return guard.Wrap(tools), nil
}

// outputsPath is where long output of commands is kept.
func outputsPath(c *config.Config) string { return filepath.Join(c.Home, "outputs") }

func outputLimits(c *config.Config) shell.Outputs {
	o := c.Hands.Shell.Outputs
	return shell.Outputs{MaxFile: int64(o.MaxFile), MaxTotal: int64(o.MaxTotal), MaxAge: time.Duration(o.MaxAge)}
}

func webOptions(c *config.Config, ownPort func() int) web.Options {
	w := c.Hands.Web
	return web.Options{
		Timeout: time.Duration(w.Timeout), AllowPrivate: w.AllowPrivate, AllowedDomains: w.AllowedDomains,
		OwnPort: ownPort, UserAgent: "OpenClaw/" + version,
		Search: web.Search{Provider: w.Search.Provider, APIKey: w.Search.APIKey.Reveal(), BaseURL: w.Search.BaseURL},
	}
}

// blockedPaths are the configured ones and the gateway's own state, secret or
// not: what a command could change there would be believed.
func blockedPaths(c *config.Config) []string {
	db := c.Store.Path
	own := []string{
		c.Path, filepath.Join(c.Home, ".env"), c.Gateway.PIDFile, c.Logging.Path, grantsPath(c), auditOptions(c).Key, auditOptions(c).Head,
		db, db + "-wal", db + "-shm", db + "-journal", db + ".lock",
	}
	if c.Gateway.TLS.Key != "" {
		own = append(own, c.Gateway.TLS.Key)
	}
	return append(own, c.Hands.Filesystem.BlockedPaths...)
}
