package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) approvalsCommand() *cobra.Command {
	var noStart bool
	var q protocol.ApprovalExplain
	explain := c.linkCommand("explain COMMAND", "Say what would happen with a shell command, and which rule decides", takes("COMMAND"), &noStart,
		func(ctx context.Context, l *link, args []string) error {
			q.Command = args[0]
			return c.explainApproval(ctx, l, q)
		})
	explain.Flags().StringSliceVar(&q.Needs, "needs", nil, "what it needs beyond the sandbox: network, unconfined, or a `folder` to write in")
	explain.Flags().StringVar(&q.Dir, "dir", "", "`folder` to run it in (default the workspace)")
	explain.Flags().StringVarP(&q.Session, "session", "s", protocol.DefaultSession, "conversation it belongs to")
	cmd := group("approvals", "List and answer what the agent asks for; show what is approved for longer",
		c.linkCommand("list", "List the approvals that wait and those that are kept", takes(), &noStart,
			func(ctx context.Context, l *link, _ []string) error { return c.listApprovals(ctx, l) }),
		c.linkCommand("answer ID DECISION", "Answer one that waits: once, session, always or deny", takes("ID", "DECISION"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				_, err := l.ask(ctx, protocol.TypeApprove, protocol.Approve{ApprovalID: args[0], Decision: args[1]})
				if err != nil {
					return err
				}
				return c.say(map[string]any{"approval_id": args[0], "decision": args[1]}, "%s: %s", args[0], args[1])
			}),
		c.linkCommand("revoke ID", "Revoke one that is kept", takes("ID"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				if _, err := l.ask(ctx, protocol.TypeApprovalRevoke, protocol.ApprovalRevoke{ID: args[0]}); err != nil {
					return err
				}
				return c.say(map[string]any{"id": args[0], "revoked": true}, "%s: revoked", args[0])
			}),
		explain,
	)
	cmd.Long = cmd.Short + ".\n\nAt a terminal, without a subcommand, it waits for questions and asks them here, until Ctrl-D."
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.attendApprovals(cmd.Context(), noStart) }
	cmd.PersistentFlags().BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	return cmd
}

// approvalList is the reply to approval_list, its events decoded.
type approvalList struct {
	Pending []protocol.Event        `json:"pending"`
	Kept    []protocol.KeptApproval `json:"kept"`
}

func (c *cli) listApprovals(ctx context.Context, l *link) error {
	list, err := client.Ask[approvalList](ctx, l.Client, protocol.TypeApprovalList, protocol.ApprovalList{})
	if err != nil {
		return connectionError(err)
	}
	if c.flags.json {
		return c.printJSON(list)
	}
	if len(list.Pending)+len(list.Kept) == 0 {
		c.remark("nothing waits for an approval, and none is kept")
		return nil
	}
	t := newTable(c.stdout)
	t.row("ID", "STATE", "SESSION", "NEEDS", "WHAT")
	for _, q := range list.Pending {
		t.row(q.ApprovalID, "waits", q.Session, strings.Join(q.Needs, ", "), cut(exactly(whatOf(q.Tool, q.Argv)), 80))
	}
	for _, k := range list.Kept {
		state, session := "always", "*"
		if k.Session != "" {
			state, session = "session", k.Session
		}
		t.row(k.ID, state, session, strings.Join(k.Needs, ", "), cut(exactly(whatOf(k.Tool, k.Argv)), 80))
	}
	return t.flush()
}

// whatOf returns what a call runs: a command line as such.
func whatOf(tool string, argv []string) string {
	switch {
	case len(argv) == 3 && argv[1] == "-c":
		return strings.TrimRight(argv[2], "\n") // the shell tool adds a blank line
	case len(argv) > 0:
		return strings.Join(argv, " ")
	}
	return tool
}

