package main

import (
	"errors"
	"fmt"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/paths"
	"github.com/openclaw/openclaw-go/internal/policy"
)

// checkConfig says what the parts of the gateway would refuse in c, so that it
// is known where it stands, and before a gateway starts with it.
func checkConfig(c *config.Config) (list []config.Problem) {
	list = append(list, checkRules("hands.shell.blocked_commands", c.Hands.Shell.BlockedCommands,
		func(rule []string) policy.Config { return policy.Config{Blocked: rule} })...)
	list = append(list, checkRules("permissions.auto_approve", c.Permissions.AutoApprove,
		func(rule []string) policy.Config { return policy.Config{AutoApprove: rule} })...)
	list = append(list, checkRules("permissions.always_deny", c.Permissions.AlwaysDeny,
		func(rule []string) policy.Config { return policy.Config{AlwaysDeny: rule} })...)
	work := c.Hands.Workspace
	for _, blocked := range c.Hands.Filesystem.BlockedPaths {
		if paths.Within(work, blocked) || paths.Within(paths.Real(work), paths.Real(blocked)) {
			list = append(list, config.Problem{Key: "hands.workspace",
				Message: "is in the blocked path " + blocked + " (hands.filesystem.blocked_paths); move one of the two"})
		}
	}
	return list
}

// checkRules reads each rule of the list at key as the policy will.
func checkRules(key string, rules []string, with func(rule []string) policy.Config) (list []config.Problem) {
	for i, text := range rules {
		if _, err := policy.New(with([]string{text})); err != nil {
			message := err.Error()
			if e, ok := errors.AsType[*openclaw.Error](err); ok {
				message = strings.TrimPrefix(e.Message, key+": ")
			}
			list = append(list, config.Problem{Key: fmt.Sprintf("%s[%d]", key, i), Message: message})
		}
	}
	return list
}
