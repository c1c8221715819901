// Package policy decides whether a tool call may run: it wraps a Tool, so that
// whatever asks for the call (a model, a skill, a heartbeat) passes the same
// check.
//
// It runs nothing itself and confines nothing: what a permitted command can
// reach is the business of package sandbox.
package policy

import (
	"context"
	"fmt"
	"path"

	openclaw "github.com/openclaw/openclaw-go"
)

// Rules say which calls are refused. The zero value refuses none.
type Rules struct {
	// AlwaysDeny are names of tools, with the wildcards of path.Match:
	// "write_file", "memory_*".
	AlwaysDeny []string
}

// Apply returns the tools with the rules in front of them. It fails with a
// pattern that is none.
func Apply(rules Rules, tools []openclaw.Tool) ([]openclaw.Tool, error) {
	for _, pattern := range rules.AlwaysDeny {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("permissions.always_deny: %q is no pattern; write the name of a tool, * for any part of it", pattern)
		}
	}
	checked := make([]openclaw.Tool, len(tools))
	for i, tool := range tools {
		checked[i] = tool
		if pattern, denied := rules.denies(tool.Spec().Name); denied {
			checked[i] = deniedTool{tool, pattern}
		}
	}
	return checked, nil
}

func (r Rules) denies(name string) (pattern string, denied bool) {
	for _, pattern := range r.AlwaysDeny {
		if match, _ := path.Match(pattern, name); match {
			return pattern, true
		}
	}
	return "", false
}

// deniedTool is a tool that the owner has refused. The model still sees it, so
// that it can say why it cannot do what it was asked for.
type deniedTool struct {
	openclaw.Tool
	pattern string
}

// Run implements openclaw.Tool: nothing runs.
func (d deniedTool) Run(context.Context, *openclaw.Call) (*openclaw.Result, error) {
	return nil, &openclaw.Error{
		Code:    openclaw.CodeApprovalDenied,
		Message: fmt.Sprintf("denied: permissions.always_deny has the rule %q; do not try again, tell the owner", d.pattern),
	}
}
