package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/audit"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/sandbox"
)

func (c *cli) securityCommand() *cobra.Command {
	verify := &cobra.Command{
		Use: "verify", Short: "Look for lines of the audit log that were changed, moved or removed", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.verifyAudit(cmd.Context()) },
	}
	check := &cobra.Command{
		Use: "check", Short: "Review the configuration and the files beside it", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.checkSecurity() },
	}
	return group("security", "Review what protects this gateway, and its audit log",
		check, group("audit", "The record of who did what", verify))
}

func (c *cli) verifyAudit(ctx context.Context) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	report, err := audit.Verify(ctx, auditOptions(cfg))
	if err != nil {
		return err
	}
	if c.flags.json {
		err = c.printJSON(report)
	} else {
		for _, f := range report.Faults {
			where := f.File
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", f.File, f.Line)
			}
			fmt.Fprintf(c.stdout, "%s: %s\n", where, oneLine(f.What))
		}
		fmt.Fprintf(c.stdout, "%d lines (%d to %d), faults: %d\n", report.Lines, report.First, report.Last, len(report.Faults)+report.More)
	}
	if len(report.Faults) > 0 {
		return errors.Join(err, &failure{exit: exitFailed})
	}
	return err
}

// risk is one thing that a review has looked at.
type risk struct {
	Level string `json:"level"` // levelGood, levelWarning or levelBad
	About string `json:"about"` // a key, or a file
	Says  string `json:"says"`
}

const (
	levelGood    = "ok"
	levelWarning = "warning"
	levelBad     = "bad"
)

func (c *cli) checkSecurity() error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	runner, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return err
	}
	box, err := runner.Box(boxRules(cfg, nil))
	if err != nil {
		return err
	}
	found := slices.Concat(reviewDoor(cfg), reviewHands(cfg, box), reviewPermissions(cfg), reviewFiles(cfg))
	bad := slices.ContainsFunc(found, func(f risk) bool { return f.Level == levelBad })
	if c.flags.json {
		err = c.printJSON(map[string]any{"findings": found})
	} else {
		t := newTable(c.stdout)
		for _, f := range found {
			t.row(f.Level, f.About, f.Says)
		}
		err = t.flush()
	}
	if bad {
		return errors.Join(err, &failure{exit: exitFailed})
	}
	return err
}

// judged returns the risk for what should hold.
func judged(good bool, level, about, otherwise string) risk {
	if good {
		return risk{levelGood, about, "as it should be"}
	}
	return risk{level, about, otherwise}
}

// strongToken is how long a token is that nobody guesses.
const strongToken = 24

// reviewDoor looks at who may connect.
func reviewDoor(cfg *config.Config) []risk {
	g := cfg.Gateway
	ip, err := netip.ParseAddr(g.Host)
	local := g.Host == "localhost" || err == nil && ip.IsLoopback()
	found := []risk{
		judged(local, levelWarning, "gateway.host", "other machines reach this gateway; let it listen on 127.0.0.1 if they need not"),
		judged(local || g.TLS.Cert != "", levelWarning, "gateway.tls", "other machines send their token unencrypted; put TLS in front"),
		judged(g.Auth.Enabled, levelWarning, "gateway.auth.enabled", "every program of every user on this machine is trusted; ask for a token if others share it"),
		judged(g.Auth.Enabled || len(g.AllowedOrigins)+len(g.AllowedHosts) == 0, levelBad, "gateway.allowed_origins", "web pages or other host names are let in without a token; set gateway.auth.enabled"),
	}
	if g.Auth.Enabled {
		token := g.Auth.Token.Reveal()
		kinds := map[rune]bool{}
		for _, r := range token {
			kinds[r] = true
		}
		found = append(found, judged(len(token) >= strongToken && len(kinds) >= 8, levelBad, "gateway.auth.token",
			"it can be guessed; openssl rand -hex 24 makes a better one"))
	}
	return found
}

// reviewHands looks at what the agent can do.
func reviewHands(cfg *config.Config, box *sandbox.Box) []risk {
	layer := box.Layer()
	found := []risk{
		judged(cfg.Hands.Sandbox.Mode != sandbox.ModeOff, levelBad, "hands.sandbox.mode", "commands run with all your rights; set it to auto or require"),
		judged(layer != sandbox.LayerNone, levelBad, "sandbox", "this system confines no commands: every one of them needs an approval"),
		judged(!cfg.Hands.Sandbox.Network, levelWarning, "hands.sandbox.network", "commands reach the network without an approval"),
		judged(!cfg.Hands.Web.AllowPrivate, levelWarning, "hands.web.allow_private", "web_fetch reaches services of this machine and its network"),
	}
	if layer != sandbox.LayerNone {
		for _, gap := range box.Gaps() {
			found = append(found, risk{levelWarning, "sandbox (" + string(layer) + ")", gap})
		}
	}
	return found
}

// broadRule finds rules that allow what nobody can foresee: every command, or
// programs that run what others tell them.
var broadRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(\*|s[a-z]*\*|shell|shell\(\s*(\*|(bash|sh|zsh|sudo|su|python3?|node|perl|ruby|ssh|docker|awk|make)\b.*\*)\))\s*$`)
})

// reviewPermissions looks at the rules.
func reviewPermissions(cfg *config.Config) []risk {
	p := cfg.Permissions
	found := []risk{judged(p.Mode != "auto", levelBad, "permissions.mode", "what the sandbox does not allow runs without a question; set it to ask")}
	for _, rule := range p.AutoApprove {
		found = append(found, judged(!broadRule().MatchString(rule), levelWarning, "permissions.auto_approve",
			fmt.Sprintf("%q allows programs to be started that nobody can foresee; write the commands out", rule)))
	}
	return append(found, judged(cfg.Logging.Audit.Enabled, levelWarning, "logging.audit.enabled", "nobody will be able to tell who did what"))
}

// reviewFiles looks at who can read and change the gateway's own files.
func reviewFiles(cfg *config.Config) (found []risk) {
	o := auditOptions(cfg)
	for _, path := range []string{
		cfg.Home, cfg.Path, filepath.Join(cfg.Home, ".env"), cfg.Store.Path, grantsPath(cfg), o.Key, o.Head, filepath.Join(o.Dir, "audit.log"),
	} {
		info, err := os.Stat(path)
		if err != nil {
			continue // what is not there gives nothing away
		}
		open := info.Mode().Perm() & 0o077
		level := levelBad
		if info.IsDir() {
			open &= 0o022
		}
		found = append(found, judged(open == 0, level, path, "others can read or change it; run: chmod go-rwx "+path))
	}
	return found
}
