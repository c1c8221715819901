package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/intake"
	"github.com/openclaw/openclaw-go/internal/skill"
)

// installFlags are how a skill is installed.
type installFlags struct {
	only       string // the name of the skill, where there are several
	yes, force bool
}

func (c *cli) skillInstallCommand() *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use:   "install SOURCE",
		Short: "Install a skill from a directory, an archive or a git repository",
		Long: "Install a skill into skills.path from a directory, a .zip or .tar.gz file, or the URL of a git repository\n" +
			"(https, ssh or file). Only text files are taken. What a look through them found is shown before you are asked;\n" +
			"nothing of the skill runs.",
		Args: takes("SOURCE"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.installSkill(cmd.Context(), args[0], f) },
	}
	cmd.Flags().StringVar(&f.only, "skill", "", "`name` of the skill, where the source has several")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "install without asking")
	cmd.Flags().BoolVar(&f.force, "force", false, "replace a skill of this name")
	return cmd
}

func (c *cli) installSkill(ctx context.Context, source string, f installFlags) (err error) {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	if !cfg.Skills.AllowInstall {
		return &plainError{text: "skills.allow_install is false, so that no skill is installed"}
	}
	stage, err := intake.NewStage(cfg.Skills.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	if err := stage.Fetch(ctx, source); err != nil {
		return err
	}
	o, err := c.offerOf(cfg, stage.Dir(), f.only)
	if err != nil {
		return err
	}
	o.source = source
	if !f.yes {
		c.showOffer(o)
		if !c.agreed("install " + o.skill.Name + "?") {
			return &plainError{text: "nothing was installed; --yes installs without asking"}
		}
	}
	if o.path, err = stage.Place(o.skill.Dir, o.skill.Name, f.force); err != nil {
		return err
	}
	return c.reportInstall(cfg, o, f.yes)
}

// offer is a skill that may be installed, and what is to be known of it.
type offer struct {
	skill    *skill.Skill
	source   string
	path     string // where it has been installed
	files    int
	bytes    int64
	findings []intake.Finding
}

// offerOf looks at what has come in, and chooses the skill.
func (c *cli) offerOf(cfg *config.Config, dir, only string) (*offer, error) {
	index := skillsIn(cfg, nil, []skill.Root{{Path: dir}})
	var names, broken []string
	infos := index.List()
	for _, info := range infos {
		switch {
		case info.Description == "":
			rel, _ := filepath.Rel(dir, info.File) // both are absolute
			broken = append(broken, strings.ReplaceAll(info.Reason, info.File, rel))
		case strings.EqualFold(filepath.Base(info.File), "SKILL.md") && !part(infos, info):
			names = append(names, info.Name)
		}
	}
	switch {
	case len(names) == 0 && len(broken) > 0:
		return nil, &plainError{text: "it has no skill that loads: " + broken[0]}
	case len(names) == 0:
		return nil, &plainError{text: "it has no skill: there is no SKILL.md in it"}
	case only == "" && len(names) > 1:
		return nil, &plainError{text: fmt.Sprintf("it has %d skills; choose one with --skill: %s", len(names), strings.Join(names, ", "))}
	case only == "":
		only = names[0]
	}
	found, err := index.Get(only)
	if err != nil {
		return nil, err
	}
	o := &offer{skill: found}
	if o.findings, err = intake.Inspect(found.Dir); err != nil {
		return nil, err
	}
	err = filepath.WalkDir(found.Dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			o.files, o.bytes = o.files+1, o.bytes+info.Size()
		}
		return err
	})
	return o, err
}

// part says whether a skill is inside another one's directory.
func part(infos []skill.Info, of skill.Info) bool {
	return slices.ContainsFunc(infos, func(info skill.Info) bool {
		return strings.HasPrefix(filepath.Dir(of.File), filepath.Dir(info.File)+string(filepath.Separator)) &&
			strings.EqualFold(filepath.Base(info.File), "SKILL.md")
	})
}

