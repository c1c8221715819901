package main

import (
	"cmp"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/skill"
	"github.com/openclaw/openclaw-go/protocol"
)

// newSkills returns the index of the skills that a configuration leads to. It
// does not touch the disk yet.
func newSkills(c *config.Config, logger *slog.Logger) *skill.Index {
	return skillsIn(c, logger, skillRoots(c))
}

// skillsIn is newSkills for other places.
func skillsIn(c *config.Config, logger *slog.Logger, roots []skill.Root) *skill.Index {
	home, _ := os.UserHomeDir() // without one, paths are shown whole
	return skill.New(skill.Options{
		Roots: roots, Home: home, Logger: logger,
		Machine: skill.Machine{Config: func(key string) bool { return isOn(c, key) }},
	})
}

// skillRoots are the places of skills; the first one that has a name wins.
func skillRoots(c *config.Config) []skill.Root {
	roots := []skill.Root{
		{Path: filepath.Join(c.Hands.Workspace, "skills"), Agent: true},
		{Path: filepath.Join(c.Hands.Workspace, ".agents", "skills"), Agent: true},
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, skill.Root{Path: filepath.Join(home, ".agents", "skills")})
	}
	roots = append(roots, skill.Root{Path: c.Skills.Path}, skill.Bundled())
	for _, extra := range c.Skills.ExtraPaths {
		roots = append(roots, skill.Root{Path: extra})
	}
	return roots
}

// isOn says whether a key of the configuration is set to something that is
// neither empty nor a no.
func isOn(c *config.Config, key string) bool {
	value, err := c.Get(key)
	if err != nil {
		return false
	}
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return config.Format(value) != "0"
}

// Invoke implements gateway.Skills.
func (p *parts) Invoke(name, args string) (gateway.Invocation, error) {
	found, err := p.current.Load().skills.Invoke(name)
	if err != nil {
		return gateway.Invocation{}, err
	}
	return gateway.Invocation{Prompt: found.Prompt(args), Tools: turnTools(found, p.agent().Tools())}, nil
}

// Fit implements gateway.Skills.
func (p *parts) Fit(text string) (gateway.Invocation, error) {
	if _, command := agent.AsksToCompact(text); command {
		return gateway.Invocation{}, nil
	}
	skills := p.current.Load().skills
	slash := skills.Slash(text)
	switch {
	case slash.Known:
		return p.Invoke(slash.Name, slash.Args)
	case slash.Name != "":
		hint := "no skill is called " + slash.Name + ", so this was taken as plain text"
		if slash.Near != "" {
			hint += "; did you mean /" + slash.Near + "?"
		}
		return gateway.Invocation{Hint: hint}, nil
	}
	name := skills.Match(text)
	if name == "" {
		return gateway.Invocation{}, nil
	}
	found, err := skills.Get(name)
	if err != nil || found.Missing != "" { // it has just gone
		return gateway.Invocation{}, nil
	}
	return gateway.Invocation{
		Prompt: found.Prompt(text), Tools: turnTools(found, p.agent().Tools()), Hint: "the skill " + name + " fits this message and was used",
	}, nil
}

// turnTools returns the only tools that the turn of a skill may use, nil for
// all. A skill can read the files beside it in any case.
func turnTools(s *skill.Skill, offered []openclaw.ToolSpec) []string {
	if s.Tools == nil {
		return nil
	}
	names := []string{}
	for _, declared := range s.Tools {
		if !strings.ContainsAny(declared, "*?[") {
			names = append(names, declared)
			continue
		}
		for _, spec := range offered {
			if match, err := path.Match(declared, spec.Name); err == nil && match {
				names = append(names, spec.Name)
			}
		}
	}
	if len(s.Material()) > 0 {
		names = append(names, "use_skill")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// List implements gateway.Skills.
func (p *parts) List() []protocol.SkillEntry {
	infos := p.current.Load().skills.List()
	entries := make([]protocol.SkillEntry, len(infos))
	for i, s := range infos {
		entries[i] = protocol.SkillEntry{
			Name: s.Name, Description: s.Description, Source: s.Source, Enabled: s.Enabled, Reason: s.Reason,
			File: s.File, Warnings: s.Warnings,
		}
	}
	return entries
}

// Counts implements gateway.Skills.
func (p *parts) Counts() protocol.SkillCounts {
	loaded, skipped := p.current.Load().skills.Counts()
	return protocol.SkillCounts{Loaded: loaded, Skipped: skipped}
}

// shelf lets the tool use_skill read the skills.
type shelf struct{ skills *skill.Index }

// Read implements the tool's Shelf.
func (s shelf) Read(name, file string) (text string, whole bool, err error) {
	found, err := s.skills.Use(name)
	if err != nil {
		return "", false, err
	}
	if file != "" {
		return found.ReadMaterial(file)
	}
	text, whole = skill.CutPart(found.Reading())
	if !whole {
		text += "\n[cut here; the rest is in " + cmp.Or(found.File, found.Name) + "]"
	}
	if files := found.Material(); len(files) > 0 {
		text += "\n\nFiles beside it, to read with use_skill: " + strings.Join(files, ", ")
	}
	return text, whole, nil
}
