package main

import (
	_ "embed"
	"log/slog"
	"runtime"
	"strings"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/prompt"
)

// systemText are the agent's standing instructions. {{…}} is filled in once
// per configuration, never per turn: the bytes stay the same, so that the
// providers' prompt caches hold.
//
//go:embed system.md
var systemText string

// instructions returns what the agent is told before any conversation.
func instructions(c *config.Config, logger *slog.Logger) *prompt.Layers {
	return prompt.New(prompt.Options{
		BuiltIn: strings.NewReplacer("{{workspace}}", c.Hands.Workspace, "{{os}}", runtime.GOOS).Replace(systemText),
		Home:    c.Home, Workspace: c.Hands.Workspace, Writable: c.Hands.Filesystem.WritablePaths,
		Logger: logger,
	})
}
