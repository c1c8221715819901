package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/skill"
	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) skillCommand() *cobra.Command {
	var noStart bool
	list := c.linkCommand("list", "List the skills, and what keeps others from loading", takes(), &noStart, c.listSkills)
	list.Flags().BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	return group("skill", "List, run and check skills", list, c.skillRunCommand(), c.skillValidateCommand())
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
	if len(list.Skills) == 0 {
		c.remark("there are no skills yet; put a directory with a SKILL.md into skills.path")
		return nil
	}
	t := newTable(c.stdout)
	t.row("SKILL", "DESCRIPTION", "SOURCE")
	for _, s := range list.Skills {
		description := cut(oneLine(s.Description), 60)
		if !s.Enabled {
			description = "not loaded: " + s.Reason
		}
		t.row(s.Name, description, s.Source)
	}
	return t.flush()
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

func (c *cli) skillValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate PATH", Short: "Check a skill's directory or file by the letter of the AgentSkills standard", Args: takes("PATH"),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := c.skillPath(args[0])
			if err != nil {
				return err
			}
			return c.reportSkill(path, skill.Validate(path))
		},
	}
}

// skillPath returns a path as it is, and a name as the directory of that skill
// in skills.path.
func (c *cli) skillPath(arg string) (string, error) {
	if _, err := os.Stat(arg); err == nil || strings.ContainsRune(arg, filepath.Separator) {
		return arg, nil
	}
	cfg, _, err := c.load()
	if err != nil {
		return "", err
	}
	index := skill.New(skill.Options{Roots: append([]string{cfg.Skills.Path}, cfg.Skills.ExtraPaths...)})
	found, err := index.Get(arg)
	if err != nil {
		return "", err
	}
	if filepath.Base(found.File) == "SKILL.md" {
		return found.Dir, nil
	}
	return found.File, nil
}

func (c *cli) reportSkill(path string, problems []skill.Problem) error {
	type problem struct {
		File   string `json:"file"`
		Line   int    `json:"line,omitzero"`
		Reason string `json:"reason"`
	}
	listed := []problem{}
	for _, p := range problems {
		listed = append(listed, problem{p.File, p.Line, p.Reason})
	}
	switch {
	case c.flags.json:
		if err := c.printJSON(map[string]any{"path": path, "valid": len(listed) == 0, "problems": listed}); err != nil {
			return err
		}
	case len(listed) == 0:
		fmt.Fprintln(c.stdout, "ok: "+oneLine(path))
	}
	for _, p := range problems {
		fmt.Fprintf(c.stderr, "openclaw: %s\n", oneLine(p.String()))
	}
	if len(problems) > 0 {
		return &failure{exit: exitFailed}
	}
	return nil
}
