package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/policy"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/protocol"
)

// grantsPath is where approvals are kept that outlive their call.
func grantsPath(c *config.Config) string { return filepath.Join(c.Home, "approvals.json") }

// newPolicy makes the policy that the configuration describes.
func newPolicy(c *config.Config, box *sandbox.Box, grants *policy.Grants, record func(policy.Record), logger *slog.Logger) (*policy.Policy, error) {
	p := c.Permissions
	return policy.New(policy.Config{
		Mode: policy.Mode(p.Mode), Timeout: time.Duration(p.Timeout),
		AutoApprove: p.AutoApprove, AlwaysDeny: p.AlwaysDeny, Blocked: c.Hands.Shell.BlockedCommands,
		Unconfined: func() bool { return weak(box.Layer()) },
		Grants:     grants, Record: record, Logger: logger,
	})
}

// forget ends what is kept for a conversation that was reset or deleted.
func (a *app) forget(session string) {
	if err := a.parts.jobs.Forget(session); err != nil {
		a.logger.Error("output of a session not removed", "session", session, "err", err)
	}
	if err := a.parts.grants.Forget(session); err != nil {
		a.logger.Error("approvals of a session not forgotten", "session", session, "err", err)
	}
}

// keptApprovals adapts parts to gateway.Approvals, whose List is another than
// that of gateway.Skills.
type keptApprovals struct{ parts *parts }

// List implements gateway.Approvals.
func (k keptApprovals) List() []protocol.KeptApproval {
	kept := []protocol.KeptApproval{}
	for _, g := range k.parts.grants.List() {
		kept = append(kept, protocol.KeptApproval{
			ID: g.ID, Session: g.Session, Tool: g.Tool, Argv: g.Argv, Dir: g.Dir, Env: g.Env, Needs: g.Needs,
			At: protocol.FormatTime(g.At),
		})
	}
	return kept
}

// Revoke implements gateway.Approvals.
func (k keptApprovals) Revoke(id string) error { return k.parts.grants.Revoke(id) }

// Explain implements gateway.Approvals.
func (k keptApprovals) Explain(q protocol.ApprovalExplain) (protocol.ApprovalExplained, error) {
	tools := k.parts.current.Load().tools
	i := slices.IndexFunc(tools, func(t openclaw.Tool) bool { return t.Spec().Name == "shell" })
	if i < 0 {
		return protocol.ApprovalExplained{}, &openclaw.Error{
			Code: openclaw.CodeNotFound, Message: "there is no shell tool (hands.shell.enabled is false), so no command runs",
		}
	}
	args, err := json.Marshal(map[string]any{"command": q.Command, "workdir": q.Dir, "needs": q.Needs})
	if err != nil {
		return protocol.ApprovalExplained{}, err
	}
	ruling, err := policy.Explain(tools[i], &openclaw.Call{Tool: "shell", Args: args, Session: q.Session})
	if err != nil {
		return protocol.ApprovalExplained{}, err
	}
	e := protocol.ApprovalExplained{
		Decision: string(ruling.Decision), Rule: ruling.Rule, Reason: explanation(ruling),
		Needs: ruling.Needs.Strings(), Problem: ruling.Problem,
	}
	for _, c := range ruling.Commands {
		e.Commands = append(e.Commands, protocol.ExplainedCommand(c))
	}
	return e, nil
}

// explanation says a ruling in a sentence.
func explanation(r policy.Ruling) string {
	switch {
	case r.Unreadable != "":
		return fmt.Sprintf("it is denied, since some commands are blocked (%s) and %s", r.Rule, r.Unreadable)
	case r.Decision == policy.Denies:
		return "it is denied by " + r.Rule
	case r.Decision == policy.Asks:
		return "somebody has to approve it, since no rule and no approval covers it; where nobody can, it is denied"
	case r.Rule == "":
		return "it runs without a question, since it needs nothing beyond the sandbox"
	}
	return fmt.Sprintf("it runs without a question, because of %s", r.Rule)
}
