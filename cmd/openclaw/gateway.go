package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
)

func (c *cli) gatewayCommand() *cobra.Command {
	runHere := func(cmd *cobra.Command, _ []string) error { return c.runGateway(cmd.Context()) }
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Run the gateway here, or control the one in the background",
		Args:  knownSubcommand, RunE: runHere,
	}
	run := &cobra.Command{Use: "run", Short: "Run the gateway until Ctrl-C", Args: takes(), RunE: runHere}
	cmd.AddCommand(run, c.gatewayStartCommand(), c.gatewayStopCommand(), c.gatewayRestartCommand(), c.gatewayStatusCommand())
	return cmd
}

// runGateway serves until a signal comes, which lets running turns finish; a
// second one does not.
func (c *cli) runGateway(ctx context.Context) (err error) {
	cfg, warnings, err := c.load()
	if err != nil {
		return err
	}
	pid, err := claimPIDFile(cfg.Gateway.PIDFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pid.release()) }()
	logs, err := openLog(cfg, c.terminalLog(cfg.Logging.Format))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.close()) }()
	signals, stop := interrupts()
	defer stop()
	a, err := newApp(ctx, cfg, nil, logs.logger)
	if err != nil {
		return startError(err)
	}
	provider, model := a.parts.model()
	logConcerns(logs.logger, cfg, warnings, provider)
	s := &service{cli: c, app: a, logs: logs, signals: signals}
	return s.run(ctx, func(address string) { c.announce(address, cfg, provider, model) })
}

// service is a gateway that runs in the foreground of its process.
type service struct {
	cli     *cli
	app     *app
	logs    *logging
	signals <-chan os.Signal
}

// run serves, follows the configuration file and waits for signals.
func (s *service) run(ctx context.Context, ready func(address string)) error {
	life, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	done := make(chan error, 1)
	wg.Go(func() {
		done <- s.app.run(life, func(address string) {
			ready(address)
			wg.Go(func() { s.follow(life) })
		})
	})
	asked := false
	for {
		select {
		case err := <-done:
			stop()
			wg.Wait()
			return startError(err)
		case signal := <-s.signals:
			if asked {
				s.logs.logger.Warn("gateway stops at once", "signal", signal.String())
				return interrupted(signal)
			}
			asked = true
			if isTerminal(s.cli.stderr) {
				s.cli.remark("stopping when running turns have finished; Ctrl-C stops at once")
			}
			stop()
		}
	}
}

// follow takes over changes of the configuration until ctx ends.
func (s *service) follow(ctx context.Context) {
	logger := s.logs.logger
	err := config.Watch(ctx, s.cli.configOptions(), s.app.config, func(next *config.Config, warnings []config.Warning) {
		for _, w := range warnings {
			logger.Warn("configuration", "warning", w.String())
		}
		s.logs.setLevel(next)
		s.app.reload(next, nil)
	}, func(err error) {
		s.app.parts.fault(err)
		logger.Error("configuration cannot be used, the one before stays in force", "err", err)
	})
	if err != nil {
		logger.Warn("changes of the configuration need a restart", "err", err)
	}
}

// announce says that the gateway is ready, and how to use it.
func (c *cli) announce(address string, cfg *config.Config, provider, model string) {
	if c.flags.json {
		// What is wrong with standard output does not keep a gateway from serving.
		_ = c.printJSON(map[string]any{"address": "ws://" + address, "pid": os.Getpid(), "version": version})
		return
	}
	if c.flags.quiet || !isTerminal(c.stderr) {
		return
	}
	s := c.styleOf(c.stderr)
	fmt.Fprintf(c.stderr, "\n%s\n  address  ws://%s\n", s.bold("OpenClaw gateway "+version), address)
	if provider == offlineModel {
		fmt.Fprintln(c.stderr, "  model    offline: set ANTHROPIC_API_KEY or OPENAI_API_KEY for a language model")
	} else {
		fmt.Fprintf(c.stderr, "  model    %s/%s\n", provider, model)
	}
	where := ""
	if cfg.Gateway.Port == 0 { // no configuration says where it is
		where = " --url ws://" + address
	}
	fmt.Fprintf(c.stderr, "  chat     openclaw chat%s \"What files are in my home directory?\"\n  stop     Ctrl-C\n\n", where)
}

// logConcerns logs what the owner of a gateway should know before it serves.
func logConcerns(logger *slog.Logger, cfg *config.Config, warnings []config.Warning, provider string) {
	for _, w := range append(warnings, cfg.Inert()...) {
		logger.Warn("configuration", "warning", w.String())
	}
	for _, text := range concerns(cfg, provider) {
		logger.Warn("attention", "reason", text)
	}
}

// concerns are what is allowed and yet rarely wanted.
func concerns(cfg *config.Config, provider string) []string {
	var out []string
	if provider == offlineModel {
		out = append(out, "the offline model answers: it is no language model; set ANTHROPIC_API_KEY, OPENAI_API_KEY or brain.provider")
	}
	if g := cfg.Gateway; !g.Auth.Enabled && len(g.AllowedHosts)+len(g.AllowedOrigins) > 0 {
		out = append(out, "gateway.auth is off while other hosts or web pages are allowed: whoever reaches this port commands the agent; set gateway.auth.enabled and gateway.auth.token")
	}
	if cfg.Store.Sync == "normal" {
		out = append(out, "store.sync is normal: a power cut may lose the last answers; full does not")
	}
	return out
}