// showOffer shows what a person should know before saying yes.
func (c *cli) showOffer(o *offer) {
	fmt.Fprintf(c.stderr, "%s: %s\n", o.skill.Name, oneLine(cut(o.skill.Description, 200)))
	fmt.Fprintf(c.stderr, "  %d files, %d bytes; tools: %s\n", o.files, o.bytes, toolsText(o.skill))
	if o.skill.Missing != "" {
		fmt.Fprintf(c.stderr, "  it will be off here: %s\n", oneLine(o.skill.Missing))
	}
	if len(o.findings) == 0 {
		fmt.Fprintln(c.stderr, "  nothing remarkable was found in the files; read them all the same")
	}
	for _, f := range o.findings {
		mark := " "
		if f.Grave {
			mark = "!"
		}
		fmt.Fprintf(c.stderr, "%s %s:%d: %s: %s\n", mark, oneLine(f.File), f.Line, f.Kind, oneLine(f.Text))
	}
}

func toolsText(s *skill.Skill) string {
	switch {
	case s.Tools == nil:
		return "all (it declares none)"
	case len(s.Tools) == 0:
		return "none"
	}
	return oneLine(strings.Join(s.Tools, ", "))
}

// agreed asks, and says whether the answer was yes.
func (c *cli) agreed(question string) bool {
	fmt.Fprintf(c.stderr, "%s [y/N] ", question)
	line, _ := bufio.NewReader(c.stdin).ReadString('\n')        // the end of the input is a no
	if !strings.HasSuffix(line, "\n") || !isTerminal(c.stdin) { // nobody has typed the end of the line
		fmt.Fprintln(c.stderr)
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

func (c *cli) reportInstall(cfg *config.Config, o *offer, silent bool) error {
	type finding struct {
		File  string `json:"file"`
		Line  int    `json:"line"`
		Kind  string `json:"kind"`
		Text  string `json:"text"`
		Grave bool   `json:"grave"`
	}
	findings := make([]finding, len(o.findings))
	for i, f := range o.findings {
		findings[i] = finding(f)
	}
	if c.flags.json {
		return c.printJSON(map[string]any{
			"installed": o.skill.Name, "path": o.path, "source": o.source, "files": o.files, "bytes": o.bytes,
			"enabled": o.skill.Missing == "", "reason": o.skill.Missing, "findings": findings,
		})
	}
	if silent && !c.flags.quiet {
		c.showOffer(o)
	}
	if now, err := newSkills(cfg, nil).Get(o.skill.Name); err == nil && !strings.HasPrefix(now.File, o.path) {
		// Resolved links may hide that it is the same one.
		if real, err := filepath.EvalSymlinks(o.path); err != nil || now.Dir != real {
			c.remark("another skill of this name comes first and is used: %s", now.File)
		}
	}
	return c.say(nil, "installed %s in %s", o.skill.Name, oneLine(o.path))
}

func (c *cli) skillRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a skill from skills.path", Args: takes("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			index := skillsIn(cfg, nil, []skill.Root{{Path: cfg.Skills.Path}})
			infos := index.List()
			i := slices.IndexFunc(infos, func(info skill.Info) bool { return info.Name == skill.Slug(args[0]) })
			if i < 0 {
				if other, err := newSkills(cfg, nil).Get(args[0]); err == nil {
					return &plainError{text: "the skill " + other.Name + " is not in skills.path and is not removed: " + other.File}
				}
				_, err := index.Get(args[0])
				return err
			}
			path := infos[i].File
			root, err := filepath.EvalSymlinks(cfg.Skills.Path)
			if err != nil {
				return err
			}
			if dir := filepath.Dir(path); dir != root && strings.EqualFold(filepath.Base(path), "SKILL.md") {
				path = dir
			}
			if err := intake.Remove(root, path); err != nil {
				return err
			}
			return c.say(map[string]any{"removed": infos[i].Name, "path": path}, "removed %s: %s", infos[i].Name, oneLine(path))
		},
	}
}
