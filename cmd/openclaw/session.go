package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// pageSize is how many sessions or events are asked for at a time. Events may
// carry as much as a tool printed.
const pageSize = 50

func (c *cli) sessionCommand() *cobra.Command {
	var noStart bool
	cmd := group("session", "List, read and delete conversations",
		c.linkCommand("list", "List the conversations, the latest first", takes(), &noStart, c.listSessions),
		c.linkCommand("show NAME", "Print a conversation for reading", takes("NAME"), &noStart, c.showSession),
		c.linkCommand("export NAME", "Print the events of a conversation, one JSON object a line", takes("NAME"), &noStart, c.exportSession),
		c.linkCommand("reset NAME", "Start a conversation anew; what was said stays readable", takes("NAME"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				return c.changeSession(ctx, l, protocol.TypeSessionReset, args[0], "reset")
			}),
		c.linkCommand("delete NAME", "Delete a conversation for good", takes("NAME"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				return c.changeSession(ctx, l, protocol.TypeSessionDelete, args[0], "deleted")
			}),
	)
	cmd.PersistentFlags().BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	return cmd
}

// linkCommand is a command that talks to a gateway, and serves one for as long
// as it takes where none is running.
func (c *cli) linkCommand(use, short string, args cobra.PositionalArgs, noStart *bool,
	do func(ctx context.Context, l *link, args []string) error,
) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			flags := chatFlags{noStart: *noStart}
			l, err := c.connect(cmd.Context(), flags.whenNone(), "this command")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close(c)) }()
			return do(cmd.Context(), l, args)
		},
	}
}

func (c *cli) listSessions(ctx context.Context, l *link, _ []string) error {
	all := []protocol.SessionEntry{}
	for after := ""; ; {
		page, err := client.Ask[protocol.Sessions](ctx, l.Client, protocol.TypeSessionList, protocol.SessionList{Limit: pageSize, After: after})
		if err != nil {
			return connectionError(err)
		}
		all = append(all, page.Sessions...)
		if after = page.Next; after == "" {
			break
		}
	}
	if c.flags.json {
		return c.printJSON(map[string]any{"sessions": all})
	}
	if len(all) == 0 {
		c.remark("there are no conversations yet")
		return nil
	}
	t := newTable(c.stdout)
	t.row("SESSION", "TURNS", "TOKENS", "UPDATED", "TITLE")
	for _, s := range all {
		name := s.Session
		if s.Active {
			name += " *"
		}
		t.row(name, strconv.Itoa(s.Turns), strconv.Itoa(s.TokensUsed), ago(s.UpdatedAt, time.Now()), cut(oneLine(s.Title), 50))
	}
	return t.flush()
}

func (c *cli) changeSession(ctx context.Context, l *link, kind protocol.Type, name, done string) error {
	if _, err := l.ask(ctx, kind, protocol.SessionRef{Session: name}); err != nil {
		return err
	}
	return c.say(map[string]any{"session": name, done: true}, "session %s: %s", name, done)
}
