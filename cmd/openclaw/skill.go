package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) skillCommand() *cobra.Command {
	var noStart bool
	list := c.linkCommand("list", "List the skills, and what keeps others from loading", takes(), &noStart, c.listSkills)
	list.Flags().BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	return group("skill", "List, install, check and run skills", list, c.skillInstallCommand(), c.skillRemoveCommand(),
		c.skillTestCommand(), c.skillValidateCommand(), c.skillRunCommand())
}

func (c *cli) listSkills(ctx context.Context, l *link, _ []string) error {
	m, err := l.ask(ctx, protocol.TypeSkillList, protocol.Empty{})
	if err != nil {
		return err
	}
	if c.flags.json {
		return c.printJSON(m.Payload)
	}
	var list protocol.Skills
	if err := m.Into(&list); err != nil {
		return connectionError(err)
	}
	t := newTable(c.stdout)
	t.row("SKILL", "DESCRIPTION", "SOURCE")
	for _, s := range list.Skills {
		description := cut(oneLine(s.Description), 60)
		if !s.Enabled {
			description = "off: " + oneLine(s.Reason)
		}
		t.row(s.Name, description, s.Source)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, s := range list.Skills {
		for _, warning := range s.Warnings {
			c.remark("%s: %s", s.Name, warning)
		}
	}
	return nil
}

func (c *cli) skillRunCommand() *cobra.Command {
	var f chatFlags
	cmd := &cobra.Command{
		Use: "run NAME [arguments]", Short: "Run a skill as one turn", Args: takes("NAME", "[arguments...]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.setFormat(cmd, &f); err != nil {
				return err
			}
			text, err := json.Marshal(strings.Join(args[1:], " "))
			if err != nil {
				return err
			}
			return c.oneTurn(cmd.Context(), f, "this skill", protocol.TypeSkillInvoke, protocol.SkillInvoke{
				Skill: args[0], Args: text, Context: f.context(nil), Options: f.options(c),
			})
		},
	}
	f.addTo(cmd)
	cmd.Flags().StringVar(&f.format, "format", "", "markdown, plain or json (default markdown on a terminal, plain elsewhere)")
	return cmd
}