func (c *cli) explainApproval(ctx context.Context, l *link, q protocol.ApprovalExplain) error {
	e, err := client.Ask[protocol.ApprovalExplained](ctx, l.Client, protocol.TypeApprovalExplain, q)
	if err != nil {
		return connectionError(err)
	}
	if c.flags.json {
		return c.printJSON(e)
	}
	fmt.Fprintf(c.stdout, "%s: %s\n", e.Decision, oneLine(e.Reason))
	if len(e.Needs) > 0 {
		fmt.Fprintf(c.stdout, "needs: %s\n", oneLine(strings.Join(e.Needs, ", ")))
	}
	if e.Rule != "" {
		fmt.Fprintf(c.stdout, "decided by: %s\n", oneLine(e.Rule))
	}
	if e.Problem != "" {
		fmt.Fprintf(c.stdout, "rules of permissions.auto_approve do not apply: %s\n", oneLine(e.Problem))
	}
	for _, s := range e.Commands {
		rule := "no rule of permissions.auto_approve"
		if s.Rule != "" {
			rule = s.Rule
		}
		fmt.Fprintf(c.stdout, "  %s  ← %s\n", exactly(s.Command), oneLine(rule))
	}
	return nil
}

// attendApprovals lists the approvals and, at a terminal, asks each question
// as it comes.
func (c *cli) attendApprovals(ctx context.Context, noStart bool) (err error) {
	var seen progress
	seen.changed = make(chan struct{}, 1)
	c.notify = seen.put
	flags := chatFlags{noStart: noStart}
	l, err := c.connect(ctx, flags.whenNone(), "these questions")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close(c)) }()
	if c.flags.json || !isTerminal(c.stdin) {
		return c.listApprovals(ctx, l)
	}
	signals, stop := interrupts()
	defer stop()
	lines, err := newLineReader(c.stdin, c.stdout)
	if err != nil {
		return err
	}
	list, err := client.Ask[approvalList](ctx, l.Client, protocol.TypeApprovalList, protocol.ApprovalList{Follow: true})
	if err != nil {
		return connectionError(err)
	}
	c.remark("questions of the agent are asked here; Ctrl-C leaves")
	p := &prompter{cli: c, link: l, lines: lines, signals: signals, waiting: list.Pending}
	if err := p.attend(ctx, &seen); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// exactly returns text so that a person who approves it sees all of it: what
// does not show, or would show as something else, is escaped.
func exactly(text string) string {
	if text == oneLine(text) {
		return text
	}
	return fmt.Sprintf("%q", text)
}

// questionLines show a question.
func questionLines(q protocol.Event) []string {
	lines := []string{fmt.Sprintf("The agent asks to use %s in %s: %s", oneLine(q.Tool), oneLine(q.Session), oneLine(q.Reason))}
	if len(q.Argv) == 0 {
		lines = append(lines, "  "+exactly(string(q.Args)))
	} else {
		for part := range strings.SplitSeq(whatOf(q.Tool, q.Argv), "\n") {
			lines = append(lines, "  $ "+exactly(part))
		}
	}
	if q.Dir != "" {
		lines = append(lines, "  in "+exactly(q.Dir))
	}
	for _, v := range q.Env {
		lines = append(lines, "  with "+exactly(v))
	}
	return lines
}

// decisionOf reads what somebody typed; "": it is no answer.
func decisionOf(typed string) string {
	switch strings.ToLower(strings.TrimSpace(typed)) {
	case "y", "yes", "once":
		return openclaw.DecideOnce
	case "s", "session":
		return openclaw.DecideSession
	case "a", "always":
		return openclaw.DecideAlways
	case "n", "no", "deny":
		return openclaw.DecideDeny
	}
	return ""
}

// expired says whether a question's time is over.
func expired(q protocol.Event, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, q.ExpiresAt)
	return err == nil && now.After(at)
}

func without(list []protocol.Event, id string) []protocol.Event {
	return slices.DeleteFunc(list, func(q protocol.Event) bool { return q.ApprovalID == id })
}
