package main

import (
	_ "embed"
	"runtime"
	"strings"

	"github.com/openclaw/openclaw-go/internal/config"
)

// systemText are the agent's standing instructions. {{…}} is filled in once
// per configuration, never per turn: the bytes stay the same, so that the
// providers' prompt caches hold.
//
//go:embed system.md
var systemText string

// systemPrompt returns the instructions, with the index of the skills if there
// are any.
func systemPrompt(c *config.Config, catalog string) string {
	text := strings.NewReplacer("{{workspace}}", c.Hands.Workspace, "{{os}}", runtime.GOOS).Replace(systemText)
	if catalog == "" {
		return text
	}
	return text + "\n" + catalog
}
