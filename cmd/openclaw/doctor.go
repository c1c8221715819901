package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
)

// The verdicts of a doctor's finding.
const (
	sound  = "ok"
	doubt  = "warning" // it works, and the owner should know
	broken = "broken"
)

// finding is what the doctor has to say of one part of the installation.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitzero"` // what to do; "" where there is nothing to
}

// examination collects the findings of one run.
type examination struct {
	cli      *cli
	cfg      *config.Config // nil: the configuration cannot be read
	findings []finding
}

func (e *examination) say(check, state, found, remedy string) {
	e.findings = append(e.findings, finding{check, state, found, remedy})
}

func (c *cli) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look at the whole installation and say what is wrong", Args: takes(),
		Long: "Look at the whole installation: files and their permissions, configuration, store,\n" +
			"sandbox, model, port and skills. It changes nothing and asks no model.\n\n" +
			"The exit code is 1 if something is broken.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e := examination{cli: c}
			e.run(cmd.Context())
			return e.report()
		},
	}
}

func (e *examination) run(ctx context.Context) {
	e.configuration()
	if e.cfg == nil {
		return // nothing else can be found without it
	}
	e.home()
	e.secrets()
	e.store()
	e.workspace()
	e.sandbox()
	e.model()
	e.gateway(ctx)
	e.skills()
}

// report prints the findings.
func (e *examination) report() error {
	bad := 0
	for _, f := range e.findings {
		if f.State == broken {
			bad++
		}
	}
	if e.cli.flags.json {
		if err := e.cli.printJSON(map[string]any{"ok": bad == 0, "findings": e.findings}); err != nil {
			return err
		}
	} else {
		e.print()
	}
	if bad > 0 {
		return &failure{exit: exitFailed}
	}
	return nil
}

// print prints the findings for people, with a line for what to do.
func (e *examination) print() {
	for _, f := range e.findings {
		if e.cli.flags.quiet && f.State == sound {
			continue
		}
		fmt.Fprintf(e.cli.stdout, "%-8s %-14s %s\n", f.State, f.Check, oneLine(f.Found))
		if f.Remedy != "" {
			fmt.Fprintf(e.cli.stdout, "%s> %s\n", strings.Repeat(" ", 24), oneLine(f.Remedy))
		}
	}
}
