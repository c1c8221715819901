package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
)

// startTimeout is how long a gateway in the background may take to be ready: a
// large store is checked first.
const startTimeout = time.Minute

// stopMargin is how long a gateway may take to stop beyond its drain_timeout.
const stopMargin = 15 * time.Second

// announcement is what a gateway prints with --json when it is ready.
type announcement struct {
	Address string `json:"address"`
	PID     int    `json:"pid"`
	Version string `json:"version"`
}

func (c *cli) gatewayStartCommand() *cobra.Command {
	return &cobra.Command{
		Use: "start", Short: "Start the gateway in the background", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			pid, running, err := pidOf(cfg.Gateway.PIDFile)
			if err != nil {
				return err
			}
			if running {
				return c.say(announcement{gatewayURL(cfg, cfg.Gateway.Port), pid, ""}, "the gateway is running already (pid %d)", pid)
			}
			return c.startGateway(cmd.Context(), cfg)
		},
	}
}

func (c *cli) gatewayStopCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "stop", Short: "Stop the gateway in the background, when its running turns have finished", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, broken := c.reach()
			if cfg == nil {
				return broken
			}
			pid, err := c.stopGateway(cmd.Context(), cfg, force)
			if broken != nil && exitCode(err) == exitNotRunning {
				return broken
			}
			if err != nil {
				return err
			}
			return c.say(map[string]any{"stopped": true, "pid": pid}, "the gateway has stopped (pid %d)", pid)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "kill it at once; its turns go on at the next start")
	return cmd
}

func (c *cli) gatewayRestartCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restart", Short: "Stop the gateway in the background, if it runs, and start it", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := c.load() // before anything is stopped
			if err != nil {
				return err
			}
			if _, err := c.stopGateway(cmd.Context(), cfg, false); err != nil && exitCode(err) != exitNotRunning {
				return err
			}
			return c.startGateway(cmd.Context(), cfg)
		},
	}
}

// say prints the result of a command: a line, or a document with --json.
func (c *cli) say(document any, format string, args ...any) error {
	if c.flags.json {
		return c.printJSON(document)
	}
	if !c.flags.quiet {
		fmt.Fprintf(c.stdout, format+"\n", args...)
	}
	return nil
}

// startGateway runs this program once more as a gateway of its own session,
// and returns when that is ready or has ended.
func (c *cli) startGateway(ctx context.Context, cfg *config.Config) error {
	errorsPath := filepath.Join(cfg.Logging.Path, "gateway.err")
	cmd, output, err := c.spawn(errorsPath)
	if err != nil {
		return fmt.Errorf("cannot start a gateway in the background: %w", err)
	}
	defer output.Close()
	ready := make(chan announcement, 1)
	ended := make(chan startEnd, 1)
	go func() {
		var said json.RawMessage
		var a announcement
		_ = json.NewDecoder(output).Decode(&said) // a gateway that crashes says nothing
		if json.Unmarshal(said, &a) == nil && a.Address != "" {
			ready <- a
			return
		}
		ended <- startEnd{cmd.Wait(), said}
	}()
	signals, stop := interrupts()
	defer stop()
	select {
	case a := <-ready:
		return errors.Join(cmd.Process.Release(), c.say(a, "the gateway is running at %s (pid %d)", a.Address, a.PID))
	case end := <-ended:
		return c.startFailure(end, errorsPath)
	case s := <-signals:
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		return interrupted(s)
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(startTimeout):
		return fmt.Errorf("the gateway (pid %d) is still not ready; see: openclaw logs", cmd.Process.Pid)
	}
}

// spawn starts this program as a gateway. What it prints comes through output;
// its errors are kept in a file, since nobody may be there to read them.
func (c *cli) spawn(errorsPath string) (*exec.Cmd, *os.File, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	args := []string{"openclaw", "gateway", "run", "--json", "--quiet"}
	if path := c.configOptions().Path; path != "" {
		args = append(args, "--config", path)
	}
	if c.flags.verbose {
		args = append(args, "--verbose")
	}
	if err := os.MkdirAll(filepath.Dir(errorsPath), 0o700); err != nil {
		return nil, nil, err
	}
	kept, err := os.OpenFile(errorsPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer kept.Close()
	output, theirs, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	cmd := &exec.Cmd{
		Path: program, Args: args, Env: c.environ, Stdout: theirs, Stderr: kept,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, output.Close())
	}
	return cmd, output, nil
}

// startEnd is how a gateway ended that did not start.
type startEnd struct {
	err  error           // of waiting for it
	said json.RawMessage // its error with --json, if it came to that
}

// startFailure hands on what a gateway that did not start had to say, and its
// exit code.
func (c *cli) startFailure(end startEnd, errorsPath string) error {
	var exit *exec.ExitError
	code := exitFailed
	if errors.As(end.err, &exit) && exit.ExitCode() > 0 {
		code = exit.ExitCode()
	}
	lines, readErr := tail(errorsPath, 20)
	if readErr != nil || len(lines) == 0 {
		return &failure{exit: code, err: errors.New("the gateway ended before it was ready; see: openclaw logs")}
	}
	for _, line := range lines {
		fmt.Fprintln(c.stderr, oneLine(line))
	}
	if c.flags.json && len(end.said) > 0 {
		return errors.Join(&failure{exit: code}, c.printJSON(jsontext.Value(end.said)))
	}
	return &failure{exit: code}
}

// stopGateway ends the gateway that the PID file names and waits until it has
// ended. It fails with exit code 3 when none is running.
func (c *cli) stopGateway(ctx context.Context, cfg *config.Config, force bool) (pid int, err error) {
	path := cfg.Gateway.PIDFile
	pid, running, err := pidOf(path)
	switch {
	case err != nil:
		return 0, err
	case !running:
		removeStale(path)
		return 0, notRunning("no gateway is running in the background; start one with: openclaw gateway start")
	case pid == 0:
		return 0, errors.New("the gateway is just starting; try again in a moment")
	}
	signal, patience := syscall.SIGTERM, time.Duration(cfg.Gateway.DrainTimeout)+stopMargin
	if force {
		signal, patience = syscall.SIGKILL, stopMargin
	}
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return pid, fmt.Errorf("cannot stop the gateway (pid %d): %w", pid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if _, running, err := pidOf(path); err != nil || !running {
			removeStale(path)
			return pid, err
		}
		select {
		case <-ctx.Done():
			return pid, fmt.Errorf("the gateway (pid %d) has not stopped after %s; kill it with: openclaw gateway stop --force", pid, patience)
		case <-again.C:
		}
	}
}

// removeStale removes a PID file that a killed gateway left behind. One that
// is claimed at this moment stays.
func removeStale(path string) {
	if _, err := os.Stat(path); err != nil {
		return
	}
	if p, err := claimPIDFile(path); err == nil {
		_ = p.release() // a stale file does no harm
	}
}
