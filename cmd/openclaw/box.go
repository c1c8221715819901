package main

import (
	"context"
	"path/filepath"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/tool/shell"
)

// boxRules say what commands reach. ownPort is as in web.Options.
func boxRules(c *config.Config, ownPort func() int) sandbox.Rules {
	return sandbox.Rules{
		Mode: c.Hands.Sandbox.Mode, Network: c.Hands.Sandbox.Network, OwnPort: ownPort,
		Workspace: c.Hands.Workspace, Writable: c.Hands.Filesystem.WritablePaths, Blocked: blockedPaths(c),
		State: c.Home, Shared: append([]string{c.Skills.Path, c.Memory.Path, filepath.Join(c.Home, "HEARTBEAT.md"), outputsPath(c)}, c.Skills.ExtraPaths...),
	}
}

// execIn lets the shell tool run its commands in the sandbox.
func execIn(box *sandbox.Box) shell.Exec {
	return func(ctx context.Context, c shell.Command) (shell.Exit, error) {
		job := sandbox.Job{
			WantDir: true,
			Argv:    c.Argv, Dir: c.Dir, Env: c.Env, Stdout: c.Output, Stderr: c.Output,
			Grant: sandbox.Grant{Network: c.Needs.Network, Writable: c.Needs.Write, Unconfined: c.Needs.Unconfined},
		}
		if c.Input != nil { // a nil *os.File would be a reader
			job.Stdin = c.Input
		}
		if tty := c.Terminal; tty != nil {
			job.Stdin, job.Stdout, job.Stderr, job.Terminal = tty, tty, tty, true
		}
		exit, err := box.Run(ctx, job)
		return shell.Exit{Code: exit.Code, Signal: exit.Signal, Dir: exit.Dir, Notes: notes(exit)}, err
	}
}

// notes are what the sandbox knows about why a command failed.
func notes(exit sandbox.Exit) []string {
	var list []string
	if exit.NetworkRefused {
		list = append(list, `sandbox: the network is off; needs ["network"] asks for it`)
	}
	if exit.TooMany {
		list = append(list, "sandbox: stopped, it had too many processes")
	}
	return list
}

// weak says whether a layer leaves the files of the user open.
func weak(l sandbox.Layer) bool { return l == sandbox.LayerNone || l == sandbox.LayerSeccomp }

// sandbox implements gateway.Facts.
func (p *parts) sandbox() string { return string(p.current.Load().box.Layer()) }

// logSandbox logs how commands are confined, and what that leaves open.
func (p *parts) logSandbox() {
	s := p.current.Load()
	s.logger.Info("sandbox chosen", "layer", string(s.box.Layer()))
	for _, gap := range s.box.Gaps() {
		s.logger.Warn("attention", "reason", gap)
	}
}
