package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
)

func (c *cli) configCommand() *cobra.Command {
	get := &cobra.Command{
		Use: "get KEY", Short: "Print the value in force of a key", Args: takes("KEY"), ValidArgsFunction: completeKey,
		RunE: func(_ *cobra.Command, args []string) error { return c.configGet(args[0]) },
	}
	set := &cobra.Command{
		Use: "set KEY VALUE", Short: "Change a key in the file, and nothing else of it", Args: takes("KEY", "VALUE"), ValidArgsFunction: completeKey,
		Long: "Change a key in the file, and nothing else of it. A running gateway takes the change over.\n\n" +
			"openclaw config set brain.provider anthropic\nopenclaw config set brain.api_key '${ANTHROPIC_API_KEY}'",
		RunE: func(_ *cobra.Command, args []string) error { return c.configSet(args[0], args[1]) },
	}
	list := &cobra.Command{
		Use: "list", Short: "Print every key with its value, and where that was set", Args: takes(),
		RunE: func(*cobra.Command, []string) error { return c.configList() },
	}
	validate := &cobra.Command{
		Use: "validate [FILE]", Short: "Check the configuration", Args: takes("[FILE]"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.flags.config = args[0]
			}
			return c.configValidate()
		},
	}
	schema := &cobra.Command{
		Use: "schema", Short: "Print a JSON Schema of the file, for editors", Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			document, err := config.Schema()
			if err != nil {
				return err
			}
			return c.printJSON(jsontext.Value(document))
		},
	}
	path := &cobra.Command{
		Use: "path", Short: "Print the name of the file", Args: takes(),
		RunE: func(*cobra.Command, []string) error { return c.configPath() },
	}
	return group("config", "Read, change and check the configuration", get, set, list, validate, schema, path)
}

func (c *cli) configGet(key string) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	value, err := cfg.Get(key)
	if err != nil {
		return err
	}
	if c.flags.json {
		return c.printJSON(value)
	}
	fmt.Fprintln(c.stdout, clean(config.Format(value)))
	return nil
}

func (c *cli) configSet(key, value string) error {
	document, err := config.OpenDocument(c.configOptions())
	if err != nil {
		return err
	}
	if err := document.Set(key, value); err != nil {
		return err
	}
	if err := document.Save(); err != nil {
		return err
	}
	shown, _, err := document.Get(key)
	if err != nil {
		return err
	}
	if err := c.say(map[string]any{"key": key, "value": shown, "file": document.Path()},
		"%s: %s", oneLine(key), oneLine(shown)); err != nil {
		return err
	}
	c.warnOverridden(key)
	return nil
}

// warnOverridden says when a key that was set in the file has no effect.
func (c *cli) warnOverridden(key string) {
	cfg, _, err := c.load()
	if err != nil {
		return // the file had faults before, and config validate names them
	}
	if origin := cfg.Origin(key); origin.File != "" && !origin.IsFile() {
		c.remark("note: %s is set, too, and wins", origin)
	}
	for _, w := range cfg.Inert() {
		if w.Key == key || strings.HasPrefix(key, w.Key+".") {
			c.remark("note: %s", w)
		}
	}
	for _, later := range config.NeedRestart([]string{key}) {
		c.remark("note: %s takes effect at the next start of the gateway", later)
	}
}

func (c *cli) configList() error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	entries := cfg.List()
	if c.flags.json {
		type entry struct {
			Key    string `json:"key"`
			Value  any    `json:"value"`
			Origin string `json:"origin,omitzero"`
		}
		list := make([]entry, len(entries))
		for i, e := range entries {
			list[i] = entry{e.Key, e.Value, e.Origin.String()}
		}
		return c.printJSON(list)
	}
	dim := c.styleOf(c.stdout)
	for _, e := range entries {
		origin := ""
		if e.Origin.File != "" {
			origin = dim.dim("  # " + oneLine(e.Origin.String()))
		}
		fmt.Fprintf(c.stdout, "%s: %s%s\n", e.Key, oneLine(config.Format(e.Value)), origin)
	}
	return nil
}

// completeKey offers the keys that begin with what has been typed.
func completeKey(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, k := range config.Keys() {
		if len(args) == 0 && strings.HasPrefix(k.Name, typed) {
			names = append(names, k.Name+"\t"+k.Doc)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// configValidate checks the configuration and what is made of it.
func (c *cli) configValidate() error {
	cfg, warnings, err := c.load()
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	if err == nil {
		warnings = append(warnings, cfg.Inert()...)
		if _, err := configuredModels(cfg); err != nil {
			problems = config.Problems{{Origin: cfg.Origin("brain.provider"), Key: "brain.provider", Message: openclaw.AsError(err).Message}}
		}
	}
	if c.flags.json {
		if err := c.printValidation(problems, warnings); err != nil {
			return err
		}
	}
	for _, w := range warnings {
		fmt.Fprintf(c.stderr, "warning: %s\n", oneLine(w.String()))
	}
	if len(problems) == 0 {
		if !c.flags.json {
			fmt.Fprintln(c.stdout, "ok: "+oneLine(cfg.Path))
		}
		return nil
	}
	if c.flags.json {
		for _, line := range errorLines(problems) {
			fmt.Fprintf(c.stderr, "openclaw: %s\n", line)
		}
		return &failure{exit: exitConfiguration}
	}
	return problems
}

func (c *cli) printValidation(problems config.Problems, warnings []config.Warning) error {
	type remark struct {
		File       string `json:"file,omitzero"`
		Line       int    `json:"line,omitzero"`
		Column     int    `json:"column,omitzero"`
		Key        string `json:"key,omitzero"`
		Message    string `json:"message"`
		Suggestion string `json:"suggestion,omitzero"`
	}
	faults, notes := []remark{}, []remark{}
	for _, p := range problems {
		faults = append(faults, remark{p.File, p.Line, p.Column, p.Key, p.Message, p.Suggestion})
	}
	for _, w := range warnings {
		notes = append(notes, remark{w.File, w.Line, w.Column, w.Key, w.Message, ""})
	}
	return c.printJSON(map[string]any{"valid": len(faults) == 0, "problems": faults, "warnings": notes})
}

// configPath also answers when the file is broken.
func (c *cli) configPath() error {
	document, err := config.OpenDocument(c.configOptions())
	if err != nil {
		return err
	}
	return c.say(map[string]any{"path": document.Path()}, "%s", oneLine(document.Path()))
}
