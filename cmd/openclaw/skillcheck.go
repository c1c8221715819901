package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/skill"
)

func (c *cli) skillValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate PATH|NAME", Short: "Check a skill by the letter of the AgentSkills standard", Args: takes("PATH"),
		RunE: func(_ *cobra.Command, args []string) error {
			if isPath(args[0]) {
				return c.reportSkill(args[0], skill.Validate(args[0]))
			}
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			file, problems, err := newSkills(cfg, nil).Validate(args[0])
			if err != nil {
				return err
			}
			return c.reportSkill(file, problems)
		},
	}
}

// isPath says whether an argument names a file rather than a skill.
func isPath(arg string) bool {
	_, err := os.Stat(arg)
	return err == nil || strings.ContainsRune(arg, filepath.Separator)
}

// jsonProblem is a skill.Problem as --json prints it.
type jsonProblem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitzero"`
	Reason string `json:"reason"`
}

func jsonProblems(problems []skill.Problem) []jsonProblem {
	listed := make([]jsonProblem, len(problems))
	for i, p := range problems {
		listed[i] = jsonProblem{p.File, p.Line, p.Reason}
	}
	return listed
}

func (c *cli) reportSkill(path string, problems []skill.Problem) error {
	switch {
	case c.flags.json:
		document := map[string]any{"path": path, "valid": len(problems) == 0, "problems": jsonProblems(problems)}
		if err := c.printJSON(document); err != nil {
			return err
		}
	case len(problems) == 0:
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

func (c *cli) skillTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test PATH|NAME [arguments]",
		Short: "Show what a skill would do: its gates, tools and prompt. Nothing runs",
		Long: "Show whether a skill loads and is on, which tools its turn may use and what the model would read.\n\n" +
			"Nothing runs: no model is asked, no tool is called, no gateway is needed and no file is written.",
		Args: takes("NAME", "[arguments...]"),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			index, name := newSkills(cfg, nil), args[0]
			if isPath(args[0]) {
				if index, name, err = skillAt(cfg, args[0]); err != nil {
					return err
				}
			}
			found, err := index.Get(name)
			if err != nil {
				return err
			}
			return c.reportTest(found, strings.Join(args[1:], " "))
		},
	}
}

// skillAt returns an index of the one skill in a directory or file, and its
// name.
func skillAt(cfg *config.Config, path string) (*skill.Index, string, error) {
	root := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		root = filepath.Dir(path)
	}
	index := skillsIn(cfg, nil, []skill.Root{{Path: root}})
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	for _, info := range index.List() {
		if real, err := filepath.EvalSymlinks(abs); err == nil && (real == info.File || real == filepath.Dir(info.File)) {
			if !info.Enabled && info.Description == "" {
				return nil, "", &plainError{text: info.Reason}
			}
			return index, info.Name, nil
		}
	}
	return nil, "", &plainError{text: "there is no skill in " + path + "; it needs a SKILL.md"}
}

func (c *cli) reportTest(s *skill.Skill, args string) error {
	tools := turnTools(s, nil)
	state := "on"
	if s.Missing != "" {
		state = "off: " + s.Missing
	}
	if c.flags.json {
		document := map[string]any{
			"name": s.Name, "description": s.Description, "file": s.File, "source": s.Source, "enabled": s.Missing == "",
			"reason": s.Missing, "warnings": jsonProblems(s.Warnings), "declared_tools": s.Allowed, "tools": tools,
			"triggers": s.Triggers, "user_invocable": !s.ModelOnly, "model_invocable": !s.UserOnly, "prompt": s.Prompt(args),
		}
		if err := c.printJSON(document); err != nil {
			return err
		}
	} else {
		c.printTest(s, state, args)
	}
	if s.Missing != "" {
		return &failure{exit: exitFailed}
	}
	return nil
}

func (c *cli) printTest(s *skill.Skill, state, args string) {
	t := newTable(c.stdout)
	t.row("skill", s.Name)
	t.row("file", s.File)
	t.row("state", state)
	t.row("invoked by", map[[2]bool]string{
		{false, false}: "people and models", {true, false}: "models only", {false, true}: "people only", {true, true}: "nobody",
	}[[2]bool{s.ModelOnly, s.UserOnly}])
	if len(s.Triggers) > 0 {
		t.row("triggers", strings.Join(s.Triggers, ", "))
	}
	t.row("tools", toolsText(s))
	// A reader that has gone is no reason to fail.
	_ = t.flush()
	for _, p := range s.Warnings {
		fmt.Fprintf(c.stderr, "openclaw: %s\n", oneLine(p.String()))
	}
	fmt.Fprintln(c.stdout, "\n"+clean(s.Prompt(args)))
}
