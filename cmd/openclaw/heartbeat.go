package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) heartbeatCommand() *cobra.Command {
	var now, dryRun, history, noStart bool
	cmd := &cobra.Command{
		Use:   "heartbeat",
		Short: "Show the heartbeat, or run it now",
		Long:  "Show when the heartbeat ran and will run. --now runs it at once; --dry-run says what it would do, and costs nothing; --history lists what came of the last ones.",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			none := fail // a gateway that has just been started has nothing to show
			if (now || dryRun || history) && !noStart {
				none = serve
			}
			l, err := c.connect(cmd.Context(), none, "this heartbeat")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close(c)) }()
			if history {
				return c.heartbeatHistory(cmd.Context(), l)
			}
			if now || dryRun {
				return c.triggerHeartbeat(cmd.Context(), l, dryRun)
			}
			return c.showHeartbeat(cmd.Context(), l)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&now, "now", false, "run it at once")
	flags.BoolVar(&dryRun, "dry-run", false, "say what would run, and do nothing")
	flags.BoolVar(&history, "history", false, "list the last heartbeats, and why one was skipped")
	cmd.MarkFlagsMutuallyExclusive("now", "history")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "history")
	flags.BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	return cmd
}

func (c *cli) showHeartbeat(ctx context.Context, l *link) error {
	m, err := l.ask(ctx, protocol.TypeStatus, protocol.Empty{})
	if err != nil {
		return err
	}
	var s protocol.Status
	if err := m.Into(&s); err != nil {
		return connectionError(err)
	}
	return c.say(s.Heartbeat, "heartbeat %s", oneLine(heartbeatText(s.Heartbeat, time.Now())))
}

func (c *cli) triggerHeartbeat(ctx context.Context, l *link, dryRun bool) error {
	m, err := l.ask(ctx, protocol.TypeHeartbeatTrigger, protocol.HeartbeatTrigger{DryRun: dryRun})
	if err != nil {
		return err
	}
	var s protocol.HeartbeatStatus
	if err := m.Into(&s); err != nil {
		return connectionError(err)
	}
	if c.flags.json {
		err = c.printJSON(m.Payload)
	} else {
		c.printHeartbeat(s, dryRun)
	}
	if err == nil && s.Result == protocol.HeartbeatFailed {
		return &failure{exit: exitFailed}
	}
	return err
}

func (c *cli) heartbeatHistory(ctx context.Context, l *link) error {
	reply, err := client.Ask[protocol.Heartbeats](ctx, l.Client, protocol.TypeHeartbeatHistory, protocol.HeartbeatHistory{Limit: pageSize})
	if err != nil {
		return connectionError(err)
	}
	return c.printRuns(reply.Runs)
}

func (c *cli) printHeartbeat(s protocol.HeartbeatStatus, dryRun bool) {
	fmt.Fprintln(c.stdout, oneLine(s.Result))
	for _, detail := range []string{s.Text, s.Reason} {
		if detail != "" {
			fmt.Fprintln(c.stdout, clean(detail))
		}
	}
	if s.Error != "" {
		fmt.Fprintf(c.stderr, "openclaw: the heartbeat failed: %s\n", oneLine(s.Error))
	}
	for _, due := range s.Due {
		fmt.Fprintf(c.stdout, "would run: %s (%s)\n", oneLine(due.Task), oneLine(due.Reason))
	}
	if dryRun && len(s.Due) == 0 && s.Error == "" {
		c.remark("nothing would run; put tasks into HEARTBEAT.md")
	}
	if s.TokensUsed > 0 {
		c.remark("%d actions, %d tokens", s.ActionsTaken, s.TokensUsed)
	}
}
